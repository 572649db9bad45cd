//! The result of an audit, for people (`Display`) and for programs (JSON).

use std::collections::BTreeMap;
use std::fmt;

use record::{Kind, Period, Timestamp};
use serde::Serialize;
use tlog::Hash;
use trust::{TrustKind, Version};

use super::finding::{Finding, Findings, Note};
use super::head::{Cosignature, Head};
use super::state::LogState;

/// One writer of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WriterReport {
    /// Its last name in a directory.
    pub name: String,
    /// Key id, 64 hexadecimal digits.
    pub id: String,
    /// Length of its chain.
    pub entries: u64,
}

/// A version of the directory or the Registerlandkarte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VersionReport {
    /// `directory` or `registry`.
    pub kind: TrustKind,
    /// Its number.
    pub version: Version,
    /// Index of the entry that carries its change set.
    pub entry: u64,
    /// Recomputed root of its values, 64 hexadecimal digits.
    pub root: String,
}

/// One period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PeriodReport {
    /// Running number from 1.
    pub period: u32,
    /// Start, POSIX seconds.
    pub start: u64,
    /// `open`, `final` or `destroyed`.
    pub state: &'static str,
    /// Entries with a label in it.
    pub labels: u64,
    /// Recomputed root of its map, 64 hexadecimal digits.
    pub root: String,
}

/// The result of an audit. Its serialised form is the documented output of `verifier audit --json`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Whether there are no findings.
    pub sound: bool,
    /// The log's name.
    pub origin: String,
    /// Size of the tree.
    pub entries: u64,
    /// Root of the tree, 64 hexadecimal digits.
    pub root: String,
    /// Leaf hash of entry 0, 64 hexadecimal digits.
    pub genesis: Option<String>,
    /// Whether a genesis hash was given and compared.
    pub genesis_pinned: bool,
    /// Whether the cosignatures reach the policy's quorum.
    pub quorum: bool,
    /// The policy's witnesses that have cosigned.
    pub cosignatures: Vec<Cosignature>,
    /// The newest versions, the directory's first. A version that is not known is left out.
    pub versions: Vec<VersionReport>,
    /// Ascending by key id.
    pub writers: Vec<WriterReport>,
    /// Number of entries of each kind that occurs.
    pub kinds: BTreeMap<&'static str, u64>,
    /// Number of intents that no entry has closed.
    pub open_intents: u64,
    /// Number of intents whose outcome is lost.
    pub lost_intents: u64,
    /// Periods in order.
    pub periods: Vec<PeriodReport>,
    /// Recomputed root of map 0 (of the periods), 64 hexadecimal digits.
    pub map_0: String,
    /// Index of the last map entry. The published maps cover the entries before it.
    pub last_map: Option<u64>,
    /// Number of records that match their commitments, if records were checked.
    pub records_checked: Option<u64>,
    /// Number of opened records whose decisions were judged, if records were given.
    pub decisions_judged: Option<u64>,
    /// Number of earlier checkpoints that were compared with the tree. `None` for a URL.
    pub checkpoints_checked: Option<u64>,
    /// Index of the first entry that no earlier audit has checked.
    pub resumed_from: Option<u64>,
    /// What is wrong, at most 200.
    pub findings: Vec<Finding>,
    /// What is worth knowing and does not make the log unsound, at most 200.
    pub notes: Vec<Note>,
    /// Number of findings beyond those listed. If it is not 0, the audit was stopped early.
    pub more_findings: u64,
}

impl Report {
    pub(crate) fn without_head(findings: Findings) -> Report {
        Report {
            findings: findings.kept().to_vec(),
            more_findings: findings.dropped(),
            notes: findings.notes().to_vec(),
            ..Report::default()
        }
    }

    pub(crate) fn new(head: &Head, state: &mut LogState, findings: Findings) -> Report {
        let kinds = Kind::ALL.iter().map(|kind| (kind.as_str(), state.count(*kind)));
        let writers = state.writers.iter().map(|(id, chain)| WriterReport {
            name: chain.name.clone(),
            id: id.to_string(),
            entries: chain.next,
        });
        Report {
            sound: findings.is_empty(),
            origin: head.origin.clone(),
            entries: head.size,
            root: head.root.to_string(),
            genesis: state.genesis.as_ref().map(|genesis| genesis.hash.to_string()),
            quorum: head.quorum,
            cosignatures: head.cosignatures.clone(),
            versions: versions(state),
            writers: writers.collect(),
            kinds: kinds.filter(|(_, count)| *count > 0).collect(),
            open_intents: state.open.len() as u64,
            lost_intents: state.count(Kind::Lost),
            periods: periods(state),
            map_0: state
                .maps
                .root(Period::MAP0)
                .map(|root| root.to_string())
                .unwrap_or_default(),
            last_map: state.last_map,
            ..Report::without_head(findings)
        }
    }

