//! Assembles the ledger from store, log, rules, witness client and HTTP routes.
//!
//! A ledger on a database is one of two things. The **sequencer** has claimed the log and writes to it ([`sequence`]).
//! A **follower** serves readers, sends writers to the sequencer, and takes its place when it dies ([`follow`]). A
//! process changes its role once at most, from follower to sequencer: a sequencer that has lost the log ends, because
//! nothing that it has in memory may be used any longer. Its supervisor starts it again, as a follower.

mod error;
mod follow;
mod process;
mod sequence;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use certificates::Renewal;
use service::Listener;
use service::{Clock, Shutdown, listen};
use tokio::net::TcpListener;

use crate::config::{Config, StoreConfig};
use crate::http::{Roles, routes, writing_routes};
use crate::metrics_help;
use crate::store::postgres::{PostgresConfig, PostgresStore};
use crate::store::rocks::RocksStore;
use crate::store::{Store, StoreError};
use crate::writing::{Owner, WritingEntrance, WritingError};
pub use error::Error;
use follow::{Follower, POLL_INTERVAL, Step};
use process::{Process, create_directory};
#[cfg(test)]
pub(crate) use sequence::Setup;
pub(crate) use sequence::start;
use sequence::{Fenced, Sequencing};

/// Name of the store's directory in the data directory.
pub(crate) const STORE: &str = "store";
/// How long a start tries to claim or to follow a log that another ledger is just creating.
const BEGIN_PATIENCE: Duration = Duration::from_secs(10);
/// How long a start waits for another ledger to end before it follows that one. A server needs a moment to notice that
/// a ledger was killed.
const CLAIM_PATIENCE: Duration = Duration::from_secs(1);
const BEGIN_RETRY_DELAY: Duration = Duration::from_millis(50);

/// The store's directory in a data directory, or in the data directory of a demonstration; `None` if there is none.
pub(crate) fn find_store(data: &Path) -> Option<PathBuf> {
    [data.join(STORE), data.join("ledger").join(STORE)]
        .into_iter()
        .find(|path| path.is_dir())
}

/// The role in which a process begins.
enum Begun {
    Sequencer(Arc<dyn Store>, Option<Fenced>),
    Follower(Box<Follower>),
}

/// The role of a serving process.
enum Role {
    Sequencer(Sequencing),
    Follower(Box<Follower>),
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
    let process = Arc::new(Process::new(config, clock));
    let begun = {
        let process = process.clone();
        blocking(move || begin(&process)).await?
    };
    let (roles, role) = match begun {
        Begun::Sequencer(store, fenced) => {
            let sequencing = sequence(&process, store, fenced, None, &shutdown).await?;
            (Roles::new(sequencing.shared().clone()), Role::Sequencer(sequencing))
        }
        Begun::Follower(follower) => (Roles::new(follower.shared()?), Role::Follower(follower)),
    };
    service::operations::install_metrics();
    metrics_help::describe();
    roles.measure();
    tracing::info!(address = %listener.local_addr()?, "serving");
    listener.health().name_role({
        let roles = roles.clone();
        move || roles.name()
    });
    let entrance = writing_entrance(&process, writing, &roles, &shutdown)?;
    listener.health().check({
        let (roles, renewal) = (
            roles.clone(),
            entrance.as_ref().map(|entrance| entrance.renewal.clone()),
        );
        move || {
            roles.health()?;
            renewal.as_ref().map_or(Ok(()), Renewal::health)
        }
    });
    let writing = entrance.map(|entrance| {
        let routes = writing_routes(roles.clone(), entrance.readers);
        tokio::spawn(listen::serve(entrance.listener, routes, shutdown.clone()))
    });
    let serving = tokio::spawn(listen::serve(listener, routes(roles.clone()), shutdown.clone()));
    let (sequencing, result) = play(&process, role, &roles, &shutdown).await;
    shutdown.trigger();
    let served = serving.await.map_err(|_| Error::Start)?;
    if let Some(writing) = writing {
        let _ = writing.await;
    }
    if let Some(sequencing) = sequencing {
        sequencing.end().await?;
    }
    served?;
    result
}

/// Opens the writing entrance, if there is one.
fn writing_entrance(
    process: &Process,
    socket: Option<TcpListener>,
    roles: &Roles,
    shutdown: &Shutdown,
) -> Result<Option<WritingEntrance>, Error> {
    let (Some(entrance), Some(socket)) = (process.config.writing.clone(), socket) else {
        return Ok(None);
    };
    let owner = Owner {
        key: process.config.rules()?.writer,
        data: process.config.data.clone(),
        directory: Arc::new(roles.clone()),
        clock: process.clock.clone(),
    };
    let opened = WritingEntrance::open(entrance, owner, socket.into(), shutdown.clone())?;
    Ok(Some(opened))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Start)?
}

