//! A field whose text is refused.

use crate::content::Class;
use crate::error::TextError;
use crate::text::Text;

/// A field whose text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field} {error}")]
pub struct FieldError {
    /// The field.
    pub field: &'static str,
    /// The reason.
    pub error: TextError,
}

impl FieldError {
    /// Checks a field of signed bytes, which must be in canonical form.
    ///
    /// # Errors
    /// When it is no text of the class.
    pub fn check<C: Class>(field: &'static str, text: &str) -> Result<(), Self> {
        match Text::<C>::exact(text) {
            Ok(_) => Ok(()),
            Err(error) => Err(Self { field, error }),
        }
    }
}
