//! The wall clock, compared with the steady clock and with the witnesses' time.
//!
//! One wall clock can jump by years and back again. Nothing irreversible may depend on it alone: destroying a key,
//! beginning, ending or destroying a period, giving up an exchange, writing a time into the log.
//!
//! * [`CheckedClock::check`] compares the wall clock with the steady clock. When they differ by more than [`MAX_STEP`],
//!   the wall clock has **jumped**: the check fails, and an alarm is raised once. It succeeds again as soon as the wall
//!   clock is back where the steady clock expects it, or when the jump is confirmed ([`Confirmation`]).
//! * [`CheckedClock::agreed`] also compares it with the time that a quorum of witnesses has cosigned, and returns an
//!   [`AgreedTime`]. Every irreversible act takes one, and nothing else makes one.
//!
//! A jump is measured from an anchor, which moves along once an hour, so that small corrections of the wall clock do
//! not add up over a year. A clock that was wrong from the start is noticed by the witnesses alone.
//!
//! Metrics: `clock_in_doubt` (1 while the check fails), `clock_jumps_total`.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Clock, Sleep};
use crate::durable;
use crate::health::Impairment;

/// The wall clock may differ from the steady clock by this many seconds. A clock that follows a time server is not
/// moved by so much at once.
pub const MAX_STEP: u64 = 30;
/// The wall clock may differ from the time of the witnesses' quorum by this many seconds. A ledger renews an unchanged
/// checkpoint every 20 s, and the rest is for two clocks and a slow network.
const MAX_WITNESS_DISTANCE: u64 = 120;
/// How often the anchor moves along.
const RENEW_ANCHOR: Duration = Duration::from_secs(3600);

/// The time that the witnesses' quorum has cosigned last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WitnessTime {
    /// The trust policy demands no witnesses. The steady clock is then the only second clock.
    NotRequired,
    /// No quorum has stated a time yet.
    Unknown,
    /// The newest time (POSIX seconds) at or after which a whole quorum has cosigned.
    Quorum(u64),
}

/// Who says that a wall clock is right after it has jumped.
#[derive(Clone, Debug)]
pub enum Confirmation {
    /// An operator, by deleting this file. The process writes it when the clock jumps, so a restart confirms nothing.
    Operator(PathBuf),
    /// No one: the new time is accepted when the jump has lasted this long. For processes that decide nothing
    /// irreversible.
    After(Duration),
}

/// Why a time must not be used for something irreversible. All of these are retryable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// The wall clock has jumped.
    #[error("the clock of this process has jumped: set it right, or confirm that it is right now ({0})")]
    Jumped(String),
    /// The witnesses have not cosigned anything yet.
    #[error("no quorum of witnesses has stated a time yet")]
    NoWitnesses,
    /// The witnesses' time differs, or they have not cosigned anything for minutes.
    #[error("the clock ({now}) and the time of the witnesses' quorum ({witnessed}) differ by more than two minutes")]
    WitnessesDiffer {
        /// The wall clock.
        now: u64,
        /// The quorum's time.
        witnessed: u64,
    },
}

/// The time by the wall clock, the steady clock and the witnesses' quorum. Only [`CheckedClock::agreed`] makes one.
#[derive(Debug, PartialEq, Eq)]
pub struct AgreedTime(u64);

impl AgreedTime {
    /// POSIX seconds. By no clock is it earlier: the slowest one counts, so that nothing happens too soon.
    #[must_use]
    pub const fn seconds(&self) -> u64 {
        self.0
    }
}

/// A wall clock that is compared with the steady clock.
#[derive(Debug)]
pub struct CheckedClock {
    clock: Arc<dyn Clock>,
    confirmation: Confirmation,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Wall clock and steady clock at one moment. `None` if the process was started while the clock was in doubt.
    anchor: Option<(u64, Duration)>,
    doubt: Option<Doubt>,
    /// Whether the witnesses' time was the reason of the last failure, so that it is logged once.
    alone: bool,
}

#[derive(Debug)]
struct Doubt {
    /// By the steady clock.
    since: Duration,
    /// Whether the operator's file was written.
    stored: bool,
}

