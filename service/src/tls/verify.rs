//! Verifies the certificate of a peer: valid under the trusted authorities, and with exactly one URI.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, PeerIncompatible, RootCertStore, SignatureScheme,
};

use crate::clock::Clock;

/// The trusted authorities.
#[derive(Debug)]
pub(super) struct Roots {
    pub(super) store: Arc<RootCertStore>,
    pub(super) clients: Arc<dyn ClientCertVerifier>,
}

/// Where a verifier finds the authorities that are trusted at the moment.
pub(super) trait RootSource: fmt::Debug + Send + Sync {
    /// The trusted authorities.
    fn roots(&self) -> Arc<Roots>;
}

/// Whether a peer of this name may connect.
pub(super) type Admitted = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// Verifies the certificates of peers.
pub(super) struct PeerVerifier {
    roots: Arc<dyn RootSource>,
    provider: Arc<CryptoProvider>,
    admitted: Admitted,
}

impl PeerVerifier {
    /// Accepts peers whose name `admitted` accepts.
    pub(super) fn new(roots: Arc<dyn RootSource>, provider: Arc<CryptoProvider>, admitted: Admitted) -> Self {
        Self {
            roots,
            provider,
            admitted,
        }
    }

    fn admit(&self, certificate: &CertificateDer<'_>) -> Result<(), Error> {
        if (self.admitted)(&name_of(certificate)?) {
            Ok(())
        } else {
            // The peer gets the alert `access_denied`.
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl fmt::Debug for PeerVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PeerVerifier")
    }
}

/// TLS 1.2 is not configured, so no peer can ask for it.
fn no_tls12() -> Error {
    Error::PeerIncompatible(PeerIncompatible::Tls12NotOfferedOrEnabled)
}

impl ServerCertVerifier for PeerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let roots = self.roots.roots();
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&certificate, &roots.store, intermediates, now, algorithms)?;
        self.admit(end_entity)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes()
    }
}

impl ClientCertVerifier for PeerVerifier {
    /// None, because the authorities may change; clients have one certificate and need no hint.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self
            .roots
            .roots()
            .clients
            .verify_client_cert(end_entity, intermediates, now)?;
        self.admit(end_entity)?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes()
    }
}

/// The name in a certificate: its one URI.
///
/// # Errors
/// The certificate is malformed, or has no URI or several.
pub fn name_of(certificate: &CertificateDer<'_>) -> Result<Arc<str>, Error> {
    let parsed = webpki::EndEntityCert::try_from(certificate).map_err(|_| CertificateError::BadEncoding)?;
    let mut names = parsed.valid_uri_names();
    match (names.next(), names.next()) {
        (Some(name), None) => Ok(name.into()),
        _ => Err(CertificateError::ApplicationVerificationFailure.into()),
    }
}

/// The time of the clock, as rustls counts it.
pub(super) fn unix_time(clock: &dyn Clock) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(clock.now()))
}
