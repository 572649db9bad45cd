//! The published checkpoint: the newest that meets the witness policy.
//!
//! Without witnesses in the policy it is the head. Otherwise [`super::witnessing`] has each head cosigned and publishes at quorum:
//! kept durably, together with its place in the history ([`Rows::checkpoint_from`]), and then shown. The published checkpoint never
//! gets smaller.
//!
//! When the quorum has been **out** for longer than a bound, [`FailMode`] decides:
//!
//! | `fail` | `/checkpoint` | `?witnessed` | appending |
//! | --- | --- | --- | --- |
//! | `open` | goes on with the log's signature and the cosignatures there are | stays at the last quorum | goes on |
//! | `degrade` | stays at the last quorum | stays | goes on |
//! | `closed` | stays at the last quorum | stays | 503 until the quorum is back |
//!
//! Being out is an alarm in each case. A log that a witness has seen **larger** than it is, or with another tree, accepts nothing
//! more, whatever `fail` says: it runs on an old backup, and going on would fork it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::Deserialize;
use tlog::policy::{Policy, VerdictError};
use tokio::sync::watch;

use super::rows::Rows;
use super::snapshot::Snapshot;
use crate::store::StoreError;

/// A checkpoint that is shown.
#[derive(Debug, PartialEq, Eq)]
pub struct PublishedCheckpoint {
    /// Number of entries.
    pub size: u64,
    /// The checkpoint with all its signatures.
    pub note: String,
}

/// What happens without the quorum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailMode {
    /// Checkpoints are shown without it.
    Open,
    /// The last checkpoint with it stays; entries are accepted.
    #[default]
    Degrade,
    /// The last checkpoint with it stays; entries are refused.
    Closed,
}

/// When the quorum counts as out, and what happens then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuorumLossPolicy {
    /// What happens.
    pub fail: FailMode,
    /// After this long without a quorum.
    pub after: Duration,
}

impl Default for QuorumLossPolicy {
    fn default() -> Self {
        Self {
            fail: FailMode::default(),
            after: Duration::from_secs(60),
        }
    }
}

