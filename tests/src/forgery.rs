//! What a broker could record instead of the truth: the same entry in its chain with another record, or under another
//! label and with keys that the person does not have.

use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use messages::LabelAnswer;
use record::{
    Body, ExchangeRecord, Label, LabelledKind, PartName, RecordKey, SealedRecord, SharedPart, SignedEntry, SigningKey,
    Unsigned, cbor,
};
use serde_bytes::ByteBuf;

use crate::intermediary::Intermediary;

/// Leaf, sealed record, document: one submission of `POST /entries`.
type Submission = (ByteBuf, Option<ByteBuf>, Option<ByteBuf>);

/// Leaf and record of the newest forged entry.
type Written = Option<(Vec<u8>, SealedRecord)>;

/// Changes the content of a record.
pub type Lie = fn(&mut ExchangeRecord);

/// What is changed in an entry.
#[derive(Clone, Copy)]
pub enum Forgery {
    /// The content of its record.
    Content(Lie),
    /// Its label, and the keys of its record.
    Hidden(Label, [u8; 32]),
}

/// Changes a letter in the middle of a receipt. The receipt can still be parsed, and proves nothing.
pub fn tamper_receipt(receipt: &mut [u8]) {
    let middle = receipt.len() / 2;
    let byte = &mut receipt[middle];
    *byte = if *byte == b'A' { b'B' } else { b'A' };
}

/// Changes what the broker writes, on the way from the broker to the ledger.
pub struct Forger {
    kind: LabelledKind,
    labels: Arc<Mutex<Option<LabelAnswer>>>,
    written: Arc<Mutex<Written>>,
}

/// A forged entry that was sent to the ledger.
pub struct Sent {
    /// Labels and keys that identity gave for the exchange.
    pub labels: LabelAnswer,
    /// The forged record.
    pub record: SealedRecord,
    /// The forged leaf.
    pub leaf: Vec<u8>,
}

impl Forger {
    /// Changes every entry of `kind` from now on. The entries are signed with the broker's key.
    pub fn start(
        kind: LabelledKind,
        forgery: Forgery,
        writer: SigningKey,
        identity: &Intermediary,
        ledger: &Intermediary,
    ) -> Self {
        let this = Self {
            kind,
            labels: Arc::default(),
            written: Arc::default(),
        };
        let labels = this.labels.clone();
        identity.change_answers(move |path, body| {
            if path == "/labels" {
                *lock(&labels) = cbor::from_slice(&body).ok();
            }
            body
        });
        let (labels, written) = (this.labels.clone(), this.written.clone());
        ledger.change_requests(move |path, body| match (path, &*lock(&labels)) {
            ("/entries", Some(labels)) => {
                let forged = replace(&body, kind, forgery, &writer, labels, &written);
                forged.unwrap_or(body)
            }
            _ => body,
        });
        this
    }

    /// Labels, keys, record and leaf of the newest forged entry that was sent.
    pub fn sent(&self) -> Result<Sent> {
        let (leaf, record) = lock(&self.written).clone().context("a lie was sent")?;
        Ok(Sent {
            labels: lock(&self.labels).clone().context("labels were given")?,
            record,
            leaf,
        })
    }

    /// The ledger's answer to the newest forged entry.
    pub fn answer(&self, ledger: &Intermediary) -> Result<Vec<u8>> {
        let lie = ledger.passed().into_iter().rev().find(|passed| {
            passed.path == "/entries"
                && submissions(&passed.request).is_ok_and(|all| all.iter().any(|item| is(item, self.kind)))
        });
        Ok(lie.context("the lie passed")?.answer)
    }

    /// The ledger's receipt of the newest forged entry.
    pub fn receipt(&self, ledger: &Intermediary) -> Result<Vec<u8>> {
        let answer = self.answer(ledger)?;
        let first = cbor::sequence(&answer)?;
        let (_, receipt): (u64, ByteBuf) = cbor::from_slice(first.first().context("an answer")?)?;
        Ok(receipt.into_vec())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn submissions(body: &[u8]) -> Result<Vec<Submission>> {
    cbor::sequence(body)?
        .into_iter()
        .map(|item| Ok(cbor::from_slice(item)?))
        .collect()
}

fn is((leaf, ..): &Submission, wanted: LabelledKind) -> bool {
    let entry = SignedEntry::parse(leaf.to_vec());
    entry.is_ok_and(|entry| matches!(entry.entry().body, Body::Labelled { kind, .. } if kind == wanted))
}

fn replace(
    body: &[u8],
    kind: LabelledKind,
    forgery: Forgery,
    writer: &SigningKey,
    labels: &LabelAnswer,
    written: &Mutex<Written>,
) -> Result<Vec<u8>> {
    let mut replaced = Vec::new();
    for mut item in submissions(body)? {
        if is(&item, kind) {
            let entry = SignedEntry::parse(item.0.into_vec())?.entry().clone();
            let mut body = entry.body;
            let Body::Labelled { label, commitment, .. } = &mut body else {
                anyhow::bail!("an entry of a person");
            };
            let key = match kind {
                LabelledKind::Intent => &labels.intent_key,
                _ => &labels.outcome_key,
            };
            let record = falsified(item.1.as_deref().context("a record")?, key, label, forgery)?;
            *commitment = record.commitment();
            if let Forgery::Hidden(hidden, _) = forgery {
                *label = hidden;
            }
            let unsigned = Unsigned {
                sequence: entry.sequence,
                previous: entry.previous,
                time: entry.time,
                body,
            };
            let leaf = writer.sign(unsigned)?.into_bytes();
            item.0 = ByteBuf::from(leaf.clone());
            item.1 = Some(ByteBuf::from(record.bytes().to_vec()));
            *lock(written) = Some((leaf, record));
        }
        replaced.extend(cbor::to_vec(&item));
    }
    Ok(replaced)
}

fn falsified(record: &[u8], key: &RecordKey, label: &Label, forgery: Forgery) -> Result<SealedRecord> {
    let record = SealedRecord::parse(record)?;
    let mut unsealed = record.unseal(&key.part(PartName::Shared), &key.part(PartName::Citizen), label)?;
    match forgery {
        Forgery::Content(lie) => {
            let SharedPart::Exchange(content) = &mut unsealed.shared.content else {
                anyhow::bail!("a record of an exchange");
            };
            lie(content);
            Ok(unsealed.reseal(label)?)
        }
        Forgery::Hidden(label, key) => {
            let key = RecordKey(key);
            unsealed.shared.key = key.part(PartName::Shared);
            unsealed.citizen.key = key.part(PartName::Citizen);
            Ok(unsealed.reseal(&label)?)
        }
    }
}
