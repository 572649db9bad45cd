//! The id of a conversation with the platform. Its type in the schema is `xs:ID`.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::error::XmlError;
use super::space::collapsed;

/// The id of a conversation: a letter or `_`, then letters, digits, `.`, `-` and `_` of ASCII. A UUID may begin with a
/// digit, so it is no id without something before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationId(String);

impl ConversationId {
    /// The most bytes of an id.
    pub const MAX: usize = 128;

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Uuid> for ConversationId {
    fn from(uuid: Uuid) -> Self {
        Self(format!("_{uuid}"))
    }
}

impl fmt::Display for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ConversationId {
    type Err = XmlError;

    fn from_str(text: &str) -> Result<Self, XmlError> {
        let text = collapsed(text);
        let first = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let others = text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if first && others && text.len() <= Self::MAX {
            Ok(Self(text))
        } else {
            Err(XmlError::Value("ConversationID"))
        }
    }
}
