//! Checks a page of change sets ([`trust::SetPage`]): everything for which the order of the sets does not matter.
//!
//! Signatures take most of the time of a follower that starts, so the sets of a page are divided among the processor's
//! cores. A signature is verified with the key that its signer has in the history before the page; for a signer that
//! comes later, it is verified when the set is applied. Who may sign is always judged then.

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
    let cores = thread::available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS);
    let each = page.sets.len().div_ceil(cores).max(MIN_SETS_PER_THREAD);
    let mut chunks: Vec<Vec<LoggedSet>> = Vec::new();
    for set in page.sets {
        match chunks.last_mut().filter(|chunk| chunk.len() < each) {
            Some(chunk) => chunk.push(set),
            None => chunks.push(vec![set]),
        }
    }
    let check_chunk = |chunk: Vec<LoggedSet>| -> Result<Vec<CheckedSet>, SetsError> {
        chunk.into_iter().map(|set| check_set(set, history)).collect()
    };
    if let [_] = &chunks[..] {
        return chunks
            .into_iter()
            .flatten()
            .map(|set| check_set(set, history))
            .collect();
    }
    thread::scope(|scope| {
        let threads: Vec<_> = chunks
            .into_iter()
            .map(|chunk| scope.spawn(|| check_chunk(chunk)))
            .collect();
        let mut checked = Vec::new();
        for thread in threads {
            let part = thread.join();
            checked.extend(part.map_err(|_| not_yet("a thread that checks change sets panicked"))??);
        }
        Ok(checked)
    })
}

fn check_set(logged: LoggedSet, history: &History) -> Result<CheckedSet, SetsError> {
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
    let grant = history.right_at(&entry, index);
    let entry_verified = grant.is_ok_and(|grant| entry.verify(&grant.key).is_ok());
    let set = match SignedHeader::parse(&logged.header) {
        Ok(header) if header.header().operations != Hash::of(&logged.operations) => {
            return Err(not_yet(format!(
                "the ledger serves other bytes as the operations of entry {index}"
            )));
        }
        Ok(header) => Operations::parse(&logged.operations)
            .and_then(|operations| SignedChangeSet::new(header, operations))
            .map(|mut set| {
                set.verify_ahead(history.state().authorities());
                set
            }),
        Err(error) => Err(error),
    };
    Ok(CheckedSet {
        index,
        entry,
        entry_verified,
        kind,
        set,
    })
}
