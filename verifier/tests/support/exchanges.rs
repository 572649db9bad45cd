//! What broker and identity write: exchanges with their records, inspections, a denial, a lost intent.

use record::{
    Body, CitizenPart, Commitment, ConsumerSignatures, ExchangeRecord, ExchangeResult, Header, InspectionRecord, Label,
    LabelledKind, Outcome, PartName, Parts, Period, Phase, ReferenceKind, RetentionClass, SealedRecord, Series,
    SharedPart, Timestamp, label,
};
use tlog::Hash;
use tlog::merkle::Index;

use super::{Log, START, idnr, vrf_key};

impl Log {
    pub fn label_of(&self, number: u32, series: Series, phase: Phase) -> (Label, [u8; 80]) {
        let alpha = label::alpha(&idnr(), self.period, series, number);
        let (proof, output) = vrf_key(self.period).prove(&alpha);
        (label::label(&output, phase), proof.0)
    }

    pub fn record_keys(&self, label: &Label) -> [record::PartKey; 2] {
        let key = self.day_key.record_key(label);
        [key.part(PartName::Shared), key.part(PartName::Citizen)]
    }

    fn seal(&self, label: &Label, shared: SharedPart) -> SealedRecord {
        let header = Header::labelled(
            RetentionClass::IdnrG2y,
            RetentionClass::IdnrG2y.expiry(Timestamp(self.now)),
        );
        let parts = Parts {
            shared,
            citizen: CitizenPart::with_reason("no reason"),
            supervision: vec![1, 2, 3],
        };
        SealedRecord::seal(&header, Some(label), &self.day_key.record_key(label), &parts).unwrap()
    }

    fn keep(&mut self, index: u64, record: SealedRecord) -> u64 {
        self.records.insert(index, record.into_bytes());
        index
    }

    /// The next exchange's intent; gives its index and number.
    pub fn intent(&mut self) -> (u64, u32) {
        let number = self.numbers;
        self.numbers += 1;
        (self.intent_numbered(number), number)
    }

    pub fn intent_numbered(&mut self, number: u32) -> u64 {
        self.now += 1;
        let label = self.label_of(number, Series::Exchanges, Phase::Intent).0;
        let record = self.seal(&label, SharedPart::Exchange(Box::new(numbered(number, None))));
        let body = self.labelled(LabelledKind::Intent, label, record.commitment(), None);
        let index = self.append_broker(body);
        self.keep(index, record)
    }

    pub fn outcome(&mut self, intent: u64, number: u32) -> u64 {
        let label = self.label_of(number, Series::Exchanges, Phase::Outcome).0;
        let result = ExchangeResult {
            outcome: Outcome::Delivered,
            told: "delivered".to_owned(),
            checks: Vec::new(),
            evidence_digest: Some(noise(number, "evidence")),
            answer_digest: Some(noise(number, "answer")),
            provider_signature: Some(signature(number, "provider")),
        };
        let record = self.seal(&label, SharedPart::Exchange(Box::new(numbered(number, Some(result)))));
        let body = self.labelled(LabelledKind::Outcome, label, record.commitment(), Some(intent));
        let index = self.append_broker(body);
        self.keep(index, record)
    }

    pub fn inspection(&mut self, number: u32) -> u64 {
        let label = self.label_of(number, Series::Inspections, Phase::Intent).0;
        let shared = InspectionRecord {
            reader: "cockpit".to_owned(),
            reason: "own request".to_owned(),
            day: 20_000,
        };
        let record = self.seal(&label, SharedPart::Inspection(shared));
        let body = self.labelled(LabelledKind::Inspection, label, record.commitment(), None);
        let index = self.append_identity(body);
        self.keep(index, record)
    }

    fn labelled(&self, kind: LabelledKind, label: Label, commitment: Commitment, refers: Option<u64>) -> Body {
        let mut body = labelled(kind, label, commitment, refers);
        if let Body::Labelled { period, .. } = &mut body {
            *period = self.period;
        }
        body
    }

    pub fn denial(&mut self) -> u64 {
        let header = Header::denial(
            RetentionClass::IdnrG2y,
            RetentionClass::IdnrG2y.expiry(Timestamp(self.now)),
        )
        .unwrap();
        let key = self.day_key.denial_key().salted_record_key(&header.salt.unwrap());
        let record = SealedRecord::seal(&header, None, &key, &Parts::denial(vec![4; 100])).unwrap();
        let index = self.append_broker(Body::Denial {
            commitment: record.commitment(),
        });
        self.keep(index, record)
    }

    pub fn lost(&mut self, intent: u64) -> u64 {
        let refers = Index::new(intent).unwrap();
        self.append_broker(Body::Reference {
            kind: ReferenceKind::Lost,
            refers,
        })
    }

    /// An exchange with its map entries: four entries.
    pub fn exchange(&mut self) {
        let (intent, number) = self.intent();
        self.map();
        self.outcome(intent, number);
        self.map();
    }
}

pub fn labelled(kind: LabelledKind, label: Label, commitment: Commitment, refers: Option<u64>) -> Body {
    let refers = refers.map(|index| Index::new(index).unwrap());
    Body::Labelled {
        kind,
        period: Period(1),
        label,
        commitment,
        refers,
    }
}

/// Bytes like those of a digest or a key.
fn noise(number: u32, what: &str) -> Hash {
    Hash::of(format!("{number} {what}").as_bytes())
}

fn signature(number: u32, what: &str) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&noise(number, what).0);
    bytes[32..].copy_from_slice(&noise(number + 1, what).0);
    bytes
}

/// An exchange that is like no other where real ones differ: no compression may live on it.
fn numbered(number: u32, result: Option<ExchangeResult>) -> ExchangeRecord {
    let mut record = fixtures::exchange(result);
    record.lifecycle.expiry = RetentionClass::IdnrG2y.expiry(Timestamp(START));
    let id = |what: &str| {
        let hex = noise(number, what).to_string();
        let id = format!(
            "01890a5d-{}-7{}-b{}-{}",
            &hex[..4],
            &hex[4..7],
            &hex[7..10],
            &hex[10..22]
        );
        id.parse().unwrap()
    };
    (record.ids.exchange, record.ids.message) = (id("exchange"), id("message"));
    record.ids.request_reference = noise(number, "reference").to_string();
    record.ids.trace = format!("00-{}-01", noise(number, "trace"));
    record.request_digest = noise(number, "request");
    record.consumer_signatures = ConsumerSignatures {
        s1: signature(number, "s1"),
        s2: signature(number, "s2"),
        s1_digest: noise(number, "s1 digest"),
        sealed_request: noise(number, "sealed request"),
        answer_key: noise(number, "answer key").0,
    };
    record
}
