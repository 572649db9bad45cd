//! What the provider's connector writes into its authority's protocol: each answer, and each outcome.

use messages::OutcomeNotice;
use record::Timestamp;

use super::checks::Checked;
use super::outcome::ClosedExchange;
use crate::protocol::entry::{Closing, ProtocolEntry};

/// What the authority's protocol has of an answer whose register was asked. It has the person that identity found.
pub(super) fn answered(exchange: uuid::Uuid, checked: &Checked, now: Timestamp) -> ProtocolEntry {
    let idnr = Some(checked.idnr()).filter(|idnr| !idnr.is_nobody());
    ProtocolEntry {
        exchange,
        at: now,
        intent: checked.intent().index().get(),
        intent_receipt: checked.intent().receipt_bytes().to_vec(),
        record: checked.record().clone(),
        closing: None,
        idnr: idnr.map(|idnr| idnr.expose().to_owned()),
    }
}

/// What it has of the outcome.
pub(super) fn closed_entry(closed: &ClosedExchange, notice: &OutcomeNotice, now: Timestamp) -> ProtocolEntry {
    ProtocolEntry {
        exchange: closed.record().ids.exchange,
        at: now,
        intent: closed.intent().index().get(),
        intent_receipt: notice.intent_receipt.clone(),
        record: closed.record().clone(),
        closing: Some(Closing {
            outcome: closed.outcome().index().get(),
            receipt: notice.outcome_receipt.clone(),
            sealed_record: notice.sealed_record.clone(),
            key: notice.shared_key.clone(),
        }),
        idnr: None,
    }
}
