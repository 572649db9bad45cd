//! Questions about the directory in force for an entry.

use record::content::Party;
use record::{IdentityKeys, ParticipantId};
use tlog::merkle::Index;

use crate::component::Component;
use crate::history::{History, HistoryError};
use crate::key::Key;
use crate::kind::{TrustKind, Version};
use crate::value::Value;

impl History {
    /// The component with this id in force for the entry at `index`.
    ///
    /// # Errors
    /// [`HistoryError::Before`]
    pub fn component_at(&self, id: &ParticipantId, index: Index) -> Result<Option<&Component>, HistoryError> {
        let stored = self.value_at(&Key::component(id), index)?;
        Ok(stored.and_then(|stored| match stored.value() {
            Value::Component(component) => Some(&**component),
            _ => None,
        }))
    }

    /// A component as records name it, with the names of its bodies in force for the entry at `index`.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub fn party_at(&self, component: &Component, index: Index) -> Result<Option<Party>, HistoryError> {
        self.party_in(component, self.in_force(TrustKind::Directory, index)?)
    }

    /// A component as records name it, with the names that its bodies have in this version of the directory.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub fn party_in(&self, component: &Component, version: Version) -> Result<Option<Party>, HistoryError> {
        let body = |id| {
            let stored = self.value_in(&Key::body(id), version)?;
            Ok(stored.and_then(|stored| match stored.value() {
                Value::Body(body) => Some(body),
                _ => None,
            }))
        };
        let bodies = body(&component.body)?.zip(body(component.operating_body())?);
        Ok(bodies.map(|(body, operator)| component.party(body, operator)))
    }

    /// The keys of identity in force for the entry at `index`.
    ///
    /// # Errors
    /// [`HistoryError::Before`]
    pub fn identity_at(&self, index: Index) -> Result<Option<&IdentityKeys>, HistoryError> {
        let stored = self.value_at(&Key::identity(), index)?;
        Ok(stored.and_then(|stored| match stored.value() {
            Value::Identity(keys) => Some(keys),
            _ => None,
        }))
    }
}
