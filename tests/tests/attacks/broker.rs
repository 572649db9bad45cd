//! A broker that lies to the provider gets no evidence. The provider's connector notices (checks P1 to P6 and P9): it
//! does not ask the register, the consumer gets the same answer whatever the lie was, and an outcome is recorded in the
//! log nevertheless.
//!
//! The test changes the messages on the way from the broker to the provider's connector.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use messages::{CallKind, ExchangeRequest, Forward, Reply, ReplyOutcome, SealingKey};
use record::{LabelledKind, cbor};
use tests::forgery::{self, Forger, Forgery};
use tests::keys::Keys;
use tests::surrounded::Surrounded;
use tests::wait_for;

/// Changes the honest forward. The second argument is the forward of an earlier exchange, which the broker still has.
type Lie = fn(&mut Forward, &Forward);

/// Lies by which the forward does not belong to its intent (P1 to P3). The provider signs nothing for them.
const NOT_AUTHENTIC: &[(&str, Lie)] = &[
    ("a tampered receipt", |forward, _| {
        forgery::tamper_receipt(&mut forward.intent_receipt);
    }),
    ("an answer key of the broker's own", |forward, _| {
        forward.answer_key = SealingKey::from_seed([7; 32]).public();
    }),
    ("another exchange's label and person", |forward, earlier| {
        forward.for_provider = earlier.for_provider.clone();
    }),
    ("another exchange's request", |forward, earlier| {
        forward.sealed_request = earlier.sealed_request.clone();
    }),
    ("another exchange's person part", |forward, earlier| {
        forward.s1 = earlier.s1.clone();
    }),
    ("a request that the provider cannot open", |forward, _| {
        let last = forward.sealed_request.len() - 1;
        forward.sealed_request[last] ^= 1;
    }),
    ("a person part that the provider cannot open", |forward, _| {
        forward.for_provider[40] ^= 1;
    }),
    ("another purpose", |forward, _| {
        forward.metadata.purpose = "neugier".parse().unwrap();
    }),
    ("the receipt of another exchange", |forward, earlier| {
        forward.intent_receipt = earlier.intent_receipt.clone();
    }),
];

/// Lies that the provider refuses with its signature. The consumer receives `refused`, never the reason.
const REFUSED: &[(&str, Lie)] = &[
    ("a record that is not the recorded one", |forward, _| {
        let last = forward.sealed_record.len() - 1;
        forward.sealed_record[last] ^= 1;
    }),
    ("another exchange's record", |forward, earlier| {
        forward.sealed_record = earlier.sealed_record.clone();
    }),
];

/// A lie that makes the provider answer *another* exchange. The broker gets no answer to the consumer's.
const UNANSWERED: &[(&str, Lie)] = &[("another exchange altogether", |forward, earlier| {
    *forward = earlier.clone();
})];

struct Stage(Surrounded);

impl Stage {
    fn asked(&self) -> Result<usize> {
        self.0.processes.register_asked()
    }

    /// A repeated forward gets the same sealed bytes until the connector has seen its outcome, and a refusal after
    /// that. The connector never asks the register again, not even after it was killed.
    fn an_intent_is_served_once(&mut self) -> Result<()> {
        self.0.provider.withhold("/outcome");
        self.0.processes.ask_until_delivered()?;
        let served = self.0.provider.last("/forward").context("a forward")?;
        let asked = self.asked()?;
        for _ in 0..2 {
            ensure!(self.forward(&served.request)? == served.answer, "another answer");
            let processes = &mut self.0.processes;
            let url = processes.info.connectors["kba"].clone();
            processes.running.remove("connector-kba").context("it runs")?.kill()?;
            processes.up("connector-kba", "connector", &url)?;
            processes.healthy(&url)?;
        }
        self.0.provider.honest();
        wait_for(Duration::from_secs(60), || {
            let reply: Reply = cbor::from_slice(&self.forward(&served.request)?)?;
            Ok(reply.statement.outcome == ReplyOutcome::Refused)
        })?;
        ensure!(self.asked()? == asked, "an intent was served twice");
        Ok(())
    }

