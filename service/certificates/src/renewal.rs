//! The component's side: asks for certificates, and renews them while the process runs.
//!
//! [`Renewal::start`] makes the process's [`TlsIdentity`], and presents the certificate that an earlier run has stored,
//! if it is still valid, or asks the issuer for one, and then renews it ([`Validity::due`]). A failed attempt is
//! repeated after up to a minute, so an issuer that is away for hours does no harm, and after a few seconds while there
//! is no valid certificate.
//!
//! The trusted authorities are those of the newest directory, or of a file while the directory has none
//! ([`Authorities`]). They are replaced as soon as either changes. A certificate that another authority than the
//! issuing one has issued is then renewed within [`SPREAD`] seconds, and one that is no longer accepted at once.
//!
//! The connection to the issuer is not secured: a component that asks for its first certificate has none to present.
//! The request has no secret, and the answer counts only if it is valid under the trusted authorities, for the key and
//! the name that were asked for. Someone between both can do no more than delay.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use record::{SigningKey, Timestamp};
use rustls::pki_types::CertificateDer;
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
/// How often the process looks for other authorities.
const POLL_INTERVAL: Duration = Duration::from_secs(2);
/// In how many seconds the certificates of all processes are renewed after another authority issues. The issuer must
/// bear so many requests: with 10 000 processes 333 in a second.
const SPREAD: u64 = 30;
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
    /// File with the certificates of the trusted authorities (PEM), from outside the issuer. It counts while the
    /// directory names no authorities.
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

    fn read_authorities(&self) -> Result<String, RenewalError> {
        let failed = |source| RenewalError::Authorities {
            path: self.authorities.clone(),
            source,
        };
        let bytes = text_file::read(&self.authorities).map_err(failed)?;
        String::from_utf8(bytes).map_err(|_| failed(std::io::ErrorKind::InvalidData.into()))
    }
}

/// The authorities whose certificates a process accepts.
#[derive(Clone, PartialEq, Eq)]
struct Authorities {
    /// The one that issues, if the directory says so.
    issuing: Option<CertificateDer<'static>>,
    all: Vec<CertificateDer<'static>>,
}

impl Authorities {
    fn of_file(tls: &TlsConfig) -> Result<Self, RenewalError> {
        Ok(Self {
            issuing: None,
            all: tls::certificates(&tls.read_authorities()?)?,
        })
    }

    fn newest(config: &RenewalConfig) -> Result<Self, RenewalError> {
        let history = config.directory.newest();
        let listed = history
            .as_ref()
            .and_then(|history| history.state().directory().certificate_authorities());
        let Some(listed) = listed else {
            return Self::of_file(&config.tls);
        };
        Ok(Self {
            issuing: Some(listed.issuing.clone().into()),
            all: listed.all().map(|der| der.to_vec().into()).collect(),
        })
    }
}

/// A certificate that is presented.
struct Presented {
    chain: Vec<CertificateDer<'static>>,
    validity: Validity,
    /// When to renew it.
    due: Timestamp,
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

impl Presented {
    /// The seconds until it is renewed: none for a certificate from the future, which a clock that was ahead has left.
    fn left(&self, now: Timestamp) -> u64 {
        if now < self.validity.from {
            0
        } else {
            self.due.since(now)
        }
    }
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
    authorities: Mutex<Authorities>,
    presented: Mutex<Option<Presented>>,
}

impl Renewal {
    /// Opens the process's identity, and starts to keep its certificate valid, until `shutdown`.
    ///
    /// # Errors
    /// [`RenewalError::Authorities`], [`RenewalError::Tls`], and [`RenewalError::Issuer`] if no client can be made.
    pub fn start(config: RenewalConfig, shutdown: Shutdown) -> Result<Self, RenewalError> {
        metrics::describe_gauge!(EXPIRES, "When the TLS certificate expires");
        metrics::describe_counter!(RENEWALS, "Attempts to renew the TLS certificate, by result");
        let identity = TlsIdentity::new(&config.tls.read_authorities()?, config.clock.clone())?;
        let renewal = Self(Arc::new(Shared {
            identity,
            client: Client::new()?,
            authorities: Mutex::new(Authorities::of_file(&config.tls)?),
            config,
            presented: Mutex::default(),
        }));
        renewal.0.follow_authorities();
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
        let presented = self.0.presented();
        let why = match presented.as_ref() {
            None => "there is no TLS certificate yet".to_owned(),
            Some(presented) if self.0.now() > presented.validity.until => {
                format!("the TLS certificate has expired at {}", presented.validity.until)
            }
            Some(presented) if self.0.now() < presented.validity.from => {
                format!("the TLS certificate is valid from {} on", presented.validity.from)
            }
            Some(presented) if !self.0.accepts(&presented.chain) => {
                "the authority of the TLS certificate is no longer accepted".to_owned()
            }
            Some(_) => return Ok(()),
        };
        Err(Impairment::Behind(why))
    }
}

async fn keep(renewal: Renewal, shutdown: Shutdown) {
    let shared = &renewal.0;
    let mut backoff = Backoff::new(MIN_RETRY_DELAY, MAX_RETRY_DELAY);
    loop {
        shared.follow_authorities();
        let due = shared
            .presented()
            .as_ref()
            .map(|presented| presented.left(shared.now()));
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

    fn presented(&self) -> MutexGuard<'_, Option<Presented>> {
        self.presented.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn authorities(&self) -> MutexGuard<'_, Authorities> {
        self.authorities.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether peers accept a certificate.
    fn accepts(&self, chain: &[CertificateDer<'_>]) -> bool {
        let all = self.authorities().all.clone();
        self.identity.is_valid_under(chain, all)
    }

    /// When to renew a certificate that would be renewed at `due` if its authority still issued.
    fn due(&self, chain: &[CertificateDer<'_>], due: Timestamp) -> Timestamp {
        if !self.accepts(chain) {
            return self.now();
        }
        let issuing = self.authorities().issuing.clone();
        if issuing.is_some_and(|issuing| !self.identity.is_valid_under(chain, vec![issuing])) {
            due.min(self.now().after(u64::from(random()) % SPREAD))
        } else {
            due
        }
    }

    /// Presents a certificate with its key if it is the subject's.
    fn present(&self, pem: &str) -> Result<(), RenewalError> {
        let validity = Validity::of(pem)?;
        let chain = tls::certificates(pem)?;
        let certificate = chain.first().ok_or(InvalidValidity)?;
        let subject = &self.config.subject;
        let name = tls::name_of(certificate).map_err(|_| RenewalError::OtherName(subject.clone()))?;
        if *name != *subject.to_string() {
            return Err(RenewalError::OtherName(subject.clone()));
        }
        self.identity.present(pem)?;
        let due = self.due(&chain, validity.due(random()));
        *self.presented() = Some(Presented { chain, validity, due });
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

    /// Trusts the newest authorities, if they are others than before.
    fn follow_authorities(&self) {
        let followed = Authorities::newest(&self.config).and_then(|newest| {
            if *self.authorities() != newest {
                self.identity.trust(newest.all.clone())?;
                *self.authorities() = newest;
                tracing::info!("the trusted certificate authorities have changed");
                if let Some(presented) = self.presented().as_mut() {
                    presented.due = self.due(&presented.chain, presented.due);
                }
            }
            Ok(())
        });
        if let Err(error) = followed {
            tracing::warn!(%error, "the certificate authorities stay as they were");
        }
    }
}

/// A random number, so that processes do not all renew at the same time.
fn random() -> u32 {
    record::random::random().map_or(0, u32::from_be_bytes)
}
