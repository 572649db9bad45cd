//! Assembles the ledger from store, log, rules, witness client and HTTP routes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use certificates::Renewal;
use service::Listener;
use service::clock::{CheckedClock, Confirmation, LastCheckedTime};
use service::secret::CredentialDigest;
use service::{Clock, Impairment, Shutdown, http as calls, listen};
use tlog::policy::Policy;
use tokio::net::TcpListener;

use crate::config::{Config, ConfigError, StoreConfig};
use crate::engine::publication::{PolicyMismatch, Publication, QuorumLossPolicy};
use crate::engine::rows::Rows;
use crate::engine::witnessing::{WitnessClient, WitnessIntervals};
use crate::engine::{Contradiction, Limits, OpenError, SequencedLog, Signer, open};
use crate::http::{Shared, routes, writing_routes};
use crate::metrics_help;
use crate::rules::{self, Rules, RulesClock, SubmissionChecker, WriterKeys};
use crate::store::postgres::PostgresStore;
use crate::store::rocks::RocksStore;
use crate::store::{Store, StoreError};
use crate::writing::{Owner, WritingEntrance, WritingError};

/// The file by whose deletion an operator confirms a jump of the clock.
const CLOCK_STOPPED: &str = "clock.stopped";
/// Name of the store's directory in the data directory.
pub(crate) const STORE: &str = "store";

/// The store's directory in a data directory, or in the data directory of a demonstration; `None` if there is none.
pub(crate) fn find_store(data: &Path) -> Option<PathBuf> {
    [data.join(STORE), data.join("ledger").join(STORE)]
        .into_iter()
        .find(|path| path.is_dir())
}

/// Why the ledger cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration is invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The stored log cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The witness policy cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyMismatch),
    /// A witness shows a checkpoint that this log has signed and does not contain.
    #[error(transparent)]
    Behind(#[from] Contradiction),
    /// The data directory, the listener or a thread failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The writing entrance cannot be opened.
    #[error(transparent)]
    Writing(#[from] WritingError),
    /// The HTTP client for witnesses cannot be created.
    #[error(transparent)]
    Client(#[from] calls::CallError),
    /// Another ledger has taken over the log.
    #[error("{0}")]
    TakenOver(String),
    /// A task of start-up or shutdown panicked.
    #[error("start-up was cancelled")]
    Start,
}

/// How long a start waits for the witnesses, if they must confirm the log, before it serves readers alone.
const CONFIRMATION_WAIT: Duration = Duration::from_secs(2);

/// The parts of a ledger.
pub(crate) struct Setup {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) signer: Signer,
    pub(crate) rules: rules::RulesConfig,
    pub(crate) policy: Option<Policy>,
    pub(crate) on_failure: QuorumLossPolicy,
    pub(crate) writing_entrance: bool,
    pub(crate) records_credentials: Vec<CredentialDigest>,
    pub(crate) limits: Limits,
    pub(crate) clock: Arc<CheckedClock>,
    /// Whether the witnesses must confirm the log after each start.
    pub(crate) confirmed_at_start: bool,
}

/// Opens the log and starts its sequencer. Blocks while the store replays its write-ahead log.
pub(crate) fn start(setup: Setup) -> Result<Arc<Shared>, Error> {
    let rows = Rows::new(setup.store);
    let opened = open(&rows, &setup.signer)?;
    let publication = Arc::new(Publication::open(setup.policy, setup.on_failure, &rows, &opened)?);
    if setup.confirmed_at_start {
        publication.require_confirmation();
    }
    let keys = Arc::new(WriterKeys::default());
    let checker = SubmissionChecker {
        genesis: setup.rules.genesis,
        keys: keys.clone(),
    };
    let clock = RulesClock {
        clock: setup.clock.clone(),
        witness_time: Box::new({
            let publication = publication.clone();
            move || publication.witness_time()
        }),
    };
    let rules = Rules::load(&rows, setup.rules, keys, clock)?;
    tracing::info!(origin = %setup.signer.origin(), size = opened.head.size, root = %opened.head.root, "log opened");
    let history = rules.history();
    let log = SequencedLog::start(rows, setup.signer, opened, rules, setup.limits)?;
    Ok(Arc::new(Shared {
        log,
        publication,
        checker,
        history,
        strangers: Default::default(),
        trust: Default::default(),
        writing_entrance: setup.writing_entrance,
        records_credentials: setup.records_credentials,
        clock: setup.clock,
    }))
}

/// Serves until shutdown is requested, then finishes the accepted requests.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    pace: WitnessIntervals,
    (listener, writing): (Listener, Option<WritingEntrance>),
    shutdown: Shutdown,
) -> Result<(), Error> {
    let (rows, snapshots) = (shared.log.rows().clone(), shared.log.snapshots());
    let client = calls::Client::new()?;
    let mut witnessing = WitnessClient::new(
        shared.publication.clone(),
        rows,
        snapshots,
        client,
        pace,
        shared.clock.clone(),
    );
    if let Some(witnessing) = &mut witnessing {
        witnessing.check_at_start().await?;
    }
    let witnessing = witnessing.map(|witnessing| tokio::spawn(witnessing.run(shutdown.clone())));
    // Usually they answer at once. So no writer has to come again.
    shared.publication.confirmed_within(CONFIRMATION_WAIT).await;
    let keys = tokio::spawn({
        let shared = shared.clone();
        async move { shared.log.sign_on_key_changes().await }
    });
    service::operations::install_metrics();
    metrics_help::describe();
    tracing::info!(address = %listener.local_addr()?, "serving");
    listener.health().check({
        let (shared, renewal) = (shared.clone(), writing.as_ref().map(|writing| writing.renewal.clone()));
        move || {
            health(&shared)?;
            shared.clock.health()?;
            renewal.as_ref().map_or(Ok(()), Renewal::health)
        }
    });
    let taken_over = tokio::spawn(end_when_taken_over(shared.clone(), shutdown.clone()));
    let writing = writing.map(|writing| {
        let routes = writing_routes(shared.clone(), writing.readers);
        tokio::spawn(listen::serve(writing.listener, routes, shutdown.clone()))
    });
    let served = listen::serve(listener, routes(shared.clone()), shutdown.clone()).await;
    shutdown.trigger();
    if let Some(writing) = writing {
        let _ = writing.await;
    }
    keys.abort();
    if let Some(witnessing) = witnessing {
        let _ = witnessing.await;
    }
    let ended = tokio::task::spawn_blocking(move || shared.log.end()).await;
    served?;
    ended.map_err(|_| Error::Start)?;
    match taken_over.await {
        Ok(Some(reason)) => Err(Error::TakenOver(reason)),
        _ => Ok(()),
    }
}

