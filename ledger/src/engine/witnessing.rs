//! The witness client: collects cosignatures for the log's heads and publishes them ([`super::publication`]).
//!
//! It asks the policy's witnesses to cosign
//!
//! * each new head, at most once per `interval`, concurrently with appending and without delaying it;
//! * an unchanged head once per `refresh`, so that readers see that the log is alive (WI-5).
//!
//! Each round asks all witnesses about the same head concurrently. The checkpoint is published as soon as it has a
//! quorum; cosignatures that arrive shortly afterwards are added to it.
//!
//! A witness that last cosigned another size reports that size, and is asked again from there. A witness that refuses
//! (422, or 409 without a size) raises an **alarm**. If a witness has cosigned a checkpoint that this log does not
//! have, the log *stops*, provided that the witness shows the log's own signature on it or that a quorum of witnesses
//! reports the same. A single lying witness must not be able to stop a log.
//!
//! Metrics, by witness: `ledger_witness_answers_total` (`cosigned`, `retry`, `alarm`), `ledger_witness_alarms_total`,
//! `ledger_witness_tree_size`, `ledger_witness_cosigned_timestamp_seconds`; and `ledger_witness_quorum` (1, or 0 while
//! the quorum is lost). The client logs a line whenever the result of asking a witness changes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use service::{Clock, Shutdown, SystemClock, http};
use tlog::policy::Policy;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::publication::{Publication, PublishedCheckpoint, with_quorum};
use super::rows::Rows;
use super::snapshot::Snapshot;
use super::witness_request::{Contradiction, Monitored, WitnessReply, WitnessRequest};
use crate::failpoints::{self, Point};

const ROUND_TIMEOUT: Duration = Duration::from_secs(10);
const LATE_COSIGNATURE_WAIT: Duration = Duration::from_millis(250);
const RETRY_DELAY: Duration = Duration::from_secs(1);
/// How long a start waits for each witness. A contradiction that is reported later is found in the first round.
const START_CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// How often the witnesses are asked.
#[derive(Clone, Copy, Debug)]
pub struct WitnessIntervals {
    /// The minimum time between two rounds.
    pub interval: Duration,
    /// The maximum time between two rounds.
    pub refresh: Duration,
}

impl Default for WitnessIntervals {
    fn default() -> Self {
        Self {
            interval: Duration::from_millis(400),
            refresh: Duration::from_secs(20),
        }
    }
}

/// What the client knows of one witness.
#[derive(Clone, Debug, Default)]
struct WitnessStatus {
    /// The size that it last cosigned, as far as is known.
    size: u64,
    /// The result of asking it last: `cosigned`, `retry` or `alarm`.
    last: &'static str,
    contradicts: bool,
}

/// The witness client.
pub struct WitnessClient {
    publication: Arc<Publication>,
    policy: Arc<Policy>,
    rows: Rows,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    client: http::Client,
    pace: WitnessIntervals,
    statuses: HashMap<String, WitnessStatus>,
    /// When the first of the current series of failed rounds began.
    out_since: Option<Instant>,
}

impl WitnessClient {
    /// A client for the publication's policy; `None` if the policy needs no witnesses.
    pub fn new(
        publication: Arc<Publication>,
        rows: Rows,
        snapshots: watch::Receiver<Arc<Snapshot>>,
        client: http::Client,
        pace: WitnessIntervals,
    ) -> Option<Self> {
        let policy = Arc::new(publication.policy()?.clone());
        Some(Self {
            publication,
            policy,
            rows,
            snapshots,
            client,
            pace,
            statuses: HashMap::new(),
            out_since: None,
        })
    }

    /// Asks every witness whether it has seen this log larger than it is or with another tree. Called before the log
    /// accepts entries. Witnesses that do not answer are ignored.
    ///
    /// # Errors
    /// A [`Contradiction`], whose message names the remedy.
    pub async fn check_at_start(&mut self) -> Result<(), Contradiction> {
        let snapshot = self.snapshots.borrow().clone();
        let mut asked = JoinSet::new();
        for request in self.requests(&snapshot) {
            asked.spawn(tokio::time::timeout(START_CHECK_TIMEOUT, async move {
                match request.monitor().await {
                    Monitored::Contradicts(contradiction) => Some(contradiction),
                    Monitored::Consistent => None,
                    // It may have another monitoring prefix. SPEC WI-4: a witness answers "old 0" with its last size.
                    Monitored::Unavailable => match request.ask(0).await.1 {
                        WitnessReply::Contradicts(contradiction) => Some(contradiction),
                        _ => None,
                    },
                }
            }));
        }
        while let Some(joined) = asked.join_next().await {
            if let Ok(Ok(Some(contradiction))) = joined
                && self.is_decisive(&contradiction)
            {
                return Err(contradiction);
            }
        }
        Ok(())
    }

