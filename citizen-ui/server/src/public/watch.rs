//! Follows the log for the public pages: counts its entries, notes when each witness has signed, and notices states
//! that contradict each other.
//!
//! Every new entry is read and hashed, and what was counted is shown only if the signed root is the root of exactly
//! these entries. So the portal sees by itself that the log has only grown. Bytes that the log has not signed prove
//! nothing against it; the round is repeated.
//!
//! A contradiction is two checkpoints with the log's signature of which neither continues the other. The portal keeps
//! both, from wherever the second one came.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use citizen_ui::pages::{Compared, Contradiction, LogCounts, Witness};
use ledger_client::LedgerApi;
use record::Timestamp;
use service::{Backoff, Clock, Shutdown};
use tlog::checkpoint::Checkpoint;
use tlog::merkle::{Size, verify_consistency};
use tlog::policy::{Policy, PolicyVerdict};
use tlog::tile::{Bundle, decode_bundle};
use tokio::sync::Semaphore;

use super::tally::Tally;
use crate::consistency;

/// How often the checkpoint is read.
const POLL_INTERVAL: Duration = Duration::from_secs(2);
/// The longest pause after a round that has failed.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(30);
/// The most contradictions that are kept.
const MAX_CONTRADICTIONS: usize = 16;
/// How many visitors' checkpoints are compared at the same time.
const COMPARISONS: usize = 4;
/// How long a comparison waits for the ledger.
const COMPARISON_WAIT: Duration = Duration::from_secs(5);

/// What the portal has seen of the log.
pub(crate) struct LogWatch {
    api: Arc<dyn LedgerApi>,
    policy: Policy,
    /// Who runs each witness, by the name in the policy.
    operators: BTreeMap<String, String>,
    clock: Arc<dyn Clock>,
    since: u64,
    state: Mutex<State>,
    comparing: Semaphore,
}

#[derive(Default)]
struct State {
    tally: Tally,
    /// The newest checkpoint whose entries were counted, with its text.
    counted: Option<(Checkpoint, String)>,
    /// POSIX seconds of the last cosignature of each witness.
    signed: BTreeMap<String, u64>,
    contradictions: Vec<Contradiction>,
}

/// Why a round was not finished.
#[derive(Debug, thiserror::Error)]
enum RoundError {
    /// The ledger does not respond, or its bytes are not those that the log has signed. Retryable.
    #[error("{0}")]
    NotYet(String),
    /// The log has signed two states that exclude each other.
    #[error("the log has signed two states that exclude each other")]
    Contradiction,
}

fn not_yet(reason: impl std::fmt::Display) -> RoundError {
    RoundError::NotYet(reason.to_string())
}

/// How two checkpoints of one log belong together.
enum Link {
    /// The later one continues the earlier one.
    Continues,
    /// It does not.
    Excludes,
}

