//! The witness client: collects cosignatures for the log's heads and publishes them ([`super::publication`]).
//!
//! It asks the policy's witnesses to cosign
//!
//! * each new head, at most once per `interval`, concurrently with appending and without delaying it;
//! * an unchanged head once per `refresh`, so that readers see that the log is alive (WI-5).
//!
//! Each round asks all witnesses about the same head concurrently, with one request per URL ([`super::witness_peer`]).
//! The checkpoint is published as soon as it has a quorum; cosignatures that arrive afterwards are added to it. A
//! witness that does not cosign is asked again after a growing pause of its own. If a round has no quorum because a
//! witness already knows a newer head, the next round asks the others about that head.
//!
//! **What stops the log.** Only a checkpoint that the log has signed and does not contain, which a witness shows twice
//! ([`super::witness_request`]). A witness that names a larger size without showing such a checkpoint only *claims* it.
//! Claims raise an alarm. They never stop a log whose quorum has cosigned a head since the start, because such a log is
//! not an old backup. Before that, the log refuses entries while a quorum of witnesses claims a larger size: it may be
//! an old backup, and new entries would fork it. A claim expires when its witness cosigns.
//!
//! Metrics, by witness: `ledger_witness_answers_total` (`cosigned`, `retry`, `claim`, `alarm`),
//! `ledger_witness_alarms_total`, `ledger_witness_tree_size`, `ledger_witness_cosigned_timestamp_seconds`; and
//! `ledger_witness_quorum` (1, or 0 while the quorum is lost). The client logs a line whenever the result of asking a
//! witness changes.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use service::{Clock, Shutdown, http};
use tlog::policy::Policy;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::publication::{Publication, PublishedCheckpoint, with_quorum};
use super::rows::Rows;
use super::snapshot::Snapshot;
use super::witness_heads::Heads;
use super::witness_peer::WitnessPeer;
use super::witness_request::{Answer, Contradiction, Monitored, WitnessReply, WitnessRequest};
use crate::failpoints::{self, Point};

const LATE_COSIGNATURE_WAIT: Duration = Duration::from_millis(250);
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

