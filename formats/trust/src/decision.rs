//! Whether an exchange is permitted, and which component is competent.
//!
//! A decision depends on a version of the directory and a version of the Registerlandkarte: the directory says which
//! body answers for a component, which classes and area the body has, and which registers a component serves. The
//! Registerlandkarte says what bodies of a class may fetch. Both versions are in the log, so every decision can be
//! replayed.

use std::sync::Arc;

use record::{Ars, ParticipantId, Timestamp};
use registerlandkarte::{Denied, NotCompetent, Permission, Query, Registerlandkarte, Subject};
use thiserror::Error;

use crate::history::{History, HistoryError};
use crate::key::Key;
use crate::kind::{TrustKind, Version};
use crate::relations;
use crate::value::Value;

/// The versions that decide together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// The version of the directory.
    pub directory: Version,
    /// The version of the Registerlandkarte.
    pub registerlandkarte: Version,
}

/// What a decision depends on: everything that the broker knows about a request. It names no person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transmission<'a> {
    /// The component that requests the evidence.
    pub consumer: &'a ParticipantId,
    /// The component that would provide it.
    pub provider: &'a ParticipantId,
    /// The type of evidence, by its identifier in messages.
    pub evidence_type: &'a str,
    /// The purpose code.
    pub purpose: &'a str,
    /// What the evidence is about.
    pub subject: Subject,
    /// Whether the request uses the IDNr.
    pub idnr: bool,
    /// Whether a representative acts for the person.
    pub represented: bool,
    /// The area in which the person lives, if the request names it.
    pub place: Option<&'a Ars>,
}

/// Why there is no permission.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PermitError {
    /// The versions are not known; see there whether a retry can change that.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The versions do not permit it.
    #[error(transparent)]
    Denied(#[from] Denied),
}

impl History {
    /// The newest known versions.
    #[must_use]
    pub fn newest_versions(&self) -> Versions {
        Versions {
            directory: self.state().directory().version(),
            registerlandkarte: self.state().registerlandkarte().version(),
        }
    }

    /// The relation of two versions.
    ///
    /// # Errors
    /// [`HistoryError`], when a version is not known.
    pub fn relation(&self, versions: Versions) -> Result<Arc<Registerlandkarte>, HistoryError> {
        let headers = [
            self.header_of(TrustKind::Directory, versions.directory)?,
            self.header_of(TrustKind::Registerlandkarte, versions.registerlandkarte)?,
        ];
        if let Some(relation) = self.relations().get(&headers) {
            return Ok(relation);
        }
        let directory = self.map_of(TrustKind::Directory, versions.directory)?;
        let registerlandkarte = self.map_of(TrustKind::Registerlandkarte, versions.registerlandkarte)?;
        let relation = Arc::new(relations::relation(&directory, &registerlandkarte));
        self.relations().keep(headers, &relation);
        Ok(relation)
    }

    /// Decides by two versions under the law at `at`.
    ///
    /// # Errors
    /// See [`PermitError`].
    pub fn permit(
        &self,
        versions: Versions,
        transmission: &Transmission<'_>,
        at: Timestamp,
    ) -> Result<Permission, PermitError> {
        let consumer = self.value_in(&Key::component(transmission.consumer), versions.directory)?;
        let consumer = match consumer.map(|stored| stored.value()) {
            Some(Value::Component(component)) if component.may_request() => component,
            _ => return Err(Denied::Consumer.into()),
        };
        let relation = self.relation(versions)?;
        let evidence = relation.identified(transmission.evidence_type).ok_or(Denied::NoRule)?;
        let query = Query {
            consumer: &consumer.body,
            provider: transmission.provider,
            evidence: &evidence.id,
            purpose: transmission.purpose,
            subject: transmission.subject,
            idnr: transmission.idnr,
            represented: transmission.represented,
            place: transmission.place,
        };
        let rule = relation.decide(&query, at, at)?;
        let header = self.header_of(TrustKind::Registerlandkarte, versions.registerlandkarte)?;
        Ok(relation.permission(rule, header).ok_or(Denied::NoRule)?)
    }

    /// The component that is competent for evidence of this type, by its identifier in messages, at a place, by the
    /// newest versions (Registerdatennavigation).
    ///
    /// # Errors
    /// See [`NotCompetent`].
    pub fn competent(&self, evidence_type: &str, place: &Ars, at: Timestamp) -> Result<ParticipantId, NotCompetent> {
        let relation = self.relation(self.newest_versions());
        let relation = relation.map_err(|_| NotCompetent::Evidence)?;
        let evidence = relation.identified(evidence_type).ok_or(NotCompetent::Evidence)?;
        let instance = relation.competent(&evidence.id, place, at, at)?;
        Ok(instance.component.clone())
    }
}
