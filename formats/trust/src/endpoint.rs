//! Where a component's connector is reached.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest endpoint, in bytes.
const MAX: usize = 200;

/// The base URL of a connector, for example `https://knoten.stadt.example/einsicht`.
///
/// ```text
/// ( "https" / "http" ) "://" host [ ":" port ] *( "/" segment )
/// host = letters, digits, "-", "." and, for IPv6, "[", ":", "]"     segment = letters, digits, "-", ".", "_", "~"
/// ```
///
/// It has no user, query, fragment, percent sign, capital letter or slash at the end, so each address has one form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Endpoint(String);

/// The text is not an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not an endpoint: an http or https URL in small letters, without user, query, fragment and slash at the end")]
pub struct InvalidEndpoint;

impl Endpoint {
    /// The URL, without a slash at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host: a name, an IPv4 address, or an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let authority = rest.split_once('/').map_or(rest, |(authority, _)| authority);
        if let Some((address, _)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            return address;
        }
        authority.split_once(':').map_or(authority, |(host, _)| host)
    }
}

impl FromStr for Endpoint {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, InvalidEndpoint> {
        text.to_owned().try_into()
    }
}

impl TryFrom<String> for Endpoint {
    type Error = InvalidEndpoint;

    fn try_from(text: String) -> Result<Self, InvalidEndpoint> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let rest = rest.filter(|_| text.len() <= MAX).ok_or(InvalidEndpoint)?;
        let mut parts = rest.split('/');
        let sound = parts.next().is_some_and(is_authority) && parts.all(is_segment);
        if sound { Ok(Self(text)) } else { Err(InvalidEndpoint) }
    }
}

/// A host with or without a port.
fn is_authority(text: &str) -> bool {
    if let Some((address, port)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let hexadecimal = |byte: u8| byte == b':' || byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let port = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return port && !address.is_empty() && address.bytes().all(hexadecimal);
    }
    let (host, port) = text
        .split_once(':')
        .map_or((text, None), |(host, port)| (host, Some(port)));
    let label = |label: &str| {
        let inner = |byte: u8| byte == b'-' || byte.is_ascii_digit() || byte.is_ascii_lowercase();
        !label.is_empty() && label.bytes().all(inner)
    };
    host.split('.').all(label) && port.is_none_or(is_port)
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>()
        .is_ok_and(|port| port > 0 && port.to_string() == text)
}

fn is_segment(text: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase() || b"-._~".contains(&byte);
    !text.is_empty() && text != "." && text != ".." && text.bytes().all(unreserved)
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.0
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_endpoint_has_one_form() {
        for (text, host) in [
            ("https://knoten.stadt.example", "knoten.stadt.example"),
            ("https://knoten.stadt.example/einsicht", "knoten.stadt.example"),
            ("http://127.0.0.1:8080/a/b-c", "127.0.0.1"),
            ("https://[2001:db8::1]:443", "2001:db8::1"),
            ("http://[::1]", "::1"),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!((endpoint.as_str(), endpoint.host()), (text, host));
        }
        let long = format!("https://{}", "a".repeat(200));
        for text in [
            "",
            "https://",
            "ftp://a.example",
            "https://A.example",
            "https://a.example/",
            "https://a.example//b",
            "https://a.example/..",
            "https://a.example/%41",
            "https://user@a.example",
            "https://a.example?b",
            "https://a.example#b",
            "https://a..example",
            "https://a.example:",
            "https://a.example:0",
            "https://a.example:080",
            "https://a.example:65536",
            "https://[::1",
            "https://[]",
            "https://a b.example",
            "https://ä.example",
            &long,
        ] {
            assert_eq!(text.parse::<Endpoint>(), Err(InvalidEndpoint), "{text}");
        }
    }
}
