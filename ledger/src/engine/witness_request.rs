//! Asks one witness to cosign a head (c2sp.org/tlog-witness), and judges what it says about this log.
//!
//! While a request is under way, the log grows, and its newer heads are public. Another reader may have them cosigned
//! before this log asks. An answer is therefore compared with the snapshot that is current *after* the answer has
//! arrived. A head that became public before then is never newer than that snapshot.
//!
//! | the witness's size | meaning |
//! | --- | --- |
//! | at most the current head's | no fault; it is asked again from there, about the current head if it is newer |
//! | larger, and it has a checkpoint signed by this log that the log does not contain | **contradiction** |
//! | larger, without such a checkpoint | **claim**: anybody can name a number |
//!
//! A contradiction is fetched twice before it is reported.

use std::sync::Arc;
use std::time::Duration;

use service::http::{self, RawResponse};
use tlog::Hash;
use tlog::checkpoint::{Origin, SignedCheckpoint};
use tlog::cosignature;
use tlog::merkle::Size;
use tlog::note::{Note, SignatureLine};
use tlog::policy::Policy;
use tlog::witness::{AddCheckpoint, WitnessAnswer, monitoring_path};
use tokio::sync::watch;

use super::snapshot::Snapshot;
use crate::failpoints::{self, Point};

/// How long a witness may take to answer, with all requests that belong to one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a witness may name another size before it is asked no more in this round.
const MAX_RESYNCS: usize = 3;
/// The pause between the two fetches of a contradiction.
const CONFIRM_DELAY: Duration = Duration::from_millis(100);

/// The result of asking one witness.
#[derive(Debug)]
pub(super) enum WitnessReply {
    /// Verified cosignatures of the head with the names of their witnesses, at least one.
    Cosigned(Vec<(String, SignatureLine)>),
    /// No cosignature now: the witness is unreachable or busy, or does not know this log yet.
    Retry {
        /// The reason, for the operator.
        reason: String,
        /// The pause that the witness asks for, in seconds.
        after: Option<u32>,
    },
    /// It reports another tree without a proof, or its answer is invalid.
    Alarm(String),
    /// It claims to have cosigned so many entries, more than the log has, and shows no proof.
    Claims(u64),
    /// It has cosigned a checkpoint that the log has signed and does not contain.
    Contradicts(Contradiction),
}

impl WitnessReply {
    fn retry(reason: impl Into<String>) -> Self {
        Self::Retry {
            reason: reason.into(),
            after: None,
        }
    }
}

/// A reply, with the head that was asked about last and the size that the witness has cosigned, as far as is known.
pub(super) struct Answer {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) size: u64,
    pub(super) reply: WitnessReply,
}

/// A witness shows a checkpoint with the log's own signature that this log does not contain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the witness {witness} shows a checkpoint of {seen} entries{}, signed by the log's own key, but the store holds {size} entries: this is an old or mixed backup, and new entries would fork the log. Restore a backup of at least {seen} entries",
    if *.seen <= *.size { " with another tree" } else { "" }
)]
pub struct Contradiction {
    /// The policy's name of the witness.
    pub witness: String,
    /// The size of the checkpoint.
    pub seen: u64,
    /// The log's size.
    pub size: u64,
}

/// What the checkpoint at a witness's monitoring path says about this log.
#[derive(Debug)]
pub(super) enum Monitored {
    /// The witness shows no checkpoint that this log has signed, or the checkpoint cannot be read.
    Unavailable,
    /// This log contains the checkpoint.
    Consistent,
    /// This log does not contain the checkpoint.
    Contradicts(Contradiction),
}

/// The witness at one URL, and what its answers are compared with.
#[derive(Clone)]
pub(super) struct WitnessRequest {
    pub(super) url: Arc<str>,
    /// The policy's names of the witness's keys.
    pub(super) names: Arc<[String]>,
    pub(super) policy: Arc<Policy>,
    pub(super) snapshots: watch::Receiver<Arc<Snapshot>>,
    pub(super) client: http::Client,
}

impl WitnessRequest {
    /// Asks the witness to cosign the head of `snapshot`, or the current head if the witness has a newer one than
    /// `snapshot`. `old` is the size that it last cosigned, as far as is known.
    pub(super) async fn ask(&self, snapshot: Arc<Snapshot>, old: u64) -> Answer {
        let mut answer = Answer {
            snapshot,
            size: old,
            reply: WitnessReply::retry(format!("no answer within {ANSWER_TIMEOUT:?}")),
        };
        // On a timeout, the answer keeps what was learned before.
        let _ = tokio::time::timeout(ANSWER_TIMEOUT, self.negotiate(&mut answer)).await;
        answer
    }

