//! Mutual TLS between the processes of this system.
//!
//! Both ends of a connection present a certificate of our own certificate authority. It has one URI, the name of the
//! process (`urn:einsicht:…`). This module checks that a certificate is valid and which name it has; what the peer may
//! do is not decided here, but by the caller, from the newest directory. Both a client and a server give a function
//! that says whether a peer of this name may connect; a server's handlers find the name as the extension [`PeerName`]
//! of each request, and decide about the request.
//!
//! Hosts are not compared. A host says which machine answers, the URI says which component; a component may move to
//! another machine or share one.
//!
//! # Certificates change while connections are open
//!
//! Certificates live a day. [`TlsIdentity::present`] replaces the certificate that later handshakes present, and
//! [`TlsIdentity::trust`] the authorities that later handshakes accept; open connections continue. While an authority
//! is replaced, both the old and the new one are trusted. A server closes a connection after [`MAX_CONNECTION_AGE`],
//! between two requests, so that no connection outlives its certificates for long.
//!
//! # What is allowed
//!
//! Only TLS 1.3. Sessions are not resumed, because a resumed session would skip the check of the certificate.

mod verify;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore, ServerConfig, SignatureScheme};

use crate::clock::Clock;
pub use verify::name_of;
use verify::{PeerVerifier, RootSource as _, Roots};

/// After this time a server closes a connection as soon as no request is in progress.
pub const MAX_CONNECTION_AGE: Duration = Duration::from_secs(60 * 60);

/// Why certificates cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// The text has no certificate, or a malformed one.
    #[error("not certificates in PEM: {0}")]
    Certificates(String),
    /// The key is malformed, or not that of the certificate.
    #[error("the key cannot be used with its certificate: {0}")]
    Key(String),
    /// A certificate is not valid under the trusted authorities, or has not exactly one URI.
    #[error("the certificate is not valid: {0}")]
    NotValid(String),
    /// The client cannot be made.
    #[error("the client cannot be made: {0}")]
    Client(String),
}

/// The name in the certificate of the client that sent a request: an extension of the request. Requests over plain HTTP
/// have none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerName(pub Arc<str>);

/// The certificate of this process, and the authorities that it trusts. Cheap to clone; all clones change together.
#[derive(Clone, Debug)]
pub struct TlsIdentity(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    provider: Arc<CryptoProvider>,
    clock: Arc<dyn Clock>,
    certified: RwLock<Option<Arc<CertifiedKey>>>,
    roots: RwLock<Arc<Roots>>,
}

