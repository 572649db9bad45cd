//! A registrar with a key, the log, and the service.

use std::path::Path;

use enrolment::{InvitationId, Link, Purpose};
use ledger_client::{Anchored, HttpLedger, Trust};
use output::Failure;
use record::{SigningKey, Timestamp};
use service::clock::Clock as _;
use service::{SystemClock, durable, secret, text_file};
use trust::TrustState;

use super::arguments::Registrar;
use super::remote::Remote;

/// What most commands need.
pub(crate) struct Acting {
    pub(crate) key: SigningKey,
    pub(crate) remote: Remote,
    anchored: Anchored,
}

impl Acting {
    /// Reads the key, and the directory from the log.
    pub(crate) async fn begin(arguments: &Registrar) -> Result<Self, Failure> {
        let key = key(arguments)?;
        let trust = Trust::load(&arguments.policy, &arguments.genesis.to_string()).map_err(Failure::usage)?;
        let api = HttpLedger::new(&arguments.ledger).map_err(Failure::usage)?;
        Ok(Self {
            key,
            remote: Remote::new(&arguments.service)?,
            anchored: Anchored::fetch(&api, &trust).await?,
        })
    }

    /// The directory in force.
    pub(crate) fn state(&self) -> &TrustState {
        self.anchored.history.state()
    }
}

/// The registrar's key.
pub(crate) fn key(arguments: &Registrar) -> Result<SigningKey, Failure> {
    let seed = secret::read_seed(&arguments.key).map_err(Failure::usage)?;
    Ok(SigningKey::from_seed(seed))
}

/// Writes a secret into a new file that only its owner may read.
pub(crate) fn hand_out(path: &Path, secret: &str) -> Result<(), Failure> {
    durable::create_private(path, format!("{secret}\n").as_bytes()).map_err(|error| Failure::file(path, error))
}

/// The secret that an interrupted command has handed out in this file.
pub(crate) fn handed_out(path: &Path, purpose: Purpose, invitation: InvitationId) -> Result<Option<Link>, Failure> {
    if !path.exists() {
        return Ok(None);
    }
    let text = secret::read_private(path).map_err(Failure::usage)?;
    let link = Link::parse(&text, purpose).map_err(|error| Failure::file(path, error))?;
    if link.invitation == invitation {
        Ok(Some(link))
    } else {
        Err(Failure::file(
            path,
            "it has the secret of another enrolment: name a new file",
        ))
    }
}

/// This machine's time.
pub(crate) fn now() -> Timestamp {
    Timestamp(SystemClock.now())
}

/// A text file.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    let bytes = text_file::read(path).map_err(|error| Failure::file(path, error))?;
    String::from_utf8(bytes).map_err(|error| Failure::file(path, error))
}
