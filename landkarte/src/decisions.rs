//! Recorded decisions, and which of them another Registerlandkarte would have made otherwise.
//!
//! The file is a JSON array that a program writes, for example from the records of a broker. It names permissions and
//! authorities, and no person.

use std::collections::BTreeMap;

use record::{ParticipantId, Timestamp};
use registerlandkarte::Ars;
use registerlandkarte::{BodyId, EvidenceTypeId, Query, Registerlandkarte, Rule, Subject};
use serde::Deserialize;
use text::{JsonError, Reference};

/// A recorded decision.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// When it was made, in seconds since 1970.
    time: Timestamp,
    consumer: BodyId,
    provider: ParticipantId,
    evidence: EvidenceTypeId,
    purpose: Reference,
    /// Whether it was about a legal person.
    legal: bool,
    idnr: bool,
    represented: bool,
    place: Option<Ars>,
    /// The permission by which it was permitted (`id@version`); `None` if it was denied.
    permission: Option<String>,
}

/// The permission of a decision then, and the one that another Registerlandkarte gives; `None` if it is denied.
pub type Change = (Option<String>, Option<String>);

/// Reads decisions.
///
/// # Errors
/// When the bytes are not a JSON array of decisions.
pub fn parse(json: &[u8]) -> Result<Vec<Decision>, JsonError> {
    text::json::from_slice(json)
}

/// How many decisions a relation would have made otherwise, under the law at their time as known at `known_at`.
#[must_use]
pub fn changed(decisions: &[Decision], relation: &Registerlandkarte, known_at: Timestamp) -> BTreeMap<Change, u64> {
    let mut changes = BTreeMap::new();
    for decision in decisions {
        let query = Query {
            consumer: &decision.consumer,
            provider: &decision.provider,
            evidence: &decision.evidence,
            purpose: &decision.purpose,
            subject: if decision.legal {
                Subject::Legal
            } else {
                Subject::Natural
            },
            idnr: decision.idnr,
            represented: decision.represented,
            place: decision.place.as_ref(),
        };
        let now = relation
            .decide(&query, decision.time, known_at)
            .ok()
            .map(Rule::reference);
        if now != decision.permission {
            *changes.entry((decision.permission.clone(), now)).or_insert(0) += 1;
        }
    }
    changes
}
