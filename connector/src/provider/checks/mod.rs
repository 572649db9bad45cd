//! The nine checks of a provider's connector (design §6, step 5).
//!
//! | Check | What it keeps out |
//! | --- | --- |
//! | P1 receipt of our log, at most 60 s old | an exchange not recorded, or elsewhere, or served much later (`clock`) |
//! | P2 consumer's S1 and S2 | a broker that asks in another's name, or changes what was asked |
//! | P3 identity's part for this label, provider and S1 | a swapped person, a part meant for another exchange |
//! | P4 VRF proofs | a label that is not this person's, which the citizen would never see |
//! | P5 chain | an exchange that a citizen's proof of completeness would miss |
//! | P6 record | a record that differs from what was asked |
//! | P7 permission, classes, expiry, series | an exchange without permission, disclosed late or kept too short |
//! | P8 deadline | an answer that arrives after the consumer stopped waiting |
//!
//! P9 (served once) needs the durable table and is in [`super::served`].
//!
//! [`check`] runs P1 to P8 in this order. A check that yields nothing but its success returns a zero-sized token that
//! only its own module can make, and [`Checked`] holds all tokens. So leaving a check out does not compile.
//!
//! The provider keeps a refusal as the intent's one answer only from P4 on, because identity's signature (P3) binds
//! the forward to its intent. An earlier refusal is not kept: anyone could have forged the forward around a public
//! receipt.
//!
//! Where only times do not fit (`clock`, P8), the answer says failed instead of refused: the cause is technical, and the
//! citizen must not read that an authority has refused.

mod content;
mod failed;
mod labels;
mod origin;

use ledger_client::recorded::{Intent, Recorded};
use messages::xnachweis::EvidenceRequest0101;
use messages::{Forward, SealingKey};
use record::{ExchangeRecord, Idnr, Timestamp};
use registerlandkarte::Permission;
use tlog::checkpoint::Checkpoint;

use crate::context::CheckContext;
use content::MatchingRecord;
use labels::{ChainRecorded, LabelProof};
use origin::{BeforeDeadline, ConsumerSigned, ProvedIntent};

pub use failed::CheckFailed;

/// A forward that passed P1 to P8. Only [`check`] makes one.
pub struct Checked {
    /// The intent, with the proof that it is in the log.
    intent: Recorded<Intent>,
    /// The person that identity found, or nobody (design §5.5).
    idnr: Idnr,
    request: EvidenceRequest0101,
    record: Box<ExchangeRecord>,
    permission: Permission,
    /// The checkpoint under which period and chain are included.
    chain_checkpoint: Checkpoint,
    _signed: ConsumerSigned,
    _chained: ChainRecorded,
    _in_time: BeforeDeadline,
}

/// Checks P1 to P8, in order; the first that fails is returned.
///
/// # Errors
/// The [`CheckFailed`].
pub fn check(
    context: &CheckContext,
    sealing: &SealingKey,
    forward: &Forward,
    now: Timestamp,
) -> Result<Checked, CheckFailed> {
    let ProvedIntent { intent, label, period } = origin::p1_receipt(context, forward, now)?;
    let signed = origin::p2_signatures(context, forward)?;
    let content = origin::p3_identity(context, sealing, forward, label)?;
    let proof = labels::p4_numbers(context, &content, &intent, label, period)?;
    let chained = labels::p5_chain(context, &content, &proof)?;
    let MatchingRecord { record, request } =
        content::p6_record(context, sealing, forward, intent.entry(), &label, &content)?;
    let permission = content::p7_permission(context, forward, intent.entry().time, &record, content.series)?;
    let in_time = origin::p8_deadline(forward, now)?;
    let LabelProof {
        checkpoint: chain_checkpoint,
        ..
    } = proof;
    Ok(Checked {
        intent,
        idnr: content.idnr,
        request,
        record,
        permission,
        chain_checkpoint,
        _signed: signed,
        _chained: chained,
        _in_time: in_time,
    })
}

impl std::fmt::Debug for Checked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Checked(intent {})", self.intent.index())
    }
}

impl Checked {
    /// The intent.
    pub fn intent(&self) -> &Recorded<Intent> {
        &self.intent
    }

    /// The person that identity found, or nobody (design §5.5).
    pub fn idnr(&self) -> &Idnr {
        &self.idnr
    }

    /// The request.
    pub fn request(&self) -> &EvidenceRequest0101 {
        &self.request
    }

    /// The intent's record.
    pub fn record(&self) -> &ExchangeRecord {
        &self.record
    }

    /// The rule that permits the exchange.
    pub fn permission(&self) -> &Permission {
        &self.permission
    }

    /// The checkpoints that serving relies on: of the receipt and of the chain.
    pub fn checkpoints(&self) -> [&Checkpoint; 2] {
        [self.intent.checkpoint(), &self.chain_checkpoint]
    }
}

#[cfg(test)]
mod tests;
