//! The periods (design §5.2), derived from the log's `period` entries.
//!
//! Periods are numbered from 1 without gaps. Each is begun at most a day and an hour before its start and at most a day
//! after it, and starts at least a day after the previous one. At most [`MAX_OPEN_PERIODS`] are open at once, so that a
//! `map` entry can always state their roots.
//!
//! A period is *current* from its start to the start of the next. It ends there, and may become final 35 days later if
//! none of its intents is open; from then on the log refuses its labels. Its secret may be destroyed when the last
//! record that it can have has expired.

use std::collections::BTreeMap;

use record::entry::{MAX_OPEN_PERIODS, MAX_PERIOD_DELAY, MAX_PERIOD_LEAD, MIN_PERIOD};
use record::{LabelledKind, Period, PeriodEvent, RetentionClass, Timestamp};

use super::refusal::Refusal;

/// How far outside its period an entry's time may lie, in seconds.
pub(super) const TIME_TOLERANCE: u64 = 120;
/// How long after its end a period still accepts outcomes, in seconds.
pub(super) const FINALIZATION_DELAY: u64 = 35 * 24 * 3600;

/// The state of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum PeriodState {
    Begun,
    Final,
    Destroyed,
}

/// All periods.
#[derive(Debug, Default)]
pub(super) struct Periods(BTreeMap<Period, (Timestamp, PeriodState)>);

impl Periods {
    /// Applies a recorded `period` entry.
    pub(super) fn apply(&mut self, period: Period, event: &PeriodEvent) {
        match event {
            PeriodEvent::Begin { start, .. } => drop(self.0.insert(period, (*start, PeriodState::Begun))),
            PeriodEvent::Final { .. } => self.set(period, PeriodState::Final),
            PeriodEvent::Destroyed => self.set(period, PeriodState::Destroyed),
        }
    }

    fn set(&mut self, period: Period, state: PeriodState) {
        if let Some(entry) = self.0.get_mut(&period) {
            entry.1 = state;
        }
    }

    /// The periods that still accept labels.
    pub(super) fn open(&self) -> impl Iterator<Item = Period> {
        self.0
            .iter()
            .filter(|(_, (_, state))| *state == PeriodState::Begun)
            .map(|(period, _)| *period)
    }

    /// Refuses a labelled entry of this time that does not fit the period.
    pub(super) fn check_label(&self, kind: LabelledKind, period: Period, time: Timestamp) -> Result<(), Refusal> {
        let Some((start, state)) = self.0.get(&period) else {
            return Err(Refusal::period(format!("period {} has not been begun", period.0)));
        };
        if *state != PeriodState::Begun {
            return Err(Refusal::period(format!("period {} is final", period.0)));
        }
        // An outcome or preview belongs to the period of its intent, however late it is.
        if matches!(kind, LabelledKind::Outcome | LabelledKind::Preview) {
            return Ok(());
        }
        let early = time.after(TIME_TOLERANCE) < *start;
        let late = self.end(period).is_some_and(|end| time >= end.after(TIME_TOLERANCE));
        if early || late {
            Err(Refusal::period(format!("period {} is not the current one", period.0)))
        } else {
            Ok(())
        }
    }

    fn end(&self, period: Period) -> Option<Timestamp> {
        self.0.get(&Period(period.0.checked_add(1)?)).map(|(start, _)| *start)
    }

    /// Refuses an event that does not fit the period's state at `time`, which is the time that the ledger has checked.
    /// `root` and `has_open_intents` are called for `final` only.
    pub(super) fn check_event(
        &self,
        period: Period,
        event: &PeriodEvent,
        time: Timestamp,
        root: impl FnOnce() -> Option<tlog::Hash>,
        has_open_intents: impl FnOnce() -> bool,
    ) -> Result<(), Refusal> {
        let state = self.0.get(&period).map(|(_, state)| *state);
        match event {
            PeriodEvent::Begin { start, .. } => self.check_begin(period, *start, time),
            PeriodEvent::Final { root: claimed } => {
                let closed = self
                    .end(period)
                    .is_some_and(|end| time >= end.after(FINALIZATION_DELAY));
                if state != Some(PeriodState::Begun) || !closed {
                    Err(Refusal::period("only a period that ended 35 days ago may become final"))
                } else if has_open_intents() {
                    Err(Refusal::period("the period has intents without outcome"))
                } else if root() != Some(*claimed) {
                    Err(Refusal::period("the root is not the root of the period's map"))
                } else {
                    Ok(())
                }
            }
            PeriodEvent::Destroyed => {
                // Records could be written until the period became final. The persons concerned need the secret to
                // prove that a record is theirs, until the last of these records has expired.
                let closed = self.end(period).map(|end| end.after(FINALIZATION_DELAY));
                let expired = closed.is_some_and(|closed| time >= RetentionClass::last_expiry(closed).end());
                if state == Some(PeriodState::Final) && expired {
                    Ok(())
                } else {
                    Err(Refusal::period(
                        "only the secret of a final period may be destroyed, and only after its last record has expired",
                    ))
                }
            }
        }
    }