    /// Runs until shutdown is requested.
    pub async fn run(mut self, shutdown: Shutdown) {
        loop {
            let started = Instant::now();
            let snapshot = self.snapshots.borrow_and_update().clone();
            let met = tokio::select! {
                () = shutdown.wait() => return,
                met = self.round(&snapshot) => met,
            };
            self.track_quorum(started, met.as_ref().err());
            let met = met.is_ok();
            let earliest = started
                + if met {
                    self.pace.interval
                } else {
                    self.pace.interval.max(RETRY_DELAY)
                };
            let latest = started + if met { self.pace.refresh } else { RETRY_DELAY };
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

    /// Tracks whether the quorum is lost. `best` is the checkpoint of a round that had no quorum.
    fn track_quorum(&mut self, started: Instant, best: Option<&PublishedCheckpoint>) {
        let Some(best) = best else {
            self.out_since = None;
            return self.publication.quorum_met();
        };
        let since = *self.out_since.get_or_insert(started);
        if since.elapsed() >= self.publication.on_failure().after {
            self.publication.quorum_lost(PublishedCheckpoint {
                size: best.size,
                note: best.note.clone(),
            });
        }
    }

    fn requests(&self, snapshot: &Arc<Snapshot>) -> Vec<WitnessRequest> {
        let request = |witness: &tlog::policy::Witness| WitnessRequest {
            witness: witness.clone(),
            policy: self.policy.clone(),
            snapshot: snapshot.clone(),
            client: self.client.clone(),
        };
        self.policy.witnesses().iter().map(request).collect()
    }

    /// Asks all witnesses about one head, and publishes it when it has a quorum.
    ///
    /// # Errors
    /// Without a quorum, the head with the available cosignatures.
    async fn round(&mut self, snapshot: &Arc<Snapshot>) -> Result<(), PublishedCheckpoint> {
        let mut asked = JoinSet::new();
        for request in self.requests(snapshot) {
            let name = request.witness.name.to_string();
            let old = self.statuses.get(&name).map_or(0, |status| status.size);
            asked.spawn(async move {
                let (old, answer) = request.ask(old).await;
                (name, old, answer)
            });
        }
        let (size, mut note) = (snapshot.head.size, snapshot.note.clone());
        let mut met = false;
        let mut deadline = Instant::now() + ROUND_TIMEOUT;
        loop {
            let next = tokio::select! {
                next = asked.join_next() => next,
                () = sleep_until(deadline) => None,
            };
            let Some(next) = next else {
                return if met {
                    Ok(())
                } else {
                    Err(PublishedCheckpoint { size, note })
                };
            };
            let Ok((name, old, answer)) = next else { continue };
            if !self.record_answer(&name, old, answer, size, &mut note) {
                continue;
            }
            let Some(published) = with_quorum(&self.policy, note.clone()) else {
                continue;
            };
            if !met {
                met = true;
                deadline = deadline.min(Instant::now() + LATE_COSIGNATURE_WAIT);
            }
            self.publish(published).await;
        }
    }

    /// Records the answer of one witness; returns whether `note` got a cosignature.
    fn record_answer(&mut self, name: &str, old: u64, answer: WitnessReply, size: u64, note: &mut String) -> bool {
        let (kind, known, reason) = match answer {
            WitnessReply::Cosigned(line) => {
                note.push_str(&format!("{line}\n"));
                let now = SystemClock.now() as f64;
                metrics::gauge!("ledger_witness_cosigned_timestamp_seconds", "witness" => name.to_owned()).set(now);
                ("cosigned", size, String::new())
            }
            WitnessReply::Retry(reason) => ("retry", old, reason),
            WitnessReply::Alarm(reason) => ("alarm", old, reason),
            WitnessReply::Contradicts(contradiction) => {
                let (seen, reason) = (contradiction.seen, contradiction.to_string());
                if self.is_decisive(&contradiction) {
                    self.publication.halt(reason.clone());
                }
                ("alarm", seen, reason)
            }
        };
        let status = self.statuses.entry(name.to_owned()).or_default();
        status.size = known;
        if std::mem::replace(&mut status.last, kind) != kind {
            match kind {
                "cosigned" => tracing::info!(witness = name, "a witness cosigns"),
                "retry" => tracing::warn!(
                    witness = name,
                    reason,
                    "a witness does not cosign; it will be asked again"
                ),
                _ => tracing::error!(witness = name, size, reason, "ALARM: a witness refuses this log"),
            }
        }
        metrics::gauge!("ledger_witness_tree_size", "witness" => name.to_owned()).set(known as f64);
        if kind == "alarm" {
            metrics::counter!("ledger_witness_alarms_total", "witness" => name.to_owned()).increment(1);
        }
        metrics::counter!("ledger_witness_answers_total", "witness" => name.to_owned(), "answer" => kind).increment(1);
        kind == "cosigned"
    }

    /// Whether the contradiction is proven, or reported by a quorum of witnesses.
    fn is_decisive(&mut self, contradiction: &Contradiction) -> bool {
        let status = self.statuses.entry(contradiction.witness.clone()).or_default();
        status.contradicts = true;
        let says_so = |name: &str| self.statuses.get(name).is_some_and(|status| status.contradicts);
        contradiction.proven
            || self
                .policy
                .quorum_satisfied(|witness| says_so(&witness.name.to_string()))
    }

    async fn publish(&self, published: PublishedCheckpoint) {
        if !self.publication.may_show(published.size) {
            return;
        }
        failpoints::reach(Point::Cosigned);
        let (rows, size, note) = (self.rows.clone(), published.size, published.note.clone());
        match tokio::task::spawn_blocking(move || rows.store_published(size, &note)).await {
            Ok(Ok(())) => {
                failpoints::reach(Point::PublishedKept);
                self.publication.show(published);
            }
            Ok(Err(error)) => tracing::error!(%error, "a cosigned checkpoint cannot be stored, so it is not published"),
            Err(_) => {}
        }
    }
}

#[cfg(test)]
#[path = "witnessing_tests.rs"]
mod tests;
