//! Labels whose `void` the ledger refuses. They stay pending, because the number must not be missing, but they wait:
//! the sweep and the requests about other persons continue, and each label is tried again after a pause that grows to
//! an hour. So a label costs at most one append an hour, and a cause that an operator removes needs no restart.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use record::Label;
use service::backoff::Backoff;

const FIRST_PAUSE: Duration = Duration::from_secs(60);
const MAX_PAUSE: Duration = Duration::from_secs(3600);

/// The labels that wait. There are never more than pending labels.
#[derive(Debug, Default)]
pub(crate) struct RefusedVoids(Mutex<HashMap<Label, Waiting>>);

#[derive(Debug)]
struct Waiting {
    backoff: Backoff,
    /// POSIX seconds.
    until: u64,
}

impl RefusedVoids {
    fn labels(&self) -> MutexGuard<'_, HashMap<Label, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a refusal. Returns the pause in seconds, and whether it is the label's first refusal.
    pub(crate) fn refused(&self, label: &Label, now: u64) -> (u64, bool) {
        let mut labels = self.labels();
        let waiting = labels.entry(*label).or_insert_with(|| Waiting {
            backoff: Backoff::new(FIRST_PAUSE, MAX_PAUSE),
            until: now,
        });
        let first = waiting.backoff.failures() == 0;
        let pause = waiting.backoff.failed().as_secs();
        waiting.until = now.saturating_add(pause);
        (pause, first)
    }

    /// Whether the label waits at this time.
    pub(crate) fn waits(&self, label: &Label, now: u64) -> bool {
        // A clock that was set back must not prolong the pause.
        let due = |waiting: &Waiting| now >= waiting.until || waiting.until - now > MAX_PAUSE.as_secs();
        self.labels().get(label).is_some_and(|waiting| !due(waiting))
    }

    /// Forgets labels that are settled.
    pub(crate) fn settled<'a>(&self, labels: impl Iterator<Item = &'a Label>) {
        let mut waiting = self.labels();
        for label in labels {
            waiting.remove(label);
        }
    }

    /// How many labels wait.
    pub(crate) fn len(&self) -> usize {
        self.labels().len()
    }
}
