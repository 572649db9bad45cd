//! The published checkpoint: the newest checkpoint that meets the witness policy.
//!
//! If the policy has no witnesses, it is the head. Otherwise [`super::witnessing`] collects cosignatures for each head.
//! When a head has a quorum, it is first stored durably as the published checkpoint and in the history
//! ([`Rows::checkpoint_from`]), and then shown. The size of the published checkpoint never decreases.
//!
//! When the quorum has been **lost** for longer than a configured time, [`FailMode`] decides what happens:
//!
//! | `fail` | `/checkpoint` | `?witnessed` | appending |
//! | --- | --- | --- | --- |
//! | `open` | continues, with the available signatures | stays at the last quorum | continues |
//! | `degrade` | stays at the last quorum | stays at the last quorum | continues |
//! | `closed` | stays at the last quorum | stays at the last quorum | 503 until the quorum is back |
//!
//! Losing the quorum always raises an alarm. If a witness shows a checkpoint that this log has signed and does **not
//! contain**, the log runs on an old backup, and new entries would fork it. It then accepts no more entries, with any
//! value of `fail`, until it is restarted on a newer backup. While witnesses only claim this, and no quorum has
//! cosigned since the start, the log accepts no entries either, until enough of them cosign again.
//!
//! A database can be restored, or an old copy of it promoted, without the ledger's knowledge. Only the witnesses
//! notice. A log in a database therefore accepts no entries until a quorum has cosigned its head after the start
//! ([`Publication::require_confirmation`]).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use service::clock::WitnessTime;
use tlog::policy::{Policy, VerdictError, Witness};
use tokio::sync::watch;

use super::rows::Rows;
use super::snapshot::Snapshot;
use crate::store::StoreError;

/// A checkpoint that is shown to readers.
#[derive(Debug, PartialEq, Eq)]
pub struct PublishedCheckpoint {
    /// Number of entries.
    pub size: u64,
    /// The checkpoint with all its signatures.
    pub note: String,
}

/// What the ledger does while the quorum is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailMode {
    /// It shows checkpoints without a quorum.
    Open,
    /// It shows the last checkpoint with a quorum, and accepts entries.
    #[default]
    Degrade,
    /// It shows the last checkpoint with a quorum, and refuses entries.
    Closed,
}

/// When the quorum counts as lost, and what happens then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuorumLossPolicy {
    /// What happens then.
    pub fail: FailMode,
    /// How long rounds must have failed.
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

/// Holds the published checkpoint for readers.
#[derive(Debug)]
pub struct Publication {
    policy: Option<Policy>,
    on_failure: QuorumLossPolicy,
    witnessed: watch::Sender<Option<Arc<PublishedCheckpoint>>>,
    /// With [`FailMode::Open`] only: a newer checkpoint without a quorum.
    unwitnessed: watch::Sender<Option<Arc<PublishedCheckpoint>>>,
    out_of_quorum: AtomicBool,
    halted: OnceLock<Arc<str>>,
    doubted: Mutex<Option<Arc<str>>>,
    /// A quorum must cosign a head before the first entry is accepted, and has not yet.
    unconfirmed: watch::Sender<bool>,
}

const UNCONFIRMED: &str = "no quorum of witnesses has cosigned this log since the ledger started, and a log in a \
                           database accepts no entries before that: an old copy of the database may have been restored \
                           or promoted. See that the witnesses can be reached";

