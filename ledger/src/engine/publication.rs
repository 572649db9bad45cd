//! The published checkpoint: the newest that meets the witness policy.
//!
//! Without witnesses in the policy it is the head. Otherwise [`Witnessing`] asks the policy's witnesses to cosign (c2sp.org/tlog-witness)
//!
//! * each new head, at most once per `interval`, beside the appending and never in its way;
//! * an unchanged head every `refresh`, so that everybody sees that the log is alive (WI-5).
//!
//! All witnesses are asked about the same head at once. As soon as the quorum is met the checkpoint is kept durably and then
//! shown; cosignatures that come a little later are added to it. The published checkpoint never gets smaller.
//!
//! A witness that has cosigned another size says which, and is asked again from there. One that refuses (422), or has cosigned a
//! larger tree than ours, is an **alarm**: log and metric `ledger_witness_alarms_total`; an operator has to look.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use service::{Shutdown, http};
use tlog::cosignature;
use tlog::merkle::Size;
use tlog::note::{Note, SignatureLine};
use tlog::policy::{Policy, VerdictError, Witness};
use tlog::witness::{AddCheckpoint, Answer};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::rows::Rows;
use super::snapshot::Snapshot;
use crate::failpoints::{self, Point};
use crate::store::StoreError;

const ROUND: Duration = Duration::from_secs(10);
const TOP_UP: Duration = Duration::from_millis(250);
const RETRY: Duration = Duration::from_secs(1);

/// A checkpoint that meets the policy.
#[derive(Debug, PartialEq, Eq)]
pub struct Published {
    /// Number of entries.
    pub size: u64,
    /// The checkpoint with all its signatures.
    pub note: String,
}

/// Where readers find the published checkpoint.
#[derive(Debug)]
pub struct Publication {
    policy: Option<Policy>,
    latest: watch::Sender<Option<Arc<Published>>>,
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
    pub fn open(policy: Option<Policy>, rows: &Rows, snapshot: &Snapshot) -> Result<Self, PolicyMismatch> {
        let Some(policy) = policy else {
            return Ok(Self::of(None, None, rows)?);
        };
        if policy.verify_checkpoint(snapshot.note.as_bytes())?.quorum() {
            return Ok(Self::of(None, None, rows)?);
        }
        if let Some(witness) = policy.witnesses().iter().find(|witness| witness.url.is_none()) {
            return Err(PolicyMismatch::NoUrl(witness.name.clone()));
        }
        let kept = rows.published()?.and_then(|note| published(&policy, note));
        Ok(Self::of(Some(policy), kept, rows)?)
    }

    fn of(policy: Option<Policy>, kept: Option<Published>, rows: &Rows) -> Result<Self, StoreError> {
        rows.keep_asks_for_quorum(policy.is_some())?;
        Ok(Self {
            policy,
            latest: watch::Sender::new(kept.map(Arc::new)),
        })
    }

    /// The newest published checkpoint; `None` until the quorum has met for the first time. `snapshot` is the current one.
    pub fn latest(&self, snapshot: &Snapshot) -> Option<Arc<Published>> {
        if self.policy.is_some() {
            return self.latest.borrow().clone();
        }
        Some(Arc::new(Published {
            size: snapshot.head.size,
            note: snapshot.note.clone(),
        }))
    }

    fn size(&self) -> Option<u64> {
        self.latest.borrow().as_ref().map(|published| published.size)
    }
}

/// The checkpoint if it meets the policy.
fn published(policy: &Policy, note: String) -> Option<Published> {
    let verdict = policy.verify_checkpoint(note.as_bytes()).ok()?;
    let size = verdict.checkpoint().size.get();
    verdict.quorum().then_some(Published { size, note })
}

/// How often witnesses are asked.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// At least this long between two rounds.
    pub interval: Duration,
    /// At most this long without one.
    pub refresh: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            interval: Duration::from_millis(400),
            refresh: Duration::from_secs(20),
        }
    }
}

/// The witness client.
pub struct Witnessing {
    publication: Arc<Publication>,
    policy: Policy,
    rows: Rows,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    client: http::Client,
    pace: Pace,
    /// What each witness has cosigned last, as far as we know.
    known: HashMap<String, u64>,
}

/// What became of asking one witness.
enum Asked {
    Cosigned(Vec<SignatureLine>),
    Retry(String),
    Alarm(String),
}

impl Witnessing {
    /// A client for the publication's policy; `None` if it asks for no witness.
    pub fn new(
        publication: Arc<Publication>,
        rows: Rows,
        snapshots: watch::Receiver<Arc<Snapshot>>,
        client: http::Client,
        pace: Pace,
    ) -> Option<Self> {
        let policy = publication.policy.clone()?;
        Some(Self {
            publication,
            policy,
            rows,
            snapshots,
            client,
            pace,
            known: HashMap::new(),
        })
    }

