//! Starts identity and runs its background work: following the log, beginning and ending periods, voiding unused
//! labels, destroying the keys of days that have passed, working on the orders of first fills.
//!
//! The listener accepts requests once the first entries of the log have been checked. Requests receive a retryable
//! refusal until identity has followed the log and a period has begun. Three faults in the background end the process:
//! a broken log, a period that belongs to another identity, and a stopped writer.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use certificates::renewal::RenewalConfig;
use certificates::{Renewal, Subject};
use ledger_client::{Anchored, Follower, HttpLedger, LiveTrust, Trust, Writer, WriterConfig};
use messages::SealingKey;
use record::SigningKey;
use service::Listener;
use service::clock::{CheckedClock, Confirmation};
use service::secret::{random, read_seed};
use service::{Clock, Impairment, Shutdown};

use crate::access;
use crate::config::Config;
use crate::day_keys::DayKeys;
use crate::error::Error;
use crate::fill::work::Orders;
use crate::followed_log::FollowedLog;
use crate::identity::{Identity, IdentityKeyPairs};
use crate::locks::Locks;
use crate::log::{LogError, TransparencyLog};
use crate::login::LoginVerifier;
use crate::metrics_help;
use crate::periods::{PeriodError, Periods};
use crate::persons::population::Population;
use crate::refused_voids::RefusedVoids;
use crate::routes::routes;
use crate::state::IdentityState;
use crate::token::MacKey;
use crate::wrapping::WrappingKeys;

/// How often the background work runs.
const TICK_INTERVAL: Duration = Duration::from_secs(1);
/// The state is pruned once per this many ticks.
const PRUNE_EVERY_TICKS: u64 = 60;
const MAX_READER_LEN: usize = 128;
/// The file by whose deletion an operator confirms a jump of the clock.
const CLOCK_STOPPED: &str = "clock.stopped";

fn configuration(error: impl std::fmt::Display) -> Error {
    Error::Configuration(error.to_string())
}

/// Runs identity until shutdown is requested.
///
/// # Errors
/// [`enum@Error`]; each of them ends the process.
pub async fn run(config: Config, listener: Listener, shutdown: Shutdown, clock: Arc<dyn Clock>) -> Result<(), Error> {
    metrics_help::describe();
    let (identity, renewal, orders) = tokio::select! {
        started = start_up(&config, shutdown.clone(), clock) => started?,
        () = shutdown.wait() => return Ok(()),
    };
    let identity = Arc::new(identity);
    listener.health().check({
        let (identity, renewal) = (Arc::clone(&identity), renewal.clone());
        move || {
            health(&identity)?;
            renewal.health()
        }
    });
    let directory = Arc::new(identity.live.clone());
    let callers = access::callers(directory.clone(), &config.cockpit);
    let listener = access::secure(listener, directory, &config.cockpit, &renewal).map_err(configuration)?;
    let background = tokio::spawn(background(Arc::clone(&identity), shutdown.clone()));
    let filling = tokio::spawn({
        let (identity, shutdown) = (Arc::clone(&identity), shutdown.clone());
        async move { orders.run(&identity, &shutdown).await }
    });
    service::listen::serve(listener, routes(identity, callers), shutdown.clone()).await?;
    shutdown.trigger();
    // A batch that was begun ends first; its persons have entries, and the next start writes their rows.
    let _ = filling.await;
    match background.await {
        Ok(result) => result,
        Err(error) => Err(Error::Log(error.to_string())),
    }
}

/// Halted when the writer has stopped, behind while the log cannot be followed.
fn health(identity: &Identity<FollowedLog>) -> Result<(), Impairment> {
    match (identity.log.stopped(), identity.log.head()) {
        (Some(reason), _) | (None, Err(LogError::Broken(reason))) => Err(Impairment::Halted(reason)),
        (None, Err(LogError::Unavailable(reason))) => Err(Impairment::Behind(reason)),
        (None, Ok(_)) => {
            identity.live.health()?;
            identity.clock.health()
        }
    }
}

async fn start_up(
    config: &Config,
    shutdown: Shutdown,
    clock: Arc<dyn Clock>,
) -> Result<(Identity<FollowedLog>, Renewal, Orders), Error> {
    if config.reader.len() > MAX_READER_LEN {
        return Err(configuration("reader is longer than 128 bytes"));
    }
    let population = Arc::new(Population::open(&config.persons)?);
    tracing::info!(persons = population.persons()?, "the population is open");
    let (set_aside, first) = population.set_aside(service::rows::MAX_REPORTED)?;
    service::rows::report("persons", &config.persons, set_aside, &first);
    service::durable::private_directory(&config.data)
        .map_err(|error| Error::Configuration(format!("{}: {error}", config.data.display())))?;
    let state = IdentityState::open(&config.data.join("state.redb"))?;
    let day_keys = DayKeys::open(&config.data.join("daykeys"))?;
    let mac = MacKey::new(state.secret("mac", random().map_err(configuration)?)?);
    let keys = IdentityKeyPairs {
        signing: SigningKey::from_seed(seed(&config.signing_key)?),
        sealing: SealingKey::from_seed(seed(&config.sealing_key)?),
    };
    let confirmation = Confirmation::Operator(config.data.join(CLOCK_STOPPED));
    let clock = CheckedClock::new(clock, confirmation);
    let login = LoginVerifier::new(config.login.clone(), clock.clone()).map_err(configuration)?;
    let (log, live, renewal) = follow(config, clock.clone(), shutdown).await?;
    keys.check(live.history().state().directory())?;
    let identity = Identity {
        periods: Periods::load(
            &state,
            WrappingKeys::open(&config.data.join("wrapping")).map_err(configuration)?,
        )?,
        persons: Box::new(Arc::clone(&population)),
        live,
        state,
        day_keys,
        keys,
        mac,
        log,
        login,
        clock,
        reader: config.reader.clone(),
        wait: Duration::from_secs(config.wait_seconds),
        locks: Locks::default(),
        refused_voids: RefusedVoids::default(),
    };
    let orders = Orders {
        population,
        data: config.data.clone(),
        test_numbers: config.test_numbers,
    };
    Ok((identity, renewal, orders))
}

