//! The demonstration's exchanges. They are requested from the consumers' connectors, as an authority's own service
//! would do.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use record::Timestamp;
use serde_json::{Value, json};
use service::Clock as _;

use crate::clock::DemoClock;
use crate::world::{DemoPerson, Example, ExampleOutcome, World};

/// How often an exchange is tried if it fails retryably.
const MAX_ATTEMPTS: u32 = 50;
/// The pause before the next attempt.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// How long an exchange may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Makes all examples in their order and compares each outcome with the expected one. An example that fails takes
/// seconds, because the broker asks its provider repeatedly, so the others do not wait for it.
pub(crate) async fn seed(world: &World, connectors: &BTreeMap<String, String>, clock: &DemoClock) -> Result<()> {
    let exchanges = Exchanges::new(world, connectors, clock)?;
    let fails = |(_, example): &(usize, &Example)| example.expected == ExampleOutcome::Failed;
    let (failing, others): (Vec<_>, Vec<_>) = world.examples.iter().enumerate().partition(fails);
    let in_order = async |examples: Vec<(usize, &Example)>| {
        for (number, example) in examples {
            let reference = format!("DEMO-{number:03}");
            let waits = exchanges.make(&reference, example).await?;
            ensure!(
                waits.is_none(),
                "{reference} waits, and the clock is not moved any more"
            );
        }
        anyhow::Ok(())
    };
    tokio::try_join!(in_order(failing), in_order(others))?;
    Ok(())
}

/// Makes exchanges that the connectors are asked for.
pub(crate) struct Exchanges<'a> {
    /// What is asked for.
    pub(crate) world: &'a World,
    connectors: &'a BTreeMap<String, String>,
    clock: &'a DemoClock,
    /// Asks the connectors.
    pub(crate) client: reqwest::Client,
}

impl<'a> Exchanges<'a> {
    /// For the connectors' addresses.
    pub(crate) fn new(
        world: &'a World,
        connectors: &'a BTreeMap<String, String>,
        clock: &'a DemoClock,
    ) -> Result<Self> {
        Ok(Self {
            clock,
            world,
            connectors,
            client: service::http::client(|builder| builder.timeout(TIMEOUT))?,
        })
    }

    /// Makes exchanges of the past concurrently, each with its number, and compares the outcome of each that ends with
    /// the expected one. Returns the numbers of those that wait, each with the number that its connector has given it.
    pub(crate) async fn all_at_once(&self, day: usize, examples: &[(usize, &Example)]) -> Result<Vec<(usize, String)>> {
        let (mut made, mut waiting) = (FuturesUnordered::new(), Vec::new());
        for &(number, example) in examples {
            made.push(async move {
                let waits = self.make(&past_reference(day, number), example).await?;
                anyhow::Ok(waits.map(|exchange| (number, exchange)))
            });
        }
        while let Some(result) = made.next().await {
            waiting.extend(result?);
        }
        Ok(waiting)
    }

    /// Makes one exchange. Returns its number at its connector if it waits.
    async fn make(&self, reference: &str, example: &Example) -> Result<Option<String>> {
        let outcome = match self.ask(example, reference).await? {
            Asked::Waits(exchange) => {
                tracing::info!(reference, "example exchange that waits");
                return Ok(Some(exchange));
            }
            Asked::AwaitsPreview(exchange, login) => {
                let url = format!("{}/evidence/{exchange}", self.url(example)?);
                preview(&self.client, &url, &login, example).await?
            }
            Asked::Ended(outcome) => outcome,
        };
        ensure!(
            outcome == example.expected,
            "{reference}: outcome {outcome:?}, expected {:?}",
            example.expected
        );
        tracing::info!(reference, ?outcome, "example exchange");
        Ok(None)
    }

    /// The address of the consumer's connector.
    pub(crate) fn url(&self, example: &Example) -> Result<&'a str> {
        let url = self.connectors.get(&example.consumer);
        Ok(url.with_context(|| format!("no connector {}", example.consumer))?)
    }

    /// Asks for the evidence of an example. An asynchronous exchange is asked for by the same words each time, so it is
    /// the same exchange.
    pub(crate) async fn ask(&self, example: &Example, reference: &str) -> Result<Asked> {
        let url = format!("{}/evidence", self.url(example)?);
        let question = question(self.world, example, reference, Timestamp(self.clock.now()))?;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let mut request = self.client.post(&url).json(&question);
            if example.asynchronous {
                request = request.header(
                    "Idempotency-Key",
                    format!("\"einsicht-demonstration-past-{reference}\""),
                );
            }
            let answer = request.send().await?;
            let status = answer.status().as_u16();
            let body: Value = text::json::from_slice(&answer.bytes().await?)?;
            let outcome = outcome_of(status, &body, &question)?;
            // A retryable failure is final only in the example that expects it.
            if !outcome.is_failure() || outcome == Asked::Ended(example.expected) || attempt == MAX_ATTEMPTS {
                return Ok(outcome);
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }
}

