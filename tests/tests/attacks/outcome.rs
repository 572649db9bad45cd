//! A broker that records another outcome than the one delivered, or sends the parties another outcome than it recorded.
//! Both connectors notice: each compares the recorded outcome with what it answered or received (C1 to C3 at the
//! consumer) and raises an alarm. The consumer's authority gets nothing.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use messages::{Completion, Forward, OutcomeNotice};
use record::{LabelledKind, PartName, cbor};
use tests::forgery::{self, Forger, Lie};
use tests::keys::Keys;
use tests::surrounded::Surrounded;
use tests::{http, wait_for};

/// Changes what the consumer receives. The second argument is the completion of an earlier exchange.
type LieToConsumer = fn(&mut Completion, &Completion);
/// Changes what the provider receives. The second argument is the notice of an earlier exchange.
type LieToProvider = fn(&mut OutcomeNotice, &OutcomeNotice);

/// Name, the check that notices it, and the lie.
const TO_THE_CONSUMER: &[(&str, &str, LieToConsumer)] = &[
    ("the outcome of another exchange", "C2", |forged, earlier| {
        forged.notice = earlier.notice.clone();
    }),
    ("another exchange altogether", "C2", |forged, earlier| {
        *forged = earlier.clone()
    }),
    ("an outcome that closes another intent", "C1", |forged, earlier| {
        forged.notice.outcome_receipt = earlier.notice.outcome_receipt.clone();
    }),
    ("a receipt that proves nothing", "C1", |forged, _| {
        forgery::tamper_receipt(&mut forged.notice.outcome_receipt);
    }),
    ("a record that is not the recorded one", "C2", |forged, _| {
        let last = forged.notice.sealed_record.len() - 1;
        forged.notice.sealed_record[last] ^= 1;
    }),
    ("an answer withheld", "C3", |forged, _| forged.reply = None),
    ("another answer", "C3", |forged, earlier| {
        forged.reply = earlier.reply.clone()
    }),
    ("an answer that the provider did not sign", "C3", |forged, _| {
        forged.reply.as_mut().unwrap().sealed_answer[0] ^= 1;
    }),
];

const TO_THE_PROVIDER: &[(&str, LieToProvider)] = &[
    ("an outcome that closes another intent", |forged, earlier| {
        forged.outcome_receipt = earlier.outcome_receipt.clone();
    }),
    ("a record that is not the recorded one", |forged, _| {
        let last = forged.sealed_record.len() - 1;
        forged.sealed_record[last] ^= 1;
    }),
    ("another exchange's record", |forged, earlier| {
        forged.sealed_record = earlier.sealed_record.clone();
    }),
    ("an intent that is not in the log", |forged, _| {
        forgery::tamper_receipt(&mut forged.intent_receipt);
    }),
];

struct Stage(Surrounded);

impl Stage {
    fn lies_to_the_consumer(&self) -> Result<()> {
        let earlier = self.0.consumer.last("/exchanges").context("an exchange")?;
        let earlier: Arc<Completion> = Arc::new(cbor::from_slice(&earlier.answer)?);
        for (name, check, lie) in TO_THE_CONSUMER {
            let before = self.0.processes.alarms("rheinfurt", check)?;
            let earlier = earlier.clone();
            self.0
                .consumer
                .change_answers(move |path, body| match cbor::from_slice::<Completion>(&body) {
                    Ok(mut completion) if path == "/exchanges" => {
                        lie(&mut completion, &earlier);
                        cbor::to_vec(&completion)
                    }
                    _ => body,
                });
            let (status, body) = self.0.processes.ask()?;
            ensure!(status == 403 && body["evidence"].is_null(), "{name}: {status} {body:#}");
            let after = self.0.processes.alarms("rheinfurt", check)?;
            ensure!(after == before + 1, "{name}: {check} did not notice it");
        }
        self.0.consumer.honest();
        self.0.processes.ask_until_delivered()
    }

    fn lies_to_the_provider(&self) -> Result<()> {
        let earlier = self.notified()?;
        for (name, lie) in TO_THE_PROVIDER {
            let earlier = earlier.clone();
            self.0.provider.change_requests(move |path, body| {
                if path != "/outcome" {
                    return body;
                }
                let mut notice: OutcomeNotice = cbor::from_slice(&body).unwrap();
                lie(&mut notice, &earlier);
                cbor::to_vec(&notice)
            });
            let before = self.differs()?;
            self.0.processes.ask_until_delivered()?;
            wait_for(Duration::from_secs(30), || Ok(self.differs()? > before)).context(*name)?;
        }
        self.0.provider.honest();
        Ok(())
    }

    /// The newest outcome notice that the provider received.
    fn notified(&self) -> Result<OutcomeNotice> {
        let mut notice = None;
        wait_for(Duration::from_secs(30), || {
            notice = self.0.provider.last("/outcome");
            Ok(notice.is_some())
        })?;
        Ok(cbor::from_slice(&notice.context("a notice")?.request)?)
    }

    fn differs(&self) -> Result<u64> {
        self.0.processes.alarms("kba", "outcome-differs")
    }

    /// The broker records in the log, under its own key, that nothing was found, although evidence was delivered.
    fn a_lie_in_the_log(&self) -> Result<()> {
        let writer = Keys::of(&self.0.processes.data).writer("broker/writer.key")?;
        let lie: Lie = |record| {
            let result = record.result.as_mut().unwrap();
            assert_eq!(result.outcome, record::Outcome::Delivered);
            result.outcome = record::Outcome::NothingFound;
            result.evidence_digest = None;
        };
        let forger = Forger::start(LabelledKind::Outcome, lie, writer, &self.0.identity, &self.0.ledger);
        // The broker's own client notices that its entry was replaced, and stops. A lying broker would continue.
        let (status, body) = self.0.processes.ask()?;
        ensure!(status >= 500, "{status} {body:#}");
        let forged = forger.forged(&self.0.ledger)?;
        let forward: Forward = cbor::from_slice(&self.0.provider.last("/forward").context("a forward")?.request)?;
        let notice = OutcomeNotice {
            intent_receipt: forward.intent_receipt,
            outcome_receipt: forged.receipt,
            sealed_record: forged.record.into_bytes(),
            shared_key: forged.labels.outcome_key.part(PartName::Shared),
        };
        let before = self.differs()?;
        let answer = http()?
            .post(format!("{}/outcome", self.0.processes.info.connectors["kba"]))
            .header("content-type", "application/cbor")
            .body(cbor::to_vec(&notice))
            .send()?;
        let (status, body) = (answer.status(), answer.text()?);
        ensure!(
            status == 409 && body.contains("not the one that was answered"),
            "{status} {body}"
        );
        ensure!(self.differs()? == before + 1, "the provider raises no alarm");
        Ok(())
    }
}

#[test]
fn an_outcome_that_differs_is_noticed() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let stage = Stage(Surrounded::start(
        &scratch.path().join("demo"),
        "127.0.0.1:22300",
        |_| Ok(()),
    )?);
    stage.lies_to_the_consumer()?;
    stage.lies_to_the_provider()?;
    stage.0.processes.every_intent_is_closed()?;
    stage.a_lie_in_the_log()
}
