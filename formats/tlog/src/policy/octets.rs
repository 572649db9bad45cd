//! Names and URLs of a policy.

use core::fmt;

/// A name or URL of a policy: the octets 21–7E and 80–FF, at least one. The specification makes them opaque: they are
/// compared octet by octet, and need not be UTF-8. `Display` is for people: it escapes what is not UTF-8 (`\xff`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Octets(Vec<u8>);

impl Octets {
    /// Takes a field of a line, whose octets the parser has checked.
    pub(super) fn of_field(field: &[u8]) -> Self {
        Self(field.to_vec())
    }

    /// The octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text, if it is UTF-8. Only such a URL can be requested.
    #[must_use]
    pub fn to_str(&self) -> Option<&str> {
        str::from_utf8(&self.0).ok()
    }
}

impl fmt::Display for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            f.write_str(chunk.valid())?;
            for octet in chunk.invalid() {
                write!(f, "\\x{octet:02x}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_utf_8_is_escaped_for_people() {
        let name = Octets::of_field(b"B\xc3\xa4r\xff\xc3");
        assert_eq!(name.to_string(), "Bär\\xff\\xc3");
        assert_eq!(name.to_str(), None);
        assert_eq!(Octets::of_field("Bär".as_bytes()).to_str(), Some("Bär"));
    }
}
