//! The ten checks of a provider's connector (design §6, step 5).
//!
//! | Check | What it keeps out |
//! | --- | --- |
//! | P1 receipt of our log, at most 60 s old | an exchange not recorded, or elsewhere, or served much later |
//! | P2 consumer's S1 and S2 | a broker that asks in another's name, or changes what was asked |
//! | P3 identity's part for this label, provider and S1 | a swapped person, a part meant for another exchange |
//! | P4 VRF proofs | a label that is not this person's, which the citizen would never see |
//! | P5 chain | an exchange that a citizen's proof of completeness would miss |
//! | P6 record | a record that differs from what was asked |
//! | P7 permission, classes, expiry, series | an exchange without permission, disclosed late or kept too short |
//! | P7 versions at most 60 s superseded | a component that was removed, a rule that has ended |
//! | P8 deadline | an answer that arrives after the consumer stopped waiting |
//! | P10 login, where the person must be present | evidence that is fetched for a person who is not there |
//! | P11 representative: power, and P1 to P6 for their own intent | a power that ended; a list that misses it |
//!
//! P9 (served once) and the second half of P10 (each proof of a login is used once) need durable tables and are in
//! [`super::served`] and [`super::logins`].
//!
//! The checks have two stages. [`authenticate`] runs P1, P2 and P3, which prove that the forward belongs to its intent:
//! nothing is reserved, signed or kept for a forward that fails one of them, because anyone could have made it around a
//! public receipt. [`check`] takes the [`Authentic`] forward and runs the others; a refusal of this stage is signed and
//! is the intent's one answer. The age of the intent, which P1 limits, belongs to the second stage: a forward that
//! comes too late is authentic, and the broker needs a signed answer that the register was not asked.
//!
//! Writers, keys and names are those of the directory in force at the intent's index, so that a key that was replaced
//! since then still counts for what it signed before.
//!
//! A check that yields nothing but its success returns a zero-sized token that only its own module can make, and
//! [`Authentic`] and [`Checked`] hold all tokens. So leaving a check out does not compile.
//!
//! A forward whose answer was deferred comes again after days. It passes the same checks as of the time at which it
//! passed them first, and then [`still_due`]: what was permitted once is not released after the permission has ended.
//!
//! Where only times do not fit ([`Authentic::untimely`]), the answer is not a refusal: the cause is technical, and the
//! citizen must not read that an authority has refused.

mod content;
mod failed;
mod labels;
mod login;
mod origin;
mod representation;

use ledger_client::recorded::{Intent, Recorded};
use messages::limits::MAX_INTENT_AGE;
use messages::xnachweis::EvidenceRequest0101;
use messages::{AnswerResult, FailureReason, Forward, LoginProof, ProviderContent};
use record::{ExchangeRecord, Idnr, Timestamp};
use registerlandkarte::Permission;
use tlog::checkpoint::Checkpoint;
use tlog::merkle::Index;

use crate::context::CheckContext;
use crate::keys::SealingKeys;
use content::MatchingRecord;
use labels::{ChainRecorded, LabelProof};
use origin::{BeforeDeadline, ConsumerSigned, ProvedIntent, Recent};
use representation::{AuthenticRepresentative, CheckedRepresentative};

pub use failed::CheckFailed;

/// A forward that belongs to its intent: P1 (apart from the age), P2 and P3. Only [`authenticate`] makes one.
pub struct Authentic {
    proved: ProvedIntent,
    content: ProviderContent,
    signed: ConsumerSigned,
    representative: Option<AuthenticRepresentative>,
}

/// Checks P1 (apart from the age), P2 and P3, in order; the first that fails is returned.
///
/// # Errors
/// The [`CheckFailed`].
pub fn authenticate(
    context: &CheckContext,
    sealing: &SealingKeys,
    forward: &Forward,
) -> Result<Authentic, CheckFailed> {
    let proved = origin::p1_receipt(context, &forward.intent_receipt)?;
    let signed = origin::p2_signatures(context, forward, proved.intent.index())?;
    let content = origin::p3_identity(context, sealing, (&forward.s1, &forward.for_provider), &proved)?;
    let representative = AuthenticRepresentative::of(context, sealing, forward)?;
    Ok(Authentic {
        proved,
        content,
        signed,
        representative,
    })
}

impl Authentic {
    /// Index of the intent.
    pub fn index(&self) -> u64 {
        self.intent().get()
    }

    /// Where the intent is in the log.
    pub(super) fn intent(&self) -> Index {
        self.proved.intent.index()
    }

