//! The checks behind an opening, one function each.

use record::{
    Body, CitizenPart, Counter, ExpiryDay, Kind, Label, Period, PeriodEvent, SealedRecord, Series, SharedPart,
    SignedEntry, Timestamp, VerifiedReceipt, label,
};
use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::merkle::Index;
use tlog::policy::{Policy, WitnessCosignature};
use tlog::vrf;

use super::error::VerifyError;
use super::file::{LabelProof, Opening};
use super::receipt::read_receipt;
use super::rights::ProvedAnchor;
use super::rules::{belongs, fits, has_expired};

/// The result of verifying an opening. Only [`Opening::verify`] makes one. `Debug` shows nothing of the record.
#[derive(Clone)]
#[non_exhaustive]
pub struct Proved {
    /// Index of the entry in the log.
    pub index: Index,
    /// Leaf hash of the entry.
    pub leaf: Hash,
    /// Kind of the entry.
    pub kind: Kind,
    /// The time by the writer's clock.
    pub time: Timestamp,
    /// The entry that this entry closes or is about.
    pub refers: Option<Index>,
    /// The day at whose end the record expires.
    pub expiry: ExpiryDay,
    /// The part for both parties, citizen and supervision; `None` after the record has expired.
    pub shared: Option<SharedPart>,
    /// The citizen's part, if the opening has its key.
    pub citizen: Option<CitizenPart>,
    /// Whether the policy's quorum has cosigned every checkpoint on which the proof relies.
    pub quorum: bool,
    /// The checkpoint under which the entry was proved.
    pub checkpoint: Checkpoint,
    /// The verified cosignatures of the checkpoint.
    pub cosignatures: Vec<WitnessCosignature>,
    /// The person's number, if the opening proves that the entry is about the person.
    pub person: Option<ProvedPerson>,
    /// The writer's name in the directory, or `None` without an anchor: then the writer's right was not checked.
    pub anchored: Option<String>,
}

/// The number to which the entry's label belongs, for the person of the label proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProvedPerson {
    /// The period.
    pub period: Period,
    /// The series of the label.
    pub series: Series,
    /// The number within the series.
    pub number: u32,
}

