//! `connector join`: from a registrar's link to a component that the directory lists.
//!
//! ```text
//! Joining::begin    reads the link and the invitation, which the link authenticates
//! Joining::apply    makes keys and configuration, and applies with the keys
//! Joining::stage    asks how far the enrolment is
//! Joining::listed   finds the component with its keys in the log
//! ```
//!
//! Every step can be repeated: keys and configuration are made once, and the same application is sent once. So after
//! a crash at any step the same command continues. Two commands at once in one folder are refused, because each would
//! make keys.
//!
//! The service is not trusted. The link names the invitation by its hash, so trust policy, genesis hash and certificate
//! authorities are those that the registrar has signed, and whether the component is listed follows from the log.

mod files;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use enrolment::{
    Application, ApplicationStatement, Dossier, End, Invitation, Link, Purpose, Refused, Role, Stage, Words,
};
use ledger_client::{Anchored, HttpLedger, Trust};
use output::Failure;
use service::http::{CallError, Client};
use trust::{Endpoint, Version};

use crate::config::{Config, ConsumerConfig, ProviderConfig};
use files::Folder;
pub use files::FolderError;

/// What a provider's connector needs in addition to the invitation.
#[derive(Debug, Clone)]
pub struct ProviderArguments {
    /// Where the broker reaches the connector. Without it, the connector collects its calls from the broker.
    pub endpoint: Option<Endpoint>,
    /// The register's base URL.
    pub register: String,
    /// File of the credential that the register requires.
    pub register_credential: PathBuf,
}

