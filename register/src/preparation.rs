//! Evidence that takes time to prepare, such as a certificate from an archive. Only a query that may wait gets it
//! later; one that may not, because a person waits for a page, is answered from what the register has at hand.
//!
//! The first query about a subject begins the preparation and gets 202 with `Retry-After`. The query is repeated until
//! the time is over, and is then answered. It is the same query if exchange, subject and evidence type are the same.
//! What is under way is in memory: after a restart of the register a repeated query begins the preparation again.
//!
//! The answer is 202 whether or not there is evidence, because the register looks only when the time is over.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

/// The longest preparation, in seconds. No exchange waits longer.
pub const MAX_PREPARATION_SECONDS: u64 = 30 * 86_400;
/// The most preparations in memory. With more, a new query gets 503.
const MAX_PREPARATIONS: usize = 16_384;
/// What is ready is kept for this many seconds, for queries whose answer was lost or that come late.
const RETENTION: u64 = 7 * 86_400;
/// How many seconds lie between two removals of what is not kept any longer.
const SWEEP_INTERVAL: u64 = 60;

/// Which query is prepared. It has no `Debug`, because it names a person.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Query {
    /// The exchange, if the connector named it.
    pub(crate) exchange: Option<Uuid>,
    /// IDNr or EUID.
    pub(crate) key: String,
    /// Id of the evidence type.
    pub(crate) evidence_type: String,
}

/// How far a preparation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It is over.
    Ready,
    /// It takes this many more seconds.
    Remaining(u64),
    /// Too many preparations are under way for another one.
    Full,
}

/// The preparations that are under way or over.
#[derive(Default)]
pub(crate) struct Preparations(Mutex<Begun>);

#[derive(Default)]
struct Begun {
    /// When each query is ready.
    ready: BTreeMap<Query, u64>,
    /// When the old ones were last removed.
    swept: u64,
}

impl Preparations {
    /// Begins the preparation of a query, which takes `seconds`, or tells how far it is.
    pub(crate) fn progress(&self, query: Query, seconds: u64, now: u64) -> Progress {
        // A panic leaves the map as it is: each change is one call.
        let mut begun = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = begun.ready.get(&query).copied();
        let ready = known.unwrap_or_else(|| now.saturating_add(seconds));
        if ready <= now {
            return Progress::Ready;
        }
        if known.is_none() {
            begun.sweep(now);
            if begun.ready.len() >= MAX_PREPARATIONS {
                return Progress::Full;
            }
            begun.ready.insert(query, ready);
        }
        Progress::Remaining(ready - now)
    }
}

impl Begun {
    /// Removes what has been ready for long, at most once a minute.
    fn sweep(&mut self, now: u64) {
        if now >= self.swept.saturating_add(SWEEP_INTERVAL) {
            self.ready.retain(|_, ready| ready.saturating_add(RETENTION) > now);
            self.swept = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(number: u128) -> Query {
        Query {
            exchange: Some(Uuid::from_u128(number)),
            key: "08214967384".into(),
            evidence_type: "zb1".into(),
        }
    }

    #[test]
    fn a_query_is_ready_after_its_time_and_stays_so_for_a_week() {
        let preparations = Preparations::default();
        assert_eq!(preparations.progress(query(1), 60, 1000), Progress::Remaining(60));
        assert_eq!(preparations.progress(query(1), 60, 1059), Progress::Remaining(1));
        assert_eq!(preparations.progress(query(2), 60, 1059), Progress::Remaining(60));
        assert_eq!(preparations.progress(query(1), 60, 1060), Progress::Ready);
        assert_eq!(preparations.progress(query(1), 60, 2000), Progress::Ready);
        assert_eq!(preparations.progress(query(3), 0, 2000), Progress::Ready);
        let later = 1060 + RETENTION;
        assert_eq!(preparations.progress(query(4), 60, later), Progress::Remaining(60));
        assert_eq!(preparations.progress(query(1), 60, later), Progress::Remaining(60));
    }

    #[test]
    fn the_number_of_preparations_is_bounded() {
        let preparations = Preparations::default();
        for number in 0..MAX_PREPARATIONS as u128 {
            assert_eq!(preparations.progress(query(number), 60, 0), Progress::Remaining(60));
        }
        assert_eq!(preparations.progress(query(u128::MAX), 60, 0), Progress::Full);
        assert_eq!(preparations.progress(query(0), 60, 0), Progress::Remaining(60));
        let later = 60 + RETENTION;
        assert_eq!(
            preparations.progress(query(u128::MAX), 60, later),
            Progress::Remaining(60)
        );
    }
}
