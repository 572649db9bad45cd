//! `join list`.

use enrolment::{Dossier, PAGE, Query, Signed};
use output::Failure;
use serde::Serialize;

use super::arguments::Registrar;
use super::registrar::{key, now};
use super::remote::Remote;

/// One enrolment as JSON.
#[derive(Serialize)]
struct Listed {
    enrolment: String,
    component: String,
    body: String,
    stage: &'static str,
    /// Why it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
    issued: String,
    expires: String,
    invited_by: String,
    /// The second registrar.
    #[serde(skip_serializing_if = "Option::is_none")]
    opened_by: Option<String>,
}

impl From<&Dossier> for Listed {
    fn from(dossier: &Dossier) -> Self {
        let invited = dossier.invited();
        Self {
            enrolment: invited.id().to_string(),
            component: invited.seat.id.to_string(),
            body: invited.seat.body.to_string(),
            stage: dossier.stage.name(),
            ended: dossier.stage.end().map(|end| end.to_string()),
            issued: invited.issued.to_string(),
            expires: invited.expires().to_string(),
            invited_by: invited.by.to_string(),
            opened_by: dossier.stage.opened().map(|opened| opened.statement.by.to_string()),
        }
    }
}

pub(crate) async fn run(arguments: &Registrar) -> Result<(), Failure> {
    let (key, remote) = (key(arguments)?, Remote::new(&arguments.service)?);
    let mut after = None;
    loop {
        let query = Query {
            genesis: arguments.genesis,
            by: key.id(),
            sent: now(),
            after,
        };
        let answer = remote.post("/enrolments/list", &Signed::sign(query, &key)).await?;
        let page: Vec<Dossier> = record::cbor::from_slice(&answer).map_err(Failure::refused)?;
        for dossier in &page {
            output::stdout!(
                "{}",
                serde_json::to_string(&Listed::from(dossier)).map_err(Failure::usage)?
            )?;
        }
        let last = page.last().map(|dossier| dossier.invited().id());
        if page.len() < PAGE || last <= after {
            return Ok(());
        }
        after = last;
    }
}
