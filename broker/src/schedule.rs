//! When to ask the providers again that have deferred their answer.
//!
//! The schedule is in memory, because it is small, and the journal has what it is made of ([`DueExchange`]). It hands
//! out one exchange after the other that is due, the longest due one of a provider first, and at most [`PARALLEL`] of
//! one provider at once, so that one that hangs delays no other. The exchange that was handed out is back in the
//! schedule when its task sets it again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use record::{ParticipantId, Timestamp};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::journal::DueExchange;

/// The most exchanges of one provider that are asked for at once.
const PARALLEL: usize = 8;
/// The least seconds between two attempts.
const MIN_PAUSE: u64 = 60;
/// The most seconds between two attempts, if the provider does not answer.
const MAX_PAUSE: u64 = 3600;

/// The exchanges that wait. Their number is bounded by the places of those that do ([`crate::outstanding`]). Cheap to
/// clone; clones share the schedule.
#[derive(Debug, Clone, Default)]
pub(crate) struct Schedule(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    rows: Mutex<Rows>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Rows {
    /// Each with the time at which the provider is asked next.
    waiting: HashMap<Uuid, (Timestamp, DueExchange)>,
    providers: BTreeMap<ParticipantId, Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    /// The exchanges by the time at which the provider is asked next.
    due: BTreeSet<(Timestamp, Uuid)>,
    /// How many of them tasks are working on.
    asked: usize,
}

/// An exchange that is due. Dropping it lets another one of its provider be handed out.
pub(crate) struct Due {
    schedule: Schedule,
    pub(crate) exchange: Uuid,
    pub(crate) row: DueExchange,
}

impl Schedule {
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an exchange into the schedule, or moves it: the provider is asked at `next`.
    pub(crate) fn set(&self, exchange: Uuid, next: Timestamp, row: DueExchange) {
        let mut rows = self.rows();
        rows.remove(exchange);
        let queue = rows.providers.entry(row.provider.clone()).or_default();
        queue.due.insert((next, exchange));
        rows.waiting.insert(exchange, (next, row));
        self.0.changed.notify_one();
    }

    /// Takes an exchange out of the schedule: it is closed.
    pub(crate) fn remove(&self, exchange: Uuid) {
        self.rows().remove(exchange);
    }

    /// Takes an exchange that is due at `now` out of the schedule.
    pub(crate) fn take(&self, now: Timestamp) -> Option<Due> {
        let mut rows = self.rows();
        let is_due = |queue: &Queue| queue.asked < PARALLEL && queue.due.first().is_some_and(|(due, _)| *due <= now);
        let queue = rows.providers.values_mut().find(|queue| is_due(queue))?;
        let (_, exchange) = queue.due.pop_first()?;
        queue.asked += 1;
        let (_, row) = rows.waiting.remove(&exchange)?;
        Some(Due {
            schedule: self.clone(),
            exchange,
            row,
        })
    }

    /// How many seconds after `now` the next exchange is due, for which a place is free. At most an hour.
    pub(crate) fn next(&self, now: Timestamp) -> u64 {
        let rows = self.rows();
        let free = rows.providers.values().filter(|queue| queue.asked < PARALLEL);
        let next = free.filter_map(|queue| queue.due.first()).map(|(due, _)| *due).min();
        next.map_or(MAX_PAUSE, |due| due.since(now).clamp(1, MAX_PAUSE))
    }

    /// Whether no exchange is due at `now`, or being asked for.
    #[cfg(test)]
    pub(crate) fn is_idle(&self, now: Timestamp) -> bool {
        let is_idle = |queue: &Queue| queue.asked == 0 && queue.due.first().is_none_or(|(due, _)| *due > now);
        self.rows().providers.values().all(is_idle)
    }

    /// Looks at the clock again, which a test has moved.
    #[cfg(test)]
    pub(crate) fn wake(&self) {
        self.0.changed.notify_one();
    }

    /// Waits until the schedule has changed since the last call.
    pub(crate) async fn changed(&self) {
        self.0.changed.notified().await;
    }
}

impl Rows {
    fn remove(&mut self, exchange: Uuid) {
        let Some((next, row)) = self.waiting.remove(&exchange) else {
            return;
        };
        if let Some(queue) = self.providers.get_mut(&row.provider) {
            queue.due.remove(&(next, exchange));
            if queue.due.is_empty() && queue.asked == 0 {
                self.providers.remove(&row.provider);
            }
        }
    }
}

impl Drop for Due {
    fn drop(&mut self) {
        let mut rows = self.schedule.rows();
        if let Some(queue) = rows.providers.get_mut(&self.row.provider) {
            queue.asked = queue.asked.saturating_sub(1);
            if queue.due.is_empty() && queue.asked == 0 {
                rows.providers.remove(&self.row.provider);
            }
        }
        drop(rows);
        self.schedule.0.changed.notify_one();
    }
}

impl DueExchange {
    /// When the exchange is asked for again after a deferral: at the time that it names, at least a minute after `now`.
    pub(crate) fn next(&self, now: Timestamp) -> Timestamp {
        self.due.max(now.after(MIN_PAUSE)).min(self.expiry)
    }

    /// When the exchange is asked for again of a provider that is not ready.
    pub(crate) fn soon(&self, now: Timestamp) -> Timestamp {
        now.after(MIN_PAUSE).min(self.expiry)
    }

    /// When the exchange is asked for again after an attempt without an answer. The pauses double, because each is as
    /// long as all before it.
    pub(crate) fn after_failure(&self, now: Timestamp) -> Timestamp {
        let pause = now.since(self.due).clamp(MIN_PAUSE, MAX_PAUSE);
        now.after(pause).min(self.expiry)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    fn row(provider: &str, due: u64) -> DueExchange {
        DueExchange {
            due: NOW.after(due),
            expiry: NOW.after(30 * 86_400),
            consumer: ParticipantId::new("city").unwrap(),
            provider: ParticipantId::new(provider).unwrap(),
            preview: false,
        }
    }

    fn set(schedule: &Schedule, id: u128, row: DueExchange) {
        schedule.set(Uuid::from_u128(id), row.due, row);
    }

    #[test]
    fn exchanges_are_handed_out_when_they_are_due_and_a_provider_that_hangs_delays_no_other() {
        let schedule = Schedule::default();
        for id in 0..20 {
            set(&schedule, id, row("slow", 100));
        }
        set(&schedule, 100, row("other", 200));
        set(&schedule, 101, row("other", 7200));
        assert!(schedule.take(NOW.after(99)).is_none());
        assert_eq!((schedule.next(NOW), schedule.next(NOW.after(99))), (100, 1));
        let now = NOW.after(100);
        let mut asked: Vec<_> = std::iter::from_fn(|| schedule.take(now)).collect();
        assert_eq!(asked.len(), PARALLEL);
        assert_eq!(schedule.next(now), 100, "the other provider's is the next one");
        let others: Vec<_> = std::iter::from_fn(|| schedule.take(NOW.after(300))).collect();
        assert_eq!((others.len(), others[0].exchange), (1, Uuid::from_u128(100)));
        asked.pop();
        assert!(schedule.take(now).is_some_and(|due| due.row == row("slow", 100)));
        // An exchange that was closed meanwhile is not handed out.
        schedule.remove(Uuid::from_u128(101));
        assert!(
            schedule
                .take(NOW.after(9000))
                .is_some_and(|due| due.row.provider.as_str() == "slow")
        );
        drop((asked, others));
        while schedule.take(now).is_some() {}
        let rows = schedule.rows();
        assert!(rows.waiting.is_empty() && rows.providers.is_empty(), "nothing is left");
    }

    #[test]
    fn the_pauses_between_two_attempts_are_a_minute_to_an_hour_and_end_with_the_exchange() {
        let row = row("slow", 0);
        assert_eq!(row.next(NOW), NOW.after(60));
        assert_eq!(
            DueExchange {
                due: NOW.after(500),
                ..row.clone()
            }
            .next(NOW),
            NOW.after(500)
        );
        let mut now = NOW;
        for pause in [60, 60, 120, 240, 480, 960, 1920, 3600, 3600] {
            let next = row.after_failure(now);
            assert_eq!(next.since(now), pause);
            now = next;
        }
        assert_eq!(row.after_failure(NOW.after(30 * 86_400 - 1)), row.expiry);
        assert_eq!(row.soon(NOW.after(20 * 86_400)), NOW.after(20 * 86_400 + 60));
        assert_eq!(row.soon(NOW.after(30 * 86_400 - 1)), row.expiry);
    }
}
