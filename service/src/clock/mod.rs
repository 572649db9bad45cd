//! Time, as POSIX seconds, behind a trait so that tests can set it.
//!
//! A process reads two clocks. The **wall clock** ([`Clock::now`]) says what time it is; an operator, a time server or
//! a wrong battery can move it by years. The **steady clock** ([`Clock::steady`]) says only how much time has passed;
//! no one can set it. Durations within one process are measured with the steady clock. A decision that cannot be undone
//! needs more than one clock: see [`CheckedClock`].

mod checked;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

pub use checked::{AgreedTime, CheckedClock, ClockError, Confirmation, LastCheckedTime, MAX_STEP, WitnessTime};

/// The source of a process's time.
pub trait Clock: Send + Sync + std::fmt::Debug + 'static {
    /// Seconds since 1970-01-01T00:00:00Z, leap seconds not counted.
    fn now(&self) -> u64;

    /// The time that has passed since a fixed moment, which is another one after each start of the machine. It includes
    /// the time during which the machine was suspended.
    fn steady(&self) -> Duration;

    /// Both clocks at one moment: [`Clock::now`] and [`Clock::steady`].
    fn reading(&self) -> (u64, Duration) {
        (self.now(), self.steady())
    }

    /// Waits until so much time has passed by the steady clock. Work that is due at a time waits with it, not with a
    /// timer of its own, so that a simulated clock reaches it too. It may return early; the caller then looks again at
    /// what is due.
    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A pause by a [`Clock`].
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl SystemClock {
    /// The machine's clock, shared.
    pub fn shared() -> Arc<dyn Clock> {
        Arc::new(SystemClock)
    }
}

/// The steady clock that also counts while the machine is suspended, where the system has one.
#[cfg(any(target_os = "linux", target_os = "android"))]
const STEADY: ClockId = ClockId::Boottime;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const STEADY: ClockId = ClockId::Monotonic;

impl Clock for SystemClock {
    fn now(&self) -> u64 {
        // A clock before 1970 was never set. Other processes refuse what is signed then because of its skew.
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs())
    }

    fn steady(&self) -> Duration {
        // The system never returns a negative time for this clock.
        Duration::try_from(clock_gettime(STEADY)).unwrap_or_default()
    }
}

/// A clock that only tests move.
#[derive(Debug, Default)]
pub struct ManualClock {
    wall: AtomicU64,
    steady: AtomicU64,
}

impl ManualClock {
    /// A clock whose time is `now`.
    pub fn new(now: u64) -> Arc<Self> {
        Arc::new(Self {
            wall: AtomicU64::new(now),
            steady: AtomicU64::new(0),
        })
    }

    /// Lets the time pass until `now`. If `now` is in the past, only the wall clock moves: it jumps back.
    pub fn set(&self, now: u64) {
        let before = self.wall.swap(now, Ordering::SeqCst);
        self.steady.fetch_add(now.saturating_sub(before), Ordering::SeqCst);
    }

    /// Lets this many seconds pass.
    pub fn advance(&self, seconds: u64) {
        self.wall.fetch_add(seconds, Ordering::SeqCst);
        self.steady.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Moves the wall clock while no time passes.
    pub fn jump(&self, seconds: i64) {
        let moved = self.now().saturating_add_signed(seconds);
        self.wall.store(moved, Ordering::SeqCst);
    }

    /// Lets this many seconds pass while the wall clock stands still.
    pub fn freeze(&self, seconds: u64) {
        self.steady.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> u64 {
        self.wall.load(Ordering::SeqCst)
    }

    fn steady(&self) -> Duration {
        Duration::from_secs(self.steady.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steady_clock_of_the_machine_never_goes_back() {
        let mut before = SystemClock.steady();
        for _ in 0..1000 {
            let now = SystemClock.steady();
            assert!(now >= before && now > Duration::ZERO);
            before = now;
        }
    }
}