/// Where readers find the published checkpoint.
#[derive(Debug)]
pub struct Publication {
    policy: Option<Policy>,
    on_failure: QuorumLossPolicy,
    witnessed: watch::Sender<Option<Arc<PublishedCheckpoint>>>,
    /// `open` only: newer than the witnessed one, and without the quorum.
    unwitnessed: watch::Sender<Option<Arc<PublishedCheckpoint>>>,
    out: AtomicBool,
    behind: OnceLock<String>,
}

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyMismatch {
    /// It does not trust this log.
    #[error("the policy does not accept this log's checkpoints: {0}; its `log` line must have the log's verifier key")]
    Log(#[from] VerdictError),
    /// Witnesses without an address cannot be asked.
    #[error("the witness {0} has no URL in the policy, so it cannot be asked to cosign")]
    NoUrl(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Publication {
    /// Starts from what was published last. `policy` may be `None`: then the head is published as it is.
    pub fn open(
        policy: Option<Policy>,
        on_failure: QuorumLossPolicy,
        rows: &Rows,
        snapshot: &Snapshot,
    ) -> Result<Self, PolicyMismatch> {
        let policy = match policy {
            Some(policy) if !policy.verify_checkpoint(snapshot.note.as_bytes())?.quorum() => Some(policy),
            _ => None,
        };
        let witnesses = policy.iter().flat_map(Policy::witnesses);
        if let Some(witness) = witnesses.into_iter().find(|witness| witness.url.is_none()) {
            return Err(PolicyMismatch::NoUrl(witness.name.clone()));
        }
        rows.keep_asks_for_quorum(policy.is_some())?;
        let kept = match &policy {
            Some(policy) => rows.published()?.and_then(|note| with_quorum(policy, note)),
            None => None,
        };
        Ok(Self {
            policy,
            on_failure,
            witnessed: watch::Sender::new(kept.map(Arc::new)),
            unwitnessed: watch::Sender::new(None),
            out: AtomicBool::new(false),
            behind: OnceLock::new(),
        })
    }

    /// The policy, if it asks for witnesses.
    pub fn policy(&self) -> Option<&Policy> {
        self.policy.as_ref()
    }

    /// When the quorum counts as out.
    pub fn on_failure(&self) -> QuorumLossPolicy {
        self.on_failure
    }

    /// What `/checkpoint` shows; `None` until the quorum has met for the first time. `snapshot` is the current one.
    pub fn latest(&self, snapshot: &Snapshot) -> Option<Arc<PublishedCheckpoint>> {
        let witnessed = self.witnessed(snapshot);
        let unwitnessed = self.unwitnessed.borrow().clone();
        let size = |published: &Option<Arc<PublishedCheckpoint>>| published.as_ref().map(|published| published.size);
        if size(&unwitnessed) > size(&witnessed) {
            unwitnessed
        } else {
            witnessed
        }
    }

    /// The newest checkpoint that meets the policy; `None` until there is one. `snapshot` is the current one.
    pub fn witnessed(&self, snapshot: &Snapshot) -> Option<Arc<PublishedCheckpoint>> {
        if self.policy.is_some() {
            return self.witnessed.borrow().clone();
        }
        Some(Arc::new(PublishedCheckpoint {
            size: snapshot.head.size,
            note: snapshot.note.clone(),
        }))
    }

    /// Why no entry may be accepted now, if that is so.
    pub fn refuses(&self) -> Option<&str> {
        if let Some(behind) = self.behind.get() {
            return Some(behind);
        }
        let closed = self.on_failure.fail == FailMode::Closed && self.out.load(Ordering::Relaxed);
        closed.then_some("the witnesses' quorum is out, and this log accepts nothing without it")
    }

    /// Shows a checkpoint that meets the policy and is kept already.
    pub(super) fn show(&self, published: PublishedCheckpoint) {
        metrics::gauge!("ledger_published_size").set(published.size as f64);
        self.witnessed.send_replace(Some(Arc::new(published)));
    }

    /// Whether a witnessed checkpoint of this size would not be a step back.
    pub(super) fn wants(&self, size: u64) -> bool {
        self.witnessed.borrow().as_ref().is_none_or(|shown| shown.size <= size)
    }

    /// The quorum has met.
    pub(super) fn quorum_is_in(&self) {
        metrics::gauge!("ledger_witness_quorum").set(1.0);
        if self.out.swap(false, Ordering::Relaxed) {
            tracing::info!("the witnesses' quorum is back");
        }
    }

    /// The quorum has been out for longer than the bound; `best` is the newest checkpoint with what signatures there are.
    pub(super) fn quorum_is_out(&self, best: PublishedCheckpoint) {
        metrics::gauge!("ledger_witness_quorum").set(0.0);
        if !self.out.swap(true, Ordering::Relaxed) {
            let fail = self.on_failure.fail;
            tracing::error!(?fail, size = best.size, "ALARM: the witnesses' quorum is out");
        }
        if self.on_failure.fail == FailMode::Open {
            self.unwitnessed.send_replace(Some(Arc::new(best)));
        }
    }

    /// A witness has seen this log larger or otherwise than it is: nothing is accepted any more.
    pub(super) fn halt(&self, reason: String) {
        if self.behind.set(reason).is_ok() {
            tracing::error!(reason = self.behind.get(), "ALARM: the log accepts no entries any more");
        }
    }
}

/// The checkpoint if it meets the policy.
pub(super) fn with_quorum(policy: &Policy, note: String) -> Option<PublishedCheckpoint> {
    let verdict = policy.verify_checkpoint(note.as_bytes()).ok()?;
    let size = verdict.checkpoint().size.get();
    verdict.quorum().then_some(PublishedCheckpoint { size, note })
}