    async fn negotiate(&self, answer: &mut Answer) {
        let mut resyncs = 0;
        answer.reply = loop {
            let response = match self.submit(&answer.snapshot, answer.size).await {
                Ok(response) => response,
                Err(reason) => break WitnessReply::retry(reason),
            };
            match WitnessAnswer::parse(response.status, &response.body) {
                WitnessAnswer::Cosigned(lines) => break self.verified(&answer.snapshot, lines),
                WitnessAnswer::Resync(size) => {
                    let (size, current) = (size.get(), self.current());
                    if size > current.head.size {
                        break self.judge(WitnessReply::Claims(size)).await;
                    }
                    answer.size = size;
                    if size > answer.snapshot.head.size {
                        answer.snapshot = current;
                    }
                    resyncs += 1;
                    if resyncs > MAX_RESYNCS {
                        break WitnessReply::retry("it names another size each time");
                    }
                }
                WitnessAnswer::Retry => {
                    break WitnessReply::Retry {
                        reason: format!("status {}: it is busy", response.status),
                        after: response.retry_after,
                    };
                }
                WitnessAnswer::Refused(status) => {
                    break WitnessReply::retry(format!("status {status}: does it know this log?"));
                }
                WitnessAnswer::Alarm(status) => {
                    let reason = format!("status {status}: it reports another tree, without a proof");
                    break self.judge(WitnessReply::Alarm(reason)).await;
                }
            }
        };
    }

    /// Compares the checkpoint at the witness's monitoring path with this log.
    pub(super) async fn monitor(&self) -> Monitored {
        match self.monitor_once().await {
            Monitored::Contradicts(_) => {
                tokio::time::sleep(CONFIRM_DELAY).await;
                self.monitor_once().await
            }
            other => other,
        }
    }

    async fn monitor_once(&self) -> Monitored {
        let Some((seen, root)) = self.monitored_checkpoint().await else {
            return Monitored::Unavailable;
        };
        let current = self.current();
        if seen <= current.head.size {
            match current.root(seen) {
                Ok(own) if own == root => return Monitored::Consistent,
                Ok(_) => {}
                // A tile that cannot be read says nothing about the witness.
                Err(_) => return Monitored::Unavailable,
            }
        }
        Monitored::Contradicts(Contradiction {
            witness: self.names.join(", "),
            seen,
            size: current.head.size,
        })
    }

    /// Size and root of the checkpoint at the witness's monitoring path, if one of this log's keys signed it.
    async fn monitored_checkpoint(&self) -> Option<(u64, Hash)> {
        let origin = self.origin()?;
        let note = self
            .client
            .get_bytes(&self.path(&monitoring_path(&origin)))
            .await
            .ok()?;
        let signed = SignedCheckpoint::open(&note, &origin, &self.policy.log_keys(&origin)).ok()?;
        let checkpoint = signed.checkpoint();
        Some((checkpoint.size.get(), checkpoint.root))
    }

    /// Looks for a proof of what the witness reports.
    async fn judge(&self, unproven: WitnessReply) -> WitnessReply {
        match self.monitor().await {
            Monitored::Contradicts(contradiction) => WitnessReply::Contradicts(contradiction),
            Monitored::Consistent | Monitored::Unavailable => unproven,
        }
    }

    fn current(&self) -> Arc<Snapshot> {
        self.snapshots.borrow().clone()
    }

    fn origin(&self) -> Option<Origin> {
        self.current().note.lines().next()?.parse().ok()
    }

    fn path(&self, path: &str) -> String {
        format!("{}/{path}", self.url)
    }

    async fn submit(&self, snapshot: &Snapshot, old: u64) -> Result<RawResponse, String> {
        // A witness may know a newer head than the one that it is asked about. It then names its size.
        let old = old.min(snapshot.head.size);
        let proof = snapshot
            .consistency(old, snapshot.head.size)
            .map_err(|e| e.to_string())?;
        let old = Size::new(old).map_err(|error| error.to_string())?;
        // The note has only the log's own signatures; cosignatures would make the request too large (tlog-specs §6.1).
        let request = AddCheckpoint {
            old,
            proof,
            checkpoint: snapshot.note.clone(),
        };
        let body = request.to_string().into_bytes();
        let url = self.path("add-checkpoint");
        failpoints::reach(Point::Asked);
        let response = self.client.post(&url, "text/plain; charset=utf-8", body).await;
        response.map_err(|error| error.to_string())
    }

    /// The cosignatures by keys of the policy, all of which must verify. Lines of other keys are ignored (WI-3).
    fn verified(&self, snapshot: &Snapshot, lines: Vec<SignatureLine>) -> WitnessReply {
        let Ok(Note { text, .. }) = Note::parse(snapshot.note.as_bytes()) else {
            return WitnessReply::retry("this log's checkpoint cannot be read");
        };
        let mut cosigned: Vec<(String, SignatureLine)> = Vec::new();
        for line in lines {
            let Some(witness) = self.policy.witnesses().iter().find(|known| known.key.matches(&line)) else {
                continue;
            };
            if cosignature::verify(&text, &line, &witness.key).is_err() {
                return WitnessReply::Alarm(format!("its cosignature by {} is not valid", witness.name));
            }
            cosigned.push((witness.name.to_string(), line));
        }
        if cosigned.iter().any(|(name, _)| self.names.contains(name)) {
            WitnessReply::Cosigned(cosigned)
        } else {
            WitnessReply::Alarm("its answer has no cosignature by its key in the policy".into())
        }
    }
}
