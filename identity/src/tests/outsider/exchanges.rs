//! A log of whole exchanges, made by identity and by a broker as in production: labels and keys from identity, records
//! sealed under them, unused numbers, maps. [`shapes`] shows what an outsider sees of it.

use messages::{LabelAnswer, PersonQuery};
use record::{
    Body, CitizenPart, ExchangeRecord, ExchangeResult, Header, Kind, Label, LabelledKind, Outcome, Parts, Period,
    Phase, RecordKey, SealedRecord, SharedPart, Timestamp, WriterId,
};
use tlog::Hash;
use tlog::merkle::Index;

use super::super::log::broker_key;
use super::super::world::World;

/// Stays below the limit of one consumer for one person.
const EXCHANGES_PER_DAY: usize = 100;

/// The public data of an entry, except label, commitment, hashes and signature.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) kind: Kind,
    time: Timestamp,
    writer: WriterId,
    sequence: u64,
    period: Option<Period>,
    refers: Option<Index>,
    pub(super) bytes: usize,
    /// Length of the sealed record. The ledger knows it; it is not public.
    pub(super) sealed: Option<usize>,
}

/// The provider's answer, and the internal reason for it that only the citizen can read.
#[derive(Clone, Copy)]
pub(super) struct ProviderAnswer {
    pub(super) outcome: Outcome,
    pub(super) reason: Option<&'static str>,
}

pub(super) const DELIVERED: ProviderAnswer = ProviderAnswer {
    outcome: Outcome::Delivered,
    reason: None,
};
pub(super) const BLOCKED: ProviderAnswer = ProviderAnswer {
    outcome: Outcome::NothingFound,
    reason: Some("Auskunftssperre"),
};

/// Makes one exchange after another, each about the next of `persons`. Every sixteenth number remains unused and
/// becomes void, every fourth exchange has a preview, and a `map` entry follows every fourth.
pub(super) async fn exchanges(world: &World, persons: &[PersonQuery], answer: ProviderAnswer) -> Vec<LabelAnswer> {
    let mut answers = Vec::new();
    for (turn, person) in persons.iter().enumerate() {
        let labels = world.ask(&world.request(person)).await.unwrap();
        if turn % 16 == 15 {
            world.clock.advance(10);
            world.identity.sweep().await.unwrap();
        } else {
            exchange(world, &labels, turn, answer);
        }
        if turn % 4 == 3 {
            world.log.write_map();
        }
        if turn % EXCHANGES_PER_DAY == EXCHANGES_PER_DAY - 1 {
            world.clock.advance(86_400);
            // Other authorities ask as well. One consumer makes all exchanges here, so its count starts again.
            world.identity.state.prune(0, 0, Some(Period(2))).await.unwrap();
        }
        answers.push(labels);
    }
    answers
}

/// Writes the broker's entries of an exchange.
fn exchange(world: &World, labels: &LabelAnswer, turn: usize, answer: ProviderAnswer) {
    let write = |kind, label: Label, record: SealedRecord, refers| {
        let commitment = record.commitment();
        let body = Body::Labelled {
            kind,
            period: labels.period,
            label,
            commitment,
            refers,
        };
        world.log.write(&broker_key(), body, Some(record)).unwrap()
    };
    let intent = seal(labels, &labels.intent, &labels.intent_key, None);
    let intent = write(LabelledKind::Intent, labels.intent, intent, None);
    let intent = Some(Index::new(intent).unwrap());
    if turn % 4 == 1 {
        let preview = seal(labels, &labels.label(Phase::Preview), &labels.outcome_key, None);
        write(LabelledKind::Preview, labels.label(Phase::Preview), preview, intent);
    }
    let outcome = seal(labels, &labels.label(Phase::Outcome), &labels.outcome_key, Some(answer));
    write(LabelledKind::Outcome, labels.label(Phase::Outcome), outcome, intent);
}

fn seal(labels: &LabelAnswer, label: &Label, key: &RecordKey, answer: Option<ProviderAnswer>) -> SealedRecord {
    let parts = Parts {
        shared: SharedPart::Exchange(Box::new(content(
            labels,
            answer.map(|answer| answer.outcome),
            "Stadt Musterstadt",
        ))),
        citizen: answer
            .and_then(|answer| answer.reason)
            .map_or_else(CitizenPart::default, CitizenPart::with_reason),
        supervision: vec![7; 300],
    };
    SealedRecord::seal(&Header::labelled(labels.class, labels.expiry), Some(label), key, &parts).unwrap()
}

/// The sealed length of an outcome's record in which the authorities have this name.
pub(super) fn sealed_length(labels: &LabelAnswer, answer: ProviderAnswer, name: &str) -> usize {
    let parts = Parts {
        shared: SharedPart::Exchange(Box::new(content(labels, Some(answer.outcome), name))),
        citizen: answer
            .reason
            .map_or_else(CitizenPart::default, CitizenPart::with_reason),
        supervision: vec![7; 300],
    };
    let header = Header::labelled(labels.class, labels.expiry);
    let sealed = SealedRecord::seal(
        &header,
        Some(&labels.label(Phase::Outcome)),
        &labels.outcome_key,
        &parts,
    );
    sealed.unwrap().bytes().len()
}

fn content(labels: &LabelAnswer, outcome: Option<Outcome>, name: &str) -> ExchangeRecord {
    let delivered = outcome == Some(Outcome::Delivered);
    let mut record = fixtures::exchange(outcome.map(|outcome| ExchangeResult {
        outcome,
        told: if delivered { "delivered" } else { "nothing found" }.into(),
        checks: Vec::new(),
        evidence_digest: delivered.then_some(Hash([6; 32])),
        answer_digest: Some(Hash([7; 32])),
        provider_signature: Some([8; 64]),
    }));
    record.lifecycle.expiry = labels.expiry;
    for party in [&mut record.consumer, &mut record.provider] {
        party.name = name.into();
        party.responsible = name.into();
        party.operating = name.into();
    }
    record
}

/// The log as an outsider sees it, except the values that must look random.
pub(super) fn shapes(world: &World) -> Vec<Shape> {
    let entries = (0..world.log.len() as u64).map(|index| {
        let signed = world.log.entry(index);
        let entry = signed.entry();
        Shape {
            kind: entry.body.kind(),
            time: entry.time,
            writer: entry.writer,
            sequence: entry.sequence.0,
            period: entry.body.map_key().map(|(period, _)| period),
            refers: entry.body.refers(),
            bytes: signed.bytes().len(),
            sealed: entry
                .body
                .kind()
                .has_record()
                .then(|| world.log.record(index).bytes().len()),
        }
    });
    entries.collect()
}
