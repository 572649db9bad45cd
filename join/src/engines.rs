//! The certificate authorities of this process, and which of them issues.

use certificates::{Authority, Engine};
use service::tls::{self, TlsError};
use trust::TrustMap;

use crate::config::AuthorityConfig;
use crate::error::Error;

/// The authorities that this process can issue with.
#[derive(Default)]
pub(crate) struct Engines(Vec<Known>);

struct Known {
    /// The authority's certificate, in DER.
    certificate: Vec<u8>,
    engine: Box<dyn Engine>,
}

/// The directory names an authority whose key this process does not have. Retryable: an operator must add it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the configuration does not have the certificate authority that the directory lets issue")]
pub(crate) struct OtherAuthority;

impl Engines {
    /// Opens the authorities of a configuration.
    pub(crate) fn open(files: &[AuthorityConfig]) -> Result<Self, Error> {
        let mut engines = Self(Vec::new());
        for AuthorityConfig { key, certificate } in files {
            engines.add(Authority::open(key, certificate)?)?;
        }
        if engines.0.is_empty() {
            return Err(Error::NoAuthority);
        }
        Ok(engines)
    }

    pub(crate) fn add(&mut self, authority: Authority) -> Result<(), TlsError> {
        let mut certificates = tls::certificates(authority.certificate())?;
        self.0.push(Known {
            certificate: certificates.swap_remove(0).to_vec(),
            engine: Box::new(authority),
        });
        Ok(())
    }

    /// The authority that issues under this directory.
    pub(crate) fn issuing(&self, directory: &TrustMap) -> Result<&dyn Engine, OtherAuthority> {
        let known = match directory.certificate_authorities() {
            None => self.0.first(),
            Some(listed) => self.0.iter().find(|known| known.certificate == listed.issuing),
        };
        Ok(known.ok_or(OtherAuthority)?.engine.as_ref())
    }
}
