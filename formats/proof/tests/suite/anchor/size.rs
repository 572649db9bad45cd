//! How large an opening is.

use fixtures::sample_log::SampleLog;
use record::Phase;
use trust::limits::MAX_OPERATIONS;

use super::*;

const COMPONENTS: u32 = 10_000;
/// Bounds the openings of a directory with [`COMPONENTS`] components.
const MAX_OPENING: usize = 24_000;

/// An opening does not grow with the directory. It contains the values that it needs and a path of hashes for each.
#[test]
fn an_opening_of_a_large_directory_is_small() {
    let mut log = SampleLog::new();
    let values = (0..COMPONENTS).flat_map(|number| [fixtures::body(number), fixtures::component(number)]);
    let values: Vec<Operation> = values.map(|value| Operation::put(&value.unwrap()).unwrap()).collect();
    for some in values.chunks(MAX_OPERATIONS) {
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
