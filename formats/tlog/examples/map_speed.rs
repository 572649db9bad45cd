//! Measures the label map at a given size: labels per second in batches, bytes per label, and seconds to build it from
//! sorted labels.
//!
//! `map_speed [--labels N] [--json FILE]` grows a map to N random labels in batches of 10 000, computes the root after
//! each, and measures the thread CPU time of the last tenth of the batches. Then it builds the same map from sorted
//! labels and compares the roots. Only one map is in memory when the resident size is read.

#![allow(clippy::unwrap_used)]

use tlog::Hash;
use tlog::map::{Key, Map, MapBuilder, Value};
use tlog::merkle::Index;

const BATCH: u32 = 10_000;

fn main() {
    let (labels, json) = arguments();
    let batches = labels / BATCH;
    let before = resident();
    let mut map = Map::new();
    let mut times = Vec::new();
    for batch in 0..batches {
        let items: Vec<_> = (batch * BATCH..(batch + 1) * BATCH).map(item).collect();
        let start = cpu();
        map.insert_batch(items).unwrap();
        map.root();
        times.push(cpu() - start);
    }
    let bytes = (resident() - before) as f64 / f64::from(labels);
    let root = map.root();
    drop(map);
    let late = &times[times.len() - times.len().div_ceil(10)..];
    let rate = f64::from(BATCH) * late.len() as f64 / late.iter().sum::<f64>();

    let (seconds, built) = build(labels);
    assert!(built == root, "the two maps must be the same");
    output::stdout!(
        "{labels} labels: {rate:.0} labels/s in batches of {BATCH}, {bytes:.1} bytes per label, rebuilt in {seconds:.2} s"
    )
    .unwrap();
    if let Some(path) = json {
        let size = if labels.is_multiple_of(1_000_000) {
            format!("{}m", labels / 1_000_000)
        } else {
            labels.to_string()
        };
        let values = serde_json::json!({
            format!("map_labels_per_s_{size}"): rate.round(),
            "map_bytes_per_label": (bytes * 10.0).round() / 10.0,
            format!("map_build_s_{size}"): (seconds * 100.0).round() / 100.0,
        });
        std::fs::write(path, values.to_string()).unwrap();
    }
}

/// Builds the map from sorted labels and returns the CPU seconds and the root.
fn build(labels: u32) -> (f64, Hash) {
    let mut items: Vec<_> = (0..labels).map(item).collect();
    items.sort_unstable_by_key(|(key, _)| *key);
    let start = cpu();
    let mut builder = MapBuilder::new();
    for (key, value) in items {
        builder.push(key, value).unwrap();
    }
    let mut map = builder.finish();
    (cpu() - start, map.root())
}

fn item(number: u32) -> (Key, Value) {
    let label = Hash::of(&number.to_be_bytes());
    (
        label.0,
        Value {
            index: Index::from(number),
            leaf: label,
        },
    )
}

fn arguments() -> (u32, Option<String>) {
    let (mut labels, mut json) = (10_000_000, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        match (name.as_str(), arguments.next()) {
            ("--labels", Some(value)) => labels = value.parse().unwrap(),
            ("--json", Some(value)) => json = Some(value),
            _ => {
                output::stderr!("map_speed [--labels N] [--json FILE]");
                std::process::exit(2)
            }
        }
    }
    (labels, json)
}

/// CPU seconds that this thread has used.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds: u64 = text.split(' ').next().unwrap().parse().unwrap();
    nanoseconds as f64 / 1e9
}

/// Resident bytes of this process.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
