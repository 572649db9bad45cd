//! A decision that permits, with everything that the record of an exchange takes from it.

use record::{Allowed, EvidenceInfo, Why};
use tlog::Hash;

use crate::rule::Rule;

/// A permission: the rule, the evidence type and the norms that it refers to in the form that records contain, and the
/// version of the Registerlandkarte that contains them, so that the decision can be replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// The rule.
    pub rule: Rule,
    /// The type of evidence.
    pub evidence: EvidenceInfo,
    /// The reason of the exchange.
    pub why: Why,
    /// The digest of the signed header of the version's change set.
    pub registerlandkarte: Hash,
}

impl Permission {
    /// The permission in the form that records contain.
    #[must_use]
    pub fn allowed_by(&self) -> Allowed {
        Allowed {
            permission: self.rule.reference(),
            registerlandkarte: self.registerlandkarte,
        }
    }
}