/// Why a connector does not join.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The command line does not fit the invitation.
    #[error("{0}")]
    Usage(&'static str),
    /// The service refuses, or what it returns is not what the link names.
    #[error("{0}")]
    Refused(String),
    /// The enrolment has ended.
    #[error("the enrolment has ended: {0}. Ask the registrar for a new link")]
    Ended(End),
    /// Service or ledger are not reached. The same command continues.
    #[error("{0}")]
    NotReached(String),
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

/// What the command says about it.
impl From<JoinError> for Failure {
    fn from(error: JoinError) -> Self {
        let reason = error.to_string();
        match error {
            JoinError::Usage(_) | JoinError::Folder(_) => Self::Usage(reason),
            JoinError::Refused(_) | JoinError::Ended(_) => Self::Refused(reason),
            JoinError::NotReached(_) => Self::Unreachable(reason),
        }
    }
}

impl From<CallError> for JoinError {
    fn from(error: CallError) -> Self {
        match &error {
            CallError::Refused(problem) if !error.retryable() => Self::Refused(problem.detail.clone()),
            CallError::Invalid(_) => Self::Refused(error.to_string()),
            _ => Self::NotReached(format!("the join service: {error}")),
        }
    }
}

/// An enrolment from the operator's side.
pub struct Joining {
    link: Link,
    client: Client,
    dossier: Dossier,
    provider: Option<ProviderArguments>,
}

impl Joining {
    /// Reads the invitation of a link.
    ///
    /// # Errors
    /// [`JoinError`]; nothing has been written.
    pub async fn begin(link: &str, provider: Option<ProviderArguments>) -> Result<Self, JoinError> {
        let link = Link::parse(link, Purpose::Apply).map_err(|error| JoinError::Refused(error.to_string()))?;
        let client = Client::new()?;
        let dossier = fetch(&client, &link).await?;
        let invited = dossier.invited();
        if invited.link != link.key().public() {
            return Err(JoinError::Refused("the link does not belong to its invitation".into()));
        }
        match (invited.seat.role, &provider) {
            (Role::Provider, None) => Err(JoinError::Usage(
                "a provider needs --endpoint or --collect, --register and --register-credential",
            )),
            (Role::Consumer, Some(_)) => Err(JoinError::Usage(
                "a consumer has neither --endpoint nor --collect nor --register nor --register-credential",
            )),
            _ => Ok(Self {
                link,
                client,
                dossier,
                provider,
            }),
        }
    }

    /// The invitation.
    #[must_use]
    pub fn invited(&self) -> &Invitation {
        self.dossier.invited()
    }

    /// Makes what is missing in `folder`, and applies unless it has applied before. Returns the words of the keys.
    ///
    /// # Errors
    /// [`JoinError`].
    pub async fn apply(&mut self, folder: &Path) -> Result<Words, JoinError> {
        if let Stage::Ended(end) = self.dossier.stage {
            return Err(JoinError::Ended(end));
        }
        let folder = Folder::open(folder)?;
        let keys = folder.keys(&self.invited().seat.id)?;
        folder.settle(self.invited(), &self.config())?;
        let statement = ApplicationStatement {
            invitation: self.link.invitation,
            signing_key: keys.signing.public(),
            sealing_key: keys.sealing.public().0,
            endpoint: self.provider.as_ref().and_then(|provider| provider.endpoint.clone()),
            software: None,
        };
        let words = statement.words();
        // Applying again would race with the directory: a listed enrolment takes no application, not even the same.
        match self.dossier.application() {
            Some(application) if *application.content() == statement => return Ok(words),
            Some(_) => return Err(JoinError::Refused(Refused::Used.to_string())),
            None if matches!(self.dossier.stage, Stage::Listed) => return Ok(words),
            None => {}
        }
        let application = Application::new(statement, &keys.signing, &self.link.key());
        let (service, id) = (&self.link.service, self.link.invitation);
        let url = format!("{service}/enrolments/{id}/application");
        let answer = self.client.post_cbor(&url, application.to_bytes()).await?;
        self.dossier = named(&answer, &self.link)?;
        Ok(words)
    }

    /// How far the enrolment is, according to the service.
    ///
    /// # Errors
    /// [`JoinError`].
    pub async fn stage(&mut self) -> Result<&Stage, JoinError> {
        self.dossier = fetch(&self.client, &self.link).await?;
        match self.dossier.stage {
            Stage::Ended(end) => Err(JoinError::Ended(end)),
            _ => Ok(&self.dossier.stage),
        }
    }

    /// The version of the directory, if the log has published one that lists the component with the folder's keys.
    ///
    /// # Errors
    /// [`JoinError`].
    pub async fn listed(&self, folder: &Path) -> Result<Option<Version>, JoinError> {
        let (invited, folder) = (self.invited(), Folder::open(folder)?);
        let keys = folder.keys(&invited.seat.id)?;
        let trust = Trust::load(&folder.policy(), &invited.network.genesis.to_string());
        let trust = trust.map_err(|error| JoinError::Refused(error.to_string()))?;
        let not_reached = |error: &dyn std::fmt::Display| JoinError::NotReached(format!("the ledger: {error}"));
        let api = HttpLedger::new(&invited.network.ledger).map_err(|error| not_reached(&error))?;
        let anchored = Anchored::fetch(&api, &trust)
            .await
            .map_err(|error| not_reached(&error))?;
        let directory = anchored.history.state().directory();
        let Some(component) = directory.component(&invited.seat.id) else {
            return Ok(None);
        };
        if component.signing_key == keys.signing.public() && component.sealing_key == keys.sealing.public().0 {
            Ok(Some(directory.version()))
        } else {
            Err(JoinError::Ended(End::Taken))
        }
    }

    /// The configuration of the connector, with paths that start from its folder.
    fn config(&self) -> Config {
        let (network, service) = (&self.invited().network, &self.link.service);
        let role = match &self.provider {
            None => crate::Role::Consumer(ConsumerConfig::at(&network.broker)),
            Some(provider) => crate::Role::Provider(ProviderConfig {
                collects_from: provider.endpoint.is_none().then(|| network.broker.clone()),
                ..ProviderConfig::of(&provider.register, provider.register_credential.clone())
            }),
        };
        files::config(self.invited(), service, role)
    }
}

async fn fetch(client: &Client, link: &Link) -> Result<Dossier, JoinError> {
    let url = format!("{}/enrolments/{}", link.service, link.invitation);
    named(&client.get_bytes(&url).await?, link)
}

fn named(bytes: &[u8], link: &Link) -> Result<Dossier, JoinError> {
    let dossier = Dossier::from_bytes(bytes).map_err(|error| JoinError::Refused(error.to_string()))?;
    if dossier.invited().id() == link.invitation {
        Ok(dossier)
    } else {
        let other = "the service has returned another invitation than the link names";
        Err(JoinError::Refused(other.into()))
    }
}