impl CheckedClock {
    /// Trusts the wall clock from now on, unless an operator still has to confirm an earlier jump.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, confirmation: Confirmation) -> Arc<Self> {
        let steady = clock.steady();
        let unconfirmed = matches!(&confirmation, Confirmation::Operator(file) if file.exists());
        if unconfirmed {
            tracing::error!(
                confirm = confirm(&confirmation),
                "ALARM: a jump of the clock is not confirmed yet"
            );
        }
        let state = State {
            anchor: (!unconfirmed).then(|| (clock.now(), steady)),
            doubt: unconfirmed.then_some(Doubt {
                since: steady,
                stored: true,
            }),
            alone: false,
        };
        Arc::new(Self {
            clock,
            confirmation,
            state: Mutex::new(state),
        })
    }

    /// A clock for what can wait for an hour and that no operator watches: a jump that has lasted so long is the right
    /// time.
    #[must_use]
    pub fn unattended(clock: Arc<dyn Clock>) -> Arc<Self> {
        Self::new(clock, Confirmation::After(Duration::from_secs(3600)))
    }

    /// The time by the wall clock, if the steady clock agrees.
    ///
    /// # Errors
    /// [`ClockError::Jumped`].
    pub fn check(&self) -> Result<u64, ClockError> {
        let (now, steady) = self.clock.reading();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let moved = state.anchor.map(|anchor| deviation(anchor, now, steady));
        let fits = moved.is_some_and(|moved| moved.unsigned_abs() <= MAX_STEP);
        match state.doubt.take() {
            None if fits => {}
            None => {
                let moved = moved.unwrap_or_default();
                tracing::error!(
                    seconds = moved,
                    confirm = confirm(&self.confirmation),
                    "ALARM: the clock has jumped; nothing irreversible is done until it is right again"
                );
                metrics::counter!("clock_jumps_total").increment(1);
                let stored = self.store(moved);
                state.doubt = Some(Doubt { since: steady, stored });
                return Err(self.jumped());
            }
            Some(_) if fits => {
                tracing::info!("the clock is right again");
                self.forget();
            }
            Some(doubt) if self.is_confirmed(&doubt, steady) => {
                tracing::warn!("the clock's new time is confirmed");
                state.anchor = None;
            }
            Some(mut doubt) => {
                doubt.stored = doubt.stored || self.store(moved.unwrap_or_default());
                state.doubt = Some(doubt);
                return Err(self.jumped());
            }
        }
        metrics::gauge!("clock_in_doubt").set(0.0);
        if state
            .anchor
            .is_none_or(|(_, at)| steady.saturating_sub(at) >= RENEW_ANCHOR)
        {
            state.anchor = Some((now, steady));
        }
        Ok(now)
    }

    /// What an operator has to know about this clock.
    ///
    /// # Errors
    /// [`Impairment::Behind`] while the clock is in doubt.
    pub fn health(&self) -> Result<(), Impairment> {
        self.check()
            .map(drop)
            .map_err(|error| Impairment::Behind(error.to_string()))
    }

    /// The time, if wall clock, steady clock and the witnesses' quorum agree.
    ///
    /// # Errors
    /// [`ClockError`].
    pub fn agreed(&self, witnesses: WitnessTime) -> Result<AgreedTime, ClockError> {
        let now = self.check()?;
        let agreed = match witnesses {
            WitnessTime::NotRequired => Ok(AgreedTime(now)),
            WitnessTime::Unknown => Err(ClockError::NoWitnesses),
            WitnessTime::Quorum(witnessed) if now.abs_diff(witnessed) <= MAX_WITNESS_DISTANCE => {
                Ok(AgreedTime(now.min(witnessed)))
            }
            WitnessTime::Quorum(witnessed) => Err(ClockError::WitnessesDiffer { now, witnessed }),
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let alone = std::mem::replace(&mut state.alone, agreed.is_err());
        match &agreed {
            Err(error) if !alone => tracing::warn!(%error, "nothing irreversible is done until the times agree"),
            Ok(_) if alone => tracing::info!("the witnesses' time and the clock agree"),
            _ => {}
        }
        agreed
    }

    fn jumped(&self) -> ClockError {
        metrics::gauge!("clock_in_doubt").set(1.0);
        ClockError::Jumped(confirm(&self.confirmation))
    }

    fn is_confirmed(&self, doubt: &Doubt, steady: Duration) -> bool {
        match &self.confirmation {
            Confirmation::After(lasting) => steady.saturating_sub(doubt.since) >= *lasting,
            Confirmation::Operator(file) => doubt.stored && !file.exists(),
        }
    }

    /// Writes the file that the operator deletes. Returns whether it is written.
    fn store(&self, moved: i64) -> bool {
        let Confirmation::Operator(file) = &self.confirmation else {
            return false;
        };
        let text = format!(
            "The clock jumped by {moved} s. Check the clock of this machine. Delete this file when it is right.\n"
        );
        let written = durable::write_atomic(file, text.as_bytes());
        if let Err(error) = &written {
            tracing::error!(%error, file = %file.display(), "the jump of the clock cannot be stored");
        }
        written.is_ok()
    }

    fn forget(&self) {
        let Confirmation::Operator(file) = &self.confirmation else {
            return;
        };
        match std::fs::remove_file(file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                tracing::error!(%error, file = %file.display(), "the file cannot be deleted");
            }
            _ => {}
        }
    }
}