impl std::fmt::Debug for Proved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proved")
            .field("index", &self.index)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl Opening {
    /// Verifies everything that the opening contains. `genesis` is the genesis hash, if the caller knows it from
    /// elsewhere; it is compared only if the opening has an anchor.
    ///
    /// A missing quorum is not an error: see [`Proved::quorum`].
    ///
    /// # Errors
    /// [`VerifyError`] for the first check that fails.
    pub fn verify(&self, policy: &Policy, genesis: Option<&Hash>) -> Result<Proved, VerifyError> {
        let anchor = self
            .anchor
            .as_ref()
            .map(|anchor| anchor.verify(policy, genesis))
            .transpose()?;
        self.verify_under(policy, anchor.as_ref())
    }

    /// Verifies the opening under an anchor that was verified before, for many openings of one log.
    ///
    /// # Errors
    /// [`VerifyError`] for the first check that fails.
    pub fn verify_under(&self, policy: &Policy, anchor: Option<&ProvedAnchor>) -> Result<Proved, VerifyError> {
        let receipt = read_receipt(&self.receipt, policy)?;
        if anchor.is_some_and(|anchor| *anchor.origin() != receipt.checkpoint().origin) {
            return Err(VerifyError::OtherLog);
        }
        let OpenedRecord {
            expiry,
            shared,
            citizen,
        } = self.open(receipt.entry())?;
        if shared.is_none() && !has_expired(expiry, receipt.quorum_time()) {
            return Err(VerifyError::Withheld(expiry));
        }
        let mut quorum = receipt.quorum() && anchor.is_none_or(ProvedAnchor::quorum);
        let person = match &self.label_proof {
            Some(proof) => {
                let begin = read_receipt(&proof.period_begin_receipt, policy)?;
                if begin.checkpoint().origin != receipt.checkpoint().origin {
                    return Err(VerifyError::Period);
                }
                if let Some(anchor) = anchor {
                    anchor.check_writer(begin.entry(), begin.index())?;
                }
                quorum &= begin.quorum();
                Some(check_label(proof, &begin, receipt.entry())?)
            }
            None => None,
        };
        let anchored = anchor
            .map(|anchor| anchor.check_writer(receipt.entry(), receipt.index()))
            .transpose()?;
        let entry = receipt.entry().entry();
        Ok(Proved {
            index: receipt.index(),
            leaf: receipt.entry().leaf_hash(),
            kind: entry.body.kind(),
            time: entry.time,
            refers: entry.body.refers(),
            expiry,
            shared,
            citizen,
            quorum,
            anchored: anchored.map(str::to_owned),
            person,
            checkpoint: receipt.checkpoint().clone(),
            cosignatures: receipt.cosignatures().to_vec(),
        })
    }

    /// Checks the commitment, opens the parts, and checks that the content fits the entry's kind.
    fn open(&self, entry: &SignedEntry) -> Result<OpenedRecord, VerifyError> {
        let Body::Labelled {
            kind,
            label,
            commitment,
            ..
        } = &entry.entry().body
        else {
            return Err(VerifyError::NoRecord);
        };
        if Hash::of(&self.sealed_record) != commitment.0 {
            return Err(VerifyError::Commitment);
        }
        let record = SealedRecord::parse(self.sealed_record.as_slice()).map_err(VerifyError::Sealed)?;
        let label: Option<&Label> = Some(label);
        let shared = self.shared_key.as_ref().map(|key| record.open_shared(key, label));
        let shared = shared.transpose().map_err(VerifyError::Sealed)?;
        let citizen = self.citizen_key.as_ref().map(|key| record.open_citizen(key, label));
        let citizen = citizen.transpose().map_err(VerifyError::Sealed)?;
        if shared.as_ref().is_some_and(|shared| !fits(*kind, shared)) {
            return Err(VerifyError::Content);
        }
        Ok(OpenedRecord {
            expiry: record.header().expiry,
            shared,
            citizen,
        })
    }
}

/// The expiry day and the opened parts of a record.
struct OpenedRecord {
    expiry: ExpiryDay,
    shared: Option<SharedPart>,
    citizen: Option<CitizenPart>,
}

/// Checks that the label is the period's VRF output for this person, and that the kind fits the series and phase.
fn check_label(proof: &LabelProof, begin: &VerifiedReceipt, entry: &SignedEntry) -> Result<ProvedPerson, VerifyError> {
    let vrf_key = match &begin.entry().entry().body {
        Body::Period {
            period,
            event: PeriodEvent::Begin { vrf_key, .. },
        } if *period == proof.period => *vrf_key,
        _ => return Err(VerifyError::Period),
    };
    let Body::Labelled {
        kind,
        period,
        label: recorded,
        ..
    } = &entry.entry().body
    else {
        return Err(VerifyError::NoRecord);
    };
    if *period != proof.period || !belongs(*kind, proof.series, proof.phase) {
        return Err(VerifyError::Label);
    }
    // SPEC design §5.1: a person's numbers are below 4096. Design §5.5: the reserved number of "nobody" has random
    // numbers and belongs to no person, so a label proof for it proves nothing.
    if proof.idnr.is_nobody() || Counter::new(proof.number).is_err() {
        return Err(VerifyError::Label);
    }
    let alpha = label::alpha(&proof.idnr, proof.period, proof.series, proof.number);
    let key = vrf::PublicKey::from_bytes(vrf_key).map_err(|_| VerifyError::Period)?;
    let output = key
        .verify(&alpha, &vrf::Proof(proof.vrf_proof))
        .map_err(|_| VerifyError::Label)?;
    if label::label(&output, proof.phase) != *recorded {
        return Err(VerifyError::Label);
    }
    Ok(ProvedPerson {
        period: proof.period,
        series: proof.series,
        number: proof.number,
    })
}
