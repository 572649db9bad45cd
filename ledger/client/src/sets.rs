//! Reads change sets from the log: from a known history to the versions that the newest published `map` entry names.
//!
//! ```text
//! GET /trust/newest             receipt of the newest `map` entry: the entries n of the newest sets
//! GET /trust/{kind}/{version}   receipts of the entries with the next versions, up to n
//! GET /documents/{digest}       header and operations of each set
//! ```
//!
//! All receipts are under checkpoints with the policy's quorum. A `map` entry names the newest sets before it, so a
//! ledger cannot withhold a version without showing an old `map` entry, and [`Round::as_of`] tells how old it is.
//!
//! Each set is checked as the ledger has checked it: signatures, version, operations, root ([`History::apply`]).
//!
//! What goes wrong: answers that the log has not signed prove nothing against it and are asked for again. A signed
//! `map` entry that contradicts the sets, or a logged set that does not follow from the version before, is a broken
//! log ([`SetsError::Wrong`]).

use std::sync::Arc;

use record::{Body, NewestSets, Receipt, Timestamp, VerifiedReceipt};
use tlog::Hash;
use tlog::merkle::Index;
use trust::{History, Operations, Position, SetParseError, SignedChangeSet, SignedHeader, TrustKind, Version};

use crate::api::{self, ApiError, DocumentError, LedgerApi};
use crate::trust::Trust;

/// Why the newest versions are not known.
#[derive(Debug, thiserror::Error)]
pub enum SetsError {
    /// The ledger is not reached, has no published checkpoint yet, or sends something that the log has not signed.
    /// Retryable.
    #[error("the newest directory and Registerlandkarte are not available: {0}")]
    NotYet(String),
    /// The log contradicts itself or its rules. Fatal until an operator acts.
    #[error("the log's change sets contradict its rules: {0}")]
    Wrong(String),
}

impl From<DocumentError> for SetsError {
    fn from(error: DocumentError) -> Self {
        not_yet(error)
    }
}

impl From<ApiError> for SetsError {
    fn from(error: ApiError) -> Self {
        not_yet(error)
    }
}

fn not_yet(reason: impl std::fmt::Display) -> SetsError {
    SetsError::NotYet(reason.to_string())
}

fn wrong(reason: impl std::fmt::Display) -> SetsError {
    SetsError::Wrong(reason.to_string())
}

/// What a round has found.
pub(crate) struct Round {
    /// The history up to the newest sets.
    pub(crate) history: Arc<History>,
    /// The `map` entry that names them.
    pub(crate) map: Index,
    /// The time at which no later set was in the log, as far as witnesses or else the ledger state it; `None` if
    /// nothing was added to the log after the `map` entry and the policy needs no witnesses.
    pub(crate) as_of: Option<Timestamp>,
}

/// Reads change sets from a ledger.
pub(crate) struct SetReader<'a> {
    pub(crate) api: &'a dyn LedgerApi,
    pub(crate) trust: &'a Trust,
}

/// A set with its place in the log.
struct Placed {
    receipt: VerifiedReceipt,
    set: SignedChangeSet,
}