/// The reference of an exchange of the past.
pub(crate) fn past_reference(day: usize, number: usize) -> String {
    format!("DEMO-{day:03}-{number:03}")
}

fn question(world: &World, example: &Example, reference: &str, now: Timestamp) -> Result<Value> {
    let legal_person = example.company.clone();
    let person = match &legal_person {
        Some(_) => None,
        None => Some(natural_person(world, example)?),
    };
    let mut question = json!({
        "provider": example.provider,
        "place": example.place,
        "evidence_type": example.evidence_type,
        "purpose": example.purpose,
        "request_reference": reference,
        "official": format!("sachbearbeitung-{}", reference.bytes().last().unwrap_or_default() % 3 + 1),
        "assurance": "high",
        "person": person,
        "legal_person": legal_person,
        "asynchronous": example.asynchronous,
    });
    if let Some(acting) = &example.representative {
        question["representative"] = json!({
            "person": by_name(person_of(world, &acting.person)?, example.idnr),
            "power": acting.power,
            "document_digest": hex::encode(service::secret::random()?),
            "valid_from": "2020-01-01",
        });
    }
    if !example.asynchronous {
        // As the session of an online service would have it.
        let login = service::secret::Credential::from_bytes(service::secret::random()?);
        question["login"] = login.to_hex().as_str().into();
        let token = hex::encode(service::secret::random()?);
        question["login_proof"] = json!({ "token_digest": token, "authenticated_at": now.to_string() });
    }
    Ok(question)
}

fn natural_person(world: &World, example: &Example) -> Result<Value> {
    Ok(match &example.person {
        Some(subject) => by_name(person_of(world, subject)?, example.idnr),
        None => json!({
            "family_name": "Unbekannt", "given_name": "Udo", "date_of_birth": "1970-01-01",
            "postal_code": "73614", "place": "Rheinfurt",
        }),
    })
}

fn person_of<'a>(world: &'a World, subject: &str) -> Result<&'a DemoPerson> {
    let person = world.persons.iter().find(|person| person.subject == subject);
    person.with_context(|| format!("no person {subject}"))
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

/// How far an example has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// It has ended.
    Ended(ExampleOutcome),
    /// Its person, who has this login, has to see the evidence and to decide.
    AwaitsPreview(String, String),
    /// The provider answers later.
    Waits(String),
}

impl Asked {
    /// Whether it has ended with nothing that was decided, so that another attempt may have another end.
    fn is_failure(&self) -> bool {
        matches!(self, Self::Ended(ExampleOutcome::Failed | ExampleOutcome::TimedOut))
    }
}

/// Shows the evidence to its person, who decides as the example says.
async fn preview(client: &reqwest::Client, url: &str, login: &str, example: &Example) -> Result<ExampleOutcome> {
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
        match outcome_of(status, &body, &Value::Null)? {
            failed if failed.is_failure() => tokio::time::sleep(RETRY_PAUSE).await,
            Asked::Ended(outcome) => return Ok(outcome),
            Asked::AwaitsPreview(..) | Asked::Waits(_) => bail!("a decided preview is awaited again"),
        }
    }
    bail!("the decision is not recorded")
}

fn outcome_of(status: u16, body: &Value, question: &Value) -> Result<Asked> {
    let ended = |outcome| Ok(Asked::Ended(outcome));
    let exchange = || body["exchange"].as_str().context("an answer has an exchange");
    match (status, body["outcome"].as_str()) {
        (200, Some("delivered")) => ended(ExampleOutcome::Delivered),
        (200, Some("nothing_found")) => ended(ExampleOutcome::NothingFound),
        (200, Some("rejected")) => ended(ExampleOutcome::Rejected),
        (200, Some("cancelled")) => ended(ExampleOutcome::Cancelled),
        (202, Some("pending")) => Ok(Asked::Waits(exchange()?.to_owned())),
        (202, Some("awaiting_preview")) => {
            let login = question["login"].as_str().context("a question has a login")?;
            Ok(Asked::AwaitsPreview(exchange()?.to_owned(), login.to_owned()))
        }
        (403, _) => ended(ExampleOutcome::Refused),
        (504, _) => ended(ExampleOutcome::TimedOut),
        (502 | 503, _) => ended(ExampleOutcome::Failed),
        _ => anyhow::bail!("unexpected response {status}: {}", body["title"]),
    }
}
