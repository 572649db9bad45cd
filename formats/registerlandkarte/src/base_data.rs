//! Base data (Basisdaten) that identity has of a natural person, and whether a body may have one of them.
//!
//! SPEC: § 6 (1) to (3) IDNrG: a body gets the IDNr and base data as far as its task demands them. The permission is
//! therefore given for each datum by itself: every datum is an evidence type of the register `idnr-datenbank`, and a
//! rule permits one evidence type. That register has no component, because identity itself releases base data. A
//! decision is made as any other one, but without a providing component and its area.

use core::fmt;
use core::str::FromStr;

use record::{BodyId, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::index::{Who, slots_of};
use crate::relation::{Denied, Registerlandkarte};
use crate::rule::{AreaRelation, Rule};

/// One datum that identity has of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BaseDatum {
    /// The Identifikationsnummer.
    Idnr,
    /// Family name.
    FamilyName,
    /// Given names.
    GivenName,
    /// Date of birth, with zeros for what is not known.
    DateOfBirth,
    /// Postal code of the present address.
    PostalCode,
    /// Place of the present address.
    Place,
}

impl BaseDatum {
    /// All base data.
    pub const ALL: [Self; 6] = [
        Self::Idnr,
        Self::FamilyName,
        Self::GivenName,
        Self::DateOfBirth,
        Self::PostalCode,
        Self::Place,
    ];

    /// The name of its evidence type.
    #[must_use]
    pub const fn evidence(self) -> &'static str {
        match self {
            Self::Idnr => "idnr-nummer",
            Self::FamilyName => "idnr-familienname",
            Self::GivenName => "idnr-vornamen",
            Self::DateOfBirth => "idnr-geburtsdatum",
            Self::PostalCode => "idnr-postleitzahl",
            Self::Place => "idnr-ort",
        }
    }

    /// The name in orders and results: `family_name`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idnr => "idnr",
            Self::FamilyName => "family_name",
            Self::GivenName => "given_name",
            Self::DateOfBirth => "date_of_birth",
            Self::PostalCode => "postal_code",
            Self::Place => "place",
        }
    }
}

/// The text is no name of a base datum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a base datum is one of idnr, family_name, given_name, date_of_birth, postal_code, place")]
pub struct UnknownDatum;

impl FromStr for BaseDatum {
    type Err = UnknownDatum;

    fn from_str(text: &str) -> Result<Self, UnknownDatum> {
        let named = Self::ALL.into_iter().find(|datum| datum.as_str() == text);
        named.ok_or(UnknownDatum)
    }
}

impl fmt::Display for BaseDatum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Registerlandkarte {
    /// Decides whether a body may have a base datum, under the law at `valid_at`, as recorded at `known_at`. Rules that
    /// name the body are tried before those for its classes.
    ///
    /// # Errors
    /// [`Denied::Consumer`], [`Denied::NoRule`]; [`Denied::Subject`], [`Denied::Idnr`] or [`Denied::Area`] for a rule
    /// that does not permit base data of natural persons everywhere.
    pub fn decide_base_datum(
        &self,
        receiver: &BodyId,
        datum: BaseDatum,
        purpose: &str,
        valid_at: Timestamp,
        known_at: Timestamp,
    ) -> Result<&Rule, Denied> {
        let index = self.index();
        let body = index.body(receiver.as_str(), valid_at, known_at);
        let (receiver, body) = body.ok_or(Denied::Consumer)?;
        let evidence = index.evidence.get(datum.evidence()).ok_or(Denied::NoRule)?;
        let purpose = index.purposes.get(purpose).ok_or(Denied::NoRule)?;
        let (slots, register) = (index.rules_for(evidence, purpose), index.register_of[evidence as usize]);
        let classes = index.classes_of(body).iter().map(|class| Who::General(*class));
        let receivers = std::iter::once(Who::Named(receiver)).chain(classes);
        let rules = receivers.flat_map(|receiver| slots_of(slots, receiver, Who::General(register)));
        let rules = rules.map(|slot| &self.tables().permissions[slot.rule as usize]);
        let mut denied = Denied::NoRule;
        for rule in rules.filter(|rule| rule.valid.contains(valid_at) && rule.recorded.contains(known_at)) {
            match verdict(rule) {
                Ok(()) => return Ok(rule),
                Err(reason) => denied = reason,
            }
        }
        Err(denied)
    }
}

fn verdict(rule: &Rule) -> Result<(), Denied> {
    if !rule.subjects.natural() {
        Err(Denied::Subject)
    } else if !rule.idnr {
        Err(Denied::Idnr)
    } else if rule.area != AreaRelation::Any {
        Err(Denied::Area)
    } else {
        Ok(())
    }
}