    fn check_begin(&self, period: Period, start: Timestamp, time: Timestamp) -> Result<(), Refusal> {
        let last = self.0.last_key_value();
        let next = last.map_or(1, |(last, _)| u64::from(last.0) + 1);
        if u64::from(period.0) != next {
            return Err(Refusal::period(format!("the next period is {next}")));
        }
        if last.is_some_and(|(_, (before, _))| start < before.after(MIN_PERIOD)) {
            return Err(Refusal::period(
                "a period must start at least a day after the previous one",
            ));
        }
        if start > time.after(MAX_PERIOD_LEAD) {
            return Err(Refusal::period(
                "a period may begin in the log at most a day and an hour ahead",
            ));
        }
        if time > start.after(MAX_PERIOD_DELAY) {
            return Err(Refusal::period("a period may not start more than a day in the past"));
        }
        if self.open().count() >= MAX_OPEN_PERIODS {
            return Err(Refusal::period(format!(
                "{MAX_OPEN_PERIODS} periods are open, and a map entry has no room for another one: make the oldest final"
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tlog::Hash;

    fn begin(start: u64) -> PeriodEvent {
        PeriodEvent::Begin {
            vrf_key: [1; 32],
            start: Timestamp(start),
        }
    }

    fn event(periods: &Periods, period: u32, event: &PeriodEvent, time: u64, open: bool) -> bool {
        periods
            .check_event(Period(period), event, Timestamp(time), || Some(Hash([7; 32])), || open)
            .is_ok()
    }

    const DAY: u64 = 86_400;

    #[test]
    fn periods_begin_one_after_another_a_day_apart_and_in_time() {
        let mut periods = Periods::default();
        let now = 1_000 * DAY;
        assert!(!event(&periods, 2, &begin(now), now, false));
        assert!(event(&periods, 1, &begin(now), now, false));
        periods.apply(Period(1), &begin(now));
        assert!(!event(&periods, 1, &begin(now + DAY), now, false));
        assert!(!event(&periods, 3, &begin(now + DAY), now, false));
        assert!(!event(&periods, 2, &begin(now + DAY - 1), now, false), "too short");
        assert!(event(&periods, 2, &begin(now + DAY), now, false));
        assert!(event(&periods, 2, &begin(now + DAY + 3600), now, false));
        assert!(!event(&periods, 2, &begin(now + DAY + 3601), now, false), "too early");
        assert!(!event(&periods, 2, &begin(u64::MAX), now, false), "too early");
        let later = now + 100 * DAY;
        assert!(event(&periods, 2, &begin(later - DAY), later, false));
        assert!(!event(&periods, 2, &begin(later - DAY - 1), later, false), "too late");
    }

    #[test]
    fn a_map_entry_always_has_room_for_the_open_periods() {
        let mut periods = Periods::default();
        let mut now = 1_000 * DAY;
        for period in 1..100 {
            if !event(&periods, period, &begin(now), now, false) {
                break;
            }
            periods.apply(Period(period), &begin(now));
            now += DAY;
        }
        // With map 0.
        assert_eq!(periods.open().count() + 1, record::entry::MAX_ROOTS);
        // The oldest ended long ago. When it is final there is room for another one.
        let next = u32::try_from(periods.0.len()).unwrap() + 1;
        let last = PeriodEvent::Final { root: Hash([7; 32]) };
        assert!(event(&periods, 1, &last, now, false));
        periods.apply(Period(1), &last);
        assert!(event(&periods, next, &begin(now), now, false));
    }

    #[test]
    fn intents_belong_to_the_current_period_and_outcomes_to_any_open_one() {
        let mut periods = Periods::default();
        periods.apply(Period(1), &begin(1000));
        periods.apply(Period(2), &begin(2000));
        let fits = |kind, period, time| periods.check_label(kind, Period(period), Timestamp(time)).is_ok();
        for kind in [LabelledKind::Intent, LabelledKind::Void, LabelledKind::Inspection] {
            assert_eq!(
                [879, 880, 1500, 2119, 2120].map(|time| fits(kind, 1, time)),
                [false, true, true, true, false]
            );
            assert_eq!(
                [1879, 1880, 1_000_000].map(|time| fits(kind, 2, time)),
                [false, true, true]
            );
            assert!(!fits(kind, 3, 2500));
        }
        assert!(fits(LabelledKind::Outcome, 1, 9999) && fits(LabelledKind::Preview, 1, 9999));
    }

    #[test]
    fn a_period_becomes_final_35_days_after_its_end_without_open_intents_and_with_its_root() {
        let mut periods = Periods::default();
        periods.apply(Period(1), &begin(1000));
        let last = PeriodEvent::Final { root: Hash([7; 32]) };
        let late = 2000 + FINALIZATION_DELAY;
        assert!(!event(&periods, 1, &last, late, false), "the period has not ended");
        periods.apply(Period(2), &begin(2000));
        assert!(!event(&periods, 1, &last, late - 1, false));
        assert!(!event(&periods, 1, &last, late, true));
        assert!(!event(
            &periods,
            1,
            &PeriodEvent::Final { root: Hash([8; 32]) },
            late,
            false
        ));
        assert!(!event(&periods, 1, &PeriodEvent::Destroyed, late, false));
        assert!(event(&periods, 1, &last, late, false));
        periods.apply(Period(1), &last);
        assert!(
            periods
                .check_label(LabelledKind::Outcome, Period(1), Timestamp(late))
                .is_err()
        );
        assert_eq!(periods.open().collect::<Vec<_>>(), [Period(2)]);
        let expired = RetentionClass::last_expiry(Timestamp(late)).end().0;
        assert!(!event(&periods, 1, &PeriodEvent::Destroyed, expired - 1, false));
        assert!(event(&periods, 1, &PeriodEvent::Destroyed, expired, false));
        periods.apply(Period(1), &PeriodEvent::Destroyed);
        assert!(!event(&periods, 1, &PeriodEvent::Destroyed, expired, false));
    }
}
