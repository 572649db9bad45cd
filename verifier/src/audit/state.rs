//! The state of an audit after a prefix of the log, and the checks of the next entry against it.
//!
//! The checks run in this order: the position (genesis, directory and registry come first), the writer's right and
//! signature by the directory in force, the document that the entry names ([`super::documents`]), the writer's chain,
//! the time, the rules of its kind ([`super::rules`]), the label. Entry 0 brings the key that it is signed with, so its
//! document comes first. A failed check is a finding, and the state is updated as if the entry were valid as far as
//! possible, so that one error does not cause a finding in every later entry. Without the genesis document or a
//! directory, rights and signatures cannot be judged; the document has its finding, and the entries concerned are
//! counted.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use record::{Body, Entry, Kind, Label, Period, SignedEntry, WriterId};
use tlog::Hash;

use super::files::Files;
use super::finding::Findings;
use super::genesis::Genesis;
use super::maps::Maps;
use super::sets::Sets;

/// Reports findings about one entry.
pub(crate) struct EntryReporter<'a> {
    pub(crate) place: &'a str,
    pub(crate) index: u64,
    pub(crate) findings: &'a mut Findings,
}

impl EntryReporter<'_> {
    pub(crate) fn report(&mut self, what: impl Into<String>) {
        self.findings.entry(self.place, self.index, what);
    }
}

/// The hash chain of one writer.
#[derive(Clone, Debug)]
pub(crate) struct WriterChain {
    /// Its last name in a directory.
    pub(crate) name: String,
    /// Sequence number that its next entry must have, which is also the number of its entries.
    pub(crate) next: u64,
    /// Leaf hash of its last entry.
    pub(crate) last: Hash,
}

/// The state of one period.
#[derive(Clone, Debug)]
pub(crate) struct PeriodState {
    /// POSIX seconds.
    pub(crate) start: u64,
    /// Entries with a label in it.
    pub(crate) labels: u64,
    /// Root of the final map, once the period is final.
    pub(crate) final_root: Option<Hash>,
    pub(crate) destroyed: bool,
}

/// The state after `size` entries.
#[derive(Debug)]
pub(crate) struct LogState {
    /// Two clocks may differ by this many seconds.
    pub(crate) tolerance: u64,
    pub(crate) size: u64,
    pub(crate) genesis: Option<Genesis>,
    /// The directory and the Registerlandkarte in force.
    pub(crate) sets: Sets,
    pub(crate) writers: BTreeMap<WriterId, WriterChain>,
    /// Kind number of each entry, [`UNREADABLE`] for an entry that could not be read.
    pub(crate) kinds: Vec<u8>,
    /// All intents with their period and label.
    pub(crate) intents: HashMap<u64, (Period, Label)>,
    /// Intents that no entry has closed yet.
    pub(crate) open: BTreeSet<u64>,
    /// Holds that are not released.
    pub(crate) holds: BTreeSet<u64>,
    pub(crate) periods: BTreeMap<Period, PeriodState>,
    pub(crate) maps: Maps,
    pub(crate) documents: BTreeSet<Hash>,
    /// Set if a change set's header could not be read, so that the name of its operations is not known.
    pub(crate) unnamed: bool,
    /// The latest time of an entry, POSIX seconds.
    pub(crate) latest: u64,
    /// The first entry (index, time) that no map entry covers yet.
    pub(crate) uncovered: Option<(u64, u64)>,
    /// Index of the last map entry.
    pub(crate) last_map: Option<u64>,
    /// Entries whose writer could not be judged, because the genesis document or the directory in force is not known.
    pub(crate) unjudged: u64,
}

/// Kind number of an entry that could not be read.
pub(crate) const UNREADABLE: u8 = u8::MAX;

impl LogState {
    pub(crate) fn new(tolerance: u64, keep_labels: bool) -> LogState {
        LogState {
            tolerance,
            size: 0,
            genesis: None,
            sets: Sets::default(),
            writers: BTreeMap::new(),
            kinds: Vec::new(),
            intents: HashMap::new(),
            open: BTreeSet::new(),
            holds: BTreeSet::new(),
            periods: BTreeMap::new(),
            maps: Maps::new(keep_labels),
            documents: BTreeSet::new(),
            unnamed: false,
            latest: 0,
            uncovered: None,
            last_map: None,
            unjudged: 0,
        }
    }

    /// Checks the next entry and adds it to the state.
    pub(crate) fn take(&mut self, signed: &SignedEntry, files: &Files, reporter: &mut EntryReporter<'_>) {
        let entry = signed.entry();
        self.check_order(entry.body.kind(), reporter);
        let founds = reporter.index == 0;
        if founds {
            self.check_document(signed, files, reporter);
        }
        let name = self.check_writer(signed, reporter);
        if !founds {
            self.check_document(signed, files, reporter);
        }
        self.check_chain(entry, signed.leaf_hash(), name, reporter);
        self.check_time(entry, reporter);
        self.check_body(entry, reporter);
        if let Some((period, label)) = entry.body.map_key()
            && let Err(earlier) = self.maps.insert(period, label, reporter.index, signed.leaf_hash())
        {
            reporter.report(format!(
                "its label is already in {}, at entry {earlier}",
                map_name(period)
            ));
        }
        self.kinds.push(entry.body.kind().code());
        self.size += 1;
    }

    /// Skips an entry that cannot be parsed. Its effect on the state is unknown.
    pub(crate) fn skip(&mut self) {
        self.kinds.push(UNREADABLE);
        self.size += 1;
    }

