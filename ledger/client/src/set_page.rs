//! Checks a page of change sets ([`trust::SetPage`]): everything for which the order of the sets does not matter.
//!
//! Signatures take most of the time of a follower that starts, so the sets of a page are divided among the processor's
//! cores. A signature is verified with the key that its signer has in the history before the page; for a signer that
//! comes later, it is verified when the set is applied. Who may sign is always judged then.
//!
//! One thread reads the sets and the others only verify. What is read stays in memory, and the allocator would keep an
//! arena for each thread that reads: a follower of 10 000 single joins would need 7 MB more.

use std::num::NonZero;
use std::thread;

use record::{Body, SignedEntry};
use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::merkle::{Index, verify_inclusion_batch};
use trust::{
    History, LoggedSet, Operations, SetPage, SetParseError, SignedChangeSet, SignedHeader, TrustKind, Version,
};

use crate::sets_error::{SetsError, not_yet, wrong};

/// Fewer sets are not worth a thread.
const MIN_SETS_PER_THREAD: usize = 16;
const MAX_THREADS: usize = 8;

/// A set that the log has, with its entry.
pub(crate) struct CheckedSet {
    pub(crate) index: Index,
    pub(crate) entry: SignedEntry,
    /// Whether the entry's signature is valid under the key of the writer that it names.
    pub(crate) entry_verified: bool,
    pub(crate) kind: TrustKind,
    /// The set; an error if the documents that the entry names are no set.
    pub(crate) set: Result<SignedChangeSet, SetParseError>,
}

impl CheckedSet {
    /// The version that the set makes, if it can be read.
    pub(crate) fn version(&self) -> Option<Version> {
        self.set.as_ref().ok().map(|set| set.header().version)
    }

    /// Verifies the signatures of entry and set.
    fn verify(&mut self, history: &History) {
        let grant = history.right_at(&self.entry, self.index);
        self.entry_verified = grant.is_ok_and(|grant| self.entry.verify(&grant.key).is_ok());
        if let Ok(set) = &mut self.set {
            set.verify_ahead(history.state().authorities());
        }
    }
}

/// Checks that the log has the entries of a page, and that its documents are those that the entries name.
///
/// # Errors
/// [`SetsError::NotYet`] when the log has not signed what the ledger sends, [`SetsError::Wrong`] when the log has an
/// entry that cannot be read.
pub(crate) fn check(page: SetPage, head: &Checkpoint, history: &History) -> Result<Vec<CheckedSet>, SetsError> {
    let leaves = page.sets.iter();
    let leaves: Vec<(Index, Hash)> = leaves
        .map(|set| (set.index, tlog::merkle::leaf_hash(&set.leaf)))
        .collect();
    if leaves.is_empty() {
        return Ok(Vec::new());
    }
    verify_inclusion_batch(&leaves, head.size, &page.proof, &head.root).map_err(not_yet)?;
    let read = page.sets.into_iter().map(read_set);
    let mut sets = read.collect::<Result<Vec<CheckedSet>, SetsError>>()?;
    let cores = thread::available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS);
    let each = sets.len().div_ceil(cores).max(MIN_SETS_PER_THREAD);
    let verify = |sets: &mut [CheckedSet]| sets.iter_mut().for_each(|set| set.verify(history));
    thread::scope(|scope| {
        let mut chunks = sets.chunks_mut(each);
        let own = chunks.next();
        for chunk in chunks {
            scope.spawn(|| verify(chunk));
        }
        own.map(verify);
    });
    Ok(sets)
}

fn read_set(logged: LoggedSet) -> Result<CheckedSet, SetsError> {
    let index = logged.index;
    let entry = SignedEntry::parse(logged.leaf).map_err(|error| wrong(format!("entry {index}: {error}")))?;
    let body = &entry.entry().body;
    let (kind, digest) = match (TrustKind::of_entry(body.kind()), body) {
        (Some(kind), Body::Document { digest, .. }) => (kind, *digest),
        _ => return Err(not_yet(format!("entry {index} carries no change set"))),
    };
    if Hash::of(&logged.header) != digest {
        return Err(not_yet(format!(
            "the ledger serves other bytes as the set of entry {index}"
        )));
    }
    let set = match SignedHeader::parse(&logged.header) {
        Ok(header) if header.header().operations != Hash::of(&logged.operations) => {
            return Err(not_yet(format!(
                "the ledger serves other bytes as the operations of entry {index}"
            )));
        }
        Ok(header) => {
            Operations::parse(&logged.operations).and_then(|operations| SignedChangeSet::new(header, operations))
        }
        Err(error) => Err(error),
    };
    Ok(CheckedSet {
        index,
        entry,
        entry_verified: false,
        kind,
        set,
    })
}
