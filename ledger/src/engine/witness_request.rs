//! Asks one witness to cosign a head (c2sp.org/tlog-witness).

use std::sync::Arc;

use service::http;
use tlog::Hash;
use tlog::checkpoint::SignedCheckpoint;
use tlog::cosignature;
use tlog::merkle::Size;
use tlog::note::{Note, SignatureLine};
use tlog::policy::{Octets, Policy, Witness};
use tlog::witness::{AddCheckpoint, WitnessAnswer, monitoring_path};

use super::snapshot::Snapshot;
use crate::failpoints::{self, Point};

/// The result of asking one witness.
#[derive(Debug)]
pub(super) enum WitnessReply {
    /// Its cosignature, verified.
    Cosigned(SignatureLine),
    /// No cosignature now: the witness is unreachable or busy, or does not know this log yet.
    Retry(String),
    /// It reports another tree, or its answer is invalid.
    Alarm(String),
    /// It has cosigned a checkpoint that this log does not have.
    Contradicts(Contradiction),
}

/// A witness has cosigned a checkpoint that this log does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the witness {witness} has cosigned {seen} entries of this log{}, but the store holds {size}{}: this is an old or mixed backup, and new entries would fork the log. Restore a backup of at least {seen} entries",
    if *.proven { ", signed by the log's own key" } else { "" },
    if *.seen <= *.size { " with another tree" } else { "" }
)]
pub struct Contradiction {
    /// The policy's name of the witness.
    pub witness: String,
    /// The size that the witness has cosigned.
    pub seen: u64,
    /// The log's size.
    pub size: u64,
    /// Whether the witness shows the log's own signature on that checkpoint. Otherwise it only claims to have cosigned
    /// it.
    pub proven: bool,
}

/// What the checkpoint at a witness's monitoring path says about this log.
#[derive(Debug)]
pub(super) enum Monitored {
    /// The witness shows no checkpoint of this log, or the checkpoint cannot be read.
    Unavailable,
    /// This log contains the checkpoint.
    Consistent,
    /// This log does not contain the checkpoint.
    Contradicts(Contradiction),
}

/// One witness and the head that it is asked to cosign.
pub(super) struct WitnessRequest {
    pub(super) witness: Witness,
    pub(super) policy: Arc<Policy>,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) client: http::Client,
}

impl WitnessRequest {
    /// Asks the witness, and asks once more if it last cosigned another size. Returns the witness's last size and its
    /// answer.
    pub(super) async fn ask(&self, mut old: u64) -> (u64, WitnessReply) {
        let mut resynced = false;
        let asked = loop {
            match self.submit(old).await {
                Err(error) => break WitnessReply::Retry(error),
                Ok(WitnessAnswer::Cosigned(lines)) => break self.verified(lines),
                Ok(WitnessAnswer::Resync(size)) if size.get() > self.snapshot.head.size => {
                    break WitnessReply::Contradicts(self.prove(size.get()).await);
                }
                Ok(WitnessAnswer::Resync(size)) if !resynced => {
                    resynced = true;
                    old = size.get();
                }
                Ok(WitnessAnswer::Resync(_) | WitnessAnswer::Retry) => break WitnessReply::Retry("it is busy".into()),
                Ok(WitnessAnswer::Refused(status)) => {
                    break WitnessReply::Retry(format!("status {status}: does it know this log?"));
                }
                Ok(WitnessAnswer::Alarm(status)) => {
                    break WitnessReply::Alarm(format!("status {status}: it has seen another tree"));
                }
            }
        };
        (old, asked)
    }

    /// Compares the checkpoint at the witness's monitoring path with this log.
    pub(super) async fn monitor(&self) -> Monitored {
        let Some((seen, root)) = self.monitored_checkpoint().await else {
            return Monitored::Unavailable;
        };
        if seen <= self.snapshot.head.size {
            match self.snapshot.root(seen) {
                Ok(own) if own == root => return Monitored::Consistent,
                Ok(_) => {}
                Err(_) => return Monitored::Unavailable,
            }
        }
        Monitored::Contradicts(self.contradiction(seen, true))
    }

    /// Size and root of the checkpoint at the witness's monitoring path, if one of this log's keys signed it.
    async fn monitored_checkpoint(&self) -> Option<(u64, Hash)> {
        let note = self
            .client
            .get_bytes(&self.url(&monitoring_path(&self.origin()?)))
            .await
            .ok()?;
        let keys = self.policy.log_keys(&self.origin()?);
        let signed = SignedCheckpoint::open(&note, &self.origin()?, &keys).ok()?;
        let checkpoint = signed.checkpoint();
        Some((checkpoint.size.get(), checkpoint.root))
    }

    /// Looks for the log's own signature on a checkpoint of the size that the witness claims. A size alone proves
    /// nothing.
    async fn prove(&self, seen: u64) -> Contradiction {
        match self.monitor().await {
            Monitored::Contradicts(proven) => proven,
            Monitored::Consistent | Monitored::Unavailable => self.contradiction(seen, false),
        }
    }

    fn contradiction(&self, seen: u64, proven: bool) -> Contradiction {
        Contradiction {
            witness: self.witness.name.to_string(),
            seen,
            size: self.snapshot.head.size,
            proven,
        }
    }

    fn origin(&self) -> Option<tlog::checkpoint::Origin> {
        self.snapshot.note.lines().next()?.parse().ok()
    }

    fn url(&self, path: &str) -> String {
        let base = self.witness.url.as_ref().and_then(Octets::to_str).unwrap_or_default();
        format!("{}/{path}", base.trim_end_matches('/'))
    }

    async fn submit(&self, old: u64) -> Result<WitnessAnswer, String> {
        let proof = self
            .snapshot
            .consistency(old, self.snapshot.head.size)
            .map_err(|e| e.to_string())?;
        let old = Size::new(old).map_err(|error| error.to_string())?;
        // The note has only the log's own signatures; cosignatures would make the request too large (tlog-specs §6.1).
        let request = AddCheckpoint {
            old,
            proof,
            checkpoint: self.snapshot.note.clone(),
        };
        let body = request.to_string().into_bytes();
        let url = self.url("add-checkpoint");
        failpoints::reach(Point::Asked);
        let answer = self.client.post(&url, "text/plain; charset=utf-8", body).await;
        let answer = answer.map_err(|error| error.to_string())?;
        Ok(WitnessAnswer::parse(answer.status, &answer.body))
    }

    /// The cosignature of this witness, if it verifies. Lines of other keys are ignored (WI-3).
    fn verified(&self, lines: Vec<SignatureLine>) -> WitnessReply {
        let own = lines.into_iter().find(|line| self.witness.key.matches(line));
        let text = Note::parse(self.snapshot.note.as_bytes()).map(|note| note.text);
        match (own, text) {
            (Some(own), Ok(text)) if cosignature::verify(&text, &own, &self.witness.key).is_ok() => {
                WitnessReply::Cosigned(own)
            }
            _ => WitnessReply::Alarm("its answer has no valid cosignature by the key in the policy".into()),
        }
    }
}
