//! What a broker could record instead of the truth: the same entry in its chain, under the same label, with another
//! record.

use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use messages::LabelAnswer;
use record::{
    Body, ExchangeRecord, LabelledKind, PartName, RecordKey, SealedRecord, SharedPart, SignedEntry, SigningKey,
    Unsigned, cbor,
};
use serde_bytes::ByteBuf;

use crate::intermediary::Intermediary;

/// Leaf, sealed record, document: one submission of `POST /entries`.
type Submission = (ByteBuf, Option<ByteBuf>, Option<ByteBuf>);

/// Changes the content of a record.
pub type Lie = fn(&mut ExchangeRecord);

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
    written: Arc<Mutex<Option<SealedRecord>>>,
}

/// The forged entry that was written.
pub struct Forged {
    /// Labels and keys that identity gave for the exchange.
    pub labels: LabelAnswer,
    /// The forged record.
    pub record: SealedRecord,
    /// The ledger's receipt of the entry.
    pub receipt: Vec<u8>,
}

impl Forger {
    /// Replaces the record of every entry of `kind` from now on. The entries are signed with the broker's key.
    pub fn start(
        kind: LabelledKind,
        lie: Lie,
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
                let forged = replace(&body, kind, lie, &writer, labels, &written);
                forged.unwrap_or(body)
            }
            _ => body,
        });
        this
    }

    /// The forged entry, once the exchange has been tried.
    pub fn forged(&self, ledger: &Intermediary) -> Result<Forged> {
        let lie = ledger.passed().into_iter().rev().find(|passed| {
            passed.path == "/entries"
                && submissions(&passed.request).is_ok_and(|all| all.iter().any(|item| is(item, self.kind)))
        });
        let answer = lie.context("the lie passed")?.answer;
        let first = cbor::sequence(&answer)?;
        let (_, receipt): (u64, ByteBuf) = cbor::from_slice(first.first().context("an answer")?)?;
        Ok(Forged {
            labels: lock(&self.labels).clone().context("labels were given")?,
            record: lock(&self.written).clone().context("a lie was written")?,
            receipt: receipt.into_vec(),
        })
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
    lie: Lie,
    writer: &SigningKey,
    labels: &LabelAnswer,
    written: &Mutex<Option<SealedRecord>>,
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
            let record = falsified(item.1.as_deref().context("a record")?, key, label, lie)?;
            *commitment = record.commitment();
            let unsigned = Unsigned {
                sequence: entry.sequence,
                previous: entry.previous,
                time: entry.time,
                body,
            };
            item.0 = ByteBuf::from(writer.sign(unsigned)?.into_bytes());
            item.1 = Some(ByteBuf::from(record.bytes().to_vec()));
            *lock(written) = Some(record);
        }
        replaced.extend(cbor::to_vec(&item));
    }
    Ok(replaced)
}

fn falsified(record: &[u8], key: &RecordKey, label: &record::Label, lie: Lie) -> Result<SealedRecord> {
    let record = SealedRecord::parse(record)?;
    let mut unsealed = record.unseal(&key.part(PartName::Shared), &key.part(PartName::Citizen), label)?;
    let SharedPart::Exchange(content) = &mut unsealed.shared.content else {
        anyhow::bail!("a record of an exchange");
    };
    lie(content);
    Ok(unsealed.reseal(label)?)
}
