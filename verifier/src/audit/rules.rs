//! The rules for each kind of entry. The ledger must enforce the same rules when it admits an entry; this is a second
//! implementation, from the public log alone.
//!
//! * `intent`: in the current period (± 2 min), refers to nothing. `outcome`, `lost`: close exactly one open intent.
//!   `outcome`, `preview`: in the period of their intent, under the label that follows from the intent's label.
//! * `period`: numbers from 1 without gaps. Each period begins, then becomes final, then is destroyed, each once. It
//!   begins at most a day and an hour before its start and at most a day after it, and starts at least a day after the
//!   one before it. At most 63 periods are open, so that a `map` entry can state all roots. A period becomes final at
//!   the earliest 35 days after the next period's start, with no intent open, and with the root of the recomputed map.
//!   No label of the period is admitted before it begins or after it is final. It is destroyed only after the last
//!   record that it may have has expired.
//! * `map`: states exactly map 0 and the maps of the open periods, each with the root recomputed over all earlier
//!   entries, and names the entries with the newest change sets before it.
//! * `hold-release` releases a hold that is not released yet. A `hold` refers to an entry with a record, a
//!   `rectification` to any earlier entry.

use record::entry::{MAX_OPEN_PERIODS, MAX_PERIOD_DELAY, MAX_PERIOD_LEAD, MIN_PERIOD};
use record::{Body, Entry, Label, LabelledKind, Period, PeriodEvent, ReferenceKind, RetentionClass, Timestamp, label};
use tlog::Hash;

use super::state::{EntryReporter, LogState, PeriodState, map_name};

/// How far outside of its period an intent may be, seconds.
const PERIOD_SLACK: u64 = 120;
/// How long after its end a period may become final at the earliest, seconds.
const FINAL_AFTER: u64 = 35 * 24 * 3600;

impl LogState {
    pub(crate) fn check_body(&mut self, entry: &Entry, reporter: &mut EntryReporter<'_>) {
        let time = entry.time.0;
        match &entry.body {
            Body::Map { roots, newest } => {
                self.check_map(roots, reporter);
                for what in self.sets.check_newest(newest) {
                    reporter.report(what);
                }
                self.last_map = Some(reporter.index);
                self.uncovered = None;
                return;
            }
            Body::Period { period, event } => self.check_period(*period, event, time, reporter),
            Body::Labelled {
                kind,
                period,
                label,
                refers,
                ..
            } => {
                let refers = refers.map(|index| index.get());
                self.check_labelled(*kind, (*period, *label), refers, time, reporter);
            }
            Body::Reference { kind, refers } => self.check_reference(*kind, refers.get(), reporter),
            Body::Denial { .. } | Body::Document { .. } => {}
        }
        self.uncovered.get_or_insert((reporter.index, time));
    }

    fn check_labelled(
        &mut self,
        kind: LabelledKind,
        (period, label): (Period, Label),
        refers: Option<u64>,
        time: u64,
        reporter: &mut EntryReporter<'_>,
    ) {
        self.check_open_period(period, reporter);
        match (kind, refers) {
            (LabelledKind::Intent, None) => {
                self.check_current(period, time, reporter);
                self.intents.insert(reporter.index, (period, label));
                self.open.insert(reporter.index);
            }
            (LabelledKind::Outcome, Some(intent)) => {
                self.close(intent, reporter);
                self.check_follows(kind, (period, label), intent, reporter);
            }
            (LabelledKind::Preview, Some(intent)) => self.check_follows(kind, (period, label), intent, reporter),
            (LabelledKind::Void | LabelledKind::Inspection, None) => {}
            (LabelledKind::Inspection, Some(index)) if index < reporter.index && self.has_record(index) => {}
            (_, Some(index)) => reporter.report(format!("this kind of entry may not refer to entry {index}")),
            (_, None) => reporter.report("refers to no intent"),
        }
    }