    /// Works until the end.
    pub async fn run(mut self, shutdown: Shutdown) {
        loop {
            let started = Instant::now();
            let snapshot = self.snapshots.borrow_and_update().clone();
            let met = tokio::select! {
                () = shutdown.wait() => return,
                met = self.round(&snapshot) => met,
            };
            let earliest = started
                + if met {
                    self.pace.interval
                } else {
                    self.pace.interval.max(RETRY)
                };
            let latest = started + if met { self.pace.refresh } else { RETRY };
            tokio::select! {
                () = shutdown.wait() => return,
                () = sleep_until(earliest) => {}
            }
            tokio::select! {
                () = shutdown.wait() => return,
                () = sleep_until(latest) => {}
                changed = self.snapshots.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Asks everybody about one head; whether the quorum was met.
    async fn round(&mut self, snapshot: &Arc<Snapshot>) -> bool {
        let mut asked = JoinSet::new();
        for witness in self.policy.witnesses() {
            let old = self.known.get(&witness.name).copied().unwrap_or(0);
            let asking = Asking {
                witness: witness.clone(),
                snapshot: snapshot.clone(),
                rows: self.rows.clone(),
                client: self.client.clone(),
            };
            asked.spawn(asking.ask(old));
        }
        let mut note = snapshot.note.clone();
        let mut met = false;
        let mut deadline = Instant::now() + ROUND;
        loop {
            let next = tokio::select! {
                next = asked.join_next() => next,
                () = sleep_until(deadline) => None,
            };
            let Some(next) = next else { return met };
            let Ok((name, old, answer)) = next else { continue };
            if !self.take(&name, old, answer, snapshot, &mut note) {
                continue;
            }
            let Some(published) = published(&self.policy, note.clone()) else {
                continue;
            };
            if !met {
                met = true;
                deadline = deadline.min(Instant::now() + TOP_UP);
            }
            self.publish(published).await;
        }
    }

    /// Whether the note got a cosignature.
    fn take(&mut self, name: &str, old: u64, answer: Asked, snapshot: &Snapshot, note: &mut String) -> bool {
        let kind = match answer {
            Asked::Cosigned(lines) => {
                self.known.insert(name.to_owned(), snapshot.head.size);
                for line in lines {
                    note.push_str(&format!("{line}\n"));
                }
                "cosigned"
            }
            Asked::Retry(reason) => {
                self.known.insert(name.to_owned(), old);
                tracing::warn!(witness = name, reason, "a witness did not cosign; it is asked again");
                "retry"
            }
            Asked::Alarm(reason) => {
                metrics::counter!("ledger_witness_alarms_total", "witness" => name.to_owned()).increment(1);
                tracing::error!(
                    witness = name,
                    size = snapshot.head.size,
                    reason,
                    "ALARM: a witness refuses this log"
                );
                "alarm"
            }
        };
        metrics::counter!("ledger_witness_answers_total", "witness" => name.to_owned(), "answer" => kind).increment(1);
        kind == "cosigned"
    }

    async fn publish(&self, published: Published) {
        if self.publication.size().is_some_and(|size| size > published.size) {
            return;
        }
        let (rows, note) = (self.rows.clone(), published.note.clone());
        failpoints::reach(Point::Cosigned);
        match tokio::task::spawn_blocking(move || rows.keep_published(&note)).await {
            Ok(Ok(())) => {
                failpoints::reach(Point::PublishedKept);
                metrics::gauge!("ledger_published_size").set(published.size as f64);
                self.publication.latest.send_replace(Some(Arc::new(published)));
            }
            Ok(Err(error)) => tracing::error!(%error, "a cosigned checkpoint cannot be kept, so it is not published"),
            Err(_) => {}
        }
    }
}

struct Asking {
    witness: Witness,
    snapshot: Arc<Snapshot>,
    rows: Rows,
    client: http::Client,
}

impl Asking {
    /// Asks, and asks again once if the witness has cosigned another size last. Gives the witness's name and its last size.
    async fn ask(self, mut old: u64) -> (String, u64, Asked) {
        let mut resynced = false;
        let asked = loop {
            match self.submit(old).await {
                Err(error) => break Asked::Retry(error),
                Ok(Answer::Cosigned(lines)) => break self.verified(lines),
                Ok(Answer::Resync(size)) if size.get() > self.snapshot.head.size => {
                    break Asked::Alarm(format!(
                        "it has cosigned size {size}, which this log does not have: an old backup?"
                    ));
                }
                Ok(Answer::Resync(size)) if !resynced => {
                    resynced = true;
                    old = size.get();
                }
                Ok(Answer::Resync(_) | Answer::Retry) => break Asked::Retry("it is busy".into()),
                Ok(Answer::Refused(status)) => break Asked::Retry(format!("status {status}: does it know this log?")),
                Ok(Answer::Alarm(status)) => break Asked::Alarm(format!("status {status}: it has seen another tree")),
            }
        };
        (self.witness.name, old, asked)
    }

    async fn submit(&self, old: u64) -> Result<Answer, String> {
        let proof = self
            .snapshot
            .consistency(&self.rows, old, self.snapshot.head.size)
            .map_err(|e| e.to_string())?;
        let old = Size::new(old).map_err(|error| error.to_string())?;
        // Only the log's own signature: collected cosignatures make the request too large (tlog-specs §6.1).
        let request = AddCheckpoint {
            old,
            proof,
            checkpoint: self.snapshot.note.clone(),
        };
        let url = format!(
            "{}/add-checkpoint",
            self.witness.url.as_deref().unwrap_or_default().trim_end_matches('/')
        );
        failpoints::reach(Point::Asked);
        let answer = self
            .client
            .post(&url, "text/plain; charset=utf-8", request.to_string().into_bytes())
            .await;
        let answer = answer.map_err(|error| error.to_string())?;
        Ok(Answer::parse(answer.status, &answer.body))
    }

    /// The lines of this witness, if they verify. Others are none of our business (WI-3).
    fn verified(&self, lines: Vec<SignatureLine>) -> Asked {
        let own: Vec<_> = lines
            .into_iter()
            .filter(|line| self.witness.key.matches(line))
            .take(1)
            .collect();
        let text = Note::parse(self.snapshot.note.as_bytes()).map(|note| note.text);
        let good = text.is_ok_and(|text| {
            own.iter()
                .all(|line| cosignature::verify(&text, line, &self.witness.key).is_ok())
        });
        match own.is_empty() || !good {
            true => Asked::Alarm("its answer has no valid cosignature by the policy's key".into()),
            false => Asked::Cosigned(own),
        }
    }
}

#[cfg(test)]
#[path = "publication_tests.rs"]
mod tests;
