//! The demonstration's exchanges. They are requested from the consumers' connectors, as an authority's own service
//! would do.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::world::{DemoPerson, Example, ExampleOutcome, World};

/// How often an exchange is tried if it fails retryably.
const MAX_ATTEMPTS: u32 = 20;

/// Makes all examples and compares each outcome with the expected one.
pub(crate) async fn seed(world: &World, connectors: &BTreeMap<String, String>) -> Result<()> {
    let client = service::http::client(|builder| builder.timeout(Duration::from_secs(60)))?;
    for (number, example) in world.examples.iter().enumerate() {
        let url = connectors
            .get(&example.consumer)
            .with_context(|| format!("no connector {}", example.consumer))?;
        let outcome = ask(&client, url, &question(world, example, number)?, example.expected).await?;
        ensure!(
            outcome == example.expected,
            "example {number}: outcome {outcome:?}, expected {:?}",
            example.expected
        );
        tracing::info!(number, ?outcome, "example exchange");
    }
    Ok(())
}

fn question(world: &World, example: &Example, number: usize) -> Result<Value> {
    let person = match &example.person {
        Some(subject) => {
            let person = world.persons.iter().find(|person| person.subject == *subject);
            by_name(person.with_context(|| format!("no person {subject}"))?, example.idnr)
        }
        None => json!({
            "family_name": "Unbekannt", "given_name": "Udo", "date_of_birth": "1970-01-01",
            "postal_code": "73614", "place": "Rheinfurt",
        }),
    };
    Ok(json!({
        "provider": example.provider,
        "place": example.place,
        "evidence_type": example.evidence_type,
        "purpose": example.purpose,
        "request_reference": format!("DEMO-{number:03}"),
        "official": format!("sachbearbeitung-{}", number % 3 + 1),
        "assurance": "high",
        "person": person,
    }))
}

fn by_name(person: &DemoPerson, idnr: bool) -> Value {
    json!({
        "idnr": idnr.then_some(&person.idnr),
        "family_name": person.family_name,
        "given_name": person.given_name,
        "date_of_birth": person.date_of_birth,
        "postal_code": person.postal_code,
        "place": person.place,
    })
}

async fn ask(
    client: &reqwest::Client,
    url: &str,
    question: &Value,
    expected: ExampleOutcome,
) -> Result<ExampleOutcome> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let answer = client.post(format!("{url}/evidence")).json(question).send().await?;
        let status = answer.status().as_u16();
        let body: Value = text::json::from_slice(&answer.bytes().await?)?;
        let outcome = outcome_of(status, &body)?;
        // A retryable failure is final only in the example that expects it.
        if outcome != ExampleOutcome::Failed || expected == ExampleOutcome::Failed || attempt == MAX_ATTEMPTS {
            return Ok(outcome);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn outcome_of(status: u16, body: &Value) -> Result<ExampleOutcome> {
    match (status, body["outcome"].as_str()) {
        (200, Some("delivered")) => Ok(ExampleOutcome::Delivered),
        (200, Some("nothing_found")) => Ok(ExampleOutcome::NothingFound),
        (403, _) => Ok(ExampleOutcome::Refused),
        (502..=504, _) => Ok(ExampleOutcome::Failed),
        _ => anyhow::bail!("unexpected response {status}: {}", body["title"]),
    }
}
