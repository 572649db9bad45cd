//! The secrets that registrars hand out.
//!
//! ```text
//! https://join.example#apply.<invitation>.<seed>       the operator's link
//! https://join.example#confirm.<invitation>.<seed>     the body's code
//! ```
//!
//! Everything secret is in the fragment, which no client sends. The seed is that of an Ed25519 key whose public half
//! the registrar has signed. The invitation is named by its hash, so the link also authenticates what it says.

use core::fmt;
use core::str::FromStr;

use record::SigningKey;
use tlog::Hash;
use zeroize::Zeroizing;

use crate::invitation::InvitationId;

/// The longest link, in characters.
const MAX_LINK: usize = 512;

/// What a secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The operator applies with it.
    Apply,
    /// The body confirms with it.
    Confirm,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Confirm => "confirm",
        }
    }
}

/// A link or a code. Its text is secret; `Debug` leaves the secret out.
#[derive(Clone)]
pub struct Link {
    /// The base URL of the join service, without a slash at the end.
    pub service: String,
    /// What it is for.
    pub purpose: Purpose,
    /// The invitation.
    pub invitation: InvitationId,
    seed: Zeroizing<[u8; 32]>,
}

/// The text is not a link. The error does not quote it, because it may be one with a typing error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLink {
    /// It does not have the form of a link.
    #[error("not a complete link of a join service: copy it from http to its end, with the part after #")]
    Malformed,
    /// It is for something else.
    #[error("this is {}", match .0 {
        Purpose::Apply => "the operator's link to apply, not the body's code to confirm",
        Purpose::Confirm => "the body's code to confirm, not the operator's link to apply",
    })]
    Purpose(Purpose),
}

impl Link {
    /// A link with this random seed.
    #[must_use]
    pub fn new(service: &str, purpose: Purpose, invitation: InvitationId, seed: [u8; 32]) -> Self {
        Self {
            service: service.trim_end_matches('/').to_owned(),
            purpose,
            invitation,
            seed: Zeroizing::new(seed),
        }
    }

    /// Reads a link that must be for `purpose`.
    ///
    /// # Errors
    /// [`InvalidLink`].
    pub fn parse(text: &str, purpose: Purpose) -> Result<Self, InvalidLink> {
        let link: Self = text.trim().parse()?;
        if link.purpose == purpose {
            Ok(link)
        } else {
            Err(InvalidLink::Purpose(link.purpose))
        }
    }

    /// The key that signs with this secret.
    #[must_use]
    pub fn key(&self) -> SigningKey {
        SigningKey::from_seed(*self.seed)
    }

    /// The text that is handed out.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let seed = Zeroizing::new(hex::encode(*self.seed));
        let (service, purpose) = (&self.service, self.purpose.name());
        Zeroizing::new(format!("{service}#{purpose}.{}.{}", self.invitation, seed.as_str()))
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({}, {})", self.purpose.name(), self.invitation)
    }
}

impl FromStr for Link {
    type Err = InvalidLink;

    fn from_str(text: &str) -> Result<Self, InvalidLink> {
        let parts = text.split_once('#').filter(|_| text.len() <= MAX_LINK);
        let (service, secret) = parts.ok_or(InvalidLink::Malformed)?;
        let is_http = ["http://", "https://"].iter().any(|scheme| service.starts_with(scheme));
        let parts: Vec<&str> = secret.split('.').collect();
        let ([purpose, invitation, seed], true) = (parts.as_slice(), is_http) else {
            return Err(InvalidLink::Malformed);
        };
        let purposes = [Purpose::Apply, Purpose::Confirm];
        let purpose = purposes.into_iter().find(|known| known.name() == *purpose);
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(seed, bytes.as_mut_slice()).map_err(|_| InvalidLink::Malformed)?;
        let invitation: Hash = invitation.parse().map_err(|_| InvalidLink::Malformed)?;
        let purpose = purpose.ok_or(InvalidLink::Malformed)?;
        Ok(Self::new(service, purpose, invitation, *bytes))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_link_is_read_back_and_only_for_its_purpose() {
        let link = Link::new("https://join.example/", Purpose::Apply, Hash([3; 32]), [9; 32]);
        let text = link.to_text();
        assert!(text.starts_with("https://join.example#apply.03") && text.ends_with("0909"));
        let read = Link::parse(&text, Purpose::Apply).unwrap();
        assert_eq!(read.key().public(), link.key().public());
        assert_eq!(read.invitation, link.invitation);
        let other = Link::parse(&text, Purpose::Confirm).unwrap_err();
        assert_eq!(other, InvalidLink::Purpose(Purpose::Apply));
        assert!(!format!("{link:?}").contains("0909"));
        for wrong in ["", "#apply", "ftp://a#apply.03.09", "https://join.example/apply"] {
            assert_eq!(Link::parse(wrong, Purpose::Apply).unwrap_err(), InvalidLink::Malformed);
        }
        assert!(Link::parse(&text[..text.len() - 1], Purpose::Apply).is_err());
        assert!(Link::parse(&format!("{}00", text.as_str()), Purpose::Apply).is_err());
    }
}
