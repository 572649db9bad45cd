//! The CSR in a request: PKCS#10 (RFC 2986), DER.

use rcgen::{CertificateSigningRequestParams, IsCa, PKCS_ECDSA_P256_SHA256, PublicKeyData as _};

use crate::names::{InvalidNames, Names};

/// Bytes of an uncompressed point on P-256: `04 ‖ x ‖ y`.
pub(crate) const POINT: usize = 65;

/// Why a CSR is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CsrError {
    /// It is malformed, or not signed with its own key.
    #[error("the CSR is malformed, or not signed with the key that it names")]
    Malformed,
    /// Its key is not on P-256, or it asks to be a certificate authority.
    #[error("the CSR must have a key on P-256, be signed with SHA-256, and ask for no authority")]
    Key,
    /// It asks for names that are not those of a certificate.
    #[error(transparent)]
    Names(#[from] InvalidNames),
}

/// A CSR whose signature has been verified with its own key.
#[derive(Debug, Clone)]
pub struct Csr {
    names: Names,
    key: rcgen::PublicKey,
    der: Vec<u8>,
}

impl Csr {
    /// Reads a CSR and verifies its signature.
    ///
    /// # Errors
    /// [`CsrError`].
    pub fn read(der: &[u8]) -> Result<Self, CsrError> {
        let csr = CertificateSigningRequestParams::from_der(&der.into()).map_err(|_| CsrError::Malformed)?;
        // `from_der` takes the algorithm from the CSR's signature; the length shows that the key is on the same curve.
        let on_p256 = csr.public_key.algorithm() == &PKCS_ECDSA_P256_SHA256;
        if !on_p256 || csr.public_key.der_bytes().len() != POINT || !matches!(csr.params.is_ca, IsCa::NoCa) {
            return Err(CsrError::Key);
        }
        Ok(Self {
            names: Names::of_params(&csr.params)?,
            key: csr.public_key,
            der: der.to_vec(),
        })
    }

    /// The names that it asks for.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Its public key.
    pub(crate) fn key(&self) -> &rcgen::PublicKey {
        &self.key
    }

    /// Its bytes.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }
}
