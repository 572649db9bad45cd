//! The request for a certificate.
//!
//! ```text
//! POST /certificates     application/cbor, deterministic
//! { statement: { csr, directory, sent, nonce, subject }, signature }
//! signature = Ed25519("einsicht/certificate/v1" ‖ 0x00 ‖ CBOR of statement)    by the subject's key in the directory
//! ```
//!
//! The CSR (PKCS#10, DER) proves that the requester has the key of the certificate; the signature proves that the
//! component wants it certified.

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use record::{SigningKey, Timestamp};
use serde::{Deserialize, Serialize};
use trust::Version;
use zeroize::Zeroizing;

use crate::names::Names;
use crate::subject::Subject;

/// The context of the signature.
pub(crate) const CONTEXT: &str = "einsicht/certificate/v1";
/// The longest request, in bytes.
pub const MAX_REQUEST: usize = 8 * 1024;

/// What the requester signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestStatement {
    /// Whose certificate it will be.
    pub subject: Subject,
    /// PKCS#10 in DER.
    #[serde(with = "record::bytes")]
    pub csr: Vec<u8>,
    /// The newest version of the directory that the requester knows. An issuer that does not have it yet answers later.
    pub directory: Version,
    /// When it was signed.
    pub sent: Timestamp,
    /// Random; the issuer accepts it once.
    #[serde(with = "record::bytes")]
    pub nonce: [u8; 16],
}

/// A request for a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateRequest {
    /// The signed statement.
    pub statement: RequestStatement,
    /// By the subject's key in the directory, context `einsicht/certificate/v1`.
    #[serde(with = "record::bytes")]
    pub signature: [u8; 64],
}

/// Why a request cannot be made or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The operating system has no randomness, or the key pair cannot be made.
    #[error("the request cannot be made: {0}")]
    NotMade(String),
    /// The bytes are not a request.
    #[error("not a certificate request: {0}")]
    Malformed(String),
}

/// A fresh key pair with the request to certify it.
pub struct Prepared {
    /// The private key in PEM (PKCS#8).
    pub key: Zeroizing<String>,
    /// The request.
    pub request: CertificateRequest,
}

impl CertificateRequest {
    /// Makes a P-256 key pair, and the request to certify it under these names.
    ///
    /// # Errors
    /// [`RequestError::NotMade`].
    pub fn prepare(
        names: &Names,
        signing_key: &SigningKey,
        directory: Version,
        now: Timestamp,
    ) -> Result<Prepared, RequestError> {
        let not_made = |error: &dyn std::fmt::Display| RequestError::NotMade(error.to_string());
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|error| not_made(&error))?;
        let params = names.to_params().map_err(|error| not_made(&error))?;
        let csr = params.serialize_request(&pair).map_err(|error| not_made(&error))?;
        let statement = RequestStatement {
            subject: names.subject.clone(),
            csr: csr.der().to_vec(),
            directory,
            sent: now,
            nonce: record::random::random().map_err(|error| not_made(&error))?,
        };
        Ok(Prepared {
            key: Zeroizing::new(pair.serialize_pem()),
            request: Self::sign(statement, signing_key),
        })
    }

    /// Signs a statement.
    #[must_use]
    pub fn sign(statement: RequestStatement, signing_key: &SigningKey) -> Self {
        let signature = signing_key.sign_context(CONTEXT, &record::cbor::to_vec(&statement));
        Self { statement, signature }
    }

    /// The bytes that are sent.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        record::cbor::to_vec(self)
    }

    /// Reads a request.
    ///
    /// # Errors
    /// [`RequestError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RequestError> {
        if bytes.len() > MAX_REQUEST {
            let reason = format!("it has more than {MAX_REQUEST} bytes");
            return Err(RequestError::Malformed(reason));
        }
        record::cbor::from_slice(bytes).map_err(|error| RequestError::Malformed(error.to_string()))
    }
}