fn seed(path: &Path) -> Result<[u8; 32], Error> {
    read_seed(path).map_err(configuration)
}

async fn follow(
    config: &Config,
    clock: Arc<CheckedClock>,
    shutdown: Shutdown,
) -> Result<(FollowedLog, LiveTrust, Renewal), Error> {
    let log = |error: &dyn std::fmt::Display| Error::Log(error.to_string());
    let trust = Arc::new(Trust::load(&config.policy, &config.genesis).map_err(configuration)?);
    let ledger = HttpLedger::of(&config.ledger).map_err(configuration)?;
    let api: Arc<dyn ledger_client::LedgerApi> = Arc::new(ledger.clone());
    let key = SigningKey::from_seed(seed(&config.writer_key)?);
    let anchored = Anchored::wait(&api, &trust, &shutdown)
        .await
        .map_err(|error| log(&error))?;
    let live = LiveTrust::start(api.clone(), trust.clone(), &anchored, clock.clone(), shutdown.clone());
    let renewal = RenewalConfig {
        tls: config.tls.clone(),
        subject: Subject::Writer(key.id()),
        signer: key.clone().into(),
        directory: Arc::new(live.clone()),
        data: config.data.clone(),
        clock: clock.clone(),
    };
    let renewal = Renewal::start(renewal, shutdown.clone()).map_err(configuration)?;
    let ledger = ledger
        .with_writing_entrance(&config.ledger_writing, renewal.identity(), Arc::new(live.clone()))
        .map_err(configuration)?;
    let writer = Writer::start(
        WriterConfig {
            api: Arc::new(ledger),
            trust: Arc::clone(&trust),
            live: live.clone(),
            key,
            state_dir: config.data.clone(),
            clock,
        },
        shutdown.clone(),
    )
    .map_err(configuration)?;
    let follower = Follower::start(api, trust, &anchored.genesis, shutdown).map_err(|error| log(&error))?;
    Ok((FollowedLog::new(follower, writer), live, renewal))
}

/// The background work. Its error ends the process.
async fn background(identity: Arc<Identity<FollowedLog>>, shutdown: Shutdown) -> Result<(), Error> {
    let mut ticks = 0_u64;
    loop {
        let result = tokio::select! {
            result = run_tick(&identity, ticks) => result,
            () = shutdown.wait() => return Ok(()),
        };
        if let Err(error) = result {
            tracing::error!(%error, "ALARM: identity stops");
            shutdown.trigger();
            return Err(error);
        }
        ticks += 1;
        tokio::select! {
            () = identity.clock.sleep(TICK_INTERVAL) => {}
            () = shutdown.wait() => return Ok(()),
        }
    }
}

/// One tick. Only a fatal fault is an error; everything else is retried in the next tick.
async fn run_tick(identity: &Arc<Identity<FollowedLog>>, ticks: u64) -> Result<(), Error> {
    if let Some(reason) = identity.log.stopped() {
        return Err(Error::Log(reason));
    }
    match identity.log.refresh().await {
        Ok(()) => {}
        Err(LogError::Broken(reason)) => return Err(Error::Log(reason)),
        Err(LogError::Unavailable(reason)) => {
            tracing::debug!(%reason, "the log cannot be read");
            return Ok(());
        }
    }
    retry_later(identity.periods.follow(&identity.state, &identity.log).await)?;
    // The clock logs why the times do not agree. What cannot be undone then waits.
    if let Ok(now) = identity.agreed() {
        retry_later(identity.periods.tick(&identity.state, &identity.log, &now).await)?;
        // These functions log their own problems.
        if ticks.is_multiple_of(PRUNE_EVERY_TICKS) {
            let _ = identity.prune(&now).await;
        }
        let _ = identity.destroy_expired(now).await;
    }
    let _ = identity.sweep().await;
    Ok(())
}

fn retry_later(result: Result<(), PeriodError>) -> Result<(), Error> {
    match result {
        Err(error) if !error.retryable() => Err(error.into()),
        Err(error) => {
            tracing::warn!(%error, "the periods are not up to date; retrying");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}
