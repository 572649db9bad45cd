//! What the witness client knows of the witness at one URL.
//!
//! A witness may have several keys, for example one of each algorithm. The policy then has a line for each of them,
//! with the same URL. The witness gets one request and answers with one line for each key.

use std::sync::Arc;
use std::time::Duration;

use service::{Backoff, Clock, SystemClock};
use tlog::policy::{Octets, Policy};
use tokio::time::Instant;

use super::witness_request::WitnessReply;

/// The pauses before a witness that does not cosign is asked again. The longest is one half of the time that connectors
/// rely on a head without a quorum.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The witness at one URL.
pub(super) struct WitnessPeer {
    /// The URL without a trailing slash.
    pub(super) url: Arc<str>,
    /// The policy's names of its keys.
    pub(super) names: Arc<[String]>,
    /// The size that it last cosigned, as far as is known.
    pub(super) size: u64,
    /// The size that it claims to have cosigned, larger than the log and without a proof. Expires when it cosigns.
    pub(super) claim: Option<u64>,
    /// A request is under way.
    pub(super) busy: bool,
    /// When it may be asked again; `None` if its last answer was a cosignature.
    pub(super) paused_until: Option<Instant>,
    backoff: Backoff,
    /// The last result by name: `cosigned`, `retry`, `claim` or `alarm`.
    last: Vec<&'static str>,
}

impl WitnessPeer {
    /// The witnesses of a policy, one for each URL, in the order of the policy.
    pub(super) fn all_of(policy: &Policy) -> Vec<Self> {
        let mut by_url: Vec<(&str, Vec<String>)> = Vec::new();
        for witness in policy.witnesses() {
            let url = witness.url.as_ref().and_then(Octets::to_str).unwrap_or_default();
            let (url, name) = (url.trim_end_matches('/'), witness.name.to_string());
            match by_url.iter_mut().find(|(known, _)| *known == url) {
                Some((_, names)) => names.push(name),
                None => by_url.push((url, vec![name])),
            }
        }
        by_url.into_iter().map(|(url, names)| Self::new(url, names)).collect()
    }

    fn new(url: &str, names: Vec<String>) -> Self {
        Self {
            url: url.into(),
            last: vec![""; names.len()],
            names: names.into(),
            size: 0,
            claim: None,
            busy: false,
            paused_until: None,
            backoff: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE),
        }
    }

    /// Whether it may be asked now.
    pub(super) fn is_due(&self) -> bool {
        !self.busy && self.paused_until.is_none_or(|until| until <= Instant::now())
    }

    /// Notes a reply: when it may be asked again, the metrics, and a line in the log if the result has changed.
    pub(super) fn note(&mut self, size: u64, reply: &WitnessReply) {
        self.size = size;
        let retry_after = match reply {
            WitnessReply::Retry { after, .. } => *after,
            _ => None,
        };
        match reply {
            WitnessReply::Cosigned(_) => {
                self.backoff.succeeded();
                (self.paused_until, self.claim) = (None, None);
            }
            _ => self.paused_until = Some(Instant::now() + self.backoff.failed_with(retry_after)),
        }
        if let WitnessReply::Claims(claimed) = reply {
            self.claim = Some(*claimed);
        }
        for at in 0..self.names.len() {
            let (kind, reason) = describe(&self.names[at], reply);
            self.report(at, kind, &reason);
        }
    }

    fn report(&mut self, at: usize, kind: &'static str, reason: &str) {
        let name = &self.names[at];
        metrics::gauge!("ledger_witness_tree_size", "witness" => name.clone()).set(self.size as f64);
        metrics::counter!("ledger_witness_answers_total", "witness" => name.clone(), "answer" => kind).increment(1);
        match kind {
            "cosigned" => metrics::gauge!("ledger_witness_cosigned_timestamp_seconds", "witness" => name.clone())
                .set(SystemClock.now() as f64),
            "alarm" | "claim" => {
                metrics::counter!("ledger_witness_alarms_total", "witness" => name.clone()).increment(1);
            }
            _ => {}
        }
        if std::mem::replace(&mut self.last[at], kind) == kind {
            return;
        }
        let witness = name;
        match kind {
            "cosigned" => tracing::info!(witness, "a witness cosigns"),
            "retry" => tracing::warn!(witness, reason, "a witness does not cosign; it will be asked again"),
            "claim" => tracing::error!(
                witness,
                reason,
                "ALARM: a witness names a size that this log does not have, without a proof; this log continues"
            ),
            _ => tracing::error!(witness, reason, "ALARM: a witness refuses this log"),
        }
    }
}

/// The result for one of the names, and the reason if there is no cosignature.
fn describe(name: &str, reply: &WitnessReply) -> (&'static str, String) {
    match reply {
        WitnessReply::Cosigned(lines) if lines.iter().any(|(cosigner, _)| cosigner == name) => {
            ("cosigned", String::new())
        }
        WitnessReply::Cosigned(_) => ("retry", "its answer lacks the cosignature of this key".into()),
        WitnessReply::Retry { reason, .. } => ("retry", reason.clone()),
        WitnessReply::Alarm(reason) => ("alarm", reason.clone()),
        WitnessReply::Claims(size) => ("claim", format!("it names {size} entries")),
        WitnessReply::Contradicts(contradiction) => ("alarm", contradiction.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Notes a reply and checks that the pause afterwards is between one half of `whole` and all of it.
    fn pauses(peer: &mut WitnessPeer, reply: &WitnessReply, whole: u64) {
        let (before, whole) = (Instant::now(), Duration::from_secs(whole));
        peer.note(0, reply);
        let (until, after) = (peer.paused_until.unwrap(), Instant::now());
        assert!(
            until >= before + whole / 2 && until <= after + whole,
            "{:?}",
            until - before
        );
    }

    #[test]
    fn a_witness_that_does_not_cosign_is_asked_after_growing_pauses() {
        let mut peer = WitnessPeer::new("http://witness.example", vec!["w".into()]);
        let refuses = |after| WitnessReply::Retry {
            reason: "status 403".into(),
            after,
        };
        assert!(peer.is_due());
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            pauses(&mut peer, &refuses(None), seconds);
            assert!(!peer.is_due());
        }
        // The witness asks for a longer pause.
        let before = Instant::now();
        peer.note(0, &refuses(Some(40)));
        assert!(peer.paused_until.unwrap() >= before + Duration::from_secs(40));
        // A cosignature resets the pauses.
        peer.note(4, &WitnessReply::Cosigned(Vec::new()));
        assert!(peer.is_due());
        pauses(&mut peer, &refuses(None), 1);
    }
}
