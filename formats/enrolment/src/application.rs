//! The operator's application, and the body's confirmation.

use record::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use text::Reference;
use trust::Endpoint;

use crate::invitation::{Equipment, InvitationId};
use crate::signed::{Signed, Statement};
use crate::words::Words;

/// The keys of a component. It names no time, so an operator who applies again after a crash sends the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationStatement {
    /// The invitation.
    #[serde(with = "record::bytes")]
    pub invitation: InvitationId,
    /// The key that signs requests or answers.
    pub signing_key: VerifyingKey,
    /// The HPKE public key (X25519). That the operator has its private half is not proved: without it, the operator
    /// could read nothing that is sealed to the component.
    #[serde(with = "record::bytes")]
    pub sealing_key: [u8; 32],
    /// Where the broker reaches a provider's connector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// The software of the connector, with its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software: Option<Reference>,
}

impl Statement for ApplicationStatement {
    const CONTEXT: &'static str = "einsicht/application/v1";
}

/// An application, signed by the component's key, which proves that the operator has it, and then by the link's key.
pub type Application = Signed<Signed<ApplicationStatement>>;

impl Statement for Signed<ApplicationStatement> {
    const CONTEXT: &'static str = "einsicht/application-with-link/v1";
}

impl Application {
    /// Applies with these two keys.
    #[must_use]
    pub fn new(statement: ApplicationStatement, component: &SigningKey, link: &SigningKey) -> Self {
        Self::sign(Signed::sign(statement, component), link)
    }

    /// What is applied for.
    #[must_use]
    pub fn content(&self) -> &ApplicationStatement {
        &self.statement.statement
    }

    /// What people compare.
    #[must_use]
    pub fn words(&self) -> Words {
        self.content().words()
    }
}

impl ApplicationStatement {
    /// What people compare.
    #[must_use]
    pub fn words(&self) -> Words {
        Words::of(&record::cbor::to_vec(self))
    }

    pub(crate) fn equipment(&self) -> Equipment<'_> {
        Equipment {
            signing_key: self.signing_key,
            sealing_key: self.sealing_key,
            endpoint: self.endpoint.as_ref(),
            software: self.software.as_ref(),
        }
    }
}

/// The body confirms an application by its words, which the operator has told it. Signed by the key of the code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// The invitation.
    #[serde(with = "record::bytes")]
    pub invitation: InvitationId,
    /// The words.
    pub words: Words,
}

impl Statement for Confirmation {
    const CONTEXT: &'static str = "einsicht/application-confirmed/v1";
}
