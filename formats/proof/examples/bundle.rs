//! Measures the size of a bundle and the time to verify it: 50 exchanges (100 entries) of one person, spread evenly
//! over a log with 10 million labels of other people in the same period. Writes flat JSON.
//!
//! ```sh
//! cargo run --release -p proof --example bundle -- --labels 10000000 --json FILE
//! ```
//!
//! *Proof bytes* are everything except the entries and their records: the checkpoint, the proofs of the tree and the
//! maps, the VRF proofs, and the anchor. The time is the median of 50 runs of reading and verifying the file on one
//! thread. `--keep DIR` writes the bundle, the policy, the genesis hash and `listed` (the entries of each access that
//! the portal would list) to DIR.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use clap::Parser as _;
use fixtures::sample_log::{SampleLog, idnr};
use proof::bundle::{Bundle, Placed};
use tlog::policy::Policy;

const EXCHANGES: u64 = 50;
const RUNS: usize = 50;

#[derive(clap::Parser)]
struct Arguments {
    /// Number of labels of other people
    #[arg(long, default_value_t = 10_000_000)]
    labels: u64,
    /// File for the figures
    #[arg(long)]
    json: Option<PathBuf>,
    /// Directory for the bundle, the policy, the genesis hash and the list
    #[arg(long)]
    keep: Option<PathBuf>,
}

fn main() {
    let arguments = Arguments::parse();
    let (log, bytes) = log_with(arguments.labels);
    let (policy, genesis) = (Policy::parse(log.policy().as_bytes()).unwrap(), log.genesis());
    let verify = || Bundle::parse(&bytes).unwrap().verify(&policy, Some(&genesis)).unwrap();
    let mut times: Vec<f64> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            assert_eq!(verify().entries.len() as u64, 2 * EXCHANGES);
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    if let Some(folder) = arguments.keep {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("mine.bundle"), &bytes).unwrap();
        std::fs::write(folder.join("trust.policy"), log.policy()).unwrap();
        std::fs::write(folder.join("genesis"), genesis.to_string()).unwrap();
        let complete = verify();
        let mut accesses = BTreeMap::new();
        for entry in &complete.entries {
            let access: &mut Vec<String> = accesses.entry((entry.series.code(), entry.number)).or_default();
            access.push(entry.index.get().to_string());
        }
        let listed: Vec<String> = accesses.into_values().map(|access| access.join(",")).collect();
        std::fs::write(folder.join("listed"), listed.join("\n")).unwrap();
    }
    let figures = serde_json::json!({
        "bundle_100_proof_bytes": proof_bytes(&Bundle::parse(&bytes).unwrap()),
        "bundle_100_bytes": bytes.len(),
        "bundle_100_verify_native_ms": (times[RUNS / 2] * 100.0).round() / 100.0,
    });
    let text = serde_json::to_string_pretty(&figures).unwrap();
    output::stdout!("{text}").unwrap();
    if let Some(path) = arguments.json {
        std::fs::write(path, text).unwrap();
    }
}

/// A log with the person's exchanges and other people's entries between any two of the person's entries, and the
/// bundle.
fn log_with(labels: u64) -> (SampleLog, Vec<u8>) {
    let mut log = SampleLog::new();
    let between = labels / (2 * EXCHANGES);
    for _ in 0..EXCHANGES {
        log.others(between);
        let (intent, number) = log.intent();
        log.others(between);
        log.outcome(intent, number);
    }
    log.map();
    let bytes = log.bundle(&idnr()).to_bytes().unwrap();
    (log, bytes)
}

fn proof_bytes(bundle: &Bundle) -> usize {
    let proof = &bundle.proof;
    let placed = |placed: &Placed| record::cbor::to_vec(placed).len();
    let mut bytes = record::cbor::to_vec(&bundle.anchor).len() + placed(&proof.map);
    bytes += proof.checkpoint.len() + 32 * proof.tree.len() + proof.map0.len();
    for period in &proof.periods {
        bytes += placed(&period.begin) + period.map.len();
        for row in [&period.exchanges, &period.inspections] {
            bytes += 80 * (row.numbers.len() + row.absent.len());
        }
    }
    bytes
}
