//! A broker that writes another outcome than what was delivered, or tells the parties another than it wrote. Noticed by both
//! connectors: each compares the recorded outcome with what it answered or was handed (C1 to C3 at the consumer), raises an alarm, and
//! the consumer's authority gets nothing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use exchange::{Completion, Forward, LabelAnswer, OutcomeNotice};
use record::{Body, LabelledKind, PartName, SealedRecord, SharedPart, SignedEntry, Unsigned, WriterSigningKey, cbor};
use serde_bytes::ByteBuf;
use tests::intermediary::Intermediary;
use tests::keys::Keys;
use tests::processes::Processes;
use tests::{http, wait_for};

/// What the consumer is told; the second is the completion of an earlier exchange.
type LieToConsumer = fn(&mut Completion, &Completion);
/// What the provider is told; the second is the notice of an earlier exchange.
type LieToProvider = fn(&mut OutcomeNotice, &OutcomeNotice);

/// With the check that notices it.
const TO_THE_CONSUMER: &[(&str, &str, LieToConsumer)] = &[
    ("the outcome of another exchange", "C2", |told, earlier| {
        told.notice = earlier.notice.clone();
    }),
    ("another exchange altogether", "C2", |told, earlier| {
        *told = earlier.clone()
    }),
    ("an outcome that closes another intent", "C1", |told, earlier| {
        told.notice.outcome_receipt = earlier.notice.outcome_receipt.clone();
    }),
    ("a receipt that proves nothing", "C1", |told, _| {
        let middle = told.notice.outcome_receipt.len() / 2;
        let byte = &mut told.notice.outcome_receipt[middle];
        *byte = if *byte == b'A' { b'B' } else { b'A' };
    }),
    ("a record that is not the recorded one", "C2", |told, _| {
        let last = told.notice.sealed_record.len() - 1;
        told.notice.sealed_record[last] ^= 1;
    }),
    ("an answer withheld", "C3", |told, _| told.reply = None),
    ("another answer", "C3", |told, earlier| {
        told.reply = earlier.reply.clone()
    }),
    ("an answer that the provider did not sign", "C3", |told, _| {
        told.reply.as_mut().unwrap().sealed_answer[0] ^= 1;
    }),
];

const TO_THE_PROVIDER: &[(&str, LieToProvider)] = &[
    ("an outcome that closes another intent", |told, earlier| {
        told.outcome_receipt = earlier.outcome_receipt.clone();
    }),
    ("a record that is not the recorded one", |told, _| {
        let last = told.sealed_record.len() - 1;
        told.sealed_record[last] ^= 1;
    }),
    ("another exchange's record", |told, earlier| {
        told.sealed_record = earlier.sealed_record.clone();
    }),
    ("an intent that is not in the log", |told, _| {
        let middle = told.intent_receipt.len() / 2;
        let byte = &mut told.intent_receipt[middle];
        *byte = if *byte == b'A' { b'B' } else { b'A' };
    }),
];

/// The processes, and who stands between the broker and everybody else.
struct Stage {
    processes: Processes,
    consumer: Intermediary,
    provider: Intermediary,
    identity: Intermediary,
    ledger: Intermediary,
}

impl Stage {
    fn set(data: &std::path::Path) -> Result<Self> {
        let mut processes = Processes::seed(data, "127.0.0.1:22300")?;
        let consumer = Intermediary::before(&processes.info.broker)?;
        let provider = Intermediary::before(&processes.info.connectors["kba"])?;
        let identity = Intermediary::before(&processes.info.identity)?;
        let ledger = Intermediary::before(&processes.info.ledger)?;
        processes.configure("connector-rheinfurt", |config| {
            config["role"]["consumer"]["broker"] = consumer.url.clone().into();
        })?;
        processes.configure("broker", |config| {
            config["routes"]["bund:kba:zfzr"] = provider.url.clone().into();
            config["identity"] = identity.url.clone().into();
            config["ledger"] = ledger.url.clone().into();
        })?;
        processes.start_all()?;
        processes.all_healthy()?;
        Ok(Self {
            processes,
            consumer,
            provider,
            identity,
            ledger,
        })
    }