/// The witness client.
pub struct WitnessClient {
    publication: Arc<Publication>,
    policy: Arc<Policy>,
    rows: Rows,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    client: http::Client,
    pace: WitnessIntervals,
    /// By which an unchanged head is refreshed.
    clock: Arc<dyn Clock>,
    peers: Vec<WitnessPeer>,
    /// The requests under way, with the positions of their peers.
    asked: JoinSet<(usize, Answer)>,
    heads: Heads,
    /// A quorum has cosigned a head since the start.
    trusted: bool,
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
        clock: Arc<dyn Clock>,
    ) -> Option<Self> {
        let policy = Arc::new(publication.policy()?.clone());
        Some(Self {
            publication,
            peers: WitnessPeer::all_of(&policy),
            policy,
            rows,
            snapshots,
            client,
            pace,
            clock,
            asked: JoinSet::new(),
            heads: Heads::default(),
            trusted: false,
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
        for at in 0..self.peers.len() {
            let (request, snapshot) = (self.request(at), snapshot.clone());
            let check = async move {
                match request.monitor().await {
                    Monitored::Contradicts(contradiction) => Some(WitnessReply::Contradicts(contradiction)),
                    Monitored::Consistent => None,
                    // It may have another monitoring prefix. SPEC WI-4: a witness answers "old 0" with its last size.
                    Monitored::Unavailable => Some(request.ask(snapshot, 0).await.reply),
                }
            };
            asked.spawn(async move { (at, tokio::time::timeout(START_CHECK_TIMEOUT, check).await) });
        }
        while let Some(joined) = asked.join_next().await {
            match joined {
                Ok((_, Ok(Some(WitnessReply::Contradicts(contradiction))))) => return Err(contradiction),
                Ok((at, Ok(Some(WitnessReply::Claims(size))))) => self.peers[at].claim = Some(size),
                _ => {}
            }
        }
        self.weigh_claims();
        Ok(())
    }

    /// Runs until shutdown is requested.
    pub async fn run(mut self, shutdown: Shutdown) {
        let mut cosigned_by_one = None;
        loop {
            let (started, refresh) = (Instant::now(), self.clock.steady() + self.pace.refresh);
            let newest = self.snapshots.borrow_and_update().clone();
            let target = match cosigned_by_one.take() {
                Some(head) => head,
                None => {
                    self.heads.begin(&newest);
                    newest
                }
            };
            let met = tokio::select! {
                () = shutdown.wait() => return,
                met = self.round(&target) => met,
            };
            self.track_quorum(started, met, &target);
            if !met {
                cosigned_by_one = self.heads.newer_than(target.head.size);
            }
            let earliest = started + self.pace.interval;
            let again = if cosigned_by_one.is_some() {
                Some(earliest)
            } else {
                self.asked_again(met)
            };
            tokio::select! {
                () = shutdown.wait() => return,
                ended = self.wait(earliest, again, refresh) => if ended { return },
            }
        }
    }

    /// When a witness without a cosignature may be asked again, if the round had no quorum.
    fn asked_again(&self, met: bool) -> Option<Instant> {
        let idle = self.peers.iter().filter(|peer| !met && !peer.busy);
        idle.filter_map(|peer| peer.paused_until).min()
    }

    /// Waits between two rounds and takes late answers meanwhile: for a new head, until a witness may be asked `again`,
    /// or until the steady clock reaches `refresh`. Returns `true` if the log has ended.
    async fn wait(&mut self, earliest: Instant, again: Option<Instant>, refresh: Duration) -> bool {
        loop {
            let may_start = Instant::now() >= earliest;
            let refreshed = self.clock.sleep(refresh.saturating_sub(self.clock.steady()));
            tokio::select! {
                () = sleep_until(earliest), if !may_start => {}
                () = until(again), if may_start => return false,
                () = refreshed, if may_start => return false,
                changed = self.snapshots.changed(), if may_start => return changed.is_err(),
                answered = next_answer(&mut self.asked) => {
                    self.take(answered).await;
                }
            }
        }
    }

    /// Tracks whether the quorum is lost.
    fn track_quorum(&mut self, started: Instant, met: bool, target: &Snapshot) {
        if met {
            self.out_since = None;
            return self.publication.quorum_met();
        }
        let since = *self.out_since.get_or_insert(started);
        if since.elapsed() >= self.publication.on_failure().after {
            self.publication.quorum_lost(PublishedCheckpoint {
                size: target.head.size,
                note: self.heads.note(target),
            });
        }
    }

    fn request(&self, at: usize) -> WitnessRequest {
        WitnessRequest {
            url: self.peers[at].url.clone(),
            names: self.peers[at].names.clone(),
            policy: self.policy.clone(),
            snapshots: self.snapshots.clone(),
            client: self.client.clone(),
        }
    }

    /// Asks the witnesses about one head, except those that are paused, still busy with an earlier request, or have
    /// cosigned it already. Publishes the head when it has a quorum, and returns whether it or a newer one has.
    async fn round(&mut self, target: &Arc<Snapshot>) -> bool {
        let size = target.head.size;
        for at in 0..self.peers.len() {
            let peer = &self.peers[at];
            if peer.is_due() && !self.heads.has_line(size, &peer.names) {
                let (request, target, old) = (self.request(at), target.clone(), peer.size);
                self.asked.spawn(async move { (at, request.ask(target, old).await) });
                self.peers[at].busy = true;
            }
        }
        let mut late_until = None;
        while !self.asked.is_empty() {
            let answered = tokio::select! {
                answered = next_answer(&mut self.asked) => answered,
                () = until(late_until) => break,
            };
            if self.take(answered).await.is_some_and(|published| published >= size) && late_until.is_none() {
                late_until = Some(Instant::now() + LATE_COSIGNATURE_WAIT);
            }
        }
        late_until.is_some()
    }

    /// Takes an answer. Returns the size of the head that has a quorum with it.
    async fn take(&mut self, answered: Result<(usize, Answer), JoinError>) -> Option<u64> {
        let (at, Answer { snapshot, size, reply }) = match answered {
            Ok(answered) => answered,
            Err(error) => {
                tracing::error!(%error, "asking a witness has failed; all are asked again");
                self.asked = JoinSet::new();
                self.peers.iter_mut().for_each(|peer| peer.busy = false);
                return None;
            }
        };
        let peer = &mut self.peers[at];
        peer.busy = false;
        let cosigned = matches!(reply, WitnessReply::Cosigned(_));
        peer.note(if cosigned { snapshot.head.size } else { size }, &reply);
        let published = match reply {
            WitnessReply::Cosigned(lines) => with_quorum(&self.policy, self.heads.add(&snapshot, lines)),
            WitnessReply::Contradicts(contradiction) => {
                self.publication.halt(contradiction.to_string());
                None
            }
            _ => None,
        };
        if published.is_some() {
            self.trusted = true;
            self.publication.confirm();
        }
        self.weigh_claims();
        let published = published?;
        let size = published.size;
        self.publish(published).await;
        Some(size)
    }

    /// Refuses entries while this store may be an old backup: a quorum of witnesses claims a larger size, and no
    /// quorum has cosigned a head since the start.
    fn weigh_claims(&self) {
        let claim = |name: &String| {
            let peer = self.peers.iter().find(|peer| peer.names.contains(name));
            peer.and_then(|peer| peer.claim)
        };
        let claimed = !self.trusted
            && self
                .policy
                .quorum_satisfied(|witness| claim(&witness.name.to_string()).is_some());
        let largest = self.peers.iter().filter_map(|peer| peer.claim).max();
        self.publication.doubt(largest.filter(|_| claimed).map(|seen| {
            let size = self.snapshots.borrow().head.size;
            format!(
                "a quorum of witnesses claims to have cosigned up to {seen} entries of this log, but the store holds \
                 {size}, and no witness shows a signed checkpoint. If this store was restored from a backup, restore a \
                 newer one; otherwise ask the operators of the witnesses. Entries are accepted again as soon as a \
                 quorum cosigns"
            )
        }));
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

/// The next answer; waits without end if no request is under way.
async fn next_answer(asked: &mut JoinSet<(usize, Answer)>) -> Result<(usize, Answer), JoinError> {
    match asked.join_next().await {
        Some(answered) => answered,
        None => pending().await,
    }
}

/// Waits until a time; without end if there is none.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}

#[cfg(test)]
#[path = "witnessing_tests.rs"]
mod tests;
