//! The public documents of the demonstration: genesis, directory and Registerlandkarte.

use anyhow::{Context, Result};
use record::directory::{Directory, IdentityKeys, Participant, WriterGrant};
use record::{GenesisDocument, Kind, VerifyingKey};
use registerlandkarte::Registerlandkarte;
use tlog::Hash;

use super::secrets::Secrets;
use crate::world::{ORIGIN, World};

/// The documents. The authority signs the directory and the Registerlandkarte.
pub(crate) struct Documents {
    /// Contains the digests of the other two.
    pub(crate) genesis: GenesisDocument,
    /// The participants, and the writers with their kinds.
    pub(crate) directory: Vec<u8>,
    /// The relation of permissions (Registerlandkarte).
    pub(crate) registerlandkarte: Vec<u8>,
}

impl Documents {
    /// Builds and signs the documents of this world.
    pub(crate) fn sign(secrets: &Secrets, world: &World) -> Result<Self> {
        let directory = directory(secrets, world)?.sign(&secrets.authority)?.bytes().to_vec();
        let registerlandkarte = Registerlandkarte::new(1, world.rules.clone())?
            .sign(&secrets.authority)
            .bytes()
            .to_vec();
        let genesis = GenesisDocument {
            origin: ORIGIN.to_owned(),
            log_keys: vec![secrets.log.verifier_key()?.to_string()],
            authorities: vec![secrets.authority.public()],
            operator: secrets.operator.public(),
            directory: Hash::of(&directory),
            registerlandkarte: Hash::of(&registerlandkarte),
        };
        Ok(Self {
            genesis,
            directory,
            registerlandkarte,
        })
    }
}

fn directory(secrets: &Secrets, world: &World) -> Result<Directory> {
    let grant = |name: &str, key: VerifyingKey, kinds: &[Kind]| WriterGrant {
        name: name.to_owned(),
        key,
        kinds: kinds.to_vec(),
    };
    let mut participants = Vec::new();
    for participant in &world.participants {
        let keys = secrets
            .participants
            .get(&participant.short)
            .context("a participant has no keys")?;
        participants.push(Participant {
            party: participant.party.clone(),
            signing_key: keys.signing.public(),
            sealing_key: keys.sealing.public().0,
            consumer: participant.consumer,
            provider: !participant.consumer,
        });
    }
    Ok(Directory {
        version: 1,
        valid_from: secrets.beginning,
        // SPEC: design §4, "written by".
        writers: vec![
            grant(
                "operator",
                secrets.operator.public(),
                &[Kind::Genesis, Kind::Directory, Kind::Registry],
            ),
            grant("ledger", secrets.ledger.public(), &[Kind::Map]),
            grant(
                "broker",
                secrets.broker.public(),
                &[Kind::Intent, Kind::Outcome, Kind::Denial],
            ),
            grant(
                "identity",
                secrets.identity.public(),
                &[Kind::Period, Kind::Void, Kind::Inspection, Kind::Lost],
            ),
        ],
        participants,
        identity: IdentityKeys {
            signing: secrets.identity_signing.public(),
            sealing: secrets.identity_sealing.public().0,
        },
        supervision: secrets.supervision.public().0,
    })
}
