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

use super::anchor::ProvedAnchor;
use super::error::VerifyError;
use super::file::{LabelProof, Opening};
use super::receipt::read_receipt;
use super::rules::{belongs, fits, has_expired};

/// What an opening has proved. Only [`Opening::verify`] makes one. `Debug` shows nothing of the record.
#[derive(Clone)]
#[non_exhaustive]
pub struct Proved {
    /// Index of the entry in the log.
    pub index: Index,
    /// Its kind.
    pub kind: Kind,
    /// The writer's clock.
    pub time: Timestamp,
    /// At the end of this day the record expires.
    pub expiry: ExpiryDay,
    /// The part for both parties, citizen and supervision; none once the record has expired.
    pub shared: Option<SharedPart>,
    /// The citizen's part, if its key was there.
    pub citizen: Option<CitizenPart>,
    /// Whether the policy's quorum has cosigned every checkpoint that the proof rests on.
    pub quorum: bool,
    /// The checkpoint under which the entry was proved.
    pub checkpoint: Checkpoint,
    /// Who has cosigned it.
    pub cosignatures: Vec<WitnessCosignature>,
    /// Whose entry it is, if that was proved.
    pub person: Option<ProvedPerson>,
    /// The writer's name in the directory, if an anchor was there; else nobody checked the writer's right.
    pub anchored: Option<String>,
}

/// The entry's label is this person's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProvedPerson {
    /// The period.
    pub period: Period,
    /// The row of labels.
    pub series: Series,
    /// The running number in it.
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
    /// Verifies everything that the opening holds. `genesis`: the genesis hash if it is known from elsewhere; it is
    /// compared if the opening carries an anchor.
    ///
    /// A missing quorum is no error: see [`Proved::quorum`].
    ///
    /// # Errors
    /// [`VerifyError`], at the first thing that is wrong.
    pub fn verify(&self, policy: &Policy, genesis: Option<&Hash>) -> Result<Proved, VerifyError> {
        let anchor = self
            .anchor
            .as_ref()
            .map(|anchor| anchor.verify(policy, genesis))
            .transpose()?;
        self.verify_under(policy, anchor.as_ref())
    }

    /// The same under an anchor that was verified before, for many openings of one log.
    ///
    /// # Errors
    /// [`VerifyError`], at the first thing that is wrong.
    pub fn verify_under(&self, policy: &Policy, anchor: Option<&ProvedAnchor>) -> Result<Proved, VerifyError> {
        let receipt = read_receipt(&self.receipt, policy)?;
        let Record {
            expiry,
            shared,
            citizen,
        } = self.open(receipt.entry())?;
        let witnessed = receipt.cosignatures().iter().map(|line| line.timestamp).max();
        if shared.is_none() && witnessed.is_some_and(|time| !has_expired(expiry, Timestamp(time))) {
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
                    anchor.check_writer(begin.entry())?;
                }
                quorum &= begin.quorum();
                Some(check_label(proof, &begin, receipt.entry())?)
            }
            None => None,
        };
        let anchored = anchor.map(|anchor| anchor.check_writer(receipt.entry())).transpose()?;
        let entry = receipt.entry().entry();
        Ok(Proved {
            index: receipt.index(),
            kind: entry.body.kind(),
            time: entry.time,
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

    /// Commitment, parts, and that the content is of the entry's kind.
    fn open(&self, entry: &SignedEntry) -> Result<Record, VerifyError> {
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
        Ok(Record {
            expiry: record.header().expiry,
            shared,
            citizen,
        })
    }
}

/// What a record says of itself.
struct Record {
    expiry: ExpiryDay,
    shared: Option<SharedPart>,
    citizen: Option<CitizenPart>,
}

/// The label is what the period's VRF gives for this person; the kind is one of the series and phase.
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
    // SPEC design §5.1: a person has numbers below 4096; nobody has any number, and is nobody's to open.
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
