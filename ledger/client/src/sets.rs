//! Reads change sets from the log: from a known history to the versions that the newest published `map` entry names.
//!
//! ```text
//! GET /trust/newest          receipt of the newest `map` entry: the entries n of the newest sets
//! GET /trust/sets/{index}    the sets from an entry on, several hundred in one page, up to n
//! ```
//!
//! Both are under checkpoints with the policy's quorum. A `map` entry names the newest sets before it, so a ledger
//! cannot withhold a version without showing an old `map` entry, and [`NewestMap::as_of`] tells how old it is.
//!
//! Each set is checked as the ledger has checked it: signatures, version, operations, root ([`History::apply`]). While
//! a page is checked, the next one is fetched.
//!
//! What goes wrong: answers that the log has not signed prove nothing against it and are asked for again, and so is an
//! answer that leaves a set out. A signed `map` entry that contradicts the sets, or a logged set that does not follow
//! from the version before, is a broken log ([`SetsError::Wrong`]).

use std::sync::Arc;

use record::{Body, NewestSets, Receipt, Timestamp, VerifiedReceipt};
use tlog::checkpoint::Checkpoint;
use tlog::merkle::Index;
use trust::{History, Position, SetPage, SetProblem, TrustKind};

use crate::api::LedgerApi;
use crate::set_page::{self, CheckedSet};
use crate::sets_error::{SetsError, not_yet, wrong};
use crate::trust::Trust;

/// What a round has found.
pub(crate) struct Round {
    /// The history up to the newest sets.
    pub(crate) history: Arc<History>,
    /// The `map` entry that names them.
    pub(crate) newest: NewestMap,
}

/// The newest published `map` entry.
#[derive(Debug, Clone)]
pub(crate) struct NewestMap {
    /// Its index.
    pub(crate) index: Index,
    /// The time at which no later set was in the log, as far as witnesses or else the ledger state it; `None` if
    /// nothing was added to the log after the `map` entry and the policy needs no witnesses.
    pub(crate) as_of: Option<Timestamp>,
    /// The bytes of the verified receipt.
    receipt: Arc<[u8]>,
}

/// Reads change sets from a ledger.
pub(crate) struct SetReader<'a> {
    pub(crate) api: &'a dyn LedgerApi,
    pub(crate) trust: &'a Trust,
}

impl SetReader<'_> {
    /// Follows the sets to the newest published `map` entry. `known` is the one of the round before.
    ///
    /// A ledger without news sends the same bytes again. They are then the receipt that was verified already, and say
    /// nothing new: the caller must not take them for a later confirmation. The bytes are compared, and not an entity
    /// tag, because a status code is nothing that the log has signed, and a second way
    /// to say "unchanged" would have to be proved harmless. The answer is two kilobytes.
    pub(crate) async fn round(&self, history: &Arc<History>, known: Option<&NewestMap>) -> Result<Round, SetsError> {
        let bytes = self.api.newest_map().await?;
        if let Some(known) = known.filter(|known| *known.receipt == *bytes) {
            let (history, newest) = (history.clone(), known.clone());
            return Ok(Round { history, newest });
        }
        let receipt = self.witnessed(&bytes)?;
        let Body::Map { newest, .. } = receipt.entry().entry().body else {
            return Err(not_yet("the ledger's answer is not the receipt of a map entry"));
        };
        if known.is_some_and(|known| receipt.index() < known.index) {
            return Err(not_yet("the ledger shows an old map entry"));
        }
        let history = self.advance(history.clone(), newest).await?;
        history
            .check_writer_at(receipt.entry(), receipt.index())
            .map_err(|error| wrong(format!("map entry {}: {error}", receipt.index())))?;
        let last = receipt.checkpoint().size.get() == receipt.index().get() + 1;
        let time = receipt.entry().entry().time;
        let as_of = match (receipt.quorum_time(), last) {
            (Some(quorum), true) => Some(quorum),
            (Some(quorum), false) => Some(quorum.min(time)),
            (None, true) => None,
            (None, false) => Some(time),
        };
        let newest = NewestMap {
            index: receipt.index(),
            as_of,
            receipt: bytes.into(),
        };
        Ok(Round { history, newest })
    }

    /// Applies the sets up to those that a `map` entry names, in the order of the log.
    async fn advance(&self, mut history: Arc<History>, newest: NewestSets) -> Result<Arc<History>, SetsError> {
        let last = newest.directory.max(newest.registerlandkarte);
        let mut next = match next_index(&history) {
            first if first <= last => Some(self.page(first).await?),
            _ => None,
        };
        while let Some((page, head)) = next.take() {
            let end = page.sets.last().map(|set| set.index);
            let end = end.ok_or_else(|| not_yet(format!("the ledger serves no set up to entry {last}")))?;
            let follows = Index::new(end.get() + 1).ok().filter(|next| *next <= last);
            let applied = apply_page(history, page, head, newest);
            let fetched = async {
                match follows {
                    Some(follows) => self.page(follows).await.map(Some),
                    None => Ok(None),
                }
            };
            // What the page itself shows weighs more than a failure to fetch the one after it.
            let (applied, fetched) = tokio::join!(applied, fetched);
            history = applied?;
            next = fetched?;
        }
        for kind in TrustKind::ALL {
            let (reached, wanted) = (index_of(&history, kind), named(newest, kind));
            if reached > Some(wanted) {
                return Err(wrong(format!(
                    "a map entry names entry {wanted} as the newest set of the {kind}, which it is not"
                )));
            }
            if reached < Some(wanted) {
                return Err(not_yet(format!("the ledger leaves out the set of entry {wanted}")));
            }
        }
        Ok(history)
    }

    /// The page of the sets from an entry on, with its checkpoint.
    async fn page(&self, from: Index) -> Result<(SetPage, Checkpoint), SetsError> {
        let page = SetPage::parse(&self.api.sets(from).await?).map_err(not_yet)?;
        if page.sets.first().is_some_and(|set| set.index < from) {
            return Err(not_yet(format!("the ledger's answer has sets before entry {from}")));
        }
        let head = self.trust.checkpoint(page.checkpoint.clone().into_bytes());
        let head = head.map_err(not_yet)?;
        if !head.quorum() {
            return Err(not_yet("no checkpoint with a quorum of witnesses"));
        }
        Ok((page, head.checkpoint().clone()))
    }

    /// Verifies a receipt under a checkpoint with a quorum.
    fn witnessed(&self, receipt: &[u8]) -> Result<VerifiedReceipt, SetsError> {
        let receipt = Receipt::parse(receipt).map_err(not_yet)?;
        let verified = receipt.verify(&self.trust.policy).map_err(not_yet)?;
        if verified.quorum() {
            Ok(verified)
        } else {
            Err(not_yet("no checkpoint with a quorum of witnesses"))
        }
    }
}

