//! How large an opening is.

use fixtures::sample_log::SampleLog;
use record::{Participant, ParticipantId, Party, Phase};
use trust::limits::MAX_OPERATIONS;

use super::*;

const COMPONENTS: usize = 10_000;
/// Bounds the openings of a directory with [`COMPONENTS`] components.
const MAX_OPENING: usize = 24_000;

/// A component with its own keys and texts of usual length.
fn component(number: usize) -> Operation {
    let mut seed = [61; 32];
    seed[..8].copy_from_slice(&(number as u64).to_be_bytes());
    let participant = Participant {
        party: Party {
            id: ParticipantId::new(format!("komponente-{number}")).unwrap(),
            directory: "DVDV".into(),
            identifier: format!("ags-{number:08}"),
            name: format!("Stadt Musterhausen {number}"),
            component: "Bewohnerparken".into(),
            responsible: "Stadt Musterhausen, Straßenverkehrsbehörde".into(),
            operating: "Rechenzentrum Muster".into(),
        },
        signing_key: SigningKey::from_seed(seed).public(),
        sealing_key: seed,
        consumer: true,
        provider: false,
    };
    Operation::put(&Value::Component(Box::new(participant))).unwrap()
}

/// An opening does not grow with the directory. It contains the values that it needs and a path of hashes for each.
#[test]
fn an_opening_of_a_large_directory_is_small() {
    let mut log = SampleLog::new();
    let components: Vec<Operation> = (0..COMPONENTS).map(component).collect();
    for some in components.chunks(MAX_OPERATIONS) {
        change(&mut log, some.to_vec());
    }
    log.others(100_000);
    let (intent, number) = log.intent();
    log.map();
    let opening = log.opening(intent, number, Phase::Intent);
    assert_eq!(numbers(opening.anchor.as_ref().unwrap()).len(), 2);
    let bytes = opening.to_bytes();
    assert!(bytes.len() <= MAX_OPENING, "{} bytes", bytes.len());
    let proved = opening.verify(&policy(&log), Some(&log.genesis())).unwrap();
    assert_eq!((proved.anchored.as_deref(), proved.quorum), (Some("broker"), true));
}
