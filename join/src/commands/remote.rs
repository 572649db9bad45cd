//! Calls to the join service.

use enrolment::{Dossier, InvitationId, Signed};
use output::Failure;
use serde::Serialize;
use serde::de::DeserializeOwned;
use service::http::{CallError, Client};

/// The service at a base URL.
pub(crate) struct Remote {
    client: Client,
    url: String,
}

impl Remote {
    pub(crate) fn new(url: &str) -> Result<Self, Failure> {
        Ok(Self {
            client: Client::new().map_err(unanswered)?,
            url: url.trim_end_matches('/').to_owned(),
        })
    }

    /// An enrolment. What it says is authentic as far as its signatures are.
    pub(crate) async fn dossier(&self, id: InvitationId) -> Result<Dossier, Failure> {
        let url = format!("{}/enrolments/{id}", self.url);
        let bytes = self.client.get_bytes(&url).await.map_err(unanswered)?;
        named(&bytes, id)
    }

    /// Sends a signed statement. `step` follows the enrolment's address.
    pub(crate) async fn step<T: Serialize + DeserializeOwned>(
        &self,
        id: InvitationId,
        step: &str,
        signed: &Signed<T>,
    ) -> Result<Dossier, Failure> {
        let answer = self.post(&format!("/enrolments/{id}/{step}"), signed).await?;
        named(&answer, id)
    }

    /// Sends a signed statement to this path. Returns the answer.
    pub(crate) async fn post<T: Serialize + DeserializeOwned>(
        &self,
        path: &str,
        signed: &Signed<T>,
    ) -> Result<Vec<u8>, Failure> {
        let url = format!("{}{path}", self.url);
        let answer = self.client.post_cbor(&url, signed.to_bytes()).await;
        answer.map_err(unanswered)
    }
}

/// Why the service has not done what was asked for.
fn unanswered(error: CallError) -> Failure {
    match &error {
        CallError::Refused(problem) if !error.retryable() => Failure::Refused(problem.detail.clone()),
        CallError::Invalid(_) => Failure::Refused(error.to_string()),
        _ => Failure::Unreachable(format!("the join service: {error}")),
    }
}

fn named(bytes: &[u8], id: InvitationId) -> Result<Dossier, Failure> {
    let dossier = Dossier::from_bytes(bytes).map_err(Failure::refused)?;
    if dossier.invited().id() == id {
        Ok(dossier)
    } else {
        Err(Failure::Refused("the service has returned another enrolment".into()))
    }
}
