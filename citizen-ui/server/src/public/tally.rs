//! What is counted of the log. The memory does not grow with the log: a tree's right edge, a count for each kind and
//! period, and a count for each of the last days.

use std::collections::BTreeMap;

use citizen_ui::pages::{Day, Erased, LogCounts};
use record::{Body, Kind, LegalDay, Period, PeriodEvent, SignedEntry, Timestamp};
use tlog::Hash;
use tlog::merkle::{self, Frontier, Size};

/// The days whose entries are counted one by one.
const DAYS_KEPT: usize = 60;
/// The days that a page shows.
const DAYS_SHOWN: u32 = 30;
/// The most periods. A period lasts a month.
const MAX_PERIODS: usize = 4_096;

/// The counts of the first entries of a log.
#[derive(Clone, Default)]
pub(super) struct Tally {
    frontier: Frontier,
    exchanges: u64,
    visits: u64,
    closed: u64,
    denied: u64,
    days: BTreeMap<LegalDay, u64>,
    periods: BTreeMap<Period, PeriodTally>,
}

#[derive(Clone, Copy, Default)]
struct PeriodTally {
    /// Entries about persons.
    entries: u64,
    /// Entry and time at which the secret was destroyed.
    destroyed: Option<(u64, u64)>,
}

/// An entry that cannot be counted: the bytes are none, or the tree is full.
#[derive(Debug, thiserror::Error)]
#[error("entry {0} cannot be read")]
pub(super) struct Unreadable(u64);

impl Tally {
    /// How many entries were counted.
    pub(super) fn size(&self) -> Size {
        self.frontier.size()
    }

    /// The root of the tree of the counted entries.
    pub(super) fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// Counts the next entry.
    pub(super) fn add(&mut self, leaf: &[u8]) -> Result<(), Unreadable> {
        let index = self.size().get();
        let unreadable = || Unreadable(index);
        let entry = SignedEntry::parse(leaf.to_vec()).map_err(|_| unreadable())?;
        let appended = self.frontier.append(merkle::leaf_hash(leaf), |_, _, _| {});
        appended.map_err(|_| unreadable())?;
        let entry = entry.entry();
        match entry.body.kind() {
            Kind::Intent => self.exchanges += 1,
            Kind::Outcome | Kind::Lost => self.closed += 1,
            Kind::Inspection => self.visits += 1,
            Kind::Denial => self.denied += 1,
            _ => {}
        }
        match entry.body {
            Body::Labelled { period, .. } => self.period(period, |tally| tally.entries += 1),
            Body::Period {
                period,
                event: PeriodEvent::Destroyed,
            } => self.period(period, |tally| tally.destroyed = Some((index, entry.time.0))),
            _ => {}
        }
        *self.days.entry(LegalDay::of(entry.time)).or_default() += 1;
        if self.days.len() > DAYS_KEPT {
            self.days.pop_first();
        }
        Ok(())
    }

    fn period(&mut self, period: Period, change: impl FnOnce(&mut PeriodTally)) {
        change(self.periods.entry(period).or_default());
        if self.periods.len() > MAX_PERIODS {
            self.periods.pop_first();
        }
    }

    /// What a page shows at a time.
    pub(super) fn counts(&self, now: Timestamp) -> LogCounts {
        let today = LegalDay::of(now);
        let first = LegalDay(today.0.saturating_sub(DAYS_SHOWN - 1));
        let days = (first.0..=today.0).map(|day| Day {
            day: LegalDay(day),
            entries: self.days.get(&LegalDay(day)).copied().unwrap_or_default(),
        });
        let erased = self.periods.iter().filter_map(|(period, tally)| {
            let (entry, time) = tally.destroyed?;
            Some(Erased {
                entry,
                time,
                period: period.0,
                entries: tally.entries,
            })
        });
        let mut erasures: Vec<Erased> = erased.collect();
        erasures.sort_by_key(|erased| std::cmp::Reverse(erased.entry));
        LogCounts {
            counted: self.size().get(),
            exchanges: self.exchanges,
            visits: self.visits,
            open: self.exchanges.saturating_sub(self.closed),
            denied: self.denied,
            erased: erasures.iter().map(|erased| erased.entries).sum(),
            days: days.collect(),
            erasures,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use fixtures::sample_log::SampleLog;

    use super::*;

    #[test]
    fn entries_are_counted_by_kind_period_and_day() {
        let mut log = SampleLog::new();
        let (intent, number) = log.intent();
        log.outcome(intent, number);
        log.intent();
        log.inspection(0);
        log.denial();
        log.map();
        log.finish(Period::FIRST);
        log.destroy(Period::FIRST);
        let mut tally = Tally::default();
        for leaf in &log.leaves {
            tally.add(leaf).unwrap();
        }
        assert_eq!((tally.size(), tally.root()), (log.size(), log.tree.root()));
        let last = SignedEntry::parse(log.leaves.last().unwrap().clone()).unwrap();
        let counts = tally.counts(last.entry().time);
        let found = (
            counts.exchanges,
            counts.visits,
            counts.open,
            counts.denied,
            counts.erased,
        );
        assert_eq!(found, (2, 1, 1, 1, 4));
        assert_eq!(counts.erasures[0].entry, log.size().get() - 1);
        let in_days: u64 = counts.days.iter().map(|day| day.entries).sum();
        assert_eq!((counts.days.len(), in_days), (30, log.size().get()));
        assert!(tally.add(b"no entry").is_err());
    }
}
