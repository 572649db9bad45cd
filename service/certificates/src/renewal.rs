//! The component's side: asks for certificates, and renews them while the process runs.
//!
//! [`Renewal::start`] makes the process's [`TlsIdentity`], and presents the certificate that an earlier run has stored,
//! if it is still valid, or asks the issuer for one, and then renews it ([`Validity::due`]). A failed attempt is
//! repeated after up to a minute, so an issuer that is away for hours does no harm, and after a few seconds while there
//! is no valid certificate. Every minute the file of the trusted authorities is read again, and replaces them if it has
//! changed.
//!
//! The connection to the issuer is not secured: a component that asks for its first certificate has none to present.
//! The request has no secret, and the answer counts only if it is valid under the trusted authorities, for the key and
//! the name that were asked for. Someone between both can do no more than delay.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use record::{SigningKey, Timestamp};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};
use service::http::{CBOR, CallError, Client};
use service::tls::{self, TlsError, TlsIdentity};
use service::{Backoff, Clock, Impairment, Shutdown, durable, secret, text_file};
use zeroize::Zeroizing;

use crate::directory::FollowedDirectory;
use crate::names::{Host, Names};
use crate::request::{CertificateRequest, RequestError};
use crate::subject::Subject;
use crate::validity::{InvalidValidity, Validity};

/// The file in the process's own directory with certificate and key.
const FILE: &str = "tls.pem";
/// How often the file of the authorities is read again.
const POLL_INTERVAL: Duration = Duration::from_secs(60);
/// The first and the longest pause after a failed attempt.
const MIN_RETRY_DELAY: Duration = Duration::from_millis(200);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(60);
/// The longest pause while there is no valid certificate, so that a process serves soon after it is listed, or after
/// the issuer is back.
const MAX_RETRY_DELAY_WITHOUT: Duration = Duration::from_secs(4);
const EXPIRES: &str = "tls_certificate_expires_timestamp_seconds";
const RENEWALS: &str = "tls_certificate_renewals_total";

/// How a process gets its certificates, in its configuration file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The issuer's base URL, without a slash at the end.
    pub issuer: String,
    /// File with the certificates of the trusted authorities (PEM), from outside the issuer. While an authority is
    /// replaced it has the old one and the new one.
    pub authorities: PathBuf,
    /// Where the process is reached, if the directory does not say so. Only writers have such hosts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<Host>,
}

