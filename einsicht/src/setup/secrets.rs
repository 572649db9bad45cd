//! The demonstration's keys and credentials. They are created at the first start and read afterwards. Only their owner
//! can read the files.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use certificates::Authority;
use messages::SealingKey;
use record::{SigningKey, Timestamp};
use service::durable;
use service::secret::{self, Credential};
use tlog::note::{KeyName, SignerKey};

use crate::world::{ORIGIN, WITNESSES, World};

/// The two keys of a participant.
pub(crate) struct ParticipantKeys {
    /// Signs S1 and S2, or the provider's answers.
    pub(crate) signing: SigningKey,
    /// Opens what is sealed to the participant.
    pub(crate) sealing: SealingKey,
}

/// All secrets of the demonstration.
pub(crate) struct Secrets {
    /// Time of the first entries.
    pub(crate) beginning: Timestamp,
    /// Signs the first entries.
    pub(crate) operator: SigningKey,
    /// Both sign each change set of the directory and the Registerlandkarte.
    pub(crate) authorities: [SigningKey; 2],
    /// Opens supervision parts.
    pub(crate) supervision: SealingKey,
    /// Signs checkpoints.
    pub(crate) log: SignerKey,
    /// Cosign checkpoints.
    pub(crate) witnesses: Vec<SignerKey>,
    /// Signs the ledger's own entries (`map`).
    pub(crate) ledger: SigningKey,
    /// Signs the broker's entries.
    pub(crate) broker: SigningKey,
    /// Signs identity's entries.
    pub(crate) identity: SigningKey,
    /// Signs the parts that identity seals to providers.
    pub(crate) identity_signing: SigningKey,
    /// Opens the person parts that consumers seal to identity.
    pub(crate) identity_sealing: SealingKey,
    /// The participants' keys, by short name.
    pub(crate) participants: BTreeMap<String, ParticipantKeys>,
    /// The portal's keys. It signs its requests for certificates alone, and nothing is sealed to it.
    pub(crate) portal: ParticipantKeys,
    /// The portal's credential for its own connector, which asks registers for citizens.
    pub(crate) portal_at_connector: Credential,
    /// Each provider's credential for its register, by short name.
    pub(crate) at_registers: BTreeMap<String, Credential>,
}

impl Secrets {
    /// Reads the secrets and creates those that are missing.
    pub(crate) fn open_or_create(data: &Path, world: &World) -> Result<Self> {
        let writer = |path: &str| Ok::<_, anyhow::Error>(SigningKey::from_seed(seed(&data.join(path))?));
        let sealing = |path: &str| Ok::<_, anyhow::Error>(SealingKey::from_seed(seed(&data.join(path))?));
        let mut participants = BTreeMap::new();
        let mut at_registers = BTreeMap::new();
        for participant in &world.participants {
            let folder = format!("connector-{}", participant.short);
            let keys = ParticipantKeys {
                signing: writer(&format!("{folder}/signing.key"))?,
                sealing: sealing(&format!("{folder}/sealing.key"))?,
            };
            participants.insert(participant.short.clone(), keys);
            if participant.runs && !participant.consumer {
                let path = data.join(folder).join("register.credential");
                at_registers.insert(participant.short.clone(), credential(&path)?);
            }
        }
        let beginning = beginning(&data.join("operator/beginning"))?;
        certificate_authority(&data.join("join"), beginning)?;
        Ok(Self {
            beginning,
            operator: writer("operator/operator.key")?,
            authorities: [writer("operator/authority-1.key")?, writer("operator/authority-2.key")?],
            supervision: sealing("supervision/sealing.key")?,
            log: note_key(&data.join("ledger/log.key"), ORIGIN, SignerKey::for_notes)?,
            witnesses: WITNESSES
                .iter()
                .map(|name| witness(data, name))
                .collect::<Result<_>>()?,
            ledger: writer("ledger/writer.key")?,
            broker: writer("broker/writer.key")?,
            identity: writer("identity/writer.key")?,
            identity_signing: writer("identity/signing.key")?,
            identity_sealing: sealing("identity/sealing.key")?,
            participants,
            portal: ParticipantKeys {
                signing: writer("portal/signing.key")?,
                sealing: sealing("portal/sealing.key")?,
            },
            portal_at_connector: credential(&data.join("portal/connector.credential"))?,
            at_registers,
        })
    }
}

/// Creates the certificate authority, unless there is one.
fn certificate_authority(folder: &Path, now: Timestamp) -> Result<()> {
    let (key, certificate) = (folder.join("authority.key"), folder.join("authority.pem"));
    parent(&key)?;
    if !key.exists() {
        Authority::create(&key, &certificate, "Einsicht (Demonstration)", now)?;
    }
    Ok(())
}

fn parent(path: &Path) -> Result<()> {
    let folder = path.parent().context("the path has no parent directory")?;
    durable::private_directory(folder).with_context(|| folder.display().to_string())
}

fn seed(path: &Path) -> Result<[u8; 32]> {
    parent(path)?;
    if path.exists() {
        Ok(secret::read_seed(path)?)
    } else {
        Ok(secret::create_seed(path)?)
    }
}

fn credential(path: &Path) -> Result<Credential> {
    parent(path)?;
    if path.exists() {
        Ok(Credential::read(path)?)
    } else {
        Ok(Credential::create(path)?)
    }
}

fn witness(data: &Path, name: &str) -> Result<SignerKey> {
    let path = data.join(name).join("witness.key");
    // The file holds a note key, like one made by the witness's own tool. The cosigning key has the same seed.
    note_key(&path, &format!("einsicht.example/{name}"), SignerKey::for_notes)?;
    Ok(verifier::witness::load_signer(&path)?)
}

fn note_key(path: &Path, name: &str, make: fn(KeyName, &[u8; 32]) -> SignerKey) -> Result<SignerKey> {
    parent(path)?;
    if path.exists() {
        return Ok(secret::read_private(path)?.trim_end().parse()?);
    }
    let key = make(name.parse()?, &secret::random()?);
    durable::create_private(path, format!("{}\n", *key.to_private_text()).as_bytes())?;
    Ok(key)
}

/// The time of the first entries, which is that of the first start.
fn beginning(path: &Path) -> Result<Timestamp> {
    parent(path)?;
    if !path.exists() {
        let now = service::clock::Clock::now(&service::clock::SystemClock);
        durable::write_atomic(path, format!("{now}\n").as_bytes())?;
    }
    Ok(Timestamp(std::fs::read_to_string(path)?.trim().parse()?))
}