/// Plays the role until shutdown is requested or the process must end. Returns what must be ended, and why.
async fn play(
    process: &Arc<Process>,
    role: Role,
    roles: &Roles,
    shutdown: &Shutdown,
) -> (Option<Sequencing>, Result<(), Error>) {
    let mut sequencing = match role {
        Role::Sequencer(sequencing) => sequencing,
        Role::Follower(follower) => match take_over(process, follower, roles, shutdown).await {
            Ok(Some(sequencing)) => sequencing,
            Ok(None) => return (None, Ok(())),
            Err(error) => return (None, Err(error)),
        },
    };
    let result = tokio::select! {
        () = shutdown.wait() => Ok(()),
        error = sequencing.over() => Err(error),
    };
    (Some(sequencing), result)
}

/// Follows until this process has claimed the log; then writes to it. `None` if shutdown is requested before.
async fn take_over(
    process: &Arc<Process>,
    mut follower: Box<Follower>,
    roles: &Roles,
    shutdown: &Shutdown,
) -> Result<Option<Sequencing>, Error> {
    loop {
        let stepped = blocking(move || {
            let step = follower.step()?;
            Ok((follower, step))
        });
        let step;
        (follower, step) = stepped.await?;
        match step {
            Step::Claimed(store) => {
                let fenced: Fenced = Box::pin(store.fenced());
                let followed = follower.into_followed();
                let sequencing = sequence(process, store, Some(fenced), Some(followed), shutdown).await?;
                roles.replace(sequencing.shared().clone());
                tracing::info!("this ledger writes to the log now");
                return Ok(Some(sequencing));
            }
            Step::Reloaded => roles.replace(follower.shared()?),
            Step::Follows => {}
        }
        tokio::select! {
            () = shutdown.wait() => return Ok(None),
            () = tokio::time::sleep(POLL_INTERVAL) => {}
        }
    }
}

/// Opens a claimed store as the log's only writer.
async fn sequence(
    process: &Arc<Process>,
    store: Arc<dyn Store>,
    fenced: Option<Fenced>,
    followed: Option<sequence::Followed>,
    shutdown: &Shutdown,
) -> Result<Sequencing, Error> {
    let opening = {
        let process = process.clone();
        move || start(process.setup(store, followed)?)
    };
    let shared = blocking(opening).await?;
    Sequencing::begin(shared, process.config.pace(), fenced, shutdown).await
}

/// Claims the log, or begins to follow the ledger that has it.
fn begin(process: &Arc<Process>) -> Result<Begun, Error> {
    process.check()?;
    let StoreConfig::Postgres(database) = &process.config.store else {
        return Ok(Begun::Sequencer(open_store(&process.config)?, None));
    };
    create_directory(&process.config.data)?;
    let started = Instant::now();
    loop {
        let may_follow = started.elapsed() >= CLAIM_PATIENCE;
        match claim_or_follow(process, database, may_follow) {
            // Another ledger is creating the log, or is ending.
            Err(Error::Store(StoreError::Unknown(_) | StoreError::InUse | StoreError::Damaged(_)))
                if started.elapsed() < BEGIN_PATIENCE =>
            {
                std::thread::sleep(BEGIN_RETRY_DELAY);
            }
            done => return done,
        }
    }
}

fn claim_or_follow(process: &Arc<Process>, database: &PostgresConfig, may_follow: bool) -> Result<Begun, Error> {
    match PostgresStore::claim_now(database, process.addresses()) {
        Ok(store) => {
            let fenced: Fenced = Box::pin(store.fenced());
            Ok(Begun::Sequencer(Arc::new(store), Some(fenced)))
        }
        Err(StoreError::InUse) if may_follow => match Follower::open(process, database)? {
            Some(follower) => Ok(Begun::Follower(Box::new(follower))),
            None => Err(StoreError::InUse.into()),
        },
        Err(error) => Err(error.into()),
    }
}

/// Opens the store of a configuration for writing.
pub(crate) fn open_store(config: &Config) -> Result<Arc<dyn Store>, StoreError> {
    Ok(match &config.store {
        StoreConfig::Rocks => Arc::new(RocksStore::open(&config.data.join(STORE))?),
        StoreConfig::Postgres(database) => {
            create_directory(&config.data)?;
            Arc::new(PostgresStore::open(database)?)
        }
    })
}
