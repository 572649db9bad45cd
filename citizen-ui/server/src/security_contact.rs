//! The address to which vulnerabilities are reported.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where to report a vulnerability: an address that begins with `https://` or `mailto:` (RFC 9116 §2.5.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecurityContact(String);

/// The text is no such address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a security contact begins with https:// or mailto: and has no blanks or line breaks")]
pub struct SecurityContactError;

impl TryFrom<String> for SecurityContact {
    type Error = SecurityContactError;

    fn try_from(text: String) -> Result<Self, SecurityContactError> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("mailto:"));
        match rest {
            Some(rest) if !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(Self(text)),
            _ => Err(SecurityContactError),
        }
    }
}

impl From<SecurityContact> for String {
    fn from(contact: SecurityContact) -> Self {
        contact.0
    }
}

impl fmt::Display for SecurityContact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_texts_are_no_contact() {
        for bad in [
            "",
            "sicherheit@stadt.example",
            "http://stadt.example",
            "mailto:",
            "mailto:a@b\r\nExpires: never",
        ] {
            assert!(SecurityContact::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }
}