    fn lies_to_the_consumer(&self) -> Result<()> {
        let earlier = self.consumer.last("/exchanges").context("an exchange")?;
        let earlier: Arc<Completion> = Arc::new(cbor::from_slice(&earlier.answer)?);
        for (name, check, lie) in TO_THE_CONSUMER {
            let before = self.processes.alarms("rheinfurt", check)?;
            let told = earlier.clone();
            self.consumer
                .change_answers(move |path, body| match cbor::from_slice::<Completion>(&body) {
                    Ok(mut completion) if path == "/exchanges" => {
                        lie(&mut completion, &told);
                        cbor::to_vec(&completion)
                    }
                    _ => body,
                });
            let (status, body) = self.processes.ask()?;
            ensure!(status == 403 && body["evidence"].is_null(), "{name}: {status} {body:#}");
            let after = self.processes.alarms("rheinfurt", check)?;
            ensure!(after == before + 1, "{name}: {check} has not noticed it");
        }
        self.consumer.honest();
        self.processes.ask_until_delivered()
    }

    fn lies_to_the_provider(&self) -> Result<()> {
        let earlier = self.notified()?;
        for (name, lie) in TO_THE_PROVIDER {
            let told = earlier.clone();
            self.provider.change_requests(move |path, body| {
                if path != "/outcome" {
                    return body;
                }
                let mut notice: OutcomeNotice = cbor::from_slice(&body).unwrap();
                lie(&mut notice, &told);
                cbor::to_vec(&notice)
            });
            let before = self.differs()?;
            self.processes.ask_until_delivered()?;
            wait_for(Duration::from_secs(30), || Ok(self.differs()? > before)).context(*name)?;
        }
        self.provider.honest();
        Ok(())
    }

    /// The newest outcome that the provider was told.
    fn notified(&self) -> Result<OutcomeNotice> {
        let mut notice = None;
        wait_for(Duration::from_secs(30), || {
            notice = self.provider.last("/outcome");
            Ok(notice.is_some())
        })?;
        Ok(cbor::from_slice(&notice.context("told")?.request)?)
    }

    fn differs(&self) -> Result<u64> {
        self.processes.alarms("kba", "outcome-differs")
    }

    /// The broker writes into the log, under its own key, that nothing was found, where evidence was delivered.
    fn a_lie_in_the_log(&self) -> Result<()> {
        let writer = Arc::new(Keys::of(&self.processes.data).writer("broker/writer.key")?);
        let written: Arc<Mutex<Option<SealedRecord>>> = Arc::default();
        let (seen, key) = (written.clone(), Arc::new(Mutex::new(None)));
        let labels = key.clone();
        self.identity.change_answers(move |path, body| {
            if path == "/labels" {
                *labels.lock().unwrap() = cbor::from_slice::<LabelAnswer>(&body).ok();
            }
            body
        });
        self.ledger.change_requests(move |path, body| {
            let labels = key.lock().unwrap();
            match (path, &*labels) {
                ("/entries", Some(labels)) => falsify(&body, labels, &writer, &seen),
                _ => body,
            }
        });
        // The broker's own client notices that its entry was replaced, and stops; a broker that lies would go on.
        let (status, body) = self.processes.ask()?;
        ensure!(status >= 500, "{status} {body:#}");
        let sealed_record = written.lock().unwrap().clone().context("an outcome was written")?;
        let labels: LabelAnswer = cbor::from_slice(&self.identity.last("/labels").context("labels")?.answer)?;
        let forward: Forward = cbor::from_slice(&self.provider.last("/forward").context("a forward")?.request)?;
        let notice = OutcomeNotice {
            intent_receipt: forward.intent_receipt,
            outcome_receipt: self.receipt_of_the_lie()?,
            sealed_record: sealed_record.into_bytes(),
            shared_key: labels.outcome_key.part(PartName::Shared),
        };
        let before = self.differs()?;
        let answer = http()?
            .post(format!("{}/outcome", self.processes.info.connectors["kba"]))
            .header("content-type", "application/cbor")
            .body(cbor::to_vec(&notice))
            .send()?;
        let status = answer.status();
        let body: serde_json::Value = serde_json::from_str(&answer.text()?)?;
        ensure!(status == 409, "{status} {body:#}");
        ensure!(
            body["detail"].to_string().contains("not the one that was answered"),
            "{body:#}"
        );
        ensure!(self.differs()? == before + 1, "the provider raises no alarm");
        Ok(())
    }

