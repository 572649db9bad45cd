//! Why a document cannot be drawn.

/// Why a document cannot be drawn. None of it depends on what a client sends, so the program itself is wrong.
#[derive(Debug, thiserror::Error)]
pub enum PdfError {
    /// A font cannot be read.
    #[error("a font of the program cannot be read")]
    Font,
    /// An address is too long for a QR code.
    #[error("an address is too long for a QR code")]
    Code,
    /// krilla refuses the settings.
    #[error("the settings contradict each other")]
    Settings,
    /// krilla refuses the document. The details name glyphs of a person's texts, so they are left out.
    #[error("the document does not meet the standards")]
    Document,
}
