//! Calls to the join service.

use enrolment::{Dossier, InvitationId, Signed};
use serde::Serialize;
use serde::de::DeserializeOwned;
use service::http::Client;

use super::failure::Failure;

/// The service at a base URL.
pub(crate) struct Remote {
    client: Client,
    url: String,
}

impl Remote {
    pub(crate) fn new(url: &str) -> Result<Self, Failure> {
        Ok(Self {
            client: Client::new()?,
            url: url.trim_end_matches('/').to_owned(),
        })
    }

    /// An enrolment. What it says is authentic as far as its signatures are.
    pub(crate) async fn dossier(&self, id: InvitationId) -> Result<Dossier, Failure> {
        let bytes = self.client.get_bytes(&format!("{}/enrolments/{id}", self.url)).await?;
        named(&bytes, id)
    }

    /// Sends a signed statement. `step` follows the enrolment's address.
    pub(crate) async fn step<T: Serialize + DeserializeOwned>(
        &self,
        id: InvitationId,
        step: &str,
        signed: &Signed<T>,
    ) -> Result<Dossier, Failure> {
        let answer = self.post(&format!("/{id}/{step}"), signed).await?;
        named(&answer, id)
    }

    /// Sends a signed statement to this address below `/enrolments`. Returns the answer.
    pub(crate) async fn post<T: Serialize + DeserializeOwned>(
        &self,
        path: &str,
        signed: &Signed<T>,
    ) -> Result<Vec<u8>, Failure> {
        let url = format!("{}/enrolments{path}", self.url);
        Ok(self.client.post_cbor(&url, signed.to_bytes()).await?)
    }
}

fn named(bytes: &[u8], id: InvitationId) -> Result<Dossier, Failure> {
    let dossier = Dossier::from_bytes(bytes).map_err(|error| Failure::Refused(error.to_string()))?;
    if dossier.invited().id() == id {
        Ok(dossier)
    } else {
        Err(Failure::Refused("the service has returned another enrolment".into()))
    }
}