    /// The receipt that the ledger gave for the falsified outcome.
    fn receipt_of_the_lie(&self) -> Result<Vec<u8>> {
        let lie = self.ledger.passed().into_iter().rev().find(|passed| {
            passed.path == "/entries" && entries(&passed.request).is_ok_and(|entries| entries.iter().any(is_outcome))
        });
        let answer = lie.context("the lie passed")?.answer;
        let (_, receipt): (u64, ByteBuf) = cbor::from_slice(cbor::sequence(&answer)?[0])?;
        Ok(receipt.into_vec())
    }
}

/// Leaf, sealed record, document.
type Item = (ByteBuf, Option<ByteBuf>, Option<ByteBuf>);

fn entries(body: &[u8]) -> Result<Vec<Item>> {
    cbor::sequence(body)?
        .into_iter()
        .map(|item| Ok(cbor::from_slice(item)?))
        .collect()
}

fn is_outcome((leaf, ..): &Item) -> bool {
    let entry = SignedEntry::parse(leaf.to_vec()).unwrap();
    matches!(
        entry.entry().body,
        Body::Labelled {
            kind: LabelledKind::Outcome,
            ..
        }
    )
}

/// Replaces an outcome by one that says that nothing was found: the same place in the broker's chain, the same label.
fn falsify(
    body: &[u8],
    labels: &LabelAnswer,
    writer: &WriterSigningKey,
    written: &Mutex<Option<SealedRecord>>,
) -> Vec<u8> {
    let mut told = Vec::new();
    for mut item in entries(body).unwrap() {
        if is_outcome(&item) {
            let record = nothing_found(item.1.as_deref().unwrap(), labels);
            let entry = SignedEntry::parse(item.0.into_vec()).unwrap().entry().clone();
            let mut body = entry.body;
            if let Body::Labelled { commitment, .. } = &mut body {
                *commitment = record.commitment();
            }
            let unsigned = Unsigned {
                sequence: entry.sequence,
                previous: entry.previous,
                time: entry.time,
                body,
            };
            item.0 = ByteBuf::from(writer.sign(unsigned).unwrap().into_bytes());
            item.1 = Some(ByteBuf::from(record.bytes().to_vec()));
            *written.lock().unwrap() = Some(record);
        }
        told.extend(cbor::to_vec(&item));
    }
    told
}

fn nothing_found(record: &[u8], labels: &LabelAnswer) -> SealedRecord {
    let [shared, citizen] = [PartName::Shared, PartName::Citizen].map(|name| labels.outcome_key.part(name));
    let record = SealedRecord::parse(record).unwrap();
    let mut unsealed = record.unseal(&shared, &citizen, &labels.outcome).unwrap();
    let SharedPart::Exchange(content) = &mut unsealed.shared.content else {
        panic!("the outcome of an exchange");
    };
    let result = content.result.as_mut().unwrap();
    assert_eq!(result.outcome, record::Outcome::Delivered);
    result.outcome = record::Outcome::NothingFound;
    result.evidence_digest = None;
    unsealed.reseal(&labels.outcome).unwrap()
}

#[test]
fn an_outcome_that_differs_is_noticed() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let stage = Stage::set(&scratch.path().join("demo"))?;
    stage.processes.ask_until_delivered()?;
    stage.lies_to_the_consumer()?;
    stage.lies_to_the_provider()?;
    stage.processes.every_intent_is_closed()?;
    stage.a_lie_in_the_log()
}
