//! Questions to one version.

use record::content::Party;
use record::{BodyId, IdentityKeys, ParticipantId, RightError, SignedEntry, Timestamp, WriterGrant, WriterId};
use registerlandkarte::Rule;

use crate::authority::SupervisionKey;
use crate::body::{Body, Delegation};
use crate::certificates::CertificateAuthorities;
use crate::component::Component;
use crate::index::PublicKey;
use crate::key::{Key, Section};
use crate::trust_map::TrustMap;
use crate::value::Value;

impl TrustMap {
    fn value(&self, key: &Key) -> Option<&Value> {
        self.get(key).map(|stored| stored.value())
    }

    /// The writer with this key id.
    #[must_use]
    pub fn writer(&self, id: &WriterId) -> Option<&WriterGrant> {
        match self.value(self.index().owner(&PublicKey::Writer(*id))?)? {
            Value::Writer(grant) => Some(grant),
            _ => None,
        }
    }

    /// Checks that a writer of this version signed the entry and may write entries of its kind.
    ///
    /// # Errors
    /// See [`RightError`].
    pub fn check_writer(&self, entry: &SignedEntry) -> Result<&WriterGrant, RightError> {
        let id = entry.entry().writer;
        let grant = self.writer(&id).ok_or(RightError::UnknownWriter(id))?;
        grant.check(entry)?;
        Ok(grant)
    }

    /// The component with this id.
    #[must_use]
    pub fn component(&self, id: &ParticipantId) -> Option<&Component> {
        match self.value(&Key::component(id))? {
            Value::Component(component) => Some(component),
            _ => None,
        }
    }

    /// The component with this id, if it may request evidence now.
    #[must_use]
    pub fn consumer(&self, id: &ParticipantId) -> Option<&Component> {
        self.component(id).filter(|component| component.may_request())
    }

    /// The component with this id, if it may provide evidence now.
    #[must_use]
    pub fn provider(&self, id: &ParticipantId) -> Option<&Component> {
        self.component(id).filter(|component| component.may_provide())
    }

    /// A component as records name it. Every version has the bodies of its components.
    #[must_use]
    pub fn party(&self, component: &Component) -> Option<Party> {
        Some(component.party(self.body(&component.body)?, self.body(component.operating_body())?))
    }

    /// The body with this id.
    #[must_use]
    pub fn body(&self, id: &BodyId) -> Option<&Body> {
        match self.value(&Key::body(id))? {
            Value::Body(body) => Some(body),
            _ => None,
        }
    }

    /// A delegation that permits to act for `body` with `component` at `time`.
    #[must_use]
    pub fn delegation(&self, body: &BodyId, component: &ParticipantId, time: Timestamp) -> Option<&Delegation> {
        let body_key = Key::body(body);
        let mut delegations = self
            .index()
            .named_by(&body_key)
            .filter_map(|key| match self.value(key)? {
                Value::Delegation(delegation) => Some(delegation),
                _ => None,
            });
        delegations.find(|found| found.body == *body && found.component == *component && found.holds_at(time))
    }

    /// The keys of identity. Every version of a directory but the empty one has them.
    #[must_use]
    pub fn identity(&self) -> Option<&IdentityKeys> {
        match self.value(&Key::identity())? {
            Value::Identity(keys) => Some(keys),
            _ => None,
        }
    }

    /// The certificate authorities, if the directory has them.
    #[must_use]
    pub fn certificate_authorities(&self) -> Option<&CertificateAuthorities> {
        match self.value(&Key::certificate_authorities())? {
            Value::CertificateAuthorities(authorities) => Some(authorities),
            _ => None,
        }
    }

    /// The key of supervision. Every version of a directory but the empty one has it.
    #[must_use]
    pub fn supervision(&self) -> Option<&SupervisionKey> {
        match self.value(&Key::supervision())? {
            Value::Supervision(key) => Some(key),
            _ => None,
        }
    }

    /// The permission with this reference (`id@version`), the name that records use.
    #[must_use]
    pub fn permission(&self, reference: &str) -> Option<&Rule> {
        let key = Key::named(Section::Permission, reference).ok()?;
        match self.value(&key)? {
            Value::Permission(rule) => Some(rule),
            _ => None,
        }
    }
}
