//! Measures an opening with its anchor in a log whose directory has 10 000 bodies with a component each and which has
//! 100 000 entries of other people. Prints a JSON object: `opening_bytes`, and `anchor_bytes` of them.

#![allow(clippy::unwrap_used, clippy::panic)]

use fixtures::sample_log::SampleLog;
use record::Phase;
use trust::limits::MAX_OPERATIONS;
use trust::{Operation, TrustKind};

const COMPONENTS: u32 = 10_000;
const OTHERS: u64 = 100_000;

fn main() {
    let mut log = SampleLog::new();
    let values = (0..COMPONENTS).flat_map(|number| [fixtures::body(number), fixtures::component(number)]);
    let values: Vec<Operation> = values.map(|value| Operation::put(&value.unwrap()).unwrap()).collect();
    for some in values.chunks(MAX_OPERATIONS) {
        log.change(TrustKind::Directory, some.to_vec());
    }
    log.others(OTHERS);
    let (intent, number) = log.intent();
    log.map();
    let opening = log.opening(intent, number, Phase::Intent);
    let anchor = opening.anchor.as_ref().unwrap();
    let figures = serde_json::json!({
        "opening_bytes": opening.to_bytes().len(),
        "anchor_bytes": record::cbor::to_vec(anchor).len(),
    });
    output::stdout!("{figures}").unwrap();
}
