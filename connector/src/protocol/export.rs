//! The protocol in JSON, for supervision and for a person's questions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ledger_client::Trust;
use serde::Serialize;

use super::entry::ProtocolEntry;
use super::proof;

/// An exchange as `connector protocol` prints it. `Debug` shows no person.
#[derive(Serialize)]
pub struct Exported {
    exchange: String,
    /// When the entry was written.
    at: String,
    consumer: String,
    provider: String,
    evidence_type: String,
    purpose: String,
    legal_basis: String,
    permission: String,
    request_reference: String,
    /// How it ended; nothing while there is no outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<record::Outcome>,
    idnr_used: bool,
    /// Only if the caller has asked for the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    idnr: Option<String>,
    intent: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<u64>,
    /// `sound`, or what is not.
    proof: String,
    /// The receipts as `verifier verify` reads them.
    intent_receipt: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome_receipt: Option<String>,
    /// The log's sealed record (base64), and the key of its shared part (hexadecimal).
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed_record: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record_key: Option<String>,
}

impl std::fmt::Debug for Exported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Exported({}, person redacted)", self.exchange)
    }
}

impl Exported {
    /// The entry, checked again with the trust root. The IDNr is in it only if `person` says so.
    #[must_use]
    pub fn of(entry: &ProtocolEntry, trust: &Trust, person: bool) -> Self {
        let record = &entry.record;
        let closing = entry.closing.as_ref();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            exchange: entry.exchange.to_string(),
            at: entry.at.to_string(),
            consumer: record.consumer.id.to_string(),
            provider: record.provider.id.to_string(),
            evidence_type: record.evidence.id.clone(),
            purpose: record.why.purpose.clone(),
            legal_basis: record.why.legal_basis.clone(),
            permission: record.allowed_by.permission.clone(),
            request_reference: record.ids.request_reference.clone(),
            result: record.result.as_ref().map(|result| result.outcome),
            idnr_used: record.idnr_used,
            idnr: entry.idnr.clone().filter(|_| person),
            intent: entry.intent,
            outcome: closing.map(|closing| closing.outcome),
            proof: proof::check(entry, trust).map_or_else(|error| error.to_string(), |()| "sound".into()),
            intent_receipt: text(&entry.intent_receipt),
            outcome_receipt: closing.map(|closing| text(&closing.receipt)),
            sealed_record: closing.map(|closing| BASE64.encode(&closing.sealed_record)),
            record_key: closing.map(|closing| closing.key.0.iter().map(|byte| format!("{byte:02x}")).collect()),
        }
    }

    /// Whether receipts and record hold.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.proof == "sound"
    }

    /// One line for a list, without receipts and person.
    #[must_use]
    pub fn line(&self) -> String {
        let result = self.result.map_or("no outcome", |result| match result {
            record::Outcome::Delivered => "delivered",
            record::Outcome::NothingFound => "nothing-found",
            record::Outcome::Refused => "refused",
            record::Outcome::Failed => "failed",
            record::Outcome::TimedOut => "timed-out",
        });
        let Self {
            at,
            exchange,
            consumer,
            provider,
            evidence_type,
            purpose,
            request_reference,
            proof,
            ..
        } = self;
        format!("{at} {exchange} {result} {consumer} {provider} {evidence_type} {purpose} {request_reference} {proof}")
    }
}
