//! The embedded certificate authority: its key is in a file.
//!
//! The key is P-256, because TLS libraries of every kind know it. Its file has PKCS#8 in PEM and the mode of the other
//! secrets. The authority's certificate is self-signed and may issue certificates of components, not of authorities.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SerialNumber,
};
use record::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use service::durable;
use service::secret::{self, SecretError};
use time::OffsetDateTime;

use crate::BACKDATED;
use crate::admission::Order;
use crate::engine::{Chain, Engine, EngineError, Issuing};
use crate::subject::Subject;

/// How long the authority's own certificate is valid, in seconds: ten years.
const AUTHORITY_LIFETIME: u64 = 10 * 365 * 24 * 60 * 60;

/// Why the authority cannot be opened or created.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The key file.
    #[error(transparent)]
    Key(#[from] SecretError),
    /// The certificate file cannot be read, or exists already and cannot be created.
    #[error("certificate file {path}: {source}")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// Key or certificate are not of a certificate authority, or do not belong together.
    #[error("the certificate authority cannot be used: {0}")]
    Unusable(String),
}

impl From<rcgen::Error> for AuthorityError {
    fn from(error: rcgen::Error) -> Self {
        Self::Unusable(error.to_string())
    }
}

/// A certificate authority with its key in this process.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl Authority {
    /// Creates the key and the certificate of an authority in new files.
    ///
    /// # Errors
    /// [`AuthorityError`], also if a file exists.
    pub fn create(key: &Path, certificate: &Path, name: &str, now: Timestamp) -> Result<Self, AuthorityError> {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.serial_number = Some(serial()?);
        params.not_before = time_of(now.before(BACKDATED))?;
        params.not_after = time_of(now.after(AUTHORITY_LIFETIME))?;
        let pem = params.self_signed(&pair)?.pem();
        let text = zeroize::Zeroizing::new(pair.serialize_pem());
        let failed = |path: &Path, source| AuthorityError::Certificate {
            path: path.to_path_buf(),
            source,
        };
        if certificate.exists() {
            return Err(failed(certificate, std::io::ErrorKind::AlreadyExists.into()));
        }
        durable::create_private(key, text.as_bytes()).map_err(|source| SecretError::Io {
            path: key.to_path_buf(),
            source,
        })?;
        durable::write_atomic(certificate, pem.as_bytes()).map_err(|source| failed(certificate, source))?;
        Self::assemble(pair, pem)
    }

    /// Opens the authority in these files.
    ///
    /// # Errors
    /// [`AuthorityError`].
    pub fn open(key: &Path, certificate: &Path) -> Result<Self, AuthorityError> {
        let pair = KeyPair::from_pem(&secret::read_private(key)?)?;
        let pem = std::fs::read_to_string(certificate).map_err(|source| AuthorityError::Certificate {
            path: certificate.to_path_buf(),
            source,
        })?;
        Self::assemble(pair, pem)
    }

    fn assemble(pair: KeyPair, certificate: String) -> Result<Self, AuthorityError> {
        let key = pair.subject_public_key_info();
        let issuer = Issuer::from_ca_cert_pem(&certificate, pair)?;
        if public_key_of(&certificate)? != key {
            return Err(AuthorityError::Unusable(
                "the key is not that of the certificate".into(),
            ));
        }
        Ok(Self { issuer, certificate })
    }

    /// The authority's own certificate in PEM, which components must trust.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    fn sign(&self, order: &Order) -> Result<Chain, AuthorityError> {
        let names = order.csr().names();
        let mut params = names.to_params()?;
        params.distinguished_name = named(&match &names.subject {
            Subject::Component(id) => id.to_string(),
            Subject::Writer(id) => id.to_string(),
        });
        let (from, until) = order.validity();
        params.not_before = time_of(from)?;
        params.not_after = time_of(until)?;
        params.serial_number = Some(serial()?);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        Ok(Chain(params.signed_by(order.csr().key(), &self.issuer)?.pem()))
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority(…)")
    }
}

impl Engine for Authority {
    fn issue<'a>(&'a self, order: &'a Order) -> Issuing<'a> {
        let issued = self.sign(order).map_err(|error| EngineError::Failed(error.to_string()));
        Box::pin(std::future::ready(issued))
    }
}

/// The subject public key info of a certificate in PEM.
fn public_key_of(certificate: &str) -> Result<Vec<u8>, AuthorityError> {
    let unusable = |error: &dyn std::fmt::Display| AuthorityError::Unusable(error.to_string());
    let der = CertificateDer::from_pem_slice(certificate.as_bytes()).map_err(|error| unusable(&error))?;
    let parsed = webpki::EndEntityCert::try_from(&der).map_err(|error| unusable(&error))?;
    Ok(parsed.subject_public_key_info().to_vec())
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

/// 127 random bits: two certificates of an authority never have the same number.
fn serial() -> Result<SerialNumber, AuthorityError> {
    let mut bytes: [u8; 16] = record::random::random().map_err(|error| AuthorityError::Unusable(error.to_string()))?;
    // A positive integer without a zero byte in front.
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

fn time_of(time: Timestamp) -> Result<OffsetDateTime, AuthorityError> {
    let seconds = i64::try_from(time.seconds()).map_err(|_| AuthorityError::Unusable("the time is too late".into()))?;
    OffsetDateTime::from_unix_timestamp(seconds).map_err(|error| AuthorityError::Unusable(error.to_string()))
}

#[cfg(test)]
mod tests;