/// Waits until the log has stopped. If another ledger has taken it over, requests shutdown and returns the reason: this
/// process must not serve its old state any longer.
async fn end_when_taken_over(shared: Arc<Shared>, shutdown: Shutdown) -> Option<String> {
    let reason = shared.log.ended().await?;
    if !reason.taken_over {
        return None;
    }
    shutdown.trigger();
    Some(reason.text)
}

/// Halted when the log has stopped, behind while the quorum of the witnesses is lost or claims a larger log.
pub(crate) fn health(shared: &Shared) -> Result<(), Impairment> {
    if let Some(reason) = shared.log.stop_reason() {
        return Err(Impairment::Halted(reason.text));
    }
    if let Some(reason) = shared.publication.halt_reason() {
        return Err(Impairment::Halted(reason.into()));
    }
    if let Some(reason) = shared.publication.doubt_reason() {
        return Err(Impairment::Behind(reason.to_string()));
    }
    if shared.publication.quorum_is_lost() {
        return Err(Impairment::Behind("the quorum of the witnesses is lost".into()));
    }
    Ok(())
}

/// Runs a ledger. Binds the address of the writing entrance, if there is one.
///
/// # Errors
/// [`Error`], for example an invalid configuration, an inconsistent store, or a policy without this log's key.
pub async fn run(config: Config, listener: Listener, shutdown: Shutdown, clock: Arc<dyn Clock>) -> Result<(), Error> {
    let writing = match &config.writing {
        None => None,
        Some(writing) => Some(TcpListener::bind(writing.listen).await.map_err(WritingError::Bind)?),
    };
    run_at(config, (listener, writing), shutdown, clock).await
}

/// Like [`run`], with the bound listeners of the public and the writing entrance.
///
/// # Errors
/// As [`run`].
pub async fn run_at(
    config: Config,
    (listener, writing): (Listener, Option<TcpListener>),
    shutdown: Shutdown,
    clock: Arc<dyn Clock>,
) -> Result<(), Error> {
    let (pace, data, entrance) = (config.pace(), config.data.clone(), config.writing.clone());
    let setup = move || {
        let setup = setup(&config, clock)?;
        let key = setup.rules.writer.clone();
        Ok::<_, Error>((start(setup)?, key))
    };
    let (shared, key) = tokio::task::spawn_blocking(setup).await.map_err(|_| Error::Start)??;
    let writing = match (entrance, writing) {
        (Some(entrance), Some(socket)) => {
            let owner = Owner {
                key,
                data,
                history: shared.history.clone(),
                clock: shared.clock.clone(),
            };
            Some(WritingEntrance::open(entrance, owner, socket.into(), shutdown.clone())?)
        }
        _ => None,
    };
    serve(shared, pace, (listener, writing), shutdown).await
}

/// Opens the store of a configuration for writing.
pub(crate) fn open_store(config: &Config) -> Result<Arc<dyn Store>, StoreError> {
    Ok(match &config.store {
        StoreConfig::Rocks => Arc::new(RocksStore::open(&config.data.join(STORE))?),
        StoreConfig::Postgres(database) => {
            // For the file that confirms a jump of the clock; RocksDB creates the directory itself.
            let created = service::durable::private_directory(&config.data);
            created.map_err(|error| StoreError::failed(error.to_string(), error))?;
            Arc::new(PostgresStore::open(database)?)
        }
    })
}

fn setup(config: &Config, clock: Arc<dyn Clock>) -> Result<Setup, Error> {
    let confirmation = Confirmation::Operator(config.data.join(CLOCK_STOPPED));
    let clock = CheckedClock::new(clock, confirmation);
    // A jump must not leave the log without a valid key.
    let signer = config.signer(LastCheckedTime::of(clock.clone()))?;
    let (rules, policy) = (config.rules()?, config.policy()?);
    let records_credentials = config.credentials()?;
    Ok(Setup {
        store: open_store(config)?,
        confirmed_at_start: matches!(config.store, StoreConfig::Postgres(_)),
        signer,
        rules,
        policy,
        on_failure: config.on_failure(),
        writing_entrance: config.writing.is_some(),
        records_credentials,
        limits: Limits {
            queue: config.queue,
            ..Limits::default()
        },
        clock,
    })
}
