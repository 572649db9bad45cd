//! The portal's own connector, through which it asks registers for citizens.
//!
//! There is no way around the log: the portal's body is a participant like any authority, and each question is an
//! exchange through broker and provider's connector. It is in the citizen's list, as caused by the citizen. The purpose
//! code is one that only the portal's body has a permission for.

use std::sync::Arc;
use std::time::Duration;

use citizen_ui::pages::landkarte::Landkarte;
use citizen_ui::pages::{OwnAnswer, OwnRegister, OwnSection};
use record::content::OWN_REQUEST;
use record::{ParticipantId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service::http::Client;
use service::secret::{Credential, SecretError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::citizen::Citizen;
use crate::config::OwnRequestsConfig;

/// How long the connector may take. Its own deadline and the time for the outcome are shorter.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How many citizens' requests are answered at the same time.
const MAX_REQUESTS: usize = 64;

/// The portal's own connector.
pub(crate) struct OwnRequests {
    connector: Client,
    url: String,
    participant: ParticipantId,
    requests: Arc<Semaphore>,
}

/// The connector's answer, as far as it is shown.
#[derive(Deserialize)]
struct ConnectorAnswer {
    outcome: String,
    evidence: Option<ConnectorEvidence>,
}

#[derive(Deserialize)]
struct ConnectorEvidence {
    issued_at: String,
    #[serde(default)]
    sections: Vec<Section>,
}

#[derive(Deserialize)]
struct Section {
    title: String,
    fields: Vec<Field>,
}

#[derive(Deserialize)]
struct Field {
    title: String,
    value: String,
}

/// What the connector needs to know about the person. It has no `Debug`.
#[derive(Clone, Serialize)]
pub(crate) struct Person {
    idnr: String,
    date_of_birth: String,
}

impl Person {
    /// `None` for a person in whose name a request would find nobody.
    pub(crate) fn of(citizen: &Citizen) -> Option<Self> {
        Some(Self {
            idnr: citizen.idnr()?.expose().to_owned(),
            date_of_birth: citizen.date_of_birth?.expose(),
        })
    }
}

impl OwnRequests {
    pub(crate) fn new(config: &OwnRequestsConfig, client: &Client) -> Result<Self, SecretError> {
        let credential = Credential::read(&config.credential)?;
        Ok(Self {
            connector: client.with_credential(credential).with_timeout(TIMEOUT),
            url: format!("{}/evidence", config.connector),
            participant: config.participant.clone(),
            requests: Arc::new(Semaphore::new(MAX_REQUESTS)),
        })
    }

    /// A place among the requests that are answered at the same time; `None` if there is none.
    pub(crate) fn begin(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.requests).try_acquire_owned().ok()
    }

    /// The registers that the portal may ask for citizens now.
    pub(crate) fn registers(&self, landkarte: &Landkarte, now: Timestamp) -> Vec<OwnRegister> {
        landkarte.own_registers(&self.participant, now)
    }

    /// Asks one register.
    pub(crate) async fn ask(&self, register: &OwnRegister, person: &Person, reference: &str) -> OwnAnswer {
        let query = query(register, person, reference);
        match self.connector.post_json(&self.url, &query).await {
            Ok(answer) => shown(answer),
            Err(error) => {
                // A refusal looks the same for the citizen: there is no answer.
                tracing::warn!(%error, "a register did not answer a citizen's request");
                OwnAnswer::Unreachable
            }
        }
    }
}

/// The request to the connector. The citizen stands behind it, so no official does.
fn query(register: &OwnRegister, person: &Person, reference: &str) -> Value {
    json!({
        "provider": register.component,
        "evidence_type": register.evidence,
        "purpose": OWN_REQUEST,
        "request_reference": reference,
        "official": "-",
        "assurance": "high",
        "person": person,
    })
}

fn shown(answer: ConnectorAnswer) -> OwnAnswer {
    match (answer.outcome.as_str(), answer.evidence) {
        ("delivered", Some(evidence)) => OwnAnswer::Found {
            issued_at: evidence.issued_at.parse::<Timestamp>().ok().map(Timestamp::seconds),
            sections: evidence.sections.into_iter().map(section).collect(),
        },
        ("nothing_found", _) => OwnAnswer::Nothing,
        (outcome, _) => {
            tracing::error!(outcome, "the connector answers otherwise than its interface says");
            OwnAnswer::Unreachable
        }
    }
}

fn section(section: Section) -> OwnSection {
    let fields = section.fields.into_iter().map(|field| (field.title, field.value));
    OwnSection {
        title: section.title,
        fields: fields.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_the_connector_is_shown_or_counts_as_none() {
        let answer = |text: &str| serde_json::from_str::<ConnectorAnswer>(text).map(shown).ok();
        let found = answer(
            r#"{ "exchange": "x", "outcome": "delivered", "intent": 1, "evidence": { "title": "T", "fields": {},
                 "issued_at": "2027-01-15T08:00:00Z",
                 "sections": [ { "title": "A", "fields": [ { "title": "B", "value": "C" } ] } ] } }"#,
        );
        let expected = OwnAnswer::Found {
            issued_at: Some(1_800_000_000),
            sections: vec![OwnSection {
                title: "A".into(),
                fields: vec![("B".into(), "C".into())],
            }],
        };
        assert_eq!(found, Some(expected));
        let nothing = answer(r#"{ "outcome": "nothing_found", "evidence": null }"#);
        assert_eq!(nothing, Some(OwnAnswer::Nothing));
        let strange = answer(r#"{ "outcome": "delivered", "evidence": null }"#);
        assert_eq!(strange, Some(OwnAnswer::Unreachable));
    }
}
