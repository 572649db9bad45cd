//! Questions to one version.

use record::{
    IdentityKeys, Participant, ParticipantId, RightError, SignedEntry, Timestamp, VerifyingKey, WriterGrant, WriterId,
};
use registerlandkarte::{Denied, Permission, Query, Rule};

use crate::authority::SupervisionKey;
use crate::body::{Body, Delegation};
use crate::index::PublicKey;
use crate::key::{BodyId, Key, Section};
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
    pub fn component(&self, id: &ParticipantId) -> Option<&Participant> {
        match self.value(&Key::component(id))? {
            Value::Component(component) => Some(component),
            _ => None,
        }
    }

    /// The component with this id, if it may request evidence.
    #[must_use]
    pub fn consumer(&self, id: &ParticipantId) -> Option<&Participant> {
        self.component(id).filter(|component| component.consumer)
    }

    /// The component with this id, if it may provide evidence.
    #[must_use]
    pub fn provider(&self, id: &ParticipantId) -> Option<&Participant> {
        self.component(id).filter(|component| component.provider)
    }

    /// The component that signs with this key.
    #[must_use]
    pub fn component_of(&self, key: &VerifyingKey) -> Option<&Participant> {
        match self.value(self.index().owner(&PublicKey::Signing(key.id()))?)? {
            Value::Component(component) => Some(component),
            _ => None,
        }
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
        let by = self.index().named_by(&Key::body(body));
        let mut delegations = by.iter().filter_map(|key| match self.value(key)? {
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

    /// The key of supervision. Every version of a directory but the empty one has it.
    #[must_use]
    pub fn supervision(&self) -> Option<&SupervisionKey> {
        match self.value(&Key::supervision())? {
            Value::Supervision(key) => Some(key),
            _ => None,
        }
    }

    /// The rule with this reference (`id@version`), the name that records use.
    #[must_use]
    pub fn rule(&self, reference: &str) -> Option<&Rule> {
        let key = Key::named(Section::Rule, reference).ok()?;
        match self.value(&key)? {
            Value::Rule(rule) => Some(rule),
            _ => None,
        }
    }

    /// Decides under the law at `valid_at`, as recorded at `known_at`, like
    /// [`registerlandkarte::Registerlandkarte::decide`].
    ///
    /// # Errors
    /// See [`Denied`].
    pub fn decide(&self, query: &Query, valid_at: Timestamp, known_at: Timestamp) -> Result<&Rule, Denied> {
        let mut rules = self.index().rules_about(&query.into()).iter();
        let then = rules.find(|rule| rule.valid.contains(valid_at) && rule.recorded.contains(known_at));
        let rule = then.ok_or(Denied::NoRule)?;
        if query.idnr && !rule.idnr {
            return Err(Denied::Idnr);
        }
        Ok(rule)
    }

    /// Decides as [`TrustMap::decide`] does, and names this version in the permission.
    ///
    /// # Errors
    /// See [`Denied`].
    pub fn permit(&self, query: &Query, valid_at: Timestamp, known_at: Timestamp) -> Result<Permission, Denied> {
        let rule = self.decide(query, valid_at, known_at)?.clone();
        Ok(Permission {
            rule,
            registerlandkarte: self.header(),
        })
    }
}
