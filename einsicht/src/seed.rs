//! The demonstration's exchanges. They are requested from the consumers' connectors, as an authority's own service
//! would do.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde_json::{Value, json};

use crate::world::{DemoPerson, Example, ExampleOutcome, World};

/// How often an exchange is tried if it fails retryably.
const MAX_ATTEMPTS: u32 = 50;
/// The pause before the next attempt.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// How long an exchange may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Makes all examples in their order and compares each outcome with the expected one. An example that fails takes
/// seconds, because the broker asks its provider repeatedly, so the others do not wait for it.
pub(crate) async fn seed(world: &World, connectors: &BTreeMap<String, String>) -> Result<()> {
    let client = service::http::client(|builder| builder.timeout(TIMEOUT))?;
    let fails = |(_, example): &(usize, &Example)| example.expected == ExampleOutcome::Failed;
    let (failing, others): (Vec<_>, Vec<_>) = world.examples.iter().enumerate().partition(fails);
    let in_order = async |examples: Vec<(usize, &Example)>| {
        for (number, example) in examples {
            let reference = format!("DEMO-{number:03}");
            make(&client, world, connectors, &reference, example).await?;
        }
        anyhow::Ok(())
    };
    tokio::try_join!(in_order(failing), in_order(others))?;
    Ok(())
}

/// Makes the exchanges of one day concurrently and compares each outcome with the expected one.
pub(crate) async fn all_at_once(
    world: &World,
    connectors: &BTreeMap<String, String>,
    day: usize,
    exchanges: &[&Example],
) -> Result<()> {
    let client = service::http::client(|builder| builder.timeout(TIMEOUT))?;
    let (client, mut made) = (&client, FuturesUnordered::new());
    for (number, example) in exchanges.iter().enumerate() {
        made.push(async move {
            let reference = format!("DEMO-{day:03}-{number:03}");
            make(client, world, connectors, &reference, example).await
        });
    }
    while let Some(result) = made.next().await {
        result?;
    }
    Ok(())
}

async fn make(
    client: &reqwest::Client,
    world: &World,
    connectors: &BTreeMap<String, String>,
    reference: &str,
    example: &Example,
) -> Result<()> {
    let url = connectors
        .get(&example.consumer)
        .with_context(|| format!("no connector {}", example.consumer))?;
    let question = question(world, example, reference)?;
    let mut outcome = ask(client, url, &question, example.expected).await?;
    if let Asked::AwaitsPreview(exchange) = outcome {
        outcome = Asked::Ended(preview(client, &format!("{url}/evidence/{exchange}"), &question, example).await?);
    }
    let Asked::Ended(outcome) = outcome else {
        bail!("{reference} awaits another preview");
    };
    ensure!(
        outcome == example.expected,
        "{reference}: outcome {outcome:?}, expected {:?}",
        example.expected
    );
    tracing::info!(reference, ?outcome, "example exchange");
    Ok(())
}

fn question(world: &World, example: &Example, reference: &str) -> Result<Value> {
    let legal_person = example.company.clone();
    let person = match &legal_person {
        Some(_) => None,
        None => Some(natural_person(world, example)?),
    };
    Ok(json!({
        "provider": example.provider,
        "place": example.place,
        "evidence_type": example.evidence_type,
        "purpose": example.purpose,
        "request_reference": reference,
        "official": format!("sachbearbeitung-{}", reference.bytes().last().unwrap_or_default() % 3 + 1),
        "assurance": "high",
        "person": person,
        "legal_person": legal_person,
        // As the session of an online service would have it.
        "login": service::secret::Credential::from_bytes(service::secret::random()?).to_hex().as_str(),
    }))
}

fn natural_person(world: &World, example: &Example) -> Result<Value> {
    Ok(match &example.person {
        Some(subject) => {
            let person = world.persons.iter().find(|person| person.subject == *subject);
            by_name(person.with_context(|| format!("no person {subject}"))?, example.idnr)
        }
        None => json!({
            "family_name": "Unbekannt", "given_name": "Udo", "date_of_birth": "1970-01-01",
            "postal_code": "73614", "place": "Rheinfurt",
        }),
    })
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

async fn ask(client: &reqwest::Client, url: &str, question: &Value, expected: ExampleOutcome) -> Result<Asked> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let answer = client.post(format!("{url}/evidence")).json(question).send().await?;
        let status = answer.status().as_u16();
        let body: Value = text::json::from_slice(&answer.bytes().await?)?;
        let outcome = outcome_of(status, &body)?;
        // A retryable failure is final only in the example that expects it.
        if outcome != Asked::Ended(ExampleOutcome::Failed)
            || expected == ExampleOutcome::Failed
            || attempt == MAX_ATTEMPTS
        {
            return Ok(outcome);
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}

/// How far an example has come.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    /// It has ended.
    Ended(ExampleOutcome),
    /// Its person has to see the evidence and to decide.
    AwaitsPreview(String),
}

/// Shows the evidence to its person, who decides as the example says.
async fn preview(client: &reqwest::Client, url: &str, question: &Value, example: &Example) -> Result<ExampleOutcome> {
    let login = &question["login"];
    let shown = client
        .post(format!("{url}/preview"))
        .json(&json!({ "login": login }))
        .send()
        .await?;
    ensure!(shown.status() == 200, "the preview is not shown: {}", shown.status());
    let decision = match example.expected {
        ExampleOutcome::Rejected => "reject",
        ExampleOutcome::Cancelled => "cancel",
        _ => "accept",
    };
    let body = json!({ "login": login, "decision": decision });
    for _ in 0..MAX_ATTEMPTS {
        let decided = client.post(format!("{url}/decision")).json(&body).send().await?;
        let status = decided.status().as_u16();
        let body: Value = text::json::from_slice(&decided.bytes().await?)?;
        match outcome_of(status, &body)? {
            Asked::Ended(ExampleOutcome::Failed) => tokio::time::sleep(RETRY_PAUSE).await,
            Asked::Ended(outcome) => return Ok(outcome),
            Asked::AwaitsPreview(_) => bail!("a decided preview is awaited again"),
        }
    }
    bail!("the decision is not recorded")
}

fn outcome_of(status: u16, body: &Value) -> Result<Asked> {
    let ended = |outcome| Ok(Asked::Ended(outcome));
    match (status, body["outcome"].as_str()) {
        (200, Some("delivered")) => ended(ExampleOutcome::Delivered),
        (200, Some("nothing_found")) => ended(ExampleOutcome::NothingFound),
        (200, Some("rejected")) => ended(ExampleOutcome::Rejected),
        (200, Some("cancelled")) => ended(ExampleOutcome::Cancelled),
        (202, Some("awaiting_preview")) => {
            let exchange = body["exchange"].as_str().context("an answer has an exchange")?;
            Ok(Asked::AwaitsPreview(exchange.to_owned()))
        }
        (403, _) => ended(ExampleOutcome::Refused),
        (502..=504, _) => ended(ExampleOutcome::Failed),
        _ => anyhow::bail!("unexpected response {status}: {}", body["title"]),
    }
}
