//! What the protocol has of an exchange.

use record::{ExchangeRecord, PartKey, RetentionClass, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One entry of the protocol. A provider writes two for an exchange: when it answers, and when it has the outcome.
/// `Debug` shows no person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProtocolEntry {
    /// The exchange.
    pub exchange: Uuid,
    /// When the entry was written.
    pub at: Timestamp,
    /// Index of the intent in the log.
    pub intent: u64,
    /// The receipt of the intent.
    #[serde(with = "record::bytes")]
    pub intent_receipt: Vec<u8>,
    /// The exchange's record as this connector has checked it: the outcome's, or the intent's while there is none.
    pub record: ExchangeRecord,
    /// How the exchange was closed.
    pub closing: Option<Closing>,
    /// The IDNr that this authority used in the exchange (§ 9 (1) IDNrG), if it did.
    pub idnr: Option<String>,
}

impl std::fmt::Debug for ProtocolEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ProtocolEntry({}, person redacted)", self.exchange)
    }
}

/// The outcome of an exchange, with what proves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    /// Index of the outcome in the log.
    pub outcome: u64,
    /// The receipt of the outcome.
    #[serde(with = "record::bytes")]
    pub receipt: Vec<u8>,
    /// The outcome's sealed record, as the log has it.
    #[serde(with = "record::bytes")]
    pub sealed_record: Vec<u8>,
    /// Opens the record's shared part.
    pub key: PartKey,
}

impl ProtocolEntry {
    /// How long the entry is kept.
    #[must_use]
    pub fn retention(&self) -> RetentionClass {
        self.record.lifecycle.retention
    }

    /// Adds what the other entry of the same exchange has.
    #[must_use]
    pub(super) fn merged(self, later: Self) -> Self {
        let (idnr, closing) = (self.idnr.clone().or_else(|| later.idnr.clone()), self.closing.clone());
        let newer = if later.closing.is_some() || closing.is_none() {
            later
        } else {
            self
        };
        Self { idnr, ..newer }
    }
}
