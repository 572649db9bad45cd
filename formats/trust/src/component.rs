//! Components: the systems of bodies that take part in exchanges.

use record::content::Party;
use record::{Ars, BodyId, ParticipantId, Sorted, VerifyingKey};
use registerlandkarte::RegisterTypeId;
use serde::{Deserialize, Serialize};
use text::Reference;

use crate::body::Body;
use crate::endpoint::Endpoint;

/// A component with its connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// The identifier in this system.
    pub id: ParticipantId,
    /// The directory service (Verzeichnisdienst) that knows it, for example `DVDV`.
    pub directory: Reference,
    /// The identifier (Kennung) there.
    pub identifier: Reference,
    /// The component id (Komponenten-ID), for people.
    pub name: Reference,
    /// The key that signs S1 and S2, or the answer.
    pub signing_key: VerifyingKey,
    /// The HPKE public key (X25519) that requests are sealed to.
    #[serde(with = "record::bytes")]
    pub sealing_key: [u8; 32],
    /// The keys before the last rotation, while what was made with them may still be under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<PreviousKeys>,
    /// Whether it may request evidence.
    pub consumer: bool,
    /// Whether it may provide evidence.
    pub provider: bool,
    /// The body that answers for it (fachverantwortliche Stelle). Its classes decide what the component may request.
    pub body: BodyId,
    /// The body that operates it (betriebsverantwortliche Stelle); without one, `body` does. It is never `body`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<BodyId>,
    /// Whether it takes part.
    pub state: ComponentState,
    /// The registers that it serves.
    pub serves: Sorted<ServedRegister>,
    /// Where the broker reaches its connector; a broker may know another way. A provider without one collects its
    /// calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// The software of its connector with its version, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software: Option<Reference>,
    /// How many exchanges it may begin; without them, as many as it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceilings: Option<Ceilings>,
}

/// The keys that a component had before its present ones. Everyone accepts signatures of both; nobody seals to the
/// previous key any more, but the component still opens with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreviousKeys {
    /// The key that signed before.
    pub signing_key: VerifyingKey,
    /// The key that requests were sealed to before.
    #[serde(with = "record::bytes")]
    pub sealing_key: [u8; 32],
}

/// How many exchanges a component may begin. The broker counts by its own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ceilings {
    /// In a minute.
    pub per_minute: u32,
    /// In a day of the clock in UTC.
    pub per_day: u32,
}

/// Whether a component takes part in exchanges. What it signed before it was suspended or retired still verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ComponentState {
    /// It takes part.
    Active,
    /// It does not take part for the time being.
    Suspended,
    /// It never takes part again.
    Retired,
}

/// A register that a component serves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServedRegister {
    /// The type of register.
    pub register: RegisterTypeId,
    /// The areas; at least one.
    pub areas: Sorted<Ars>,
}

impl Component {
    /// The body that operates it.
    #[must_use]
    pub fn operating_body(&self) -> &BodyId {
        self.operator.as_ref().unwrap_or(&self.body)
    }

    /// The component as records name it, with the names of its bodies.
    #[must_use]
    pub fn party(&self, body: &Body, operator: &Body) -> Party {
        Party {
            id: self.id.clone(),
            directory: self.directory.to_string(),
            identifier: self.identifier.to_string(),
            name: body.name.to_string(),
            component: self.name.to_string(),
            responsible: body.name.to_string(),
            operating: operator.name.to_string(),
            subject: body.as_subject(),
            at: body.with_preposition(),
            contact: body.contact.to_string(),
            data_protection: body.data_protection.to_string(),
        }
    }

    /// The keys whose signatures are the component's: its signing key, and the one before it while it is listed.
    pub fn signing_keys(&self) -> impl Iterator<Item = &VerifyingKey> {
        let previous = self.previous.as_ref().map(|previous| &previous.signing_key);
        [&self.signing_key].into_iter().chain(previous)
    }

    /// Verifies a signature of the component with `verify`, by any of its [`signing_keys`](Self::signing_keys).
    ///
    /// # Errors
    /// What `verify` says of the present key, if no key fits.
    pub fn verified<T, E>(&self, verify: impl Fn(&VerifyingKey) -> Result<T, E>) -> Result<T, E> {
        let present = verify(&self.signing_key);
        match (&present, &self.previous) {
            (Err(_), Some(previous)) => verify(&previous.signing_key).or(present),
            _ => present,
        }
    }

    /// Gives the component new keys. The present ones become the previous ones.
    pub fn rotate(&mut self, signing_key: VerifyingKey, sealing_key: [u8; 32]) {
        self.previous = Some(PreviousKeys {
            signing_key: core::mem::replace(&mut self.signing_key, signing_key),
            sealing_key: core::mem::replace(&mut self.sealing_key, sealing_key),
        });
    }

    /// Whether it takes part in exchanges.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.state == ComponentState::Active
    }

    /// Whether it may request evidence now.
    #[must_use]
    pub fn may_request(&self) -> bool {
        self.consumer && self.is_active()
    }

    /// Whether it may provide evidence now.
    #[must_use]
    pub fn may_provide(&self) -> bool {
        self.provider && self.is_active()
    }
}