impl TlsIdentity {
    /// A process that trusts the authorities `roots` (PEM, one or more). It has no certificate yet, so every handshake
    /// fails until it presents one.
    ///
    /// # Errors
    /// [`TlsError::Certificates`].
    pub fn new(roots: &str, clock: Arc<dyn Clock>) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = read_roots(certificates(roots)?, &provider)?;
        Ok(Self(Arc::new(Shared {
            provider,
            clock,
            certified: RwLock::new(None),
            roots: RwLock::new(Arc::new(roots)),
        })))
    }

    /// Presents this certificate chain with its private key, all in PEM, in later handshakes.
    ///
    /// # Errors
    /// [`TlsError`]; the certificate that it had stays then.
    pub fn present(&self, pem: &str) -> Result<(), TlsError> {
        let shared = &self.0;
        let certified = read_certified(pem, &shared.roots(), &shared.provider, shared.clock.as_ref())?;
        *shared.certified.write().unwrap_or_else(PoisonError::into_inner) = Some(certified);
        Ok(())
    }

    /// Replaces the trusted authorities for later handshakes.
    ///
    /// # Errors
    /// [`TlsError`]; the authorities stay then.
    pub fn trust(&self, roots: Vec<CertificateDer<'static>>) -> Result<(), TlsError> {
        let roots = Arc::new(read_roots(roots, &self.0.provider)?);
        *self.0.roots.write().unwrap_or_else(PoisonError::into_inner) = roots;
        Ok(())
    }

    /// Whether a certificate chain is valid now under these authorities alone.
    #[must_use]
    pub fn is_valid_under(&self, chain: &[CertificateDer<'_>], roots: Vec<CertificateDer<'static>>) -> bool {
        let shared = &self.0;
        let (Ok(roots), Some((certificate, between))) = (read_roots(roots, &shared.provider), chain.split_first())
        else {
            return false;
        };
        let now = verify::unix_time(shared.clock.as_ref());
        roots.clients.verify_client_cert(certificate, between, now).is_ok()
    }

    /// The configuration of a server that demands a certificate of every client, with a name that `admitted` accepts.
    /// It is asked at every handshake, so it can answer from the newest directory.
    ///
    /// # Errors
    /// [`TlsError::Client`]; none at present.
    pub fn server(
        &self,
        admitted: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Result<Arc<ServerConfig>, TlsError> {
        let shared = &self.0;
        let builder = ServerConfig::builder_with_details(shared.provider.clone(), shared.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| TlsError::Client(error.to_string()))?;
        let verifier = Arc::new(PeerVerifier::new(
            shared.clone(),
            shared.provider.clone(),
            Box::new(admitted),
        ));
        let mut config = builder
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(shared.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }

    /// The configuration of a client whose servers must have a name that `expected` accepts. It is asked at every
    /// handshake, too.
    ///
    /// # Errors
    /// [`TlsError::Client`]; none at present.
    pub fn client(&self, expected: impl Fn(&str) -> bool + Send + Sync + 'static) -> Result<ClientConfig, TlsError> {
        let shared = &self.0;
        let builder = ClientConfig::builder_with_details(shared.provider.clone(), shared.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| TlsError::Client(error.to_string()))?;
        let verifier = Arc::new(PeerVerifier::new(
            shared.clone(),
            shared.provider.clone(),
            Box::new(expected),
        ));
        let mut config = builder
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_cert_resolver(shared.clone());
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

impl Shared {
    fn certified(&self) -> Option<Arc<CertifiedKey>> {
        self.certified.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl TimeProvider for Shared {
    fn current_time(&self) -> Option<UnixTime> {
        Some(verify::unix_time(self.clock.as_ref()))
    }
}

impl ResolvesServerCert for Shared {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.certified()
    }
}

impl ResolvesClientCert for Shared {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.certified()
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl verify::RootSource for Shared {
    fn roots(&self) -> Arc<Roots> {
        self.roots.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The certificates in a text in PEM; at least one.
///
/// # Errors
/// [`TlsError::Certificates`].
pub fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let read = read.map_err(|error| TlsError::Certificates(error.to_string()))?;
    if read.is_empty() {
        return Err(TlsError::Certificates("there is none".into()));
    }
    Ok(read)
}

fn read_roots(certificates: Vec<CertificateDer<'static>>, provider: &Arc<CryptoProvider>) -> Result<Roots, TlsError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates {
        store
            .add(certificate)
            .map_err(|error| TlsError::Certificates(error.to_string()))?;
    }
    let store = Arc::new(store);
    let clients = WebPkiClientVerifier::builder_with_provider(store.clone(), provider.clone())
        .build()
        .map_err(|error| TlsError::Certificates(error.to_string()))?;
    Ok(Roots { store, clients })
}

/// Reads a certificate with its key. It must be valid, so that a wrong file is found here and not by a peer.
fn read_certified(
    pem: &str,
    roots: &Roots,
    provider: &CryptoProvider,
    clock: &dyn Clock,
) -> Result<Arc<CertifiedKey>, TlsError> {
    let chain = certificates(pem)?;
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|error| TlsError::Key(error.to_string()))?;
    let not_valid = |error: rustls::Error| TlsError::NotValid(error.to_string());
    if let Some((certificate, between)) = chain.split_first() {
        let now = verify::unix_time(clock);
        let valid = roots.clients.verify_client_cert(certificate, between, now);
        valid.map_err(not_valid)?;
        name_of(certificate).map_err(not_valid)?;
    }
    let certified = CertifiedKey::from_der(chain, key, provider).map_err(|error| TlsError::Key(error.to_string()))?;
    Ok(Arc::new(certified))
}

#[cfg(test)]
mod tests;
