//! The state that all handlers share.

use std::sync::Arc;

use citizen_ui::proof::verify::{Trust, TrustText};
use service::Clock;
use service::http::Client;
use service::secret::Credential;

use crate::assets;
use crate::config::Config;
use crate::cookies::Cookies;
use crate::error::Error;
use crate::ledger::LedgerReader;
use crate::login::RelyingParty;
use crate::pending::PendingLogins;
use crate::session::Sessions;

/// The state that all handlers share, behind an `Arc`.
pub(crate) struct Portal {
    pub(crate) config: Config,
    pub(crate) trust: Trust,
    pub(crate) trust_text: TrustText,
    pub(crate) ledger: Arc<LedgerReader>,
    pub(crate) identity: Client,
    pub(crate) login: RelyingParty,
    pub(crate) pending: PendingLogins,
    pub(crate) sessions: Sessions,
    pub(crate) cookies: Cookies,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) islands: bool,
}

impl Portal {
    pub(crate) fn new(config: Config, clock: Arc<dyn Clock>) -> Result<Self, Error> {
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
        let ledger = LedgerReader::new(
            config.ledger.clone(),
            client.clone(),
            client.with_credential(Credential::read(&config.ledger_credential)?),
        );
        let islands = assets::has_browser_program();
        if !islands {
            tracing::warn!("built without the browser's program: only the server can check proofs");
        }
        let cookies = Cookies {
            secure: config.public_url.starts_with("https://"),
        };
        Ok(Self {
            login: RelyingParty::new(&config)?,
            identity: client.with_credential(Credential::read(&config.identity_credential)?),
            pending: PendingLogins::new(cookies)?,
            cookies,
            sessions: Sessions::new(config.sessions, Arc::clone(&clock)),
            trust,
            trust_text,
            ledger: Arc::new(ledger),
            clock,
            islands,
            config,
        })
    }
}
