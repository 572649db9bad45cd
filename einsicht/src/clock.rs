//! The demonstration's clock. It begins in the past and moves to the present while the past is made ([`crate::past`]);
//! from then on it is the machine's clock.
//!
//! All compartments share it. When it is moved, the wall clock and the steady clock move by the same time, as if that
//! time had passed, so no compartment takes it for a wrong clock. Whatever waits for a time by this clock is woken.

use std::sync::Arc;
use std::time::Duration;

use service::clock::Sleep;
use service::{Clock, SystemClock};
use tokio::sync::watch;

/// The machine's clock, as long as it is not behind.
#[derive(Debug)]
pub(crate) struct DemoClock {
    /// By how many seconds the wall clock was behind at the start.
    behind: u64,
    /// How much of that was skipped since. The steady clock is ahead by it.
    skipped: watch::Sender<Duration>,
}

impl DemoClock {
    /// A clock that shows `begin` now; the machine's time if that is in the future.
    pub(crate) fn starting_at(begin: u64) -> Arc<Self> {
        Arc::new(Self {
            behind: SystemClock.now().saturating_sub(begin),
            skipped: watch::Sender::new(Duration::ZERO),
        })
    }

    /// Moves to `time`, or to the present if that is earlier. A time that has passed changes nothing.
    pub(crate) fn move_to(&self, time: u64) {
        self.skipped.send_modify(|skipped| {
            let behind = self.behind.saturating_sub(skipped.as_secs());
            let by = time.saturating_sub(SystemClock.now().saturating_sub(behind));
            *skipped += Duration::from_secs(by.min(behind));
        });
    }

    /// Moves to the present.
    pub(crate) fn catch_up(&self) {
        self.move_to(u64::MAX);
    }
}

impl Clock for DemoClock {
    fn now(&self) -> u64 {
        self.reading().0
    }

    fn steady(&self) -> Duration {
        self.reading().1
    }

    fn reading(&self) -> (u64, Duration) {
        let skipped = self.skipped.borrow();
        let (now, steady) = SystemClock.reading();
        let behind = self.behind.saturating_sub(skipped.as_secs());
        (now.saturating_sub(behind), steady + *skipped)
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let (mut skipped, until) = (self.skipped.subscribe(), self.steady() + duration);
        Box::pin(async move {
            loop {
                let now = SystemClock.steady() + *skipped.borrow_and_update();
                let left = until.saturating_sub(now);
                if left.is_zero() || tokio::time::timeout(left, skipped.changed()).await.is_err() {
                    return;
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use service::clock::{CheckedClock, Confirmation};

    use super::*;

    const DAY: u64 = 86_400;

    #[tokio::test]
    async fn it_moves_to_the_present_and_no_further_and_no_check_notices() {
        let begin = SystemClock.now() - 800 * DAY;
        let clock = DemoClock::starting_at(begin);
        let checked = CheckedClock::new(clock.clone(), Confirmation::After(Duration::MAX));
        assert!(checked.check().unwrap() - begin < 5);
        clock.move_to(begin + 300 * DAY);
        assert!(checked.check().unwrap() - (begin + 300 * DAY) < 5);
        clock.move_to(begin);
        assert!(
            checked.check().unwrap() - (begin + 300 * DAY) < 5,
            "it never moves back"
        );
        clock.catch_up();
        assert!(SystemClock.now() - checked.check().unwrap() < 5);
        clock.move_to(begin + 900 * DAY);
        assert!(
            checked.check().unwrap() - SystemClock.now() < 5,
            "it does not move into the future"
        );
    }

    #[tokio::test]
    async fn moving_it_wakes_those_who_wait() {
        let clock = DemoClock::starting_at(SystemClock.now() - 2 * DAY);
        let waiting = clock.sleep(Duration::from_secs(3600));
        let woken = tokio::spawn(waiting);
        tokio::task::yield_now().await;
        clock.move_to(SystemClock.now() - DAY);
        tokio::time::timeout(Duration::from_secs(60), woken)
            .await
            .unwrap()
            .unwrap();
    }
}
