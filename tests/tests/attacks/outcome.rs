//! A broker that records another outcome than the one delivered, hides it from its person, or sends the parties another
//! outcome than it recorded.
//! Both connectors notice: each compares the recorded outcome with what it answered or received (C1 to C3 at the
//! consumer) and raises an alarm. The consumer's authority gets nothing.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use messages::{CallKind, Completion, Forward, OutcomeNotice};
use record::{Label, LabelledKind, PartKey, PartName, Receipt, RecordKey, SignedEntry, cbor};
use tests::forgery::{self, Forger, Forgery, Lie};
use tests::keys::Keys;
use tests::public_log::PublicLog;
use tests::surrounded::Surrounded;
use tests::wait_for;
use tlog::checkpoint::Checkpoint;
use tlog::merkle::{Index, Size, inclusion_proof};

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
        let (labels, ledger) = (&self.0.identity, &self.0.ledger);
        let forger = Forger::start(LabelledKind::Outcome, Forgery::Content(lie), writer, labels, ledger);
        // The broker's own client notices that its entry was replaced, and stops. A lying broker would continue.
        let (status, body) = self.0.processes.ask()?;
        ensure!(status >= 500, "{status} {body:#}");
        let sent = forger.sent()?;
        let key = sent.labels.outcome_key.part(PartName::Shared);
        let notice = self.notice(forger.receipt(ledger)?, sent.record.into_bytes(), key)?;
        self.is_refused(&notice, "not the one that was answered")
    }

    /// The broker records the outcome under a label that the person never searches for, and seals its record with keys
    /// of its own. The log does not take it, so the broker has no receipt, and the exchange stays open for everyone to
    /// see. A receipt of another log, which the broker has from a lying ledger, convinces no provider.
    fn a_hidden_outcome(&self) -> Result<()> {
        let keys = Keys::of(&self.0.processes.data);
        let hidden = Forgery::Hidden(Label([7; 32]), [8; 32]);
        let writer = keys.writer("broker/writer.key")?;
        let (labels, ledger) = (&self.0.identity, &self.0.ledger);
        let forger = Forger::start(LabelledKind::Outcome, hidden, writer, labels, ledger);
        let (status, body) = self.0.processes.ask()?;
        ensure!(status != 200 && body["evidence"].is_null(), "{status} {body:#}");
        let answer = String::from_utf8_lossy(&forger.answer(ledger)?).into_owned();
        ensure!(answer.contains("does not follow from that of the intent"), "{answer}");
        let (code, report) = self.0.processes.audit()?;
        ensure!(code == 0 && report["open_intents"] == 1, "{code} {report:#}");
        let sent = forger.sent()?;
        let receipt = self.receipt_of_a_lying_ledger(&keys, sent.leaf)?;
        let key = RecordKey([8; 32]).part(PartName::Shared);
        let notice = self.notice(receipt, sent.record.into_bytes(), key)?;
        self.is_refused(&notice, "label does not follow from its intent's")?;
        self.0.identity.honest();
        self.0.ledger.honest();
        Ok(())
    }

    /// A receipt, signed with the log's key, of an entry that no one else sees.
    fn receipt_of_a_lying_ledger(&self, keys: &Keys, leaf: Vec<u8>) -> Result<Vec<u8>> {
        let mut log = PublicLog::of_ledger(&self.0.processes.info.ledger)?;
        let index = Index::new(log.leaves.len() as u64)?;
        log.leaves.push(leaf.clone());
        let size = Size::new(log.leaves.len() as u64)?;
        let mut tree = log.tree(size)?;
        let key = keys.log()?;
        let checkpoint = Checkpoint::new(key.name().as_str().parse()?, size, tree.root());
        let hashes = inclusion_proof(&mut tree, index, size)?;
        let note = checkpoint.sign(&[&key])?.to_string();
        Ok(Receipt::new(SignedEntry::parse(leaf)?, index, hashes, note).to_bytes())
    }

    /// The notice of an outcome of the newest forwarded exchange.
    fn notice(&self, outcome_receipt: Vec<u8>, sealed_record: Vec<u8>, shared_key: PartKey) -> Result<OutcomeNotice> {
        let forward: Forward = cbor::from_slice(&self.0.provider.last("/forward").context("a forward")?.request)?;
        Ok(OutcomeNotice {
            intent_receipt: forward.intent_receipt,
            outcome_receipt,
            sealed_record,
            shared_key,
            representative: None,
        })
    }

    /// The provider refuses a notice and raises an alarm.
    fn is_refused(&self, notice: &OutcomeNotice, why: &str) -> Result<()> {
        let before = self.differs()?;
        let answer = self
            .0
            .processes
            .call_provider(CallKind::Outcome, &cbor::to_vec(notice))?;
        let (status, body) = (answer.status(), answer.text()?);
        ensure!(status == 409 && body.contains(why), "{status} {body}");
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

#[test]
fn a_delivery_cannot_be_hidden() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut stage = Stage(Surrounded::start(
        &scratch.path().join("demo"),
        "127.0.0.1:22350",
        |_| Ok(()),
    )?);
    stage.a_hidden_outcome()?;
    stage.0.processes.restart_broker()?;
    stage.0.processes.every_intent_is_closed()
}
