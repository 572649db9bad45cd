//! Which base data identity may release to a component, each with its legal basis.
//!
//! Identity releases base data and the IDNr by a [`BaseDataPermit`] alone. Only [`History::permit_base_data`] makes
//! one: the directory says which body answers for the receiver and which classes the body has, and the
//! Registerlandkarte has a rule for every datum that the receiver wants. One datum without a rule refuses all, because
//! a receiver that asks for more than it may have is misconfigured or curious.

use std::collections::{BTreeMap, BTreeSet};

use record::content::Party;
use record::{DisclosureClass, ParticipantId, RetentionClass, Timestamp, Why};
use registerlandkarte::{BaseDatum, Denied, Permission};
use thiserror::Error;
use tlog::Hash;

use crate::component::Component;
use crate::decision::Versions;
use crate::history::{History, HistoryError};
use crate::key::Key;
use crate::kind::TrustKind;
use crate::value::Value;

/// Why no base data are released to a component.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BaseDataError {
    /// The versions are not known; see there whether a retry can change that.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The directory lists no such component, or it is not active.
    #[error("the directory lists no active component with this name")]
    Receiver,
    /// The Registerlandkarte does not permit a datum.
    #[error("{datum}: {denied}")]
    Denied {
        /// The datum.
        datum: BaseDatum,
        /// Why it is not permitted.
        denied: Denied,
    },
}

/// The base data that a component may have, by two versions that were in force. The IDNr is always among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseDataPermit {
    receiver: Party,
    permissions: BTreeMap<BaseDatum, Permission>,
    /// The reason by the rule for the IDNr.
    why: Why,
    retention: RetentionClass,
    disclosure: DisclosureClass,
    registerlandkarte: Hash,
}

impl BaseDataPermit {
    /// The component that receives the data.
    #[must_use]
    pub const fn receiver(&self) -> &Party {
        &self.receiver
    }

    /// The data with their permissions.
    pub fn permissions(&self) -> impl Iterator<Item = (BaseDatum, &Permission)> {
        self.permissions.iter().map(|(datum, permission)| (*datum, permission))
    }

    /// Whether the receiver may have a datum.
    #[must_use]
    pub fn allows(&self, datum: BaseDatum) -> bool {
        self.permissions.contains_key(&datum)
    }

    /// Why the data are released.
    #[must_use]
    pub const fn why(&self) -> &Why {
        &self.why
    }

    /// How long the record of a release is kept: the longest time of the rules.
    #[must_use]
    pub const fn retention(&self) -> RetentionClass {
        self.retention
    }

    /// When the record of a release is shown: later, if one rule says so.
    #[must_use]
    pub const fn disclosure(&self) -> DisclosureClass {
        self.disclosure
    }

    /// The digest of the signed header of the Registerlandkarte that has the rules.
    #[must_use]
    pub const fn registerlandkarte(&self) -> Hash {
        self.registerlandkarte
    }
}

impl History {
    /// Decides by two versions which of the wanted base data a component may have under the law at `at`.
    ///
    /// # Errors
    /// See [`BaseDataError`]. One datum that is not permitted refuses all.
    pub fn permit_base_data(
        &self,
        versions: Versions,
        receiver: &ParticipantId,
        wanted: &BTreeSet<BaseDatum>,
        purpose: &str,
        at: Timestamp,
    ) -> Result<BaseDataPermit, BaseDataError> {
        let component = self.value_in(&Key::component(receiver), versions.directory)?;
        let component: &Component = match component.map(|stored| stored.value()) {
            Some(Value::Component(component)) if component.is_active() => component,
            _ => return Err(BaseDataError::Receiver),
        };
        let party = self.party_in(component, versions.directory)?;
        let relation = self.relation(versions)?;
        let header = self.header_of(TrustKind::Registerlandkarte, versions.registerlandkarte)?;
        let permission = |datum| {
            let rule = relation.decide_base_datum(&component.body, datum, purpose, at, at);
            rule.and_then(|rule| relation.permission(rule, header).ok_or(Denied::NoRule))
                .map_err(|denied| BaseDataError::Denied { datum, denied })
        };
        let idnr = permission(BaseDatum::Idnr)?;
        let mut permit = BaseDataPermit {
            receiver: party.ok_or(BaseDataError::Receiver)?,
            why: idnr.why.clone(),
            retention: idnr.rule.retention,
            disclosure: idnr.rule.disclosure,
            registerlandkarte: header,
            permissions: [(BaseDatum::Idnr, idnr)].into(),
        };
        for datum in wanted.iter().filter(|datum| **datum != BaseDatum::Idnr) {
            let permission = permission(*datum)?;
            permit.retention = longer(permit.retention, permission.rule.retention);
            permit.disclosure = permit.disclosure.max(permission.rule.disclosure);
            permit.permissions.insert(*datum, permission);
        }
        Ok(permit)
    }
}

fn longer(one: RetentionClass, other: RetentionClass) -> RetentionClass {
    match (one, other) {
        (RetentionClass::Eu12m, RetentionClass::Eu12m) => RetentionClass::Eu12m,
        _ => RetentionClass::IdnrG2y,
    }
}
