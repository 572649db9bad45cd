//! The public documents of the demonstration: genesis, and the first change sets of directory and Registerlandkarte.

use anyhow::{Context, Result};
use record::{GenesisDocument, IdentityKeys, Kind, VerifyingKey, WriterGrant};
use registerlandkarte::{Interval, Tables};
use trust::{
    Authorities, Authority, Component, ComponentState, Operation, SignedChangeSet, SupervisionKey, Threshold,
    TrustKind, TrustState, Value,
};

use super::secrets::{ParticipantKeys, Secrets};
use crate::world::{COCKPIT, ORIGIN, PORTAL, Participant, World};

/// How many authorities must sign a change set: both, so that none of them can change anything alone.
const THRESHOLD: u8 = 2;

/// The documents. Both authorities sign each change set.
pub(crate) struct Documents {
    /// Names the change sets.
    pub(crate) genesis: GenesisDocument,
    /// Puts the writers with their kinds, the participants, and the keys of identity and supervision.
    pub(crate) directory: SignedChangeSet,
    /// Puts the permissions (Registerlandkarte).
    pub(crate) registerlandkarte: SignedChangeSet,
}

impl Documents {
    /// Builds and signs the documents of this world.
    pub(crate) fn sign(secrets: &Secrets, world: &World) -> Result<Self> {
        let threshold = Threshold::new(THRESHOLD)?;
        let authorities = secrets.authorities.each_ref().map(|key| key.public());
        let state = TrustState::new(ORIGIN.parse()?, Authorities::genesis(&authorities, threshold)?);
        let directory = sign(secrets, &state, TrustKind::Directory, directory(secrets, world)?)?;
        let state = state.apply(TrustKind::Directory, &directory)?;
        let rows = Value::of_tables(&registerlandkarte(secrets, world));
        let registerlandkarte = sign(secrets, &state, TrustKind::Registerlandkarte, rows)?;
        let genesis = GenesisDocument {
            origin: ORIGIN.to_owned(),
            log_keys: vec![secrets.log.verifier_key()?.to_string()],
            authorities: authorities.to_vec(),
            threshold: THRESHOLD,
            operator: secrets.operator.public(),
            directory: directory.signed().digest(),
            registerlandkarte: registerlandkarte.signed().digest(),
        };
        Ok(Self {
            genesis,
            directory,
            registerlandkarte,
        })
    }
}

/// Makes the next version of a kind with these values, signed by both authorities.
fn sign(secrets: &Secrets, state: &TrustState, kind: TrustKind, values: Vec<Value>) -> Result<SignedChangeSet> {
    let puts = values.iter().map(Operation::put).collect::<Result<_, _>>()?;
    let set = state.propose(kind, secrets.beginning, "Gründung der Demonstration".parse()?, puts)?;
    let [first, second] = &secrets.authorities;
    Ok(set.sign(&[first, second])?)
}

/// The shipped permissions, valid and recorded since the demonstration begins: its log has no earlier entries.
fn registerlandkarte(secrets: &Secrets, world: &World) -> Tables {
    let mut tables = world.registerlandkarte.clone();
    for rule in &mut tables.permissions {
        rule.valid = Interval::since(secrets.beginning);
        rule.recorded = Interval::since(secrets.beginning);
    }
    tables
}

fn directory(secrets: &Secrets, world: &World) -> Result<Vec<Value>> {
    let mut values = vec![
        Value::Threshold(Threshold::new(THRESHOLD)?),
        Value::Identity(IdentityKeys {
            signing: secrets.identity_signing.public(),
            sealing: secrets.identity_sealing.public().0,
        }),
        Value::Supervision(SupervisionKey {
            sealing: secrets.supervision.public().0,
        }),
    ];
    for (number, key) in (1..).zip(&secrets.authorities) {
        values.push(Value::Authority(Authority {
            name: format!("Registerbehörde {number}").parse()?,
            key: key.public(),
            signs: TrustKind::ALL.into(),
        }));
    }
    values.extend(writers(secrets).into_iter().map(Value::Writer));
    values.extend(world.bodies.iter().cloned().map(Box::new).map(Value::Body));
    for participant in &world.participants {
        let keys = secrets
            .participants
            .get(&participant.short)
            .context("a participant has no keys")?;
        values.push(Value::Component(Box::new(component(participant, keys))));
    }
    let cockpit = world
        .participants
        .iter()
        .find(|participant| participant.short == COCKPIT);
    let cockpit = cockpit.context("the demonstration has no cockpit")?;
    values.push(Value::Component(Box::new(Component {
        id: PORTAL.parse()?,
        identifier: PORTAL.parse()?,
        name: "Datenschutzcockpit, Portal".parse()?,
        consumer: false,
        ..component(cockpit, &secrets.portal)
    })));
    Ok(values)
}

fn component(participant: &Participant, keys: &ParticipantKeys) -> Component {
    Component {
        id: participant.id.clone(),
        directory: participant.directory.clone(),
        identifier: participant.identifier.clone(),
        name: participant.name.clone(),
        signing_key: keys.signing.public(),
        sealing_key: keys.sealing.public().0,
        previous: None,
        consumer: participant.consumer,
        provider: !participant.consumer,
        body: participant.body.clone(),
        operator: participant.operator.clone(),
        state: ComponentState::Active,
        serves: participant.serves.clone(),
        // Addresses differ at each start, so the broker has them in its configuration.
        endpoint: None,
        software: None,
        ceilings: participant.ceilings,
    }
}

/// SPEC: design §4, "written by". The genesis document itself lets the operator write change sets.
fn writers(secrets: &Secrets) -> Vec<WriterGrant> {
    let grant = |name: &str, key: VerifyingKey, kinds: &[Kind]| WriterGrant {
        name: name.to_owned(),
        key,
        kinds: kinds.to_vec(),
    };
    vec![
        grant("ledger", secrets.ledger.public(), &[Kind::Map]),
        grant(
            "broker",
            secrets.broker.public(),
            &[Kind::Intent, Kind::Outcome, Kind::Preview, Kind::Denial],
        ),
        grant(
            "identity",
            secrets.identity.public(),
            &[Kind::Period, Kind::Void, Kind::Inspection, Kind::Lost],
        ),
    ]
}
