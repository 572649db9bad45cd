//! The addresses of a log's ledgers.
//!
//! A log in a database may have several ledgers: one writes to it, and the others follow and redirect writers to it.
//! A client uses one of them until it fails, or until it redirects to another one. It never goes to an address that its
//! configuration does not list.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};

/// The most ledgers of one log.
const MAX_ADDRESSES: usize = 8;

/// Base URLs of the ledgers of one log, in a configuration either one text or a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct LedgerAddresses(Vec<String>);

/// The form in a configuration.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    One(String),
    Several(Vec<String>),
}

/// Why a list of addresses cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AddressesError {
    /// There are none, or too many.
    #[error("`ledger` has {0} addresses; it must have 1 to {MAX_ADDRESSES}")]
    Count(usize),
    /// One is listed twice.
    #[error("`ledger` has the address {0} twice")]
    Twice(String),
}

impl LedgerAddresses {
    /// The addresses of a list; slashes at their ends are dropped.
    ///
    /// # Errors
    /// [`AddressesError`]
    pub fn new(list: impl IntoIterator<Item = String>) -> Result<Self, AddressesError> {
        let list: Vec<String> = list
            .into_iter()
            .map(|one| one.trim_end_matches('/').to_owned())
            .collect();
        if !(1..=MAX_ADDRESSES).contains(&list.len()) {
            return Err(AddressesError::Count(list.len()));
        }
        let twice = list.iter().enumerate().find(|(at, one)| list[..*at].contains(one));
        match twice {
            Some((_, one)) => Err(AddressesError::Twice(one.clone())),
            None => Ok(Self(list)),
        }
    }

    /// The first address.
    #[must_use]
    pub fn first(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }
}

impl From<&str> for LedgerAddresses {
    fn from(one: &str) -> Self {
        Self(vec![one.trim_end_matches('/').to_owned()])
    }
}

impl TryFrom<Written> for LedgerAddresses {
    type Error = AddressesError;

    fn try_from(written: Written) -> Result<Self, AddressesError> {
        match written {
            Written::One(one) => Self::new([one]),
            Written::Several(several) => Self::new(several),
        }
    }
}

impl From<LedgerAddresses> for Written {
    fn from(LedgerAddresses(mut list): LedgerAddresses) -> Self {
        match list.len() {
            1 => Self::One(list.remove(0)),
            _ => Self::Several(list),
        }
    }
}

impl fmt::Display for LedgerAddresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

/// The addresses, and which one is used at the moment.
#[derive(Debug)]
pub(super) struct Ring {
    addresses: LedgerAddresses,
    current: AtomicUsize,
}

impl Ring {
    pub(super) fn new(addresses: LedgerAddresses) -> Self {
        Self {
            addresses,
            current: AtomicUsize::new(0),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.addresses.0.len()
    }

    /// The address in use, with its place.
    pub(super) fn current(&self) -> (usize, &str) {
        let at = self.current.load(Ordering::Relaxed);
        (at, self.addresses.0.get(at).map_or("", String::as_str))
    }

    /// The ledger at this place has failed: the next one is used, unless another call has changed the place already.
    pub(super) fn leave(&self, at: usize) {
        let next = (at + 1) % self.len();
        let _ = self
            .current
            .compare_exchange(at, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Uses the ledger that a redirect names: `location` is an address of the configuration followed by `path`. Returns
    /// `false` for any other location.
    pub(super) fn redirect(&self, location: &str, path: &str) -> bool {
        let named = location.strip_suffix(path);
        let at = named.and_then(|named| self.addresses.0.iter().position(|address| address == named));
        if let Some(at) = at {
            self.current.store(at, Ordering::Relaxed);
        }
        at.is_some()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn one_address_or_several_are_written_as_they_were_read() {
        for text in [r#""http://one""#, r#"["http://one","https://two:8443"]"#] {
            let addresses: LedgerAddresses = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&addresses).unwrap(), text);
            assert_eq!(addresses.first(), "http://one");
        }
        for text in [
            "[]",
            r#"["http://a","http://a/"]"#,
            r#"["a","b","c","d","e","f","g","h","i"]"#,
            "1",
        ] {
            assert!(serde_json::from_str::<LedgerAddresses>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_redirect_leads_to_a_listed_address_alone() {
        let list = ["http://one", "https://two:8443/"].map(String::from);
        let ring = Ring::new(LedgerAddresses::new(list).unwrap());
        assert!(ring.redirect("https://two:8443/entries", "/entries"));
        assert_eq!(ring.current(), (1, "https://two:8443"));
        for other in [
            "https://three/entries",
            "https://two:8443/other",
            "https://two:8443/entries?next=1",
            "http://two:8443/entries",
            "https://two:8443.attacker.example/entries",
            "/entries",
            "entries",
            "",
        ] {
            assert!(!ring.redirect(other, "/entries"), "{other}");
            assert_eq!(ring.current().0, 1);
        }
    }

    #[test]
    fn a_failure_moves_on_once() {
        let ring = Ring::new(LedgerAddresses::new(["a", "b", "c"].map(String::from)).unwrap());
        ring.leave(0);
        ring.leave(0);
        assert_eq!(ring.current(), (1, "b"));
        ring.leave(1);
        ring.leave(2);
        assert_eq!(ring.current(), (0, "a"));
    }
}
