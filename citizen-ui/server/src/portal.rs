//! The state that all handlers share.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use certificates::Renewal;
use citizen_ui::proof::verify::{Trust, TrustText};
use ledger_client::{Anchored, HttpLedger, LedgerApi, LiveTrust};
use service::http::Client;
use service::openid::{Cookies, PendingLogins, RelyingParty};
use service::workers::Workers;
use service::{Clock, Shutdown};

use crate::anchor::AnchorSource;
use crate::assets;
use crate::config::Config;
use crate::error::Error;
use crate::ledger::LedgerReader;
use crate::own_requests::OwnRequests;
use crate::public::watch::LogWatch;
use crate::public::{VerifierDownload, Versions};
use crate::session::Sessions;
use crate::upstream::{Transport, Upstream};

/// The state that all handlers share, behind an `Arc`.
pub(crate) struct Portal {
    pub(crate) config: Config,
    pub(crate) trust: Trust,
    pub(crate) trust_text: TrustText,
    pub(crate) ledger: Arc<LedgerReader>,
    pub(crate) identity: Client,
    /// Keeps the portal's certificate valid, if it has one.
    pub(crate) renewal: Option<Renewal>,
    pub(crate) login: RelyingParty,
    pub(crate) pending: PendingLogins,
    pub(crate) sessions: Sessions,
    pub(crate) cookies: Cookies,
    pub(crate) versions: Versions,
    pub(crate) watch: Arc<LogWatch>,
    pub(crate) verifier: Option<VerifierDownload>,
    pub(crate) workers: Workers,
    pub(crate) own_requests: Option<OwnRequests>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Portal {
    /// Waits for the ledger, whose change sets the portal then follows until `shutdown`.
    pub(crate) async fn start(
        config: Config,
        transport: Transport,
        clock: Arc<dyn Clock>,
        shutdown: &Shutdown,
    ) -> Result<Self, Error> {
        let policy = service::text_file::read_lines(&config.policy).map_err(|source| Error::Read {
            path: config.policy.clone(),
            source,
        })?;
        let policy = String::from_utf8(policy).map_err(|_| Error::Trust(config.policy.clone()))?;
        let trust_text = TrustText {
            policy,
            genesis: config.genesis.clone(),
        };
        let trust = trust_text.parse().map_err(|_| Error::Trust(config.policy.clone()))?;
        let client = Client::new()?;
        if assets::PROGRAM.is_none() {
            tracing::warn!("built without the browser's program: only the server can check proofs");
        }
        let cookies = Cookies::new("einsicht", &config.public_url);
        let login = RelyingParty::new(&config.login, config.redirect_uri())?;
        let api: Arc<dyn LedgerApi> = Arc::new(HttpLedger::new(&config.ledger).map_err(log)?);
        let live = follow(&config, &api, &clock, shutdown).await?;
        let upstream = Upstream::open(transport, &config.component, &live, &clock, shutdown)?;
        let versions = Versions::new(live.clone());
        let operators = config.witness_operators.clone();
        let watch = LogWatch::new(Arc::clone(&api), trust.policy.clone(), operators, Arc::clone(&clock));
        let watch = Arc::new(watch);
        watch.start(shutdown.clone());
        let own_requests = config.own_requests.as_ref();
        let own_requests = own_requests.map(|own| OwnRequests::new(own, &client)).transpose()?;
        let anchors = AnchorSource::new(config.ledger.clone(), client.clone(), trust.clone(), live);
        // So that the first login need not wait for one. A login tries again.
        let _ = anchors.reaching(0, Duration::ZERO).await;
        let ledger = LedgerReader::new(
            config.ledger.clone(),
            client,
            (config.component.ledger_writing.clone(), upstream.records),
            api,
            anchors,
        );
        Ok(Self {
            login,
            identity: upstream.identity,
            renewal: upstream.renewal,
            pending: PendingLogins::new(cookies.clone())?,
            cookies,
            sessions: Sessions::new(config.sessions, Arc::clone(&clock)),
            verifier: verifier(&config)?,
            versions,
            watch,
            trust,
            trust_text,
            ledger: Arc::new(ledger),
            workers: Workers::default(),
            own_requests,
            clock,
            config,
        })
    }
}

/// The verifier that is offered for download.
fn verifier(config: &Config) -> Result<Option<VerifierDownload>, Error> {
    let read = |path: &PathBuf| {
        VerifierDownload::read(path).map_err(|source| Error::Read {
            path: path.clone(),
            source,
        })
    };
    config.verifier.as_ref().map(read).transpose()
}

/// Reads the log's beginning and starts to follow its change sets.
async fn follow(
    config: &Config,
    api: &Arc<dyn LedgerApi>,
    clock: &Arc<dyn Clock>,
    shutdown: &Shutdown,
) -> Result<LiveTrust, Error> {
    let trust = ledger_client::Trust::load(&config.policy, &config.genesis);
    let trust = Arc::new(trust.map_err(|_| Error::Trust(config.policy.clone()))?);
    let anchored = Anchored::wait(api, &trust, shutdown).await.map_err(log)?;
    Ok(LiveTrust::start(
        Arc::clone(api),
        trust,
        &anchored,
        clock.clone(),
        shutdown.clone(),
    ))
}

fn log(error: impl std::fmt::Display) -> Error {
    Error::Log(error.to_string())
}
