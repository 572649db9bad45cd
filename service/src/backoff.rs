//! The pauses between attempts to reach a peer that fails.
//!
//! Every loop that calls another process pauses after a failure with a [`Backoff`] of its own for that peer. The
//! pause doubles with each failure in a row up to a maximum, and a success resets it. Each pause is shortened by a
//! random part of up to one half, so that many callers of one peer do not all return at the same moment.
//!
//! ```text
//! failures in a row   1         2         3          …
//! pause               first/2…  first…    2 first…   … at most the maximum
//!                     …first    …2 first  …4 first
//! ```

use std::time::Duration;

/// The longest wait that a peer may ask for by `Retry-After`. A longer one is a fault of the peer.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// The back-off of one loop for one peer.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    max: Duration,
    failures: u32,
}

impl Backoff {
    /// A back-off whose pauses grow from `first` to `max`.
    #[must_use]
    pub const fn new(first: Duration, max: Duration) -> Self {
        Self {
            first,
            max,
            failures: 0,
        }
    }

    /// Notes a failure and returns the pause before the next attempt.
    pub fn failed(&mut self) -> Duration {
        let whole = self
            .first
            .saturating_mul(2_u32.saturating_pow(self.failures))
            .min(self.max);
        self.failures = self.failures.saturating_add(1);
        shortened(whole, random())
    }

    /// Notes a failure of a peer that asks for a pause of its own (`Retry-After`, seconds), and returns the longer of
    /// both pauses, but at most [`MAX_RETRY_AFTER`].
    pub fn failed_with(&mut self, retry_after: Option<u32>) -> Duration {
        let asked = Duration::from_secs(retry_after.unwrap_or(0).into());
        self.failed().max(asked.min(MAX_RETRY_AFTER))
    }

    /// Notes a success: the next failure gets the first pause again.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// The number of failures since the last success.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }
}

/// `whole` without a part of up to one half: all of it for `u32::MAX`, one half of it for 0.
fn shortened(whole: Duration, random: u32) -> Duration {
    whole / 2 + (whole / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
}

/// A random number. Without a random source the pause is not shortened, which is safe.
fn random() -> u32 {
    getrandom::u32().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_millis(100);
    const MAX: Duration = Duration::from_secs(5);

    #[test]
    fn pauses_double_up_to_the_maximum_and_a_success_resets_them() {
        let mut backoff = Backoff::new(FIRST, MAX);
        for whole in [100, 200, 400, 800, 1600, 3200, 5000, 5000].map(Duration::from_millis) {
            let pause = backoff.failed();
            assert!(pause >= whole / 2 && pause <= whole, "{pause:?} of {whole:?}");
        }
        for _ in 0..100 {
            assert!(
                backoff.failed() <= MAX,
                "no overflow after {} failures",
                backoff.failures()
            );
        }
        backoff.succeeded();
        assert_eq!(backoff.failures(), 0);
        assert!(backoff.failed() <= FIRST);
    }

    #[test]
    fn pauses_are_spread_over_one_half() {
        assert_eq!(shortened(FIRST, 0), FIRST / 2);
        assert_eq!(shortened(FIRST, u32::MAX), FIRST);
        let mut pauses: Vec<_> = (0..64).map(|_| Backoff::new(FIRST, MAX).failed()).collect();
        pauses.sort();
        pauses.dedup();
        assert!(pauses.len() > 8, "the callers of one peer return together: {pauses:?}");
    }

    #[test]
    fn a_peer_may_ask_for_a_longer_pause_within_a_bound() {
        let mut backoff = Backoff::new(FIRST, MAX);
        assert_eq!(backoff.failed_with(Some(30)), Duration::from_secs(30));
        assert_eq!(backoff.failed_with(Some(u32::MAX)), MAX_RETRY_AFTER);
        assert!(backoff.failed_with(None) <= FIRST * 4);
    }
}
