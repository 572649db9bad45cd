//! Requests that a participant signs: with another's signature, with an old one, and by one that is suspended.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use certificates::{CertificateRequest, Subject};
use messages::{Acknowledgement, ExchangeRequest, S1, S2Statement};
use record::{SigningKey, Timestamp, cbor};
use serde_json::json;
use tests::keys::Keys;
use tests::surrounded::Surrounded;
use tests::{http, wait_for};
use trust::Version;

use crate::matrix::{Row, Way, is_signed, matrix};
use crate::{collection, enrolments};
use tests::change::publish;

/// The same request with other signatures, and another deadline.
fn resigned(request: &ExchangeRequest, key: &SigningKey, deadline: Timestamp, signed_at: Timestamp) -> ExchangeRequest {
    let mut metadata = request.metadata.clone();
    metadata.deadline = deadline;
    let s1 = S1::sign(
        key,
        metadata.consumer.clone(),
        metadata.provider.clone(),
        metadata.message,
        signed_at,
        request.s1.sealed_person.clone(),
    );
    let s2 = S2Statement::new(&metadata, request.answer_key, &request.sealed_request, &s1).sign(key);
    ExchangeRequest {
        metadata,
        s1,
        s2,
        ..request.clone()
    }
}

#[test]
fn signed_requests_are_refused_without_the_right_signature() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut around = Surrounded::start(&scratch.path().join("demo"), "127.0.0.1:25700", |_| Ok(()))?;
    let join = around.processes.info.join.clone();
    around.processes.up("join", "join", &join)?;
    around.processes.healthy(&join)?;
    let processes = &around.processes;
    let keys = Keys::of(&processes.data);
    let (right, foreign) = (
        keys.signing("connector-rheinfurt/signing.key")?,
        keys.signing("connector-kba/signing.key")?,
    );
    // The answer is kept back, so that the exchange waits in the journal for its acknowledgement.
    around.consumer.hold_answers("/exchanges");
    let asking = processes.ask_meanwhile();
    wait_for(Duration::from_secs(60), || Ok(around.consumer.held() > 0))?;
    let captured = around.consumer.last("/exchanges").context("a request")?.request;
    let sent: ExchangeRequest = cbor::from_slice(&captured)?;
    let id = sent.metadata.exchange;
    let url = &processes.info.broker;
    // A connection that is open when the component is suspended stays open.
    let client = processes.client("connector-rheinfurt")?;
    let post = |path: String, body: Vec<u8>| -> Result<u16> {
        let request = client
            .post(format!("{url}{path}"))
            .header("content-type", "application/cbor");
        Ok(request
            .timeout(Duration::from_secs(60))
            .body(body)
            .send()?
            .status()
            .as_u16())
    };
    let now = || Timestamp(UNIX_EPOCH.elapsed().unwrap().as_secs());
    let exchange = |key: &SigningKey, age: u64| {
        let mut request = sent.clone();
        request.metadata.exchange = uuid::Uuid::now_v7();
        let at = Timestamp(now().0 - age);
        let request = resigned(&request, key, at.after(30), at);
        (request.metadata.exchange, cbor::to_vec(&request))
    };
    let acknowledge = |key: &SigningKey, id| cbor::to_vec(&Acknowledgement::sign(key, id, 1));
    let path = |id: uuid::Uuid, what: &str| format!("/exchanges/{id}/{what}");
    let mut got: BTreeMap<(&str, Way), u16> = BTreeMap::new();
    let nobody = uuid::Uuid::nil();
    for (route, url) in [
        ("/exchanges", "/exchanges".to_owned()),
        ("/exchanges/{id}/acknowledgement", path(nobody, "acknowledgement")),
        ("/exchanges/{id}/preview", path(nobody, "preview")),
        ("/exchanges/{id}/withdrawal", path(nobody, "withdrawal")),
    ] {
        got.insert((route, Way::None), post(url, Vec::new())?);
    }
    got.insert(
        ("/exchanges", Way::Foreign),
        post("/exchanges".into(), exchange(&foreign, 0).1)?,
    );
    got.insert(
        ("/exchanges", Way::Expired),
        post("/exchanges".into(), exchange(&right, 3600).1)?,
    );
    got.insert(("/exchanges", Way::Right), post("/exchanges".into(), captured)?);
    let acknowledgement = "/exchanges/{id}/acknowledgement";
    got.insert(
        (acknowledgement, Way::Foreign),
        post(path(id, "acknowledgement"), acknowledge(&foreign, id))?,
    );
    let preview = "/exchanges/{id}/preview";
    let decided = |key: &SigningKey| {
        let statement = messages::PreviewStatement {
            exchange: id,
            intent: 1,
            outcome: 2,
            answer: tlog::Hash([0; 32]),
            decision: record::PreviewDecision::Accepted,
        };
        cbor::to_vec(&messages::SignedDecision::sign(key, statement))
    };
    got.insert((preview, Way::Foreign), post(path(id, "preview"), decided(&foreign))?);
    let withdrawal = "/exchanges/{id}/withdrawal";
    let withdraw = |key: &SigningKey| cbor::to_vec(&messages::Withdrawal::sign(key, id));
    for (way, key) in [(Way::Foreign, &foreign), (Way::Right, &right)] {
        got.insert((withdrawal, way), post(path(id, "withdrawal"), withdraw(key))?);
    }
    got.insert(
        (acknowledgement, Way::Right),
        post(path(id, "acknowledgement"), acknowledge(&right, id))?,
    );
    let consumer = sent.metadata.consumer.to_string();
    let certificates = "/certificates";
    let issuer = format!("{}{certificates}", processes.info.join);
    let certify = |key: &SigningKey, age: u64| -> Result<u16> {
        let names = certificates::Names::new(Subject::Component(consumer.parse()?), Vec::new())?;
        let prepared = CertificateRequest::prepare(&names, key, Version(1), Timestamp(now().0 - age))?;
        Ok(http()?
            .post(&issuer)
            .body(prepared.request.to_bytes())
            .send()?
            .status()
            .as_u16())
    };
    got.insert(
        (certificates, Way::None),
        http()?.post(&issuer).send()?.status().as_u16(),
    );
    got.insert((certificates, Way::Foreign), certify(&foreign, 0)?);
    got.insert((certificates, Way::Expired), certify(&right, 3600)?);
    got.insert((certificates, Way::Right), certify(&right, 0)?);
    got.extend(collection::statuses(processes)?);
    got.extend(enrolments::statuses(processes, &consumer)?);
    publish(processes, &json!({ "suspend": [consumer] }))?;
    // The broker follows the directory within a second or two.
    wait_for(Duration::from_secs(60), || {
        Ok(post("/exchanges".into(), exchange(&right, 0).1)? == 403)
    })?;
    wait_for(Duration::from_secs(60), || {
        let again = processes.client("connector-rheinfurt")?.post(format!("{url}/calls"));
        Ok(again.send().is_err())
    })
    .context("a suspended component connects")?;
    wait_for(Duration::from_secs(60), || Ok(certify(&right, 0)? == 403))?;
    got.insert((certificates, Way::Revoked), certify(&right, 0)?);
    got.insert(
        ("/exchanges", Way::Revoked),
        post("/exchanges".into(), exchange(&right, 0).1)?,
    );
    got.insert(
        (acknowledgement, Way::Revoked),
        post(path(id, "acknowledgement"), acknowledge(&right, id))?,
    );
    got.insert((preview, Way::Revoked), post(path(id, "preview"), decided(&right))?);
    got.insert(
        (withdrawal, Way::Revoked),
        post(path(id, "withdrawal"), withdraw(&right))?,
    );
    around.consumer.release();
    drop(asking.join());
    let mut differences = Vec::new();
    let signed: Vec<Row> = matrix().into_iter().filter(is_signed).collect();
    for row in &signed {
        for (way, expected) in &row.expected {
            let status = got.remove(&(row.route.path.as_str(), *way));
            if status != Some(*expected) {
                differences.push(format!("{} {way:?}: {status:?}, not {expected}", row.route.path));
            }
        }
    }
    ensure!(
        differences.is_empty() && got.is_empty(),
        "{}\n{got:?}",
        differences.join("\n")
    );
    Ok(())
}