impl Clock for CheckedClock {
    fn now(&self) -> u64 {
        self.clock.now()
    }

    fn steady(&self) -> Duration {
        self.clock.steady()
    }

    fn reading(&self) -> (u64, Duration) {
        self.clock.reading()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.clock.sleep(duration)
    }
}

/// The last time at which a [`CheckedClock`] was not in doubt. For what depends on the time but can wait, such as the
/// validity of a key.
#[derive(Debug)]
pub struct LastCheckedTime {
    clock: Arc<CheckedClock>,
    last: AtomicU64,
}

impl LastCheckedTime {
    /// Begins with the wall clock's time.
    #[must_use]
    pub fn of(clock: Arc<CheckedClock>) -> Arc<Self> {
        let last = AtomicU64::new(clock.now());
        Arc::new(Self { clock, last })
    }
}

impl Clock for LastCheckedTime {
    fn now(&self) -> u64 {
        if let Ok(now) = self.clock.check() {
            self.last.store(now, Ordering::Relaxed);
        }
        self.last.load(Ordering::Relaxed)
    }

    fn steady(&self) -> Duration {
        self.clock.steady()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.clock.sleep(duration)
    }
}

/// By how many seconds the wall clock is ahead of where the steady clock expects it.
fn deviation((wall, at): (u64, Duration), now: u64, steady: Duration) -> i64 {
    let expected = wall.saturating_add(steady.saturating_sub(at).as_secs());
    i64::try_from(i128::from(now) - i128::from(expected)).unwrap_or(i64::MAX)
}

