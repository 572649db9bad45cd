//! The witness client: has the log's heads cosigned and publishes them ([`super::publication`]).
//!
//! The policy's witnesses are asked to cosign
//!
//! * each new head, at most once per `interval`, beside the appending and never in its way;
//! * an unchanged head every `refresh`, so that everybody sees that the log is alive (WI-5).
//!
//! All witnesses are asked about the same head at once. As soon as the quorum is met the checkpoint is published; cosignatures that
//! come a little later are added to it.
//!
//! A witness that has cosigned another size says which, and is asked again from there. One that refuses (422, or 409 without a
//! size) is an **alarm**. One that has cosigned what this log does not have *stops* the log, if it shows the log's own signature on it,
//! or if so many say so that they are a quorum: a single lying witness must not be able to stop a log.
//!
//! Metrics, by witness: `ledger_witness_answers_total` (`cosigned`, `retry`, `alarm`), `ledger_witness_alarms_total`,
//! `ledger_witness_size`, `ledger_witness_cosigned_at_seconds`; and `ledger_witness_quorum` (1, or 0 while it is out). The log has
//! a line whenever a witness's status changes.

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
/// A start does not wait longer for a witness; one that answers later is heard in the first round.
const START_CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// How often witnesses are asked.
#[derive(Clone, Copy, Debug)]
pub struct WitnessIntervals {
    /// At least this long between two rounds.
    pub interval: Duration,
    /// At most this long without one.
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

/// What is known of one witness.
#[derive(Clone, Debug, Default)]
struct WitnessStatus {
    /// What it has cosigned last, as far as we know.
    size: u64,
    /// What came of asking it last.
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
    /// Since when rounds fail.
    out_since: Option<Instant>,
}

impl WitnessClient {
    /// A client for the publication's policy; `None` if it asks for no witness.
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

    /// Asks every witness, before anything is accepted, whether it has seen this log larger or otherwise than it is. Witnesses
    /// that do not answer are passed over.
    ///
    /// # Errors
    /// [`Contradiction`] with the remedy.
    pub async fn check_at_start(&mut self) -> Result<(), Contradiction> {
        let snapshot = self.snapshots.borrow().clone();
        let mut asked = JoinSet::new();
        for request in self.requests(&snapshot) {
            asked.spawn(tokio::time::timeout(START_CHECK_TIMEOUT, async move {
                match request.monitor().await {
                    Monitored::Contradicts(contradiction) => Some(contradiction),
                    Monitored::Consistent => None,
                    // It shows nothing: perhaps its monitoring prefix is another. SPEC WI-4: "old 0" is answered by its size.
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

    /// Works until the end.
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

    /// Whether the quorum is in or out, after a round that brought only `best`.
    fn track_quorum(&mut self, started: Instant, best: Option<&PublishedCheckpoint>) {
        let Some(best) = best else {
            self.out_since = None;
            return self.publication.quorum_is_in();
        };
        let since = *self.out_since.get_or_insert(started);
        if since.elapsed() >= self.publication.on_failure().after {
            self.publication.quorum_is_out(PublishedCheckpoint {
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

    /// Asks everybody about one head. If the quorum was not met, the head with the cosignatures there are.
    async fn round(&mut self, snapshot: &Arc<Snapshot>) -> Result<(), PublishedCheckpoint> {
        let mut asked = JoinSet::new();
        for request in self.requests(snapshot) {
            let old = self.statuses.get(&request.witness.name).map_or(0, |status| status.size);
            asked.spawn(async move {
                let (old, answer) = request.ask(old).await;
                (request.witness.name, old, answer)
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
            if !self.take(&name, old, answer, size, &mut note) {
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

    /// Whether the note got a cosignature.
    fn take(&mut self, name: &str, old: u64, answer: WitnessReply, size: u64, note: &mut String) -> bool {
        let (kind, known, reason) = match answer {
            WitnessReply::Cosigned(line) => {
                note.push_str(&format!("{line}\n"));
                let now = SystemClock.now() as f64;
                metrics::gauge!("ledger_witness_cosigned_at_seconds", "witness" => name.to_owned()).set(now);
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
                "retry" => tracing::warn!(witness = name, reason, "a witness does not cosign; it is asked again"),
                _ => tracing::error!(witness = name, size, reason, "ALARM: a witness refuses this log"),
            }
        }
        metrics::gauge!("ledger_witness_size", "witness" => name.to_owned()).set(known as f64);
        if kind == "alarm" {
            metrics::counter!("ledger_witness_alarms_total", "witness" => name.to_owned()).increment(1);
        }
        metrics::counter!("ledger_witness_answers_total", "witness" => name.to_owned(), "answer" => kind).increment(1);
        kind == "cosigned"
    }

    /// Proven, or said by so many witnesses that they are a quorum.
    fn is_decisive(&mut self, contradiction: &Contradiction) -> bool {
        let status = self.statuses.entry(contradiction.witness.clone()).or_default();
        status.contradicts = true;
        let says_so = |name: &str| self.statuses.get(name).is_some_and(|status| status.contradicts);
        contradiction.proven || self.policy.quorum_satisfied(|witness| says_so(&witness.name))
    }

    async fn publish(&self, published: PublishedCheckpoint) {
        if !self.publication.wants(published.size) {
            return;
        }
        failpoints::reach(Point::Cosigned);
        let (rows, size, note) = (self.rows.clone(), published.size, published.note.clone());
        match tokio::task::spawn_blocking(move || rows.keep_published(size, &note)).await {
            Ok(Ok(())) => {
                failpoints::reach(Point::PublishedKept);
                self.publication.show(published);
            }
            Ok(Err(error)) => tracing::error!(%error, "a cosigned checkpoint cannot be kept, so it is not published"),
            Err(_) => {}
        }
    }
}

#[cfg(test)]
#[path = "witnessing_tests.rs"]
mod tests;