impl LogWatch {
    pub(crate) fn new(
        api: Arc<dyn LedgerApi>,
        policy: Policy,
        operators: BTreeMap<String, String>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            api,
            policy,
            operators,
            since: clock.now(),
            clock,
            state: Mutex::default(),
            comparing: Semaphore::new(COMPARISONS),
        }
    }

    /// Starts to follow the log until `shutdown`.
    pub(crate) fn start(self: &Arc<Self>, shutdown: Shutdown) {
        let watch = Arc::clone(self);
        tokio::spawn(async move { watch.follow(&shutdown).await });
    }

    async fn follow(&self, shutdown: &Shutdown) {
        let mut backoff = Backoff::new(POLL_INTERVAL, MAX_RETRY_DELAY);
        loop {
            let round = tokio::select! {
                () = shutdown.wait() => return,
                round = self.round() => round,
            };
            let pause = match round {
                Ok(()) => {
                    backoff.succeeded();
                    POLL_INTERVAL
                }
                Err(RoundError::NotYet(reason)) => {
                    tracing::debug!(reason, "the log is not counted");
                    backoff.failed()
                }
                Err(error @ RoundError::Contradiction) => {
                    tracing::error!(%error, "ALARM: the public pages show both; an operator must act");
                    backoff.failed()
                }
            };
            tokio::select! {
                () = shutdown.wait() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the checkpoint and counts what is new.
    async fn round(&self) -> Result<(), RoundError> {
        let bytes = self.api.checkpoint().await.map_err(not_yet)?;
        let verdict = self.policy.verify_checkpoint(&bytes).map_err(not_yet)?;
        self.note_witnesses(&verdict);
        let text = String::from_utf8(bytes).map_err(not_yet)?;
        let checkpoint = verdict.checkpoint().clone();
        let counted = self.state().counted.clone();
        if let Some((known, known_text)) = counted {
            if checkpoint == known {
                return Ok(());
            }
            if checkpoint.size <= known.size {
                return self.check_link((&checkpoint, &text), (&known, &known_text)).await;
            }
        }
        self.count(checkpoint, text).await
    }

    fn note_witnesses(&self, verdict: &PolicyVerdict) {
        let mut state = self.state();
        for cosigned in verdict.cosignatures() {
            let last = state.signed.entry(cosigned.witness.to_string()).or_default();
            *last = cosigned.timestamp.max(*last);
        }
    }

    /// Counts the entries up to a checkpoint.
    async fn count(&self, to: Checkpoint, text: String) -> Result<(), RoundError> {
        let mut tally = self.state().tally.clone();
        while tally.size() < to.size {
            let at = tally.size().get();
            let bundle = Bundle::of_tree(at / 256, to.size).ok_or_else(|| not_yet("a bundle beyond the tree"))?;
            let bytes = self.api.entries_bundle(bundle).await.map_err(not_yet)?;
            let leaves = decode_bundle(&bytes, bundle.width()).map_err(not_yet)?;
            let skip = usize::try_from(at % 256).unwrap_or_default();
            for leaf in leaves.into_iter().skip(skip) {
                tally.add(leaf).map_err(not_yet)?;
            }
            if tally.size().get() == at {
                return Err(not_yet("the ledger's bundle is too short"));
            }
            // A long log must not block a thread of the runtime.
            tokio::task::yield_now().await;
        }
        if tally.root() == to.root {
            let mut state = self.state();
            state.tally = tally;
            state.counted = Some((to, text));
            return Ok(());
        }
        let known = self.state().counted.clone();
        if let Some((known, known_text)) = known {
            self.check_link((&known, &known_text), (&to, &text)).await?;
        }
        Err(not_yet("the ledger's entries are not those that the log has signed"))
    }

    /// Checks that `later` continues `earlier`, and notes the contradiction otherwise.
    async fn check_link(&self, earlier: (&Checkpoint, &str), later: (&Checkpoint, &str)) -> Result<(), RoundError> {
        match self.link(earlier.0, later.0).await {
            Some(Link::Continues) => Ok(()),
            Some(Link::Excludes) => {
                self.note(later.1, earlier.1);
                Err(RoundError::Contradiction)
            }
            None => Err(not_yet("the ledger does not send the tiles for a comparison")),
        }
    }

    async fn link(&self, earlier: &Checkpoint, later: &Checkpoint) -> Option<Link> {
        if earlier.size == later.size {
            let same = earlier.root == later.root;
            return Some(if same { Link::Continues } else { Link::Excludes });
        }
        if earlier.size == Size::ZERO {
            return Some(Link::Continues);
        }
        // The tiles belong to the later root, so a proof that does not fit the earlier root is no fault of theirs.
        let proof = consistency::prove(self.api.as_ref(), earlier.size.get(), later).await?;
        let verified = verify_consistency(earlier.size, &earlier.root, later.size, &later.root, &proof.hashes);
        Some(if verified.is_ok() {
            Link::Continues
        } else {
            Link::Excludes
        })
    }

    fn note(&self, first: &str, second: &str) {
        let mut state = self.state();
        let known = |one: &Contradiction| [one.first.as_str(), one.second.as_str()].contains(&second);
        if state.contradictions.len() < MAX_CONTRADICTIONS && !state.contradictions.iter().any(known) {
            let noticed = self.clock.now();
            state.contradictions.push(Contradiction {
                noticed,
                first: first.to_owned(),
                second: second.to_owned(),
            });
        }
    }

    /// Compares a checkpoint that a visitor has brought with the newest one that the portal has counted.
    pub(crate) async fn compare(&self, text: &str) -> Compared {
        let Ok(verdict) = self.policy.verify_checkpoint(text.as_bytes()) else {
            return Compared::Unsigned;
        };
        let counted = self.state().counted.clone();
        let Some((ours, our_text)) = counted else {
            return Compared::Unable;
        };
        let theirs = verdict.checkpoint();
        if theirs.size > ours.size {
            return Compared::Newer;
        }
        let Ok(_permit) = self.comparing.try_acquire() else {
            return Compared::Unable;
        };
        let linked = tokio::time::timeout(COMPARISON_WAIT, self.link(theirs, &ours)).await;
        match linked.ok().flatten() {
            Some(Link::Continues) if theirs.size == ours.size => Compared::Same,
            Some(Link::Continues) => Compared::Grown(theirs.size.get()),
            Some(Link::Excludes) => {
                tracing::error!("ALARM: a visitor has brought a signed checkpoint that contradicts the log");
                self.note(&our_text, text);
                Compared::Contradicts
            }
            None => Compared::Unable,
        }
    }

    /// What was counted.
    pub(crate) fn counts(&self) -> LogCounts {
        self.state().tally.counts(Timestamp(self.clock.now()))
    }

    /// The contradictions that were noticed.
    pub(crate) fn contradictions(&self) -> Vec<Contradiction> {
        self.state().contradictions.clone()
    }

    /// POSIX seconds since which the portal watches.
    pub(crate) const fn since(&self) -> u64 {
        self.since
    }

    /// The witnesses of the policy; `verdict` is that of the checkpoint that is shown.
    pub(crate) fn witnesses(&self, verdict: Option<&PolicyVerdict>) -> Vec<Witness> {
        let state = self.state();
        let witnesses = self.policy.witnesses().iter().map(|witness| {
            let name = witness.name.to_string();
            let now =
                verdict.and_then(|verdict| verdict.cosignatures().iter().find(|line| line.witness == witness.name));
            let now = now.map(|line| line.timestamp);
            Witness {
                operator: self.operators.get(&name).cloned(),
                current: now.is_some(),
                last: now.max(state.signed.get(&name).copied()),
                name,
            }
        });
        witnesses.collect()
    }
}