fn confirm(confirmation: &Confirmation) -> String {
    match confirmation {
        Confirmation::Operator(file) => format!("delete {}", file.display()),
        Confirmation::After(lasting) => format!("accepted after {} s", lasting.as_secs()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::clock::ManualClock;

    const NOW: u64 = 1_800_000_000;
    const HOUR: i64 = 3600;
    const YEAR: i64 = 365 * 24 * HOUR;

    fn operator(dir: &tempfile::TempDir) -> Confirmation {
        Confirmation::Operator(dir.path().join("clock.stopped"))
    }

    #[test]
    fn a_jump_in_either_direction_stops_until_the_clock_is_back() {
        for jump in [31, HOUR, 3 * YEAR, -31, -HOUR, -3 * YEAR] {
            let dir = tempfile::tempdir().unwrap();
            let manual = ManualClock::new(NOW);
            let clock = CheckedClock::new(manual.clone(), operator(&dir));
            manual.advance(10);
            assert_eq!(clock.check(), Ok(NOW + 10));
            manual.jump(jump);
            assert!(matches!(clock.check(), Err(ClockError::Jumped(_))), "{jump}");
            manual.advance(14);
            assert!(clock.agreed(WitnessTime::NotRequired).is_err(), "{jump}");
            assert!(matches!(clock.health(), Err(Impairment::Behind(_))), "{jump}");
            assert!(dir.path().join("clock.stopped").exists());
            manual.jump(-jump);
            assert_eq!(clock.check(), Ok(NOW + 24), "{jump}");
            assert!(!dir.path().join("clock.stopped").exists());
        }
    }

    #[test]
    fn a_small_correction_is_no_jump_and_small_ones_do_not_add_up() {
        let dir = tempfile::tempdir().unwrap();
        let manual = ManualClock::new(NOW);
        let clock = CheckedClock::new(manual.clone(), operator(&dir));
        for _ in 0..1000 {
            manual.advance(3600);
            manual.jump(20);
            assert!(clock.check().is_ok());
        }
        // Within an hour they do.
        manual.jump(20);
        assert!(clock.check().is_ok());
        manual.jump(20);
        assert!(clock.check().is_err());
    }

    #[test]
    fn a_frozen_clock_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let manual = ManualClock::new(NOW);
        let clock = CheckedClock::new(manual.clone(), operator(&dir));
        manual.freeze(30);
        assert!(clock.check().is_ok());
        manual.freeze(1);
        assert!(clock.check().is_err());
        manual.jump(31);
        assert!(clock.check().is_ok(), "the clock was set right");
    }

    #[test]
    fn an_operator_confirms_a_jump_and_a_restart_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let manual = ManualClock::new(NOW);
        let clock = CheckedClock::new(manual.clone(), operator(&dir));
        manual.jump(3 * YEAR);
        assert!(clock.check().is_err());
        let restarted = CheckedClock::new(manual.clone(), operator(&dir));
        assert!(restarted.check().is_err());
        std::fs::remove_file(dir.path().join("clock.stopped")).unwrap();
        assert_eq!(clock.check(), Ok(manual.now()));
        assert_eq!(restarted.check(), Ok(manual.now()));
        manual.jump(-3 * YEAR);
        assert!(clock.check().is_err(), "the way back is a jump like any other");
    }

    #[test]
    fn a_jump_that_could_not_be_stored_is_not_confirmed_by_the_missing_file() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("missing");
        let manual = ManualClock::new(NOW);
        let clock = CheckedClock::new(manual.clone(), Confirmation::Operator(missing.join("clock.stopped")));
        manual.jump(HOUR);
        assert!(clock.check().is_err());
        assert!(clock.check().is_err());
        std::fs::create_dir(&missing).unwrap();
        assert!(clock.check().is_err());
        assert!(missing.join("clock.stopped").exists());
        std::fs::remove_file(missing.join("clock.stopped")).unwrap();
        assert!(clock.check().is_ok());
    }

    #[test]
    fn without_an_operator_a_lasting_jump_is_accepted() {
        let manual = ManualClock::new(NOW);
        let clock = CheckedClock::new(manual.clone(), Confirmation::After(Duration::from_secs(600)));
        manual.jump(HOUR);
        assert!(clock.check().is_err());
        manual.advance(599);
        assert!(clock.check().is_err());
        manual.advance(1);
        assert_eq!(clock.check(), Ok(manual.now()));
    }

    #[test]
    fn the_last_checked_time_stands_still_during_a_jump() {
        let manual = ManualClock::new(NOW);
        let checked = CheckedClock::new(manual.clone(), Confirmation::After(Duration::MAX));
        let last = LastCheckedTime::of(checked);
        manual.advance(5);
        assert_eq!(last.now(), NOW + 5);
        manual.jump(3 * YEAR);
        assert_eq!(last.now(), NOW + 5);
        manual.jump(-3 * YEAR);
        manual.advance(1);
        assert_eq!(last.now(), NOW + 6);
    }

    #[test]
    fn the_witnesses_must_agree_and_the_slowest_clock_counts() {
        let manual = ManualClock::new(NOW);
        let clock = CheckedClock::new(manual, Confirmation::After(Duration::MAX));
        let agreed = |witnesses| clock.agreed(witnesses).map(|time| time.seconds());
        assert_eq!(agreed(WitnessTime::NotRequired), Ok(NOW));
        assert_eq!(agreed(WitnessTime::Unknown), Err(ClockError::NoWitnesses));
        assert_eq!(agreed(WitnessTime::Quorum(NOW - 120)), Ok(NOW - 120));
        assert_eq!(agreed(WitnessTime::Quorum(NOW + 120)), Ok(NOW));
        for witnessed in [0, NOW - 121, NOW + 121, u64::MAX] {
            let differs = ClockError::WitnessesDiffer { now: NOW, witnessed };
            assert_eq!(agreed(WitnessTime::Quorum(witnessed)), Err(differs));
        }
    }
}