/// Why the policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyMismatch {
    /// The policy does not trust this log.
    #[error("the policy does not accept this log's checkpoints: {0}; its `log` line must have the log's verifier key")]
    Log(#[from] VerdictError),
    /// The policy has no URL for a witness, so the witness cannot be asked.
    #[error("the witness {0} has no URL in UTF-8 in the policy, so it cannot be asked to cosign")]
    NoUrl(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Publication {
    /// Starts from the checkpoint that was published last, in the process that writes to the log. Without a policy,
    /// every head is published as it is.
    pub fn open(
        policy: Option<Policy>,
        on_failure: QuorumLossPolicy,
        rows: &Rows,
        snapshot: &Snapshot,
    ) -> Result<Self, PolicyMismatch> {
        let publication = Self::follow(policy, on_failure, rows, snapshot)?;
        publication.record_policy(rows)?;
        Ok(publication)
    }

    /// Records whether the policy needs witnesses. Called by the process that writes to the log.
    pub(crate) fn record_policy(&self, rows: &Rows) -> Result<(), StoreError> {
        rows.store_requires_quorum(self.policy.is_some())
    }

    /// Starts from the checkpoint that was published last, in a process that only reads the log.
    pub(crate) fn follow(
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
        let has_url = |witness: &Witness| witness.url.as_ref().is_some_and(|url| url.to_str().is_some());
        if let Some(witness) = witnesses.into_iter().find(|witness| !has_url(witness)) {
            return Err(PolicyMismatch::NoUrl(witness.name.to_string()));
        }
        let kept = match &policy {
            Some(policy) => rows.published()?.and_then(|note| with_quorum(policy, note)),
            None => None,
        };
        // What was published after the snapshot was read is shown with the next one.
        let kept = kept.filter(|published| published.size <= snapshot.head.size);
        Ok(Self {
            policy,
            on_failure,
            witnessed: watch::Sender::new(kept.map(Arc::new)),
            unwitnessed: watch::Sender::new(None),
            out_of_quorum: AtomicBool::new(false),
            halted: OnceLock::new(),
            doubted: Mutex::new(None),
            unconfirmed: watch::Sender::new(false),
        })
    }

    /// Accepts no entries until a quorum of witnesses has cosigned a head. Without a policy that needs witnesses, it
    /// changes nothing.
    pub(crate) fn require_confirmation(&self) {
        self.unconfirmed.send_replace(self.policy.is_some());
    }

    /// Waits until a required confirmation is there, but no longer than `limit`.
    pub(crate) async fn confirmed_within(&self, limit: Duration) {
        let mut unconfirmed = self.unconfirmed.subscribe();
        let _ = tokio::time::timeout(limit, unconfirmed.wait_for(|unconfirmed| !unconfirmed)).await;
    }

    /// Called when a quorum has cosigned a head since the start.
    pub(super) fn confirm(&self) {
        if self.unconfirmed.send_replace(false) {
            tracing::info!("a quorum of witnesses has cosigned this log; entries are accepted");
        }
    }

    /// The policy; `None` if it needs no witnesses.
    pub fn policy(&self) -> Option<&Policy> {
        self.policy.as_ref()
    }

    /// When the quorum counts as lost, and what happens then.
    pub fn on_failure(&self) -> QuorumLossPolicy {
        self.on_failure
    }

    /// The checkpoint that `/checkpoint` shows; `None` until there has been a quorum. `snapshot` is the current
    /// snapshot.
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

    /// The newest checkpoint that meets the policy; `None` until there is one. `snapshot` is the current snapshot.
    pub fn witnessed(&self, snapshot: &Snapshot) -> Option<Arc<PublishedCheckpoint>> {
        if self.policy.is_some() {
            return self.witnessed.borrow().clone();
        }
        Some(Arc::new(PublishedCheckpoint {
            size: snapshot.head.size,
            note: snapshot.note.clone(),
        }))
    }

    /// Whether the witnesses' quorum is lost.
    pub fn quorum_is_lost(&self) -> bool {
        self.out_of_quorum.load(Ordering::Relaxed)
    }

    /// Why the log accepts no entries until an operator acts.
    pub fn halt_reason(&self) -> Option<&str> {
        self.halted.get().map(|reason| &**reason)
    }

    /// Why the log accepts no entries until its witnesses cosign.
    pub fn doubt_reason(&self) -> Option<Arc<str>> {
        let doubted = self.doubted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let unconfirmed = *self.unconfirmed.borrow();
        doubted.or_else(|| unconfirmed.then(|| UNCONFIRMED.into()))
    }

    /// The time that the policy's quorum has cosigned last.
    pub fn witness_time(&self) -> WitnessTime {
        let Some(policy) = &self.policy else {
            return WitnessTime::NotRequired;
        };
        let published = self.witnessed.borrow().clone();
        let verdict = published.and_then(|published| policy.verify_checkpoint(published.note.as_bytes()).ok());
        let time = verdict.and_then(|verdict| verdict.quorum_time());
        time.map_or(WitnessTime::Unknown, WitnessTime::Quorum)
    }

    /// Why no entry may be accepted now; `None` if entries are accepted.
    pub fn refusal_reason(&self) -> Option<Arc<str>> {
        if let Some(reason) = self.halted.get().cloned().or_else(|| self.doubt_reason()) {
            return Some(reason);
        }
        let closed = self.on_failure.fail == FailMode::Closed && self.out_of_quorum.load(Ordering::Relaxed);
        closed.then(|| "the witnesses' quorum is lost, and this log accepts no entries without it".into())
    }

    /// Shows a stored checkpoint, unless it is older than the one that is shown. The current snapshot must not be older
    /// than the checkpoint.
    pub(crate) fn follow_published(&self, note: String) {
        let published = self.policy.as_ref().and_then(|policy| with_quorum(policy, note));
        let is_news = |published: &PublishedCheckpoint| {
            let shown = self.witnessed.borrow();
            self.may_show(published.size) && shown.as_ref().is_none_or(|shown| shown.note != published.note)
        };
        if let Some(published) = published.filter(is_news) {
            self.show(published);
        }
    }

    /// Shows a checkpoint that meets the policy and is already stored.
    pub(super) fn show(&self, published: PublishedCheckpoint) {
        metrics::gauge!("ledger_published_tree_size").set(published.size as f64);
        self.witnessed.send_replace(Some(Arc::new(published)));
    }

    /// Whether a witnessed checkpoint of this size is at least as large as the one that is shown.
    pub(super) fn may_show(&self, size: u64) -> bool {
        self.witnessed.borrow().as_ref().is_none_or(|shown| shown.size <= size)
    }

    /// Called when a round had a quorum.
    pub(super) fn quorum_met(&self) {
        metrics::gauge!("ledger_witness_quorum").set(1.0);
        if self.out_of_quorum.swap(false, Ordering::Relaxed) {
            tracing::info!("the witnesses' quorum is back");
        }
    }

    /// Called when the quorum has been lost for longer than the bound. `best` is the newest checkpoint with the
    /// available cosignatures.
    pub(super) fn quorum_lost(&self, best: PublishedCheckpoint) {
        metrics::gauge!("ledger_witness_quorum").set(0.0);
        if !self.out_of_quorum.swap(true, Ordering::Relaxed) {
            let fail = self.on_failure.fail;
            tracing::error!(?fail, size = best.size, "ALARM: the witnesses' quorum is lost");
        }
        if self.on_failure.fail == FailMode::Open {
            self.unwitnessed.send_replace(Some(Arc::new(best)));
        }
    }

    /// Called when a witness has proved that this log lacks what it has signed. No more entries are accepted.
    pub(super) fn halt(&self, reason: String) {
        if self.halted.set(reason.as_str().into()).is_ok() {
            tracing::error!(reason, "ALARM: the log accepts no more entries");
        }
    }

    /// Called with the reason while witnesses claim, without a proof, that this log is an old backup; with `None` once
    /// they no longer do.
    pub(super) fn doubt(&self, reason: Option<String>) {
        let mut doubted = self.doubted.lock().unwrap_or_else(PoisonError::into_inner);
        match (&reason, doubted.is_some()) {
            (Some(reason), false) => {
                tracing::error!(reason, "ALARM: the log accepts no entries until witnesses cosign it");
            }
            (None, true) => tracing::info!("the witnesses no longer claim a larger log; entries are accepted"),
            _ => {}
        }
        *doubted = reason.map(Arc::from);
    }
}

/// The checkpoint; `None` if it does not meet the policy.
pub(super) fn with_quorum(policy: &Policy, note: String) -> Option<PublishedCheckpoint> {
    let verdict = policy.verify_checkpoint(note.as_bytes()).ok()?;
    let size = verdict.checkpoint().size.get();
    verdict.quorum().then_some(PublishedCheckpoint { size, note })
}
