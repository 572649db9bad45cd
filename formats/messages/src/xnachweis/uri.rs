//! URIs. An XSD `anyURI` may be nearly any text; these are absolute URIs of RFC 3986 without brackets, so that every
//! program reads the same address from them.

use std::fmt;
use std::str::FromStr;

use super::space::is_space;

/// An absolute URI, at most [`Uri::MAX`] bytes long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uri(String);

/// The text is no absolute URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no absolute URI of RFC 3986 without brackets, or is too long")]
pub struct UriError;

impl Uri {
    /// The most bytes of a URI.
    pub const MAX: usize = 2048;

    /// The URI.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Uri {
    type Err = UriError;

    /// Reads a URI, around which XSD allows white space.
    fn from_str(text: &str) -> Result<Self, UriError> {
        let text = text.trim_matches(is_space);
        let (scheme, rest) = text.split_once(':').ok_or(UriError)?;
        let (before, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let valid = text.len() <= Self::MAX
            && is_scheme(scheme)
            && !before.is_empty()
            && is_encoded(before)
            && is_encoded(fragment)
            && before.strip_prefix("//").is_none_or(has_authority);
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(UriError)
        }
    }
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Whether the text consists of the characters of paths and queries, and of bytes in percent encoding.
fn is_encoded(text: &str) -> bool {
    let mut parts = text.split('%');
    let allowed = |part: &str| {
        part.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?".contains(&byte))
    };
    parts.next().is_none_or(allowed)
        && parts.all(|part| {
            let encoded = part.get(..2).unwrap_or_default();
            encoded.len() == 2 && encoded.bytes().all(|byte| byte.is_ascii_hexdigit()) && allowed(part)
        })
}

/// Whether what follows `//` begins with a host and at most a port. Names and passwords in a URI are refused.
fn has_authority(rest: &str) -> bool {
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let (host, port) = authority.split_once(':').unwrap_or((authority, "0"));
    let digits = port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    !host.is_empty() && !host.contains(['@', ':']) && !port.is_empty() && digits
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn absolute_uris_are_read_and_others_are_not() {
        for text in [
            "https://amt.example/zur%C3%BCck?a=b&c=%20#x",
            "https://amt.example:8443",
            "urn:uuid:00000000-0000-0000-0000-000000000001",
            " urn:a:b\n",
        ] {
            assert_eq!(text.parse::<Uri>().unwrap().as_str(), text.trim());
        }
        for text in [
            "",
            "amt.example",
            "/pfad",
            ":x",
            "1a:b",
            "https:",
            "https://",
            "https:///x",
            "https://a:x/",
            "https://a:/",
            "https://a:99:1/",
            "https://u@a/",
            "https://[::1]/",
            "https://a/ b",
            "https://a/%",
            "https://a/%2",
            "https://a/%ä",
            "https://a/%g0",
            "https://a/ü",
            "https://a/#a#b",
            "https://a/\\",
            "https://a/{x}",
        ] {
            assert_eq!(text.parse::<Uri>(), Err(UriError), "{text}");
        }
        let long = format!("urn:{}", "a".repeat(Uri::MAX));
        assert_eq!(long.parse::<Uri>(), Err(UriError));
    }
}
