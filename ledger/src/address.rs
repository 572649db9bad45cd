//! The address at which writers reach a ledger.

use std::fmt;
use std::str::FromStr;

use axum::http::Uri;
use serde::Deserialize;

/// The longest address in bytes.
const MAX_LENGTH: usize = 255;

/// The address at which writers reach a ledger: `http://` or `https://`, a host and perhaps a port, and nothing else.
///
/// Followers send writers to it, so an address that a follower reads in the database is parsed again.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct LedgerAddress(String);

/// Why a text is no address.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an address like https://ledger1.example:8443, without a path")]
pub struct AddressError(String);

impl LedgerAddress {
    /// Its text, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LedgerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for LedgerAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let invalid = || AddressError(text.escape_debug().take(MAX_LENGTH).collect());
        let address = text.strip_suffix('/').unwrap_or(text);
        let uri: Uri = address.parse().map_err(|_| invalid())?;
        let authority = uri.authority().ok_or_else(invalid)?;
        let scheme = uri.scheme_str().filter(|scheme| ["http", "https"].contains(scheme));
        // A user, a path and a query would make another text than this one.
        let plain = format!("{}://{}", scheme.ok_or_else(invalid)?, authority.as_str());
        if plain == address && !authority.as_str().contains('@') && address.len() <= MAX_LENGTH {
            Ok(Self(plain))
        } else {
            Err(invalid())
        }
    }
}

impl TryFrom<String> for LedgerAddress {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_scheme_host_and_port() {
        for text in ["http://127.0.0.1:8080", "https://ledger1.example", "https://[::1]:8443"] {
            assert_eq!(
                text.parse::<LedgerAddress>().map(|address| address.0).ok(),
                Some(text.into())
            );
        }
        let slash = "https://ledger1.example/".parse::<LedgerAddress>();
        assert_eq!(
            slash.ok().map(|address| address.0),
            Some("https://ledger1.example".into())
        );
        for text in [
            "",
            "/",
            "ledger1.example",
            "ledger1.example:80",
            "//ledger1.example",
            "ftp://ledger1.example",
            "https://",
            "https://a@ledger1.example",
            "https://ledger1.example/path",
            "https://ledger1.example?query",
            "https://ledger1.example#part",
            "https://ledger1.example//",
            "https://ledger1.example\r\nx: y",
            "https://ledger 1.example",
        ] {
            assert!(text.parse::<LedgerAddress>().is_err(), "{text:?}");
        }
        assert!(
            format!("https://{}.example", "a".repeat(300))
                .parse::<LedgerAddress>()
                .is_err()
        );
    }
}