/// The entry that a `map` entry names as that of the newest set of a kind.
const fn named(newest: NewestSets, kind: TrustKind) -> Index {
    match kind {
        TrustKind::Directory => newest.directory,
        TrustKind::Registerlandkarte => newest.registerlandkarte,
    }
}

/// The entry of the newest known set of a kind.
fn index_of(history: &History, kind: TrustKind) -> Option<Index> {
    history.newest(kind).map(|set| set.position.index)
}

/// The first entry that may carry a set that is not known.
fn next_index(history: &History) -> Index {
    let known = TrustKind::ALL.into_iter().filter_map(|kind| index_of(history, kind));
    let next = known.max().and_then(|last| Index::new(last.get() + 1).ok());
    next.unwrap_or_default()
}

/// Checks and applies a page, on a thread that may compute for long. The sets after the newest ones that the `map`
/// entry names are left for the next round.
async fn apply_page(
    history: Arc<History>,
    page: SetPage,
    head: Checkpoint,
    newest: NewestSets,
) -> Result<Arc<History>, SetsError> {
    let work = move || {
        let last = newest.directory.max(newest.registerlandkarte);
        let mut sets = set_page::check(page, &head, &history)?;
        sets.retain(|set| set.index <= last);
        apply_all(history, &sets, newest)
    };
    let applied = tokio::task::spawn_blocking(work).await;
    applied.map_err(|_| not_yet("checking the change sets was cancelled"))?
}

/// Applies sets in the order of the log.
fn apply_all(mut history: Arc<History>, sets: &[CheckedSet], newest: NewestSets) -> Result<Arc<History>, SetsError> {
    for (at, set) in sets.iter().enumerate() {
        history = match apply(&history, set) {
            Ok(next) => Arc::new(next),
            Err(NotApplied::Wrong(reason)) => return Err(SetsError::Wrong(reason)),
            Err(NotApplied::Undecided(reason)) if knows_directory(&history, &sets[at + 1..], newest) => {
                return Err(SetsError::Wrong(reason));
            }
            Err(NotApplied::LeftOut(reason) | NotApplied::Undecided(reason)) => {
                return Err(not_yet(format!("the ledger leaves out a change set: {reason}")));
            }
        };
    }
    Ok(history)
}

/// Why a set was not applied.
enum NotApplied {
    /// The log contradicts its rules.
    Wrong(String),
    /// A version before it is missing.
    LeftOut(String),
    /// Signer or writer have no right by the known directory. Either they have none, or the ledger has left out the
    /// version of the directory that gives it.
    Undecided(String),
}

/// Whether no version of the directory is missing before the first of these sets: the next one comes later, or there
/// is none.
fn knows_directory(history: &History, later: &[CheckedSet], newest: NewestSets) -> bool {
    let next = later.iter().find(|set| set.kind == TrustKind::Directory);
    match next {
        Some(set) => set.version() == history.state().directory().version().next(),
        None => index_of(history, TrustKind::Directory) == Some(newest.directory),
    }
}

/// Applies a set after checking the writer of its entry.
fn apply(history: &History, logged: &CheckedSet) -> Result<History, NotApplied> {
    let (entry, index) = (&logged.entry, logged.index);
    let reason = |error: &dyn std::fmt::Display| format!("entry {index}: {error}");
    let set = logged.set.as_ref();
    let set = set.map_err(|error| NotApplied::Wrong(reason(error)))?;
    if Some(set.header().version) > history.state().map(logged.kind).version().next() {
        let version = set.header().version;
        return Err(NotApplied::LeftOut(reason(&format!(
            "version {version} of the {}",
            logged.kind
        ))));
    }
    // By the versions of its own kind, the directory is known up to its next one.
    let without_right = |reason| match logged.kind {
        TrustKind::Directory => NotApplied::Wrong(reason),
        TrustKind::Registerlandkarte => NotApplied::Undecided(reason),
    };
    let grant = history.right_at(entry, index);
    let grant = grant.map_err(|error| without_right(reason(&error)))?;
    if !logged.entry_verified {
        let signed = entry.verify(&grant.key);
        signed.map_err(|error| NotApplied::Wrong(reason(&error)))?;
    }
    let position = Position {
        index,
        time: entry.entry().time,
    };
    let next = history.apply(logged.kind, position, set);
    next.map_err(|error| match &error.problem {
        SetProblem::Signatures(_) => without_right(reason(&error)),
        _ => NotApplied::Wrong(reason(&error)),
    })
}
