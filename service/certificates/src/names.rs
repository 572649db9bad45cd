//! The names of a certificate: the subject's URI, and the hosts where it is reached.
//!
//! Components check the URI alone, because it is the name that the directory knows. The hosts are there for clients of
//! others, such as curl, which check the host of the URL.

use std::net::IpAddr;
use std::str::FromStr;

use rcgen::{CertificateParams, SanType};
use serde::{Deserialize, Serialize};
use trust::TrustMap;

use crate::subject::Subject;

/// The most hosts of a certificate.
pub const MAX_HOSTS: usize = 8;
/// The longest name of a host (RFC 1035), in characters.
const MAX_HOST: usize = 253;

/// A host of a server: a name in small letters, or an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Host {
    /// A name in the domain name system.
    Name(String),
    /// An IPv4 or IPv6 address.
    Address(IpAddr),
}

/// The text is neither the name of a host nor an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a host: an IP address, or a name of letters a-z, digits and hyphens with dots in between")]
pub struct InvalidHost;

impl FromStr for Host {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        let inner = |byte: u8| byte == b'-' || byte.is_ascii_digit() || byte.is_ascii_lowercase();
        let label = |label: &str| {
            let hyphen = label.starts_with('-') || label.ends_with('-');
            (1..=63).contains(&label.len()) && !hyphen && label.bytes().all(inner)
        };
        // A name whose last label is a number would be read as an address (WHATWG URL).
        let numeric = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
        let numeric_end = text.rsplit('.').next().is_some_and(numeric);
        if text.len() <= MAX_HOST && text.split('.').all(label) && !numeric_end {
            Ok(Self::Name(text.to_owned()))
        } else {
            Err(InvalidHost)
        }
    }
}

impl TryFrom<String> for Host {
    type Error = InvalidHost;

    fn try_from(text: String) -> Result<Self, InvalidHost> {
        text.parse()
    }
}

impl From<Host> for String {
    fn from(host: Host) -> Self {
        match host {
            Host::Name(name) => name,
            Host::Address(address) => address.to_string(),
        }
    }
}

/// All names of one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The subject.
    pub subject: Subject,
    /// The hosts, in order and without repetition.
    pub hosts: Vec<Host>,
}

/// Names that a certificate of this system cannot have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNames {
    /// Not exactly one URI, or another one.
    #[error("a certificate has exactly one URI, the name of a component or a writer")]
    Uri,
    /// A name that is no host.
    #[error("a certificate has hosts of one form: small letters, and no wildcard")]
    Host,
    /// Too many hosts, or one twice.
    #[error("a certificate has at most {MAX_HOSTS} hosts, each once")]
    Hosts,
    /// A name of another kind, such as a mail address.
    #[error("a certificate has URIs, names of hosts and addresses, and no other names")]
    Kind,
}

impl Names {
    /// The names of a subject that is reached at these hosts.
    ///
    /// # Errors
    /// [`InvalidNames::Hosts`].
    pub fn new(subject: Subject, mut hosts: Vec<Host>) -> Result<Self, InvalidNames> {
        let all = hosts.len();
        hosts.sort_unstable();
        hosts.dedup();
        if hosts.len() == all && all <= MAX_HOSTS {
            Ok(Self { subject, hosts })
        } else {
            Err(InvalidNames::Hosts)
        }
    }

    /// The names that the directory gives to a subject: an active component is reached at the host of its endpoint. The
    /// directory does not say where a writer is reached, so these hosts come from the operator's configuration.
    ///
    /// Returns nothing if the directory does not list the subject, or lists a host that no certificate can have.
    #[must_use]
    pub fn listed(subject: &Subject, directory: &TrustMap, writer_hosts: &[Host]) -> Option<Self> {
        subject.keys(directory).next()?;
        let hosts = match subject.component(directory) {
            Some(component) => match &component.endpoint {
                Some(endpoint) => vec![endpoint.host().parse().ok()?],
                None => Vec::new(),
            },
            None => writer_hosts.to_vec(),
        };
        Self::new(subject.clone(), hosts).ok()
    }

    /// The names that a CSR asks for.
    pub(crate) fn of_params(params: &CertificateParams) -> Result<Self, InvalidNames> {
        let (mut subject, mut hosts) = (None, Vec::new());
        for name in &params.subject_alt_names {
            match name {
                SanType::URI(uri) if subject.is_none() => {
                    subject = Some(uri.as_str().parse().map_err(|_| InvalidNames::Uri)?);
                }
                SanType::URI(_) => return Err(InvalidNames::Uri),
                SanType::DnsName(name) => match name.as_str().parse() {
                    Ok(host @ Host::Name(_)) => hosts.push(host),
                    _ => return Err(InvalidNames::Host),
                },
                SanType::IpAddress(address) => hosts.push(Host::Address(*address)),
                _ => return Err(InvalidNames::Kind),
            }
        }
        Self::new(subject.ok_or(InvalidNames::Uri)?, hosts)
    }

    /// The names as subject alternative names.
    pub(crate) fn to_params(&self) -> Result<CertificateParams, rcgen::Error> {
        let mut params = CertificateParams::default();
        let uri = SanType::URI(self.subject.to_string().try_into()?);
        params.subject_alt_names.push(uri);
        for host in &self.hosts {
            params.subject_alt_names.push(match host {
                Host::Name(name) => SanType::DnsName(name.as_str().try_into()?),
                Host::Address(address) => SanType::IpAddress(*address),
            });
        }
        params.distinguished_name = rcgen::DistinguishedName::new();
        Ok(params)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_host_has_one_form() {
        for text in ["localhost", "knoten.stadt-1.example", "127.0.0.1", "2001:db8::1"] {
            assert_eq!(String::from(text.parse::<Host>().unwrap()), text);
        }
        let long = "a".repeat(64);
        for text in [
            "",
            "a.",
            ".a",
            "A.example",
            "*.example",
            "-a.example",
            "a b",
            "a_b",
            "127.0.0.300",
            "1.2",
            "ä.example",
            &long,
        ] {
            assert_eq!(text.parse::<Host>(), Err(InvalidHost), "{text}");
        }
    }

    #[test]
    fn hosts_are_bounded_and_appear_once() {
        let subject: Subject = "urn:einsicht:component:kba".parse().unwrap();
        let host = |number: usize| Host::Name(format!("a{number}.example"));
        let names = |hosts: Vec<Host>| Names::new(subject.clone(), hosts);
        assert!(names((0..MAX_HOSTS).map(host).collect()).is_ok());
        assert_eq!(names((0..=MAX_HOSTS).map(host).collect()), Err(InvalidNames::Hosts));
        assert_eq!(names(vec![host(1), host(1)]), Err(InvalidNames::Hosts));
        assert_eq!(names(vec![host(2), host(1)]), names(vec![host(1), host(2)]));
    }
}
