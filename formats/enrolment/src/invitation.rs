//! Invitations, and what registrars sign about them.

use record::{BodyId, ParticipantId, Sorted, Timestamp, VerifyingKey, WriterId};
use serde::{Deserialize, Serialize};
use text::Reference;
use tlog::Hash;
use trust::{Body, Ceilings, Component, ComponentState, Endpoint, ServedRegister};

use crate::signed::Statement;

/// How long an invitation is valid after it was issued, in seconds: seven days.
pub const LIFETIME: u64 = 7 * 86_400;

/// The most enrolments in one answer.
pub const PAGE: usize = 64;

/// The SHA-256 of an invitation's deterministic CBOR.
pub type InvitationId = Hash;

/// The invitation of one component, by a registrar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    /// What the component joins.
    pub network: Network,
    /// What the directory will say of the component, but for its keys.
    pub seat: Seat,
    /// The body, if the directory does not have it yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// The public key of the link, with which the operator applies.
    pub link: VerifyingKey,
    /// The registrar.
    pub by: WriterId,
    /// When it was issued.
    pub issued: Timestamp,
}

/// What a component joins. The operator's link authenticates it, because it names the invitation by its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// The hash of the log's genesis entry.
    #[serde(with = "record::bytes")]
    pub genesis: Hash,
    /// The trust policy (c2sp.org/tlog-policy).
    pub policy: String,
    /// The base URL of the ledger.
    pub ledger: String,
    /// The base URL of the broker.
    pub broker: String,
    /// The certificates of the certificate authorities (PEM), where the connections to the broker use TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorities: Option<String>,
    /// Whether it exchanges test messages, and no others.
    pub test: bool,
}

/// What the directory will say of a component, but for its keys and its endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seat {
    /// As in [`Component`].
    pub id: ParticipantId,
    /// As in [`Component`].
    pub directory: Reference,
    /// As in [`Component`].
    pub identifier: Reference,
    /// As in [`Component`].
    pub name: Reference,
    /// What the component does.
    pub role: Role,
    /// As in [`Component`].
    pub body: BodyId,
    /// As in [`Component`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<BodyId>,
    /// As in [`Component`].
    #[serde(default)]
    pub serves: Sorted<ServedRegister>,
    /// As in [`Component`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceilings: Option<Ceilings>,
}

/// What a component does. An authority that does both has two components (TR-03190).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It requests evidence.
    Consumer,
    /// It provides evidence.
    Provider,
}

/// The keys and the address that a component has applied with.
pub(crate) struct Equipment<'a> {
    pub(crate) signing_key: VerifyingKey,
    pub(crate) sealing_key: [u8; 32],
    pub(crate) endpoint: Option<&'a Endpoint>,
    pub(crate) software: Option<&'a Reference>,
}

impl Seat {
    /// The active component.
    pub(crate) fn component(&self, equipment: &Equipment<'_>) -> Component {
        Component {
            id: self.id.clone(),
            directory: self.directory.clone(),
            identifier: self.identifier.clone(),
            name: self.name.clone(),
            signing_key: equipment.signing_key,
            sealing_key: equipment.sealing_key,
            previous: None,
            consumer: self.role == Role::Consumer,
            provider: self.role == Role::Provider,
            body: self.body.clone(),
            operator: self.operator.clone(),
            state: ComponentState::Active,
            serves: self.serves.clone(),
            endpoint: equipment.endpoint.cloned(),
            software: equipment.software.cloned(),
            ceilings: self.ceilings,
        }
    }
}

impl Invitation {
    /// How later statements name it.
    #[must_use]
    pub fn id(&self) -> InvitationId {
        Hash::of(&record::cbor::to_vec(self))
    }

    /// Until when the operator may apply and the body may confirm.
    #[must_use]
    pub fn expires(&self) -> Timestamp {
        self.issued.after(LIFETIME)
    }
}

impl Statement for Invitation {
    const CONTEXT: &'static str = "einsicht/invitation/v1";
}

/// A second registrar opens an invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Countersignature {
    /// The invitation.
    #[serde(with = "record::bytes")]
    pub invitation: InvitationId,
    /// The public key of the code, with which the body confirms.
    pub code: VerifyingKey,
    /// The registrar: another one than that of the invitation.
    pub by: WriterId,
}

impl Statement for Countersignature {
    const CONTEXT: &'static str = "einsicht/invitation-opened/v1";
}

/// A registrar ends an enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    /// The invitation.
    #[serde(with = "record::bytes")]
    pub invitation: InvitationId,
    /// The registrar.
    pub by: WriterId,
}

impl Statement for Withdrawal {
    const CONTEXT: &'static str = "einsicht/invitation-withdrawn/v1";
}

/// A registrar asks for enrolments, in the order of their invitations' hashes, at most [`PAGE`] at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// The log.
    #[serde(with = "record::bytes")]
    pub genesis: Hash,
    /// The registrar.
    pub by: WriterId,
    /// When it asks.
    pub sent: Timestamp,
    /// The last one that it has, to get those that follow.
    #[serde(with = "record::bytes")]
    pub after: Option<InvitationId>,
}

impl Statement for Query {
    const CONTEXT: &'static str = "einsicht/enrolments/v1";
}
