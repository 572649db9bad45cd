//! The nine checks (design §6, step 5), each a function that takes what the one before has made.
//!
//! ```text
//! Forward ─P1─▶ Proved ─P2─▶ Signed ─P3─▶ Addressed ─P4─▶ Numbered ─P5─▶ Chained ─P6─▶ Opened ─P7─▶ Permitted ─P8─▶ Checked
//! ```
//!
//! | | What it keeps out |
//! | --- | --- |
//! | P1 receipt, our log, ≤ 60 s old | an exchange that is not recorded, or recorded elsewhere, or served much later |
//! | P2 consumer's S1 and S2 | a broker that asks in another's name, or changes what was asked |
//! | P3 identity's part for this label, provider and S1 | a swapped person, a part meant for another exchange |
//! | P4 VRF proofs | a label that is not this person's, which the citizen would never see |
//! | P5 chain | an exchange that a citizen's proof of completeness would miss |
//! | P6 record | a record that says something else than what was asked |
//! | P7 permission, classes, expiry, series | an exchange nobody permitted, shown late or kept short |
//! | P8 deadline | an answer nobody waits for |
//!
//! P9 (served once) needs the durable store and stands in [`super::served`]. A refusal before P4 could be anybody's forgery
//! with a public receipt; from P4 on, identity's signature binds the forward to its intent, so that the refusal is kept as
//! the intent's one answer.

mod content;
mod labels;
mod origin;

use ledger_client::recorded::{Intent, Recorded};
use messages::{CheckName, Forward, ProviderContent, SealingKey};
use record::{ExchangeRecord, Idnr, Label, Period, Timestamp};
use registerlandkarte::Permission;
use tlog::checkpoint::Checkpoint;

use crate::common::Judge;
use messages::xnachweis::EvidenceRequest0101;

/// A check that failed. `why` goes to the operator's log; it names no person and no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Which check.
    pub check: CheckName,
    /// What was wrong.
    pub why: &'static str,
}

impl Fault {
    /// Makes an error of a check from what was wrong.
    pub(super) fn of(check: CheckName) -> impl Fn(&'static str) -> Self {
        move |why| Self { check, why }
    }

    /// Whether the forward is known to belong to the intent: identity's signature (P3) said so.
    pub fn is_the_intents(&self) -> bool {
        self.check > CheckName::P3
    }
}

/// What is checked, and by what.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// What is judged by.
    pub judge: &'a Judge,
    /// Opens what is sealed to the provider.
    pub sealing: &'a SealingKey,
    /// The broker's message.
    pub forward: &'a Forward,
    /// The time.
    pub now: Timestamp,
}

/// After P1: the intent stands in the log.
pub struct Proved {
    intent: Recorded<Intent>,
    label: Label,
    period: Period,
}

/// After P2: the consumer signed all of it, for this provider.
pub struct Signed {
    proved: Proved,
}

/// After P3: identity says who it is about.
pub struct Addressed {
    signed: Signed,
    content: ProviderContent,
}

/// After P4: the label is this number's of this person.
pub struct Numbered {
    addressed: Addressed,
    checkpoint: Checkpoint,
    chain: Vec<Label>,
}

/// After P5: the chain stands in the log.
pub struct Chained {
    numbered: Numbered,
}

/// After P6: the record says what was asked.
pub struct Opened {
    chained: Chained,
    record: Box<ExchangeRecord>,
    request: EvidenceRequest0101,
}

/// After P7: and it was permitted.
pub struct Permitted {
    opened: Opened,
    permission: Permission,
}

/// After P8: everything but P9. Only [`all`] makes one.
pub struct Checked {
    permitted: Permitted,
}

/// P1 to P8, in order; the first that fails ends it.
///
/// # Errors
/// The [`Fault`].
pub fn all(case: &Case<'_>) -> Result<Checked, Fault> {
    let proved = origin::p1_receipt(case)?;
    let signed = origin::p2_signatures(case, proved)?;
    let addressed = origin::p3_identity(case, signed)?;
    let numbered = labels::p4_numbers(case, addressed)?;
    let chained = labels::p5_chain(case, numbered)?;
    let opened = content::p6_record(case, chained)?;
    let permitted = content::p7_permission(case, opened)?;
    origin::p8_deadline(case, permitted)
}

impl std::fmt::Debug for Checked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Checked(intent {})", self.intent().index())
    }
}

impl Checked {
    /// The intent.
    pub fn intent(&self) -> &Recorded<Intent> {
        &self.permitted.opened.chained.numbered.addressed.signed.proved.intent
    }

    /// The person identity found, or nobody.
    pub fn idnr(&self) -> &Idnr {
        &self.permitted.opened.chained.numbered.addressed.content.idnr
    }

    /// The request.
    pub fn request(&self) -> &EvidenceRequest0101 {
        &self.permitted.opened.request
    }

    /// The intent's record.
    pub fn record(&self) -> &ExchangeRecord {
        &self.permitted.opened.record
    }

    /// By which rule.
    pub fn permission(&self) -> &Permission {
        &self.permitted.permission
    }

    /// The checkpoints that serving relies on: of the receipt and of the chain.
    pub fn checkpoints(&self) -> [&Checkpoint; 2] {
        [
            self.intent().checkpoint(),
            &self.permitted.opened.chained.numbered.checkpoint,
        ]
    }
}

#[cfg(test)]
mod tests;
