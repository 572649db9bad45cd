//! The state that all requests share.

use std::sync::Arc;
use std::time::Duration;

use ledger_client::LiveTrust;
use messages::SealingKey;
use record::{Idnr, Kind, Label, LegalDay, ParticipantId, Period, Series, SigningKey, Timestamp, WriterId};
use service::Problem;
use service::clock::{AgreedTime, CheckedClock, Clock as _, ClockError};
use trust::{History, Section, TrustMap, Value};
use uuid::Uuid;

use crate::day_keys::DayKeys;
use crate::error::Error;
use crate::locks::Locks;
use crate::log::{LogError, TransparencyLog};
use crate::login::LoginVerifier;
use crate::periods::Periods;
use crate::persons::{PersonSource, SourceError};
use crate::refused_voids::RefusedVoids;
use crate::state::IdentityState;
use crate::token::MacKey;

/// What a lock serialises.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum LockKey {
    /// Requests for one message of one consumer.
    Message(ParticipantId, Uuid),
    /// Reservations for one person, period and series.
    Person(Idnr, Period, Series),
    /// Reservations for nobody. The value is random, so they do not wait for each other.
    Nobody(u32),
    /// Settling of one label.
    Label(Label),
}

/// Identity's own key pairs. The directory lists their public halves.
#[derive(Debug)]
pub struct IdentityKeyPairs {
    /// Signs provider parts.
    pub signing: SigningKey,
    /// Opens the consumers' person parts.
    pub sealing: SealingKey,
}

/// The shared state of the compartment, behind an `Arc`.
#[derive(Debug)]
pub struct Identity<L> {
    // Persons and participants.
    pub(crate) persons: Box<dyn PersonSource>,
    pub(crate) live: LiveTrust,
    // Durable state.
    pub(crate) state: IdentityState,
    pub(crate) day_keys: DayKeys,
    pub(crate) periods: Periods,
    // Secrets.
    pub(crate) keys: IdentityKeyPairs,
    pub(crate) mac: MacKey,
    // The log, the issuer of logins, and time.
    pub(crate) log: L,
    pub(crate) login: LoginVerifier,
    pub(crate) clock: Arc<CheckedClock>,
    /// The name under which the cockpit's inspections are recorded.
    pub(crate) reader: String,
    /// How long a caller waits for a person's last label.
    pub(crate) wait: Duration,
    pub(crate) locks: Locks<LockKey>,
    pub(crate) refused_voids: RefusedVoids,
}

impl std::fmt::Debug for LockKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LockKey(…)")
    }
}

/// The writers to which the directory grants the kind `intent`.
pub(crate) fn brokers(directory: &TrustMap) -> impl Iterator<Item = WriterId> {
    let writers = directory.section(Section::Writer);
    writers.filter_map(|value| match value {
        Value::Writer(grant) if grant.kinds.contains(&Kind::Intent) => Some(grant.key.id()),
        _ => None,
    })
}

impl IdentityKeyPairs {
    /// Checks that the directory lists exactly these keys: consumers seal to them, and providers verify with them.
    pub(crate) fn check(&self, directory: &TrustMap) -> Result<(), Error> {
        let listed = directory.identity();
        if listed.map(|keys| keys.signing) != Some(self.signing.public()) {
            return Err(Error::OtherKey("signing"));
        }
        if listed.map(|keys| keys.sealing) != Some(self.sealing.public().0) {
            return Err(Error::OtherKey("sealing"));
        }
        Ok(())
    }
}

/// Logs an internal error and returns the problem for the caller. Errors of the stores, of random number generation and
/// of sealing contain no personal data.
pub(crate) fn internal(error: impl std::fmt::Display) -> Problem {
    tracing::error!(%error, "internal error");
    Problem::internal()
}

/// The problem that the caller receives when persons cannot be looked up.
pub(crate) fn source_problem(error: SourceError) -> Problem {
    match error {
        SourceError::Unavailable(reason) => {
            tracing::warn!(%reason, "the source of persons is unavailable");
            Problem::unavailable("persons", 5, "persons cannot be looked up at present")
        }
        SourceError::Store(error) => internal(error),
    }
}

/// The problem that the caller receives when the log cannot be read.
pub(crate) fn log_problem(error: LogError) -> Problem {
    match error {
        LogError::Unavailable(reason) => {
            tracing::warn!(%reason, "the log cannot be read");
            Problem::unavailable("log", 1, "the log cannot be read at present")
        }
        LogError::Broken(reason) => {
            tracing::error!(%reason, "ALARM: the log is broken; identity answers no more requests");
            Problem::unavailable("log-broken", 60, "the log is broken")
        }
    }
}

impl<L: TransparencyLog> Identity<L> {
    pub(crate) fn today(&self) -> LegalDay {
        LegalDay::of(Timestamp(self.clock.now()))
    }

    /// The versions of directory and Registerlandkarte that a new request relies on.
    pub(crate) fn in_force(&self) -> Result<Arc<History>, Problem> {
        let history = self.live.confirmed()?;
        if let Err(error) = self.keys.check(history.state().directory()) {
            tracing::error!(%error, "ALARM: the directory lists other keys of identity; put the right ones in place and restart");
            return Err(Problem::unavailable(
                "keys",
                60,
                "the directory lists other keys of identity",
            ));
        }
        Ok(history)
    }

    /// The time for what cannot be undone.
    pub(crate) fn agreed(&self) -> Result<AgreedTime, ClockError> {
        self.clock.agreed(self.log.witness_time())
    }

    /// Refuses a request while identity's own clock is in doubt. With a wrong time, identity would take a valid S1 for
    /// an expired one, and hand out the keys of another day.
    pub(crate) fn check_clock(&self) -> Result<(), Problem> {
        let checked = self.clock.check();
        checked.map(drop).map_err(|error| {
            tracing::debug!(%error, "a request is refused");
            Problem::unavailable("clock", 10, "the clock of identity is in doubt")
        })
    }

    /// Destroys the keys of all days that have passed.
    pub(crate) async fn destroy_expired(&self, now: AgreedTime) -> Result<(), Problem> {
        let day_keys = self.day_keys.clone();
        let destroyed = tokio::task::spawn_blocking(move || day_keys.destroy_expired(&now)).await;
        match destroyed.map_err(internal)?.map_err(internal)? {
            0 => {}
            keys => tracing::info!(keys, "day keys destroyed: the records of those days have expired"),
        }
        Ok(())
    }
}
