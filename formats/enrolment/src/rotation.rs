//! The rotation of a component's keys: what the component asks for.

use record::{ParticipantId, SigningKey, Timestamp, VerifyingKey};
use serde::{Deserialize, Serialize};
use tlog::Hash;
use trust::{Component, Operation, TrustMap, TrustState, Value};

use crate::dossier::{check_puts, check_question};
use crate::refused::Refused;
use crate::signed::{Signed, Statement};

/// The new keys of a component that the directory lists. It names no time, so a component that asks again after a
/// crash sends the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotationStatement {
    /// The log.
    #[serde(with = "record::bytes")]
    pub genesis: Hash,
    /// The component.
    pub component: ParticipantId,
    /// Its signing key until then, so that the statement counts for one rotation alone.
    pub present: VerifyingKey,
    /// The new signing key.
    pub signing_key: VerifyingKey,
    /// The new sealing key (X25519). That the component has its private half is not proved: without it, the component
    /// could read nothing that is sealed to it.
    #[serde(with = "record::bytes")]
    pub sealing_key: [u8; 32],
}

impl Statement for RotationStatement {
    const CONTEXT: &'static str = "einsicht/rotation/v1";
}

/// A rotation, signed by the new key, which proves that the component has it, and then by the present one.
pub type Rotation = Signed<Signed<RotationStatement>>;

impl Statement for Signed<RotationStatement> {
    const CONTEXT: &'static str = "einsicht/rotation-by-present/v1";
}

impl Rotation {
    /// Asks for new keys.
    #[must_use]
    pub fn new(statement: RotationStatement, new: &SigningKey, present: &SigningKey) -> Self {
        Self::sign(Signed::sign(statement, new), present)
    }

    /// What is asked for.
    #[must_use]
    pub fn content(&self) -> &RotationStatement {
        &self.statement.statement
    }

    /// Checks that the component that the directory lists asks for other keys, and has signed with both.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn check(&self, genesis: Hash, directory: &TrustMap) -> Result<(), Refused> {
        let content = self.content();
        if content.genesis != genesis {
            return Err(Refused::OtherLog);
        }
        let component = directory
            .component(&content.component)
            .filter(|component| component.is_active());
        let component = component.ok_or_else(|| Refused::NotListed(content.component.clone()))?;
        if content.is_done(component) {
            return Err(Refused::Listed(content.component.clone()));
        }
        if component.signing_key != content.present || !self.is_by(&content.present) {
            return Err(Refused::Present);
        }
        if !self.statement.is_by(&content.signing_key) {
            return Err(Refused::Key);
        }
        let mut rotated = component.clone();
        rotated.rotate(content.signing_key, content.sealing_key);
        let put = Operation::put(&Value::Component(Box::new(rotated)));
        let put = put.map_err(|error| Refused::Unfit(error.to_string()))?;
        check_puts(vec![put], directory)
    }
}

impl RotationStatement {
    /// Whether the directory lists the new keys.
    #[must_use]
    pub fn is_done(&self, component: &Component) -> bool {
        component.signing_key == self.signing_key && component.sealing_key == self.sealing_key
    }
}

/// A registrar asks for the rotations that wait for a change set, in the order of the SHA-256 of their components' ids,
/// at most [`PAGE`](crate::PAGE) at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotationQuery {
    /// The log.
    #[serde(with = "record::bytes")]
    pub genesis: Hash,
    /// The registrar.
    pub by: record::WriterId,
    /// When it asks.
    pub sent: Timestamp,
    /// The component of the last one that it has, to get those that follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ParticipantId>,
}

impl Statement for RotationQuery {
    const CONTEXT: &'static str = "einsicht/rotations/v1";
}

impl Signed<RotationQuery> {
    /// Checks a registrar's question.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn check(&self, genesis: Hash, state: &TrustState, now: Timestamp) -> Result<(), Refused> {
        if self.statement.genesis != genesis {
            return Err(Refused::OtherLog);
        }
        let (by, sent) = (&self.statement.by, self.statement.sent);
        check_question(self, (by, sent), state, now)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use fixtures::{FirstValues, Founders, values};
    use tlog::note::SignerKey;

    use super::*;

    const GENESIS: Hash = Hash([7; 32]);
    const PRESENT: u8 = 11;
    const NEW: u8 = 12;
    const OTHER: u8 = 13;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed([seed; 32])
    }

    fn statement() -> RotationStatement {
        RotationStatement {
            genesis: GENESIS,
            component: "parken".parse().unwrap(),
            present: key(PRESENT).public(),
            signing_key: key(NEW).public(),
            sealing_key: [NEW; 32],
        }
    }

    fn refused(rotation: &Rotation, directory: &TrustMap) -> Refused {
        rotation.check(GENESIS, directory).unwrap_err()
    }

    #[test]
    fn both_keys_of_a_listed_component_sign_its_rotation() {
        let parken = values::consumer("parken", key(PRESENT).public(), [PRESENT; 32]);
        let other = values::consumer("dorf", key(OTHER).public(), [OTHER; 32]);
        let log = SignerKey::for_notes("log.example".parse().unwrap(), &[9; 32]);
        let founders = Founders {
            origin: "log.example",
            log: &log,
            operator: &key(1),
            authority: &key(2),
            identity: &key(3),
        };
        let first = FirstValues {
            components: vec![parken, other],
            ..FirstValues::default()
        };
        let founding = founders.found_with(first, Timestamp(1)).unwrap();
        let directory = founding.history.state().directory();
        let rotation = |change: &dyn Fn(&mut RotationStatement), new, present| {
            let mut statement = statement();
            change(&mut statement);
            Rotation::new(statement, &key(new), &key(present))
        };
        let same = |_: &mut RotationStatement| {};
        rotation(&same, NEW, PRESENT).check(GENESIS, directory).unwrap();
        assert_eq!(refused(&rotation(&same, NEW, OTHER), directory), Refused::Present);
        assert_eq!(refused(&rotation(&same, NEW, NEW), directory), Refused::Present);
        assert_eq!(refused(&rotation(&same, OTHER, PRESENT), directory), Refused::Key);
        let stolen = rotation(&|statement| statement.component = "dorf".parse().unwrap(), NEW, PRESENT);
        assert_eq!(refused(&stolen, directory), Refused::Present);
        let elsewhere = rotation(&|statement| statement.genesis = Hash([8; 32]), NEW, PRESENT);
        assert_eq!(refused(&elsewhere, directory), Refused::OtherLog);
        let unknown = rotation(&|statement| statement.component = "neu".parse().unwrap(), NEW, PRESENT);
        assert!(matches!(refused(&unknown, directory), Refused::NotListed(_)));
        let taken = rotation(&|statement| statement.sealing_key = [OTHER; 32], NEW, PRESENT);
        assert!(matches!(refused(&taken, directory), Refused::Unfit(_)));
        let done = rotation(
            &|statement| (statement.signing_key, statement.sealing_key) = (key(PRESENT).public(), [PRESENT; 32]),
            PRESENT,
            PRESENT,
        );
        assert!(matches!(refused(&done, directory), Refused::Listed(_)));
    }
}
