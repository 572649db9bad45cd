//! The server of the Datenschutzcockpit.
//!
//! ```text
//! browser ── login ─▶ OpenID provider           (code flow, PKCE)
//! portal  ── ID token ─▶ identity               (which verifies it itself, records the inspection, opens the labels)
//! portal  ── index ─▶ ledger                    (sealed record, receipt)
//! portal  ── pages ─▶ browser                   (and for each row the opening file, which the browser verifies)
//! ```
//!
//! Nothing about a citizen is stored on disk, cached or logged: what a login opens lives in the memory of its session and goes
//! with it ([`session`]). Everything shown has passed the same checks here that the browser repeats ([`citizen_ui::proof::prove`]).
//!
//! | Module | |
//! | --- | --- |
//! | [`session`] | sessions and their cookie |
//! | [`login`] | the relying party |
//! | [`ledger`] | records, receipts, checkpoints, the log's beginning |
//! | [`citizen`] | one citizen's opened entries |
//! | [`page`] | what a handler knows of a request: language, session, frame |
//! | [`routes`], [`accesses`], [`account`] | the handlers |
//! | [`headers`], [`assets`] | security headers, styles and fonts |

mod accesses;
mod account;
mod assets;
mod citizen;
mod headers;
mod ledger;
mod login;
mod page;
mod routes;
mod session;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use citizen_ui::proof::prove::{Trust, TrustText};
use serde::{Deserialize, Serialize};
use service::http::{CallError, Client};
use service::secret::{Credential, SecretError};
use service::{Clock, Shutdown, SystemClock};
use tokio::net::TcpListener;

use ledger::Ledger;
use login::Login;
pub use session::Limits;
use session::Sessions;

/// How often ended sessions are removed from memory.
const SWEEP: Duration = Duration::from_secs(5);

/// The configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where browsers reach the portal, without a trailing slash. `https` makes cookies `Secure`.
    pub public_url: String,
    /// The ledger's base URL.
    pub ledger: String,
    /// The ledger's base URL for everybody, as shown on the page about verifying; `ledger` if absent.
    #[serde(default)]
    pub ledger_public: Option<String>,
    /// Seed file of the bearer credential for sealed records.
    pub ledger_credential: PathBuf,
    /// Identity's base URL.
    pub identity: String,
    /// Seed file of the bearer credential for disclosures.
    pub identity_credential: PathBuf,
    /// The trust policy (c2sp.org/tlog-policy).
    pub policy: PathBuf,
    /// The genesis hash, 64 hexadecimal digits.
    pub genesis: String,
    /// The OpenID provider.
    pub login: LoginConfig,
    /// Words of the yellow bar on every page; absent: "Demonstrator – keine offizielle Website, …".
    #[serde(default)]
    pub banner: Option<String>,
    /// When a session ends.
    #[serde(default)]
    pub sessions: Limits,
}

/// The OpenID provider that citizens log in at.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginConfig {
    /// Its issuer URL.
    pub issuer: String,
    /// Our client id there.
    pub client_id: String,
    /// Private file with our client secret; absent for a public client.
    #[serde(default)]
    pub client_secret: Option<PathBuf>,
    /// The level of assurance that a token must claim (`acr`).
    pub acr: String,
}

impl Config {
    /// Makes relative paths start at `base`, the directory of the configuration file.
    pub fn resolved(mut self, base: &Path) -> Self {
        let resolve = |path: &Path| service::config::resolve(base, path);
        self.ledger_credential = resolve(&self.ledger_credential);
        self.identity_credential = resolve(&self.identity_credential);
        self.policy = resolve(&self.policy);
        self.login.client_secret = self.login.client_secret.as_deref().map(resolve);
        self
    }

    /// Where the provider sends browsers back to: to be registered there.
    pub fn redirect_uri(&self) -> String {
        format!("{}{}", self.public_url, account::CALLBACK)
    }
}

/// Why the portal does not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the configuration cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The trust policy or the genesis hash is not of its form.
    #[error("trust policy {0} or the genesis hash is not of its form")]
    Trust(PathBuf),
    /// A credential cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The login's configuration is not usable.
    #[error("login: {0}")]
    Login(String),
    /// No HTTP client.
    #[error(transparent)]
    Client(#[from] CallError),
    /// The listener fails.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Everything the handlers share.
pub(crate) struct Portal {
    config: Config,
    trust: Trust,
    trust_text: TrustText,
    ledger: Ledger,
    identity: Client,
    login: Login,
    sessions: Sessions,
    clock: Arc<dyn Clock>,
    islands: bool,
}

impl Portal {
    fn new(config: Config, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let policy = std::fs::read_to_string(&config.policy).map_err(|source| Error::Read {
            path: config.policy.clone(),
            source,
        })?;
        let trust_text = TrustText {
            policy,
            genesis: config.genesis.clone(),
        };
        let trust = trust_text.parse().map_err(|_| Error::Trust(config.policy.clone()))?;
        let client = Client::new()?;
        let ledger = Ledger::new(
            config.ledger.clone(),
            client.clone(),
            client.with_credential(Credential::read(&config.ledger_credential)?),
        );
        let islands = assets::has_browser_program();
        if !islands {
            tracing::warn!("built without the browser's program: proofs can be checked by the server only");
        }
        Ok(Self {
            login: Login::new(&config)?,
            identity: client.with_credential(Credential::read(&config.identity_credential)?),
            sessions: Sessions::new(config.sessions, Arc::clone(&clock)),
            trust,
            trust_text,
            ledger,
            clock,
            islands,
            config,
        })
    }

    fn secure(&self) -> bool {
        self.config.public_url.starts_with("https://")
    }
}

/// Serves until the end is asked for.
///
/// # Errors
/// See [`Error`].
pub async fn run(config: Config, listener: TcpListener, shutdown: Shutdown) -> Result<(), Error> {
    let portal = Arc::new(Portal::new(config, Arc::new(SystemClock))?);
    tokio::spawn(sweep(Arc::clone(&portal), shutdown.clone()));
    service::listen::serve(listener, routes::routes(portal), shutdown).await?;
    Ok(())
}

/// The routes alone, for tests and for embedding; ended sessions are then removed only when they are asked for.
///
/// # Errors
/// See [`Error`].
pub fn router(config: Config, clock: Arc<dyn Clock>) -> Result<Router, Error> {
    Ok(routes::routes(Arc::new(Portal::new(config, clock)?)))
}

async fn sweep(portal: Arc<Portal>, shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = shutdown.wait() => return,
            () = tokio::time::sleep(SWEEP) => portal.sessions.sweep(),
        }
    }
}