    fn check_open_period(&mut self, period: Period, reporter: &mut EntryReporter<'_>) {
        match self.periods.get_mut(&period) {
            Some(state) if state.final_root.is_some() => {
                reporter.report(format!("a label in period {}, which is final", period.0));
            }
            Some(state) => state.labels += 1,
            None => reporter.report(format!("a label in period {}, which has not begun", period.0)),
        }
    }

    fn check_current(&self, period: Period, time: u64, reporter: &mut EntryReporter<'_>) {
        let early = self
            .periods
            .get(&period)
            .is_some_and(|state| time + PERIOD_SLACK < state.start);
        let end = self.periods.range(period..).nth(1).map(|(_, next)| next.start);
        let late = end.is_some_and(|end| time >= end.saturating_add(PERIOD_SLACK));
        if early || late {
            reporter.report(format!("an intent at {time}, outside of its period {}", period.0));
        }
    }

    /// An outcome or preview is in the period of its intent, and its label follows from the intent's label. Under any
    /// other label its person would not find it.
    fn check_follows(
        &self,
        kind: LabelledKind,
        (period, label): (Period, Label),
        intent: u64,
        reporter: &mut EntryReporter<'_>,
    ) {
        match self.intents.get(&intent) {
            Some((other, _)) if *other != period => {
                reporter.report(format!("not in the period of its intent {intent}"));
            }
            Some((_, of_intent)) if label::of_phase(of_intent, kind.phase()) != label => {
                reporter.report(format!("its label does not follow from that of its intent {intent}"));
            }
            Some(_) => {}
            None => reporter.report(format!("refers to entry {intent}, which is not an earlier intent")),
        }
    }

    fn close(&mut self, intent: u64, reporter: &mut EntryReporter<'_>) {
        if !self.open.remove(&intent) && self.intents.contains_key(&intent) {
            reporter.report(format!("closes the intent {intent}, which is closed already"));
        }
    }

    fn check_reference(&mut self, kind: ReferenceKind, refers: u64, reporter: &mut EntryReporter<'_>) {
        let earlier = refers < reporter.index;
        match kind {
            ReferenceKind::Lost if self.intents.contains_key(&refers) => self.close(refers, reporter),
            ReferenceKind::Lost => reporter.report(format!("refers to entry {refers}, which is not an earlier intent")),
            ReferenceKind::HoldRelease if !self.holds.remove(&refers) => {
                reporter.report(format!("refers to entry {refers}, which is not a hold in force"));
            }
            ReferenceKind::Hold if !earlier || !self.has_record(refers) => {
                reporter.report(format!(
                    "refers to entry {refers}, which is not an earlier entry with a record"
                ));
            }
            ReferenceKind::Rectification if !earlier => reporter.report(format!("there is no earlier entry {refers}")),
            ReferenceKind::Hold => {
                self.holds.insert(reporter.index);
            }
            ReferenceKind::HoldRelease | ReferenceKind::Rectification => {}
        }
    }

    fn check_period(&mut self, period: Period, event: &PeriodEvent, time: u64, reporter: &mut EntryReporter<'_>) {
        match event {
            PeriodEvent::Begin { start, .. } => self.begin(period, start.0, time, reporter),
            PeriodEvent::Final { root } => self.finalise(period, root, time, reporter),
            PeriodEvent::Destroyed => self.destroy(period, time, reporter),
        }
    }

    /// A period may be destroyed only after its last record has expired. Until then the record can be opened, and the
    /// person must be able to prove that it is theirs.
    fn destroy(&mut self, period: Period, time: u64, reporter: &mut EntryReporter<'_>) {
        let closed = self.end(period).map(|end| Timestamp(end.saturating_add(FINAL_AFTER)));
        let latest = Timestamp(time.saturating_add(self.tolerance));
        if closed.is_none_or(|closed| latest < RetentionClass::last_expiry(closed).end()) {
            reporter.report(format!(
                "period {} is destroyed before its last record has expired",
                period.0
            ));
        }
        match self.periods.get_mut(&period) {
            Some(state) if state.final_root.is_some() && !state.destroyed => state.destroyed = true,
            _ => reporter.report(format!("period {} is not final, or destroyed already", period.0)),
        }
    }