/// Why a certificate cannot be used or obtained.
#[derive(Debug, thiserror::Error)]
pub enum RenewalError {
    /// The file of the authorities cannot be read.
    #[error("cannot read the certificate authorities {path}: {source}")]
    Authorities {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The certificates cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The answer is not a certificate.
    #[error(transparent)]
    Validity(#[from] InvalidValidity),
    /// The request cannot be made.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The issuer is not reached, or refuses.
    #[error("the issuer of certificates: {0}")]
    Issuer(#[from] CallError),
    /// The directory is not ready, or does not list the process.
    #[error("no certificate can be asked for: {0}")]
    Directory(String),
    /// The certificate names another process.
    #[error("the certificate is not that of {0}")]
    OtherName(Subject),
    /// The file with certificate and key cannot be written or read.
    #[error("{FILE}: {0}")]
    Stored(String),
}

impl TlsConfig {
    /// Makes relative paths start from `base`.
    #[must_use]
    pub fn resolved(self, base: &Path) -> Self {
        Self {
            authorities: service::config::resolve(base, &self.authorities),
            ..self
        }
    }

    /// The identity of a process that trusts the authorities in the file, and has no certificate yet.
    ///
    /// # Errors
    /// [`RenewalError::Authorities`], [`RenewalError::Tls`].
    fn open(&self, clock: Arc<dyn Clock>) -> Result<TlsIdentity, RenewalError> {
        Ok(TlsIdentity::new(&self.read_authorities()?, clock)?)
    }

    fn read_authorities(&self) -> Result<String, RenewalError> {
        let failed = |source| RenewalError::Authorities {
            path: self.authorities.clone(),
            source,
        };
        let bytes = text_file::read(&self.authorities).map_err(failed)?;
        String::from_utf8(bytes).map_err(|_| failed(std::io::ErrorKind::InvalidData.into()))
    }
}

/// The key that signs a process's requests, which a process may replace while it runs.
#[derive(Clone)]
pub struct Signer(Arc<dyn Fn() -> SigningKey + Send + Sync>);

impl Signer {
    /// The key that `key` returns at the time of each request.
    pub fn new(key: impl Fn() -> SigningKey + Send + Sync + 'static) -> Self {
        Self(Arc::new(key))
    }

    fn key(&self) -> SigningKey {
        (self.0)()
    }
}

impl From<SigningKey> for Signer {
    fn from(key: SigningKey) -> Self {
        Self::new(move || key.clone())
    }
}

/// What [`Renewal::start`] needs.
pub struct RenewalConfig {
    /// The configuration.
    pub tls: TlsConfig,
    /// Whose certificates.
    pub subject: Subject,
    /// The subject's key in the directory.
    pub signer: Signer,
    /// The directory in force.
    pub directory: Arc<dyn FollowedDirectory>,
    /// The process's own directory.
    pub data: PathBuf,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Keeps the certificate of a process valid. Clones share it.
#[derive(Clone)]
pub struct Renewal(Arc<Shared>);

impl std::fmt::Debug for Renewal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Renewal({})", self.0.config.subject)
    }
}

struct Shared {
    config: RenewalConfig,
    identity: TlsIdentity,
    client: Client,
    /// The presented certificate's validity, and when to renew it.
    presented: Mutex<Option<(Validity, Timestamp)>>,
}

impl Renewal {
    /// Opens the process's identity, and starts to keep its certificate valid, until `shutdown`.
    ///
    /// # Errors
    /// [`RenewalError::Authorities`], [`RenewalError::Tls`], and [`RenewalError::Issuer`] if no client can be made.
    pub fn start(config: RenewalConfig, shutdown: Shutdown) -> Result<Self, RenewalError> {
        metrics::describe_gauge!(EXPIRES, "When the TLS certificate expires");
        metrics::describe_counter!(RENEWALS, "Attempts to renew the TLS certificate, by result");
        let renewal = Self(Arc::new(Shared {
            identity: config.tls.open(config.clock.clone())?,
            client: Client::new()?,
            config,
            presented: Mutex::default(),
        }));
        if let Err(error) = renewal.0.present_stored() {
            tracing::info!(%error, "no stored certificate is used");
        }
        tokio::spawn(keep(renewal.clone(), shutdown));
        Ok(renewal)
    }

    /// What presents the certificates.
    #[must_use]
    pub fn identity(&self) -> &TlsIdentity {
        &self.0.identity
    }

    /// Behind while there is no valid certificate.
    ///
    /// # Errors
    /// [`Impairment::Behind`].
    pub fn health(&self) -> Result<(), Impairment> {
        let now = self.0.now();
        match self.0.presented() {
            Some((validity, _)) if now <= validity.until => Ok(()),
            Some((validity, _)) => {
                let until = validity.until;
                Err(Impairment::Behind(format!(
                    "the TLS certificate has expired at {until}"
                )))
            }
            None => Err(Impairment::Behind("there is no TLS certificate yet".into())),
        }
    }
}

async fn keep(renewal: Renewal, shutdown: Shutdown) {
    let shared = &renewal.0;
    let mut backoff = Backoff::new(MIN_RETRY_DELAY, MAX_RETRY_DELAY);
    let mut authorities = shared.config.tls.read_authorities().ok();
    loop {
        shared.read_authorities_again(&mut authorities);
        let due = shared.presented().map(|(_, due)| due.since(shared.now()));
        let pause = match due {
            Some(seconds) if seconds > 0 => POLL_INTERVAL.min(Duration::from_secs(seconds)),
            _ => match shared.renew().await {
                Ok(()) => {
                    metrics::counter!(RENEWALS, "result" => "renewed").increment(1);
                    backoff.succeeded();
                    continue;
                }
                Err(error) => {
                    metrics::counter!(RENEWALS, "result" => "failed").increment(1);
                    // Before the log has begun and the issuer serves, nothing is wrong yet.
                    let pause = backoff.failed();
                    if shared.presented().is_some() {
                        tracing::warn!(%error, "the TLS certificate is not renewed");
                    } else {
                        tracing::info!(%error, "there is no TLS certificate yet");
                    }
                    if renewal.health().is_ok() {
                        pause
                    } else {
                        pause.min(MAX_RETRY_DELAY_WITHOUT)
                    }
                }
            },
        };
        tokio::select! {
            () = shutdown.wait() => return,
            () = shared.config.clock.sleep(pause) => {}
        }
    }
}

impl Shared {
    fn now(&self) -> Timestamp {
        Timestamp(self.config.clock.now())
    }

    fn presented(&self) -> Option<(Validity, Timestamp)> {
        *self.presented.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Presents a certificate with its key if it is the subject's.
    fn present(&self, pem: &str) -> Result<(), RenewalError> {
        let validity = Validity::of(pem)?;
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| InvalidValidity)?;
        let subject = &self.config.subject;
        let name = tls::name_of(&certificate).map_err(|_| RenewalError::OtherName(subject.clone()))?;
        if *name != *subject.to_string() {
            return Err(RenewalError::OtherName(subject.clone()));
        }
        self.identity.present(pem)?;
        let random = record::random::random().map_or(0, u32::from_be_bytes);
        let due = validity.due(random);
        *self.presented.lock().unwrap_or_else(PoisonError::into_inner) = Some((validity, due));
        metrics::gauge!(EXPIRES).set(validity.until.seconds() as f64);
        Ok(())
    }

    fn present_stored(&self) -> Result<(), RenewalError> {
        let stored = secret::read_private(&self.config.data.join(FILE));
        let stored = stored.map_err(|error| RenewalError::Stored(error.to_string()))?;
        self.present(&stored)
    }

    async fn renew(&self) -> Result<(), RenewalError> {
        let config = &self.config;
        let history = config.directory.confirmed().map_err(RenewalError::Directory)?;
        let directory = history.state().directory();
        let names = Names::listed(&config.subject, directory, &config.tls.hosts);
        let names = names.ok_or_else(|| RenewalError::Directory(format!("{} is not listed", config.subject)))?;
        let prepared = CertificateRequest::prepare(&names, &config.signer.key(), directory.version(), self.now())?;
        let url = format!("{}/certificates", config.tls.issuer);
        let answer = self.client.post(&url, CBOR, prepared.request.to_bytes()).await?;
        let chain = String::from_utf8(answer.success()?).map_err(|_| InvalidValidity)?;
        let pem = Zeroizing::new(format!("{chain}{}", prepared.key.as_str()));
        self.present(&pem)?;
        durable::write_private(&config.data.join(FILE), pem.as_bytes())
            .map_err(|error| RenewalError::Stored(error.to_string()))
    }

    /// Trusts the authorities in the file, if it has changed since it was last used.
    fn read_authorities_again(&self, used: &mut Option<String>) {
        let trusted = self.config.tls.read_authorities().and_then(|pem| {
            if used.as_ref() != Some(&pem) {
                self.identity.trust(&pem)?;
                tracing::info!("the trusted certificate authorities have changed");
                *used = Some(pem);
            }
            Ok(())
        });
        if let Err(error) = trusted {
            tracing::warn!(%error, "the certificate authorities stay as they were");
        }
    }
}
