//! The checks of a checkpoint. They are stricter than a client's: a client ignores extension lines, an auditor reports
//! them. Signatures of keys that the policy does not know are ignored here as well (c2sp.org/signed-note, SN-5):
//! anybody can add one, and logs have signers that not every policy lists. They are noted, because they may be of
//! interest.

use serde::Serialize;
use tlog::Hash;
use tlog::note::SignatureLine;
use tlog::policy::PolicyVerdict;

use super::finding::Findings;
use super::genesis::Genesis;
use super::options::Options;

/// A witness that has cosigned the checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cosignature {
    /// Its name in the policy.
    pub witness: String,
    /// Time of the cosignature, POSIX seconds.
    pub time: u64,
}

/// The content of the checkpoint and who has cosigned it.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) origin: String,
    pub(crate) size: u64,
    pub(crate) root: Hash,
    pub(crate) cosignatures: Vec<Cosignature>,
    pub(crate) quorum: bool,
    /// The policy's keys of this log, as text.
    keys: Vec<String>,
}

/// Checks signatures, form and quorum. `None` if no log of the policy has signed the checkpoint; then there is no root
/// to check the tree against.
pub(crate) fn check(bytes: &[u8], options: &Options, findings: &mut Findings) -> Option<Head> {
    const PLACE: &str = "checkpoint";
    let verdict = verify(PLACE, bytes, options, findings)?;
    if !verdict.quorum() && !options.allow_unwitnessed {
        let count = verdict.cosignatures().len();
        findings.file(PLACE, format!("{count} cosignatures do not reach the policy's quorum"));
    }
    let checkpoint = verdict.checkpoint();
    let cosignatures = verdict.cosignatures().iter();
    Some(Head {
        origin: checkpoint.origin.to_string(),
        size: checkpoint.size.get(),
        root: checkpoint.root,
        cosignatures: cosignatures
            .map(|line| Cosignature {
                witness: line.witness.to_string(),
                time: line.timestamp,
            })
            .collect(),
        quorum: verdict.quorum(),
        keys: options
            .policy
            .log_keys(&checkpoint.origin)
            .iter()
            .map(ToString::to_string)
            .collect(),
    })
}

/// Checks signatures and form of a checkpoint. `None` if no log of the policy has signed it.
pub(crate) fn verify(place: &str, bytes: &[u8], options: &Options, findings: &mut Findings) -> Option<PolicyVerdict> {
    let verdict = match options.policy.verify_checkpoint(bytes) {
        Ok(verdict) => verdict,
        Err(error) => {
            findings.file(place, error.to_string());
            return None;
        }
    };
    if verdict.signed().to_string().as_bytes() != bytes {
        findings.file(place, "not in canonical form");
    }
    if !verdict.checkpoint().extensions.is_empty() {
        findings.file(place, "has extension lines, which are neither specified nor cosigned");
    }
    check_lines(place, &verdict, findings);
    Some(verdict)
}

fn check_lines(place: &str, verdict: &PolicyVerdict, findings: &mut Findings) {
    for line in verdict.unknown() {
        let what = format!(
            "a signature of {}, which the policy does not know, is ignored",
            line.name
        );
        findings.note(place, what);
    }
    let known = |line: &SignatureLine| !verdict.unknown().contains(line);
    let lines: Vec<_> = verdict
        .signed()
        .note()
        .signatures
        .iter()
        .filter(|line| known(line))
        .collect();
    for (number, line) in lines.iter().enumerate() {
        if lines[..number]
            .iter()
            .any(|other| other.name == line.name && other.id == line.id)
        {
            findings.file(place, format!("two signatures of one key of {}", line.name));
        }
    }
}

/// Compares the log with the genesis hash in `options` and with its own genesis document.
pub(crate) fn check_genesis(head: &Head, genesis: &Genesis, options: &Options, findings: &mut Findings) {
    const PLACE: &str = "tile/entries/000";
    if let Some(expected) = options.genesis
        && expected != genesis.hash
    {
        findings.entry(
            PLACE,
            0,
            format!("the genesis hash is {}, not {expected}", genesis.hash),
        );
    }
    if genesis.document.origin != head.origin {
        findings.entry(
            PLACE,
            0,
            format!("its genesis document belongs to the log {}", genesis.document.origin),
        );
    }
    if !head.keys.iter().any(|key| genesis.document.log_keys.contains(key)) {
        findings.entry(PLACE, 0, "its genesis document does not name the log key of the policy");
    }
}