    /// Whether the entry has a sealed record. Entries with a label (except `period`) and denials do.
    pub(crate) fn has_record(&self, index: u64) -> bool {
        let code = usize::try_from(index).ok().and_then(|index| self.kinds.get(index));
        code.and_then(|code| Kind::from_code(*code))
            .is_some_and(Kind::has_record)
    }

    pub(crate) fn count(&self, kind: Kind) -> u64 {
        self.kinds.iter().filter(|k| **k == kind.code()).count() as u64
    }

    fn check_order(&self, kind: Kind, reporter: &mut EntryReporter<'_>) {
        let demanded = match reporter.index {
            0 => Some(Kind::Genesis),
            1 => Some(Kind::Directory),
            2 => Some(Kind::Registry),
            _ => None,
        };
        match demanded {
            Some(demanded) if demanded != kind => {
                reporter.report(format!(
                    "a log begins with genesis, directory, registry; this is {kind}"
                ));
            }
            None if kind == Kind::Genesis => reporter.report("only entry 0 may be a genesis entry"),
            _ => {}
        }
    }

    fn check_document(&mut self, signed: &SignedEntry, files: &Files, reporter: &mut EntryReporter<'_>) {
        let Entry { time, body, .. } = signed.entry();
        if let Body::Document { kind, digest } = body {
            self.take_document((*kind, *digest), *time, files, signed.leaf_hash(), reporter);
        }
    }

    /// Checks right and signature of the writer by the directory in force. Returns the writer's name, if it is known.
    fn check_writer(&mut self, signed: &SignedEntry, reporter: &mut EntryReporter<'_>) -> Option<String> {
        let (id, kind) = (signed.entry().writer, signed.entry().body.kind());
        // The operator writes the first three entries and may always write change sets.
        let founding = reporter.index <= 2;
        let operator = self.genesis.as_ref().map(|genesis| genesis.document.operator);
        let is_operator = operator.is_some_and(|key| key.id() == id);
        let by_operator = is_operator && (founding || matches!(kind, Kind::Directory | Kind::Registry));
        let writers = self.sets.writers();
        if operator.is_none() || (writers.is_none() && !founding && !by_operator) {
            self.unjudged += 1;
            return None;
        }
        let grant = writers.and_then(|writers| writers.get(&id)).filter(|_| !founding);
        let name = match grant {
            Some(grant) => Some(grant.name.clone()),
            None => is_operator.then(|| "operator".to_owned()),
        };
        let shown = name.as_deref().unwrap_or("unknown");
        let granted = grant.is_some_and(|grant| grant.kinds.contains(&kind));
        if !(granted || by_operator) {
            reporter.report(format!("its writer {shown} ({id}) may not write the kind {kind}"));
        }
        match grant.map(|grant| grant.key).or(operator.filter(|_| is_operator)) {
            Some(key) if signed.verify(&key).is_err() => {
                reporter.report(format!("its signature is not that of its writer {shown}"));
            }
            None => reporter.report("its signature cannot be checked: the directory in force has no such writer"),
            Some(_) => {}
        }
        name
    }

    /// Notes how many entries and sets were not judged. The document concerned has a finding, which is the cause; if it
    /// had none, this would be one, because no log is sound of which something was not judged.
    pub(crate) fn check_judged(&self, findings: &mut Findings) {
        let mut notes = Vec::new();
        if self.unjudged > 0 {
            notes.push(format!(
                "the rights and signatures of the writers of {} entries were not checked, because the genesis document \
                 or the directory in force is not known",
                self.unjudged
            ));
        }
        if self.sets.unjudged > 0 {
            notes.push(format!(
                "{} change sets were not replayed, because their documents or those of earlier ones cannot be read",
                self.sets.unjudged
            ));
        }
        for what in notes {
            if findings.is_empty() {
                findings.file("documents", what);
            } else {
                findings.note("documents", what);
            }
        }
    }

    fn check_chain(&mut self, entry: &Entry, leaf: Hash, name: Option<String>, reporter: &mut EntryReporter<'_>) {
        let chain = self.writers.entry(entry.writer).or_insert_with(|| WriterChain {
            name: "unknown".to_owned(),
            next: 0,
            last: Hash([0; 32]),
        });
        // A writer that the directory no longer names keeps its name.
        let name = name.unwrap_or_else(|| chain.name.clone());
        let sequence = entry.sequence.0;
        if sequence != chain.next {
            let next = chain.next;
            reporter.report(format!(
                "sequence {sequence} of writer {name}, but its chain continues with {next}"
            ));
        } else if entry.previous != chain.last {
            reporter.report(format!(
                "its hash of the previous entry of writer {name} is not that entry's"
            ));
        }
        *chain = WriterChain {
            name,
            next: sequence.saturating_add(1),
            last: leaf,
        };
    }

    fn check_time(&mut self, entry: &Entry, reporter: &mut EntryReporter<'_>) {
        let time = entry.time.0;
        if time.saturating_add(self.tolerance) < self.latest {
            reporter.report(format!(
                "its time {time} is {} s before an earlier entry's",
                self.latest - time
            ));
        }
        self.latest = self.latest.max(time);
    }
}

/// Human-readable name of a map.
pub(crate) fn map_name(period: Period) -> String {
    match period.0 {
        0 => "map 0 (of the periods)".to_owned(),
        number => format!("the map of period {number}"),
    }
}
