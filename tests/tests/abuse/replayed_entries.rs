//! Clients without any key send entries to the ledger that they have copied from the public log, thousands in a
//! request.

use anyhow::{Context, Result, ensure};
use tests::http;

use crate::harness::{Flood, Scenario};

const SCENARIO: Scenario = Scenario {
    name: "replayed entries",
    listen: "127.0.0.1:23200",
    prepare: |_| Ok(()),
    flood,
};
const CONNECTIONS: usize = 64;
const REPETITIONS: usize = 4096;

fn flood(flood: &Flood<'_>) -> Result<()> {
    let ledger = &flood.processes.info.ledger;
    let body = request(&map_entry(ledger)?).repeat(REPETITIONS);
    flood.in_threads(CONNECTIONS, |_| {
        let client = http()?;
        while flood.continues() {
            let answer = client
                .post(format!("{ledger}/entries"))
                .header("content-type", "application/cbor-seq")
                .header("accept", "application/cbor-seq")
                .body(body.clone())
                .send();
            // The ledger may close the connection while the body is being sent.
            if let Ok(answer) = answer {
                ensure!(
                    answer.status() != 200,
                    "the ledger answered a replay of thousands of entries"
                );
            }
        }
        Ok(())
    })
}

/// The newest `map` entry in the first bundle.
fn map_entry(ledger: &str) -> Result<Vec<u8>> {
    let client = http()?;
    let head = client.get(format!("{ledger}/head")).send()?.text()?;
    let size: u64 = head.lines().nth(1).context("size")?.parse()?;
    let width = size.min(256);
    let path = if width == 256 {
        "000".to_owned()
    } else {
        format!("000.p/{width}")
    };
    let bundle = client.get(format!("{ledger}/tile/entries/{path}")).send()?.bytes()?;
    let mut rest = &bundle[..];
    let mut found = None;
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (entry, after) = after.split_at(usize::from(u16::from_be_bytes(*length)));
        let parsed = record::SignedEntry::parse(entry.to_vec());
        if parsed.is_ok_and(|entry| entry.entry().body.kind() == record::Kind::Map) {
            found = Some(entry.to_vec());
        }
        rest = after;
    }
    found.context("no map entry")
}

fn request(leaf: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    let submitted = record::Submitted {
        leaf,
        record: None,
        document: None,
    };
    submitted.write(&mut body);
    body
}

#[test]
fn replayed_entries_do_not_delay_exchanges() -> Result<()> {
    SCENARIO.briefly()
}

#[test]
#[ignore = "takes a minute: `cargo xtask test --long`"]
fn replayed_entries_do_not_delay_exchanges_for_a_minute() -> Result<()> {
    SCENARIO.for_a_minute()
}