    /// The intent's leaf.
    pub fn leaf(&self) -> &[u8] {
        self.proved.intent.signed_entry().bytes()
    }

    /// How the exchange ends if this is not the time to ask the register, whatever the other checks say: it is too
    /// late, or a clock is wrong and the intent is from the future.
    pub fn untimely(&self, forward: &Forward, now: Timestamp) -> Option<AnswerResult> {
        let intent = self.proved.intent.entry().time;
        if now > forward.metadata.deadline || now > intent.after(MAX_INTENT_AGE) {
            Some(AnswerResult::TimedOut)
        } else {
            (intent > now.after(MAX_INTENT_AGE)).then_some(AnswerResult::Failed(FailureReason::Clock))
        }
    }
}

impl std::fmt::Debug for Authentic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authentic(intent {})", self.index())
    }
}

/// A forward that passed P1 to P8 and the first half of P10. Only [`check`] makes one.
pub struct Checked {
    /// The intent, with the proof that it is in the log.
    intent: Recorded<Intent>,
    /// Whom the register is asked about: the person that identity found, or nobody (design §5.5).
    idnr: Idnr,
    request: EvidenceRequest0101,
    record: Box<ExchangeRecord>,
    permission: Permission,
    /// The checkpoint under which period and chain are included.
    chain_checkpoint: Checkpoint,
    /// The proof of the person's login, which must be used only once.
    login: Option<LoginProof>,
    representative: Option<CheckedRepresentative>,
    _signed: ConsumerSigned,
    _recent: Recent,
    _chained: ChainRecorded,
    _in_time: BeforeDeadline,
}

/// Checks the age of P1, P4 to P8, and the login of P10, in order; the first that fails is returned.
///
/// # Errors
/// The [`CheckFailed`].
pub fn check(
    context: &CheckContext,
    sealing: &SealingKeys,
    forward: &Forward,
    authentic: Authentic,
    now: Timestamp,
) -> Result<Checked, CheckFailed> {
    let Authentic {
        proved: ProvedIntent { intent, label, period },
        content,
        signed,
        representative,
    } = authentic;
    let recent = origin::p1_age(&intent, now)?;
    let proof = labels::p4_numbers(context, &content, &intent, label, period)?;
    let chained = labels::p5_chain(context, &content, &proof)?;
    let matching = content::p6_record(context, sealing, forward, &intent, &label, &content)?;
    let permission = content::p7_permission(context, forward, &intent, &matching.record, content.series, now)?;
    let in_time = origin::p8_deadline(forward, now)?;
    let representative =
        representation::p11_representative(context, forward, representative, (&matching, &content), now)?;
    let MatchingRecord {
        record, request, login, ..
    } = matching;
    let login = login::p10_login(&permission, &record, login, now)?;
    let LabelProof {
        checkpoint: chain_checkpoint,
        ..
    } = proof;
    // The exchange would be in no list of an unknown representative: the register is asked about nobody.
    let unknown = representative
        .as_ref()
        .is_some_and(|representative| representative.idnr.is_nobody());
    Ok(Checked {
        intent,
        idnr: if unknown { Idnr::nobody() } else { content.idnr },
        request,
        record,
        permission,
        chain_checkpoint,
        login,
        representative,
        _signed: signed,
        _recent: recent,
        _chained: chained,
        _in_time: in_time,
    })
}

/// Checks a forward again whose answer was deferred: the newest directory and Registerlandkarte still permit the
/// exchange (P7), and the time in which evidence may become available has not passed (P8).
///
/// # Errors
/// The [`CheckFailed`].
pub fn still_due(
    context: &CheckContext,
    forward: &Forward,
    checked: &Checked,
    now: Timestamp,
) -> Result<(), CheckFailed> {
    content::p7_still_permitted(context, forward, now)?;
    origin::p8_later(&checked.intent, now)
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

    /// The person that identity found, or nobody (design §5.5). Also nobody if a representative acts whom identity has
    /// not found.
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

    /// The proof of the person's login, if the request has one.
    pub fn login(&self) -> Option<&LoginProof> {
        self.login.as_ref()
    }

    /// The checkpoints that serving relies on: of the receipts and of the chains.
    pub fn checkpoints(&self) -> Vec<&Checkpoint> {
        let representative = self.representative.iter();
        let of_representative = representative.flat_map(|of| [of.intent.checkpoint(), &of.chain_checkpoint]);
        [self.intent.checkpoint(), &self.chain_checkpoint]
            .into_iter()
            .chain(of_representative)
            .collect()
    }
}

#[cfg(test)]
mod tests;
