//! A representative acts for the person: P11, and the other checks for the representative's own intent.
//!
//! The exchange is recorded twice, under a label of the represented person and under one of the representative, so that
//! both find it in their cockpit and neither can be left out: the connector serves only if it holds the receipts,
//! identity's parts and the records of both, and the chains of both persons' labels are in the log. Both records say
//! the same, apart from the role and the S1 of the person.

use ledger_client::recorded::{Intent, Recorded};
use messages::{CheckName, Forward, PowerProof, ProviderContent};
use record::{ExchangeRecord, Idnr, Subject, Timestamp};
use tlog::checkpoint::Checkpoint;

use super::content::MatchingRecord;
use super::failed::CheckFailed;
use super::labels;
use super::origin::{self, ProvedIntent};
use crate::context::CheckContext;
use crate::keys::SealingKeys;
use crate::record_check;

/// The representative's part of a forward that belongs to its intent: P1 (apart from the age) and P3.
pub(super) struct AuthenticRepresentative {
    proved: ProvedIntent,
    content: ProviderContent,
}

impl AuthenticRepresentative {
    /// Checks P1 and P3 for the representative. `None` if none acts; P2 has verified that both signatures agree about
    /// that.
    pub(super) fn of(
        context: &CheckContext,
        sealing: &SealingKeys,
        forward: &Forward,
    ) -> Result<Option<Self>, CheckFailed> {
        let Some(sent) = &forward.representative else {
            return Ok(None);
        };
        let proved = origin::p1_receipt(context, &sent.intent_receipt)?;
        let content = origin::p3_identity(context, sealing, (&sent.s1, &sent.for_provider), &proved)?;
        Ok(Some(Self { proved, content }))
    }
}

/// A representative whose intent, record and power passed all checks. Only [`p11_representative`] makes one.
pub(super) struct CheckedRepresentative {
    pub(super) intent: Recorded<Intent>,
    /// The representative that identity found, or nobody.
    pub(super) idnr: Idnr,
    pub(super) chain_checkpoint: Checkpoint,
}

/// P11: a representative acts if and only if the request proves a power, which is the one that the record names, is
/// valid now and suits the represented person. The representative's own intent passes P1 and P4 to P6; a failure there
/// has that check's name.
pub(super) fn p11_representative(
    context: &CheckContext,
    forward: &Forward,
    representative: Option<AuthenticRepresentative>,
    (matching, subject): (&MatchingRecord, &ProviderContent),
    now: Timestamp,
) -> Result<Option<CheckedRepresentative>, CheckFailed> {
    p11_power(matching, now)?;
    let (Some(representative), Some(sent)) = (representative, &forward.representative) else {
        return Ok(None);
    };
    let AuthenticRepresentative {
        proved: ProvedIntent { intent, label, period },
        content,
    } = representative;
    let failed = CheckFailed::of(CheckName::P11);
    if content.idnr == subject.idnr && !content.idnr.is_nobody() {
        return Err(failed("the representative is the represented person"));
    }
    if content.series != subject.series {
        return Err(failed("the representative's label is of another series"));
    }
    origin::p1_age(&intent, now)?;
    let proof = labels::p4_numbers(context, &content, &intent, label, period)?;
    labels::p5_chain(context, &content, &proof)?;
    let record = record_check::open(&sent.sealed_record, intent.entry(), &label, &content.shared_key);
    let record = record.map_err(CheckFailed::of(CheckName::P6))?;
    let signed = (sent.s1.signature.0, sent.s1.digest());
    record_check::check_representatives(&record, &matching.record, signed).map_err(CheckFailed::of(CheckName::P6))?;
    Ok(Some(CheckedRepresentative {
        intent,
        idnr: content.idnr,
        chain_checkpoint: proof.checkpoint,
    }))
}

/// The half of P11 that is about the proof of the power.
fn p11_power(matching: &MatchingRecord, now: Timestamp) -> Result<(), CheckFailed> {
    let failed = CheckFailed::of(CheckName::P11);
    let record: &ExchangeRecord = &matching.record;
    let Some(power) = record.representation else {
        return match matching.power {
            Some(_) => Err(failed("a power is proved, and no representative acts")),
            None => Ok(()),
        };
    };
    let Some(proof) = &matching.power else {
        return Err(failed("a representative acts, and no power is proved"));
    };
    if proof.power != power {
        return Err(failed("the proof is of another power than the record"));
    }
    let Some(person) = matching
        .request
        .query
        .natural_person()
        .filter(|_| record.subject == Subject::Natural)
    else {
        return Err(failed("a legal person is not represented by a power"));
    };
    check_power(proof, person.date_of_birth, now).map_err(failed)
}

fn check_power(proof: &PowerProof, born: text::PartialDate, now: Timestamp) -> Result<(), &'static str> {
    use messages::PowerRefused;
    proof.check(born, now).map_err(|refused| match refused {
        PowerRefused::NotYet => "the power is not valid yet",
        PowerRefused::Expired => "the power has expired",
        PowerRefused::Unsuitable => "the power does not suit the represented person's age",
    })
}
