//! What a document says: a title, paragraphs, rows, codes. How it looks is the business of `layout` and `draw`.

use text::phrase::Phrase;

/// A document.
#[derive(Clone)]
#[allow(missing_debug_implementations)] // it would show the person
pub struct Paper {
    /// Its language (BCP 47), as PDF knows languages: without the private tag of easy German.
    pub lang: &'static str,
    /// The words in the bar at the top of each page, which says that the data are invented. Without words there is no
    /// bar.
    pub banner: Option<String>,
    /// Who has made it, at the top of each page: the portal, a register.
    pub product: String,
    /// The title.
    pub title: String,
    /// The words at the bottom of each page.
    pub footer: String,
    /// The number of a page, in words.
    pub page: fn(page: usize, pages: usize) -> String,
    /// The content.
    pub blocks: Vec<Block>,
}

/// A part of a document.
#[derive(Clone, Debug)]
pub enum Block {
    /// The first heading.
    Title(String),
    /// A heading below it.
    Heading(String),
    /// A paragraph.
    Paragraph(Phrase),
    /// A paragraph in small letters.
    Small(Phrase),
    /// An access. Adjacent ones are a list.
    Row(PaperRow),
    /// A name and its value. Adjacent ones are a list.
    Field(PaperField),
    /// A code for cameras, with words beside it.
    Code(Code),
    /// An empty line.
    Gap,
}

/// An access on paper.
#[derive(Clone, Debug)]
pub struct PaperRow {
    /// Date and time.
    pub when: String,
    /// The sentence.
    pub said: Phrase,
    /// The reason that the authority has given.
    pub why: Option<Phrase>,
    /// The result and the entries.
    pub result: String,
}

/// A name and its value on paper. `Debug` shows neither.
#[derive(Clone)]
pub struct PaperField {
    /// What it is.
    pub name: Phrase,
    /// The value. It may be longer than a page.
    pub value: Phrase,
}

impl std::fmt::Debug for PaperField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PaperField(redacted)")
    }
}

/// An address as a QR code.
#[derive(Clone, Debug)]
pub struct Code {
    /// The address.
    pub url: String,
    /// What the code is, for readers who do not see it.
    pub alt: String,
    /// The words beside it, above the address.
    pub words: Vec<String>,
}