    /// The end of a period, which is the start of the next one. `None` if there is no next one yet.
    fn end(&self, period: Period) -> Option<u64> {
        self.periods.range(period..).nth(1).map(|(_, next)| next.start)
    }

    fn begin(&mut self, period: Period, start: u64, time: u64, reporter: &mut EntryReporter<'_>) {
        let number = period.0;
        let last = self
            .periods
            .last_key_value()
            .map_or((0, 0), |(last, state)| (last.0, state.start));
        if number != last.0 + 1 {
            reporter.report(format!("period {number} begins, but the last one was {}", last.0));
        }
        if start <= last.1 {
            reporter.report(format!(
                "period {number} starts at {start}, not after the one before it"
            ));
        } else if start < last.1.saturating_add(MIN_PERIOD) {
            reporter.report(format!(
                "period {number} starts less than a day after the one before it"
            ));
        }
        if start > time.saturating_add(MAX_PERIOD_LEAD + self.tolerance) {
            reporter.report(format!(
                "period {number} begins more than a day and an hour ahead of its start"
            ));
        }
        if time > start.saturating_add(MAX_PERIOD_DELAY + self.tolerance) {
            reporter.report(format!("period {number} begins more than a day after its start"));
        }
        let open = self.periods.values().filter(|state| state.final_root.is_none());
        if open.count() >= MAX_OPEN_PERIODS {
            reporter.report(format!(
                "period {number} begins while {MAX_OPEN_PERIODS} others are open"
            ));
        }
        let state = PeriodState {
            start,
            labels: 0,
            final_root: None,
            destroyed: false,
        };
        // A second begin has the same label as the first, so the map reports it.
        self.periods.entry(period).or_insert(state);
        self.maps.open(period);
    }

    fn finalise(&mut self, period: Period, root: &Hash, time: u64, reporter: &mut EntryReporter<'_>) {
        let number = period.0;
        if self
            .end(period)
            .is_none_or(|end| time.saturating_add(self.tolerance) < end.saturating_add(FINAL_AFTER))
        {
            reporter.report(format!("period {number} is made final less than 35 days after its end"));
        }
        if let Some(intent) = self
            .open
            .iter()
            .find(|intent| self.intents.get(intent).is_some_and(|(of, _)| *of == period))
        {
            reporter.report(format!(
                "period {number} is made final while the intent {intent} is open"
            ));
        }
        match self.maps.root(period) {
            Some(recomputed) if recomputed != *root => {
                reporter.report(format!("final root {root} of period {number}, recomputed {recomputed}"));
            }
            Some(_) => {}
            None => reporter.report(format!("period {number} has not begun, or is final already")),
        }
        if let Some(state) = self.periods.get_mut(&period) {
            state.final_root.get_or_insert(*root);
        }
        self.maps.close(period);
    }

    fn check_map(&mut self, stated: &[(Period, Hash)], reporter: &mut EntryReporter<'_>) {
        let recomputed = self.maps.roots();
        for (period, root) in &recomputed {
            match stated.iter().find(|(other, _)| other == period) {
                None => reporter.report(format!("the root of {} is missing", map_name(*period))),
                Some((_, other)) if other != root => {
                    reporter.report(format!("root {other} of {}, recomputed {root}", map_name(*period)));
                }
                Some(_) => {}
            }
        }
        for (period, _) in stated {
            if !recomputed.iter().any(|(open, _)| open == period) {
                reporter.report(format!("states a root of {}, which is not open", map_name(*period)));
            }
        }
        if stated.len() > recomputed.len() {
            reporter.report("states more roots than there are maps");
        }
    }
}
