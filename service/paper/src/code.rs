//! An address as a QR code.

use krilla::geom::{Path, PathBuilder, Rect};
use qrcodegen::{QrCode, QrCodeEcc};

use crate::error::PdfError;

/// The code as one path with its upper left corner at `x`, `y`.
pub(super) fn path(url: &str, x: f32, y: f32, width: f32) -> Result<Path, PdfError> {
    let code = QrCode::encode_text(url, QrCodeEcc::Medium).map_err(|_| PdfError::Code)?;
    #[allow(clippy::cast_precision_loss, reason = "a code has at most 177 modules in a row")]
    let at = |module: i32| module as f32 * width / code.size() as f32;
    let mut path = PathBuilder::new();
    for row in 0..code.size() {
        for column in (0..code.size()).filter(|column| code.get_module(*column, row)) {
            path.push_rect(Rect::from_xywh(x + at(column), y + at(row), at(1), at(1)).ok_or(PdfError::Code)?);
        }
    }
    path.finish().ok_or(PdfError::Code)
}
