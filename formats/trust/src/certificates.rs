//! The certificate authorities, whose certificates secure the connections between processes.
//!
//! A certificate proves a name and gives no right ([`crate::Component`] does). The authorities are in the directory so
//! that every process learns of a new one without a file that people distribute. One authority is replaced by another
//! in three versions: first the new one is accepted, then it issues, then the old one is no longer accepted.

use serde::{Deserialize, Serialize};

use crate::limits::{MAX_ACCEPTED, MAX_CERTIFICATE};

/// The certificates of the authorities: X.509 (RFC 5280) in DER.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateAuthorities {
    /// The authority that issues certificates.
    #[serde(with = "record::bytes")]
    pub issuing: Vec<u8>,
    /// Further authorities whose certificates are accepted. Ascending.
    #[serde(with = "record::bytes")]
    pub accepted: Vec<Vec<u8>>,
}

impl CertificateAuthorities {
    /// All authorities whose certificates are accepted. The issuing one comes first.
    pub fn all(&self) -> impl Iterator<Item = &[u8]> {
        [&self.issuing].into_iter().chain(&self.accepted).map(Vec::as_slice)
    }

    /// Whether sizes and order are right. This crate does not read the certificates.
    pub(crate) fn is_sound(&self) -> bool {
        let fits = |certificate: &[u8]| !certificate.is_empty() && certificate.len() <= MAX_CERTIFICATE;
        self.all().all(fits)
            && self.accepted.len() <= MAX_ACCEPTED
            && self.accepted.is_sorted_by(|first, second| first < second)
            && !self.accepted.contains(&self.issuing)
    }
}
