//! The heads that witnesses have cosigned and that do not all have a quorum yet.
//!
//! A round asks all witnesses about one head. A witness that already knows a newer head cosigns that one instead, and a
//! slow witness answers after its round. Their lines are kept for a few heads, so that none is lost.

use std::collections::BTreeMap;
use std::sync::Arc;

use tlog::note::SignatureLine;

use super::snapshot::Snapshot;

/// For how many heads lines are kept.
const MAX_HEADS: usize = 4;

/// A head and its cosignatures by the names of the witnesses.
struct Cosigned {
    snapshot: Arc<Snapshot>,
    lines: BTreeMap<String, SignatureLine>,
}

/// The newest heads that witnesses were asked about.
#[derive(Default)]
pub(super) struct Heads(BTreeMap<u64, Cosigned>);

impl Heads {
    /// Starts to collect lines for a head. Lines of an earlier round about the same head are dropped, because a quorum
    /// must show that the witnesses answer now.
    pub(super) fn begin(&mut self, snapshot: &Arc<Snapshot>) {
        self.0.remove(&snapshot.head.size);
        self.head(snapshot);
    }

    /// Adds lines to a head and returns its checkpoint with all lines.
    pub(super) fn add(&mut self, snapshot: &Arc<Snapshot>, lines: Vec<(String, SignatureLine)>) -> String {
        let head = self.head(snapshot);
        head.lines.extend(lines);
        head.note()
    }

    fn head(&mut self, snapshot: &Arc<Snapshot>) -> &mut Cosigned {
        let size = snapshot.head.size;
        while self.0.len() >= MAX_HEADS && !self.0.contains_key(&size) {
            self.0.pop_first();
        }
        self.0.entry(size).or_insert_with(|| Cosigned {
            snapshot: snapshot.clone(),
            lines: BTreeMap::new(),
        })
    }

    /// The newest head after `size` that a witness has cosigned.
    pub(super) fn newer_than(&self, size: u64) -> Option<Arc<Snapshot>> {
        let mut newer = self.0.range(size + 1..).rev();
        let cosigned = newer.find(|(_, head)| !head.lines.is_empty());
        cosigned.map(|(_, head)| head.snapshot.clone())
    }

    /// Whether one of these witnesses has cosigned the head.
    pub(super) fn has_line(&self, size: u64, names: &[String]) -> bool {
        let head = self.0.get(&size);
        head.is_some_and(|head| names.iter().any(|name| head.lines.contains_key(name)))
    }

    /// The checkpoint of a head with the lines that it has.
    pub(super) fn note(&self, snapshot: &Snapshot) -> String {
        let head = self.0.get(&snapshot.head.size);
        head.map_or_else(|| snapshot.note.clone(), Cosigned::note)
    }
}

impl Cosigned {
    fn note(&self) -> String {
        let lines = self.lines.values().map(|line| format!("{line}\n"));
        [self.snapshot.note.clone()].into_iter().chain(lines).collect()
    }
}