impl SetReader<'_> {
    /// Follows the sets to the newest published `map` entry. `known` is the `map` entry of the round before.
    pub(crate) async fn round(&self, history: &Arc<History>, known: Option<Index>) -> Result<Round, SetsError> {
        let receipt = self.witnessed(self.api.newest_map().await?)?;
        let Body::Map { newest, .. } = receipt.entry().entry().body else {
            return Err(not_yet("the ledger's answer is not the receipt of a map entry"));
        };
        if known.is_some_and(|known| receipt.index() < known) {
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
        Ok(Round {
            history,
            map: receipt.index(),
            as_of,
        })
    }

    /// Applies the sets up to those that a `map` entry names, in the order of the log.
    async fn advance(&self, mut history: Arc<History>, newest: NewestSets) -> Result<Arc<History>, SetsError> {
        let wanted = |kind| match kind {
            TrustKind::Directory => newest.directory,
            TrustKind::Registerlandkarte => newest.registerlandkarte,
        };
        let mut next: [Option<Placed>; 2] = [None, None];
        loop {
            for (kind, next) in TrustKind::ALL.into_iter().zip(&mut next) {
                let reached = history
                    .newest(kind)
                    .is_some_and(|set| set.position.index >= wanted(kind));
                if next.is_none() && !reached {
                    *next = Some(self.set_after(&history, kind).await?);
                }
            }
            let first = next.iter_mut().filter(|next| next.is_some());
            let Some(placed) = first.min_by_key(|next| next.as_ref().map(|placed| placed.receipt.index())) else {
                break;
            };
            if let Some(placed) = placed.take() {
                history = Arc::new(apply(&history, &placed)?);
            }
        }
        for kind in TrustKind::ALL {
            let reached = history.newest(kind).map(|set| set.position.index);
            if reached != Some(wanted(kind)) {
                return Err(wrong(format!(
                    "a map entry names entry {} as the newest set of the {kind}, which it is not",
                    wanted(kind)
                )));
            }
        }
        Ok(history)
    }

    /// Reads the set after the newest one of a kind.
    async fn set_after(&self, history: &History, kind: TrustKind) -> Result<Placed, SetsError> {
        let version = history.state().map(kind).version();
        let version = version.next().ok_or_else(|| wrong("there is no further version"))?;
        self.set(kind, version).await
    }

    async fn set(&self, kind: TrustKind, version: Version) -> Result<Placed, SetsError> {
        let receipt = self.witnessed(self.api.set(kind, version).await?)?;
        let digest = match receipt.entry().entry().body {
            Body::Document { kind: named, digest } if named == kind.document_kind() => digest,
            _ => {
                return Err(not_yet(format!(
                    "the ledger's answer is not the entry of a set of the {kind}"
                )));
            }
        };
        let set = read_set(self.api, &digest).await?;
        let set = set.map_err(|error| wrong(format!("entry {}: {error}", receipt.index())))?;
        if set.header().version != version {
            return Err(not_yet(format!(
                "the ledger's answer is not version {version} of the {kind}"
            )));
        }
        Ok(Placed { receipt, set })
    }

    /// Verifies a receipt under a checkpoint with a quorum.
    fn witnessed(&self, receipt: Vec<u8>) -> Result<VerifiedReceipt, SetsError> {
        let receipt = Receipt::parse(&receipt).map_err(not_yet)?;
        let verified = receipt.verify(&self.trust.policy).map_err(not_yet)?;
        if verified.quorum() {
            Ok(verified)
        } else {
            Err(not_yet("no checkpoint with a quorum of witnesses"))
        }
    }
}

/// Reads the change set whose header has this digest; the inner error is that of documents that are no set. Only the
/// digests are checked.
pub(crate) async fn read_set(
    api: &dyn LedgerApi,
    header: &Hash,
) -> Result<Result<SignedChangeSet, SetParseError>, DocumentError> {
    let header = match SignedHeader::parse(&api::document(api, header).await?) {
        Ok(header) => header,
        Err(error) => return Ok(Err(error)),
    };
    let operations = api::document(api, &header.header().operations).await?;
    let operations = Operations::parse(&operations);
    Ok(operations.and_then(|operations| SignedChangeSet::new(header, operations)))
}

/// Applies a set after checking the writer of its entry.
fn apply(history: &History, placed: &Placed) -> Result<History, SetsError> {
    let (entry, index) = (placed.receipt.entry(), placed.receipt.index());
    history
        .check_writer_at(entry, index)
        .map_err(|error| wrong(format!("entry {index}: {error}")))?;
    let position = Position {
        index,
        time: entry.entry().time,
    };
    let next = history.apply(placed.set.header().kind, position, &placed.set);
    next.map_err(|error| wrong(format!("entry {index}: {error}")))
}