    /// The answer of the provider's connector to a forward, once the connector is up.
    fn forward(&self, forward: &[u8]) -> Result<Vec<u8>> {
        let mut body = None;
        wait_for(Duration::from_secs(30), || {
            let answer = self.0.processes.call_provider(CallKind::Forward, forward)?;
            let status = answer.status();
            ensure!(status == 200 || status == 503, "{status}");
            body = (status == 200).then(|| answer.bytes()).transpose()?;
            Ok(body.is_some())
        })?;
        Ok(body.context("an answer")?.to_vec())
    }

    /// All lies of a list get the same answer, word for word.
    fn nothing_is_served(&self, lies: &[(&str, Lie)], (status, slug): (u16, &str)) -> Result<()> {
        let earlier = self.0.provider.last("/forward").context("a forward")?;
        let earlier: Arc<Forward> = Arc::new(cbor::from_slice(&earlier.request)?);
        let asked = self.asked()?;
        let mut answers = BTreeSet::new();
        for (name, lie) in lies {
            let (lie, earlier) = (*lie, earlier.clone());
            self.0
                .provider
                .change_requests(move |path, body| tell(lie, &earlier, path, body));
            let (received, body) = self.0.processes.ask()?;
            ensure!(received == status, "{name}: {received} {body:#}");
            ensure!(
                body["type"] == format!("urn:einsicht:problem:{slug}"),
                "{name}: {body:#}"
            );
            ensure!(self.asked()? == asked, "{name}: the register was asked");
            answers.insert(body.to_string());
        }
        ensure!(answers.len() == 1, "the answers differ between the lies: {answers:#?}");
        self.0.provider.honest();
        Ok(())
    }

    /// The broker puts its own answer key into both the record and the forward, so that the two agree. Only the
    /// consumer's signature does not match.
    fn a_lie_in_the_record(&self) -> Result<()> {
        let Surrounded { identity, ledger, .. } = &self.0;
        let writer = Keys::of(&self.0.processes.data).writer("broker/writer.key")?;
        let lie: forgery::Lie = |record| {
            record.consumer_signatures.answer_key = SealingKey::from_seed([7; 32]).public().0;
        };
        let forger = Forger::start(LabelledKind::Intent, Forgery::Content(lie), writer, identity, ledger);
        // The broker's own client notices that its entry was replaced, and stops. A lying broker would continue, as
        // this test does.
        let (status, body) = self.0.processes.ask()?;
        ensure!(status >= 500, "{status} {body:#}");
        let sent = forger.sent()?;
        let request = self.0.consumer.last("/exchanges").context("a request")?.request;
        let request: ExchangeRequest = cbor::from_slice(&request)?;
        let forward = Forward {
            metadata: request.metadata,
            s1: request.s1,
            s2: request.s2,
            answer_key: SealingKey::from_seed([7; 32]).public(),
            sealed_request: request.sealed_request,
            for_provider: sent.labels.for_provider,
            intent_receipt: forger.receipt(ledger)?,
            sealed_record: sent.record.into_bytes(),
            representative: None,
        };
        let asked = self.asked()?;
        let answer = self
            .0
            .processes
            .call_provider(CallKind::Forward, &cbor::to_vec(&forward))?;
        let (status, body) = (answer.status(), answer.text()?);
        ensure!(status == 403 && body.contains("not-authentic"), "{status} {body}");
        ensure!(
            self.asked()? == asked,
            "the register was asked for the broker's own key"
        );
        Ok(())
    }
}

#[test]
fn a_lying_broker_gets_nothing() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let data = scratch.path().join("demo");
    let mut stage = Stage(Surrounded::start(&data, "127.0.0.1:21800", |_| Ok(()))?);
    stage.an_intent_is_served_once()?;
    stage.nothing_is_served(NOT_AUTHENTIC, (503, "provider-unavailable"))?;
    stage.nothing_is_served(REFUSED, (403, "refused"))?;
    stage.0.processes.ask_until_delivered()?;
    stage.nothing_is_served(UNANSWERED, (504, "timeout"))?;
    let asked = stage.asked()?;
    stage.0.processes.ask_until_delivered()?;
    ensure!(stage.asked()? > asked);
    stage.0.processes.every_intent_is_closed()?;
    stage.a_lie_in_the_record()
}

fn tell(lie: Lie, earlier: &Forward, path: &str, body: Vec<u8>) -> Vec<u8> {
    if path != "/forward" {
        return body;
    }
    let mut forward: Forward = cbor::from_slice(&body).unwrap();
    lie(&mut forward, earlier);
    cbor::to_vec(&forward)
}