    /// The maps as text, which `verifier map` prints.
    pub fn maps(&self) -> String {
        let mut lines = vec![format!("map 0       {}  (periods)", self.map_0)];
        for period in &self.periods {
            let PeriodReport {
                period,
                labels,
                root,
                state,
                ..
            } = period;
            lines.push(format!("period {period:<4} {root}  {labels} labels, {state}"));
        }
        let compared = self.kinds.get(Kind::Map.as_str()).copied().unwrap_or(0);
        lines.push(format!("{compared} map entries compared with the rebuilt maps"));
        lines.join("\n")
    }
}

fn versions(state: &LogState) -> Vec<VersionReport> {
    let known = TrustKind::ALL.into_iter().filter_map(|kind| {
        let in_force = state.sets.of(kind);
        Some(VersionReport {
            kind,
            version: in_force.version,
            entry: in_force.entry?,
            root: in_force.root()?.to_string(),
        })
    });
    known.collect()
}

fn periods(state: &mut LogState) -> Vec<PeriodReport> {
    let mut reports = Vec::new();
    for (period, known) in &state.periods {
        let root = known
            .final_root
            .or_else(|| state.maps.root(*period))
            .unwrap_or(Hash([0; 32]));
        reports.push(PeriodReport {
            period: period.0,
            start: known.start,
            state: match (known.final_root, known.destroyed) {
                (None, _) => "open",
                (Some(_), false) => "final",
                (Some(_), true) => "destroyed",
            },
            labels: known.labels,
            root: root.to_string(),
        });
    }
    reports
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.origin.is_empty() {
            self.write_facts(f)?;
        }
        for note in &self.notes {
            writeln!(f, "note          {note}")?;
        }
        for finding in &self.findings {
            writeln!(f, "FINDING       {finding}")?;
        }
        if self.more_findings > 0 {
            writeln!(
                f,
                "FINDING       and {} more: the audit was stopped",
                self.more_findings
            )?;
        }
        f.write_str(if self.sound { "sound" } else { "NOT SOUND" })
    }
}

impl Report {
    fn write_facts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "log           {}", self.origin)?;
        writeln!(f, "entries       {}", self.entries)?;
        if let Some(resumed) = self.resumed_from {
            writeln!(f, "              {resumed} of them checked by an earlier audit")?;
        }
        writeln!(f, "root          {}", self.root)?;
        let pinned = if self.genesis_pinned {
            ""
        } else {
            " (not compared: no --genesis)"
        };
        writeln!(f, "genesis       {}{pinned}", self.genesis.as_deref().unwrap_or("none"))?;
        let quorum = if self.quorum { "reached" } else { "NOT reached" };
        writeln!(f, "quorum        {quorum}, {} cosignatures", self.cosignatures.len())?;
        for Cosignature { witness, time } in &self.cosignatures {
            writeln!(f, "              {witness} at {}", Timestamp(*time))?;
        }
        for VersionReport {
            kind, version, entry, ..
        } in &self.versions
        {
            let kind = Kind::from(kind.document_kind()).as_str();
            writeln!(f, "{kind:<13} version {version}, in entry {entry}")?;
        }
        for WriterReport { name, id, entries } in &self.writers {
            writeln!(
                f,
                "writer        {name}: {entries} entries ({})",
                id.get(..16).unwrap_or(id)
            )?;
        }
        for (kind, count) in &self.kinds {
            writeln!(f, "kind          {kind}: {count}")?;
        }
        writeln!(f, "open intents  {}", self.open_intents)?;
        writeln!(f, "lost intents  {}", self.lost_intents)?;
        for PeriodReport {
            period,
            start,
            state,
            labels,
            ..
        } in &self.periods
        {
            writeln!(
                f,
                "period        {period}: {state}, starts {}, {labels} labels",
                Timestamp(*start)
            )?;
        }
        match self.checkpoints_checked {
            Some(count) => writeln!(f, "history       {count} published checkpoints are of this tree")?,
            None => writeln!(f, "history       not checked (only in an export)")?,
        }
        match self.records_checked {
            Some(count) => writeln!(f, "records       {count} fit their commitments")?,
            None => writeln!(f, "records       not checked (--records)")?,
        }
        match self.decisions_judged {
            Some(count) => writeln!(f, "decisions     {count} in opened records were judged"),
            None => writeln!(f, "decisions     not judged (--opened)"),
        }
    }
}
