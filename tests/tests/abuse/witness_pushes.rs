//! Outsiders push the ledger's newest head to its witnesses, with correct proofs and with wrong ones. The witnesses are
//! then ahead of what the ledger believes, and the log continues.

use anyhow::{Context, Result, ensure};
use tests::http;
use tests::public_log::{PublicLog, claimed};
use tlog::merkle::{Size, consistency_proof};
use tlog::witness::AddCheckpoint;

use crate::harness::{Flood, Scenario};

const SCENARIO: Scenario = Scenario {
    name: "pushes to witnesses",
    listen: "127.0.0.1:24100",
    prepare: |_| Ok(()),
    flood,
};

fn flood(flood: &Flood<'_>) -> Result<()> {
    let info = &flood.processes.info;
    flood.in_threads(info.witnesses.len() * 2, |number| {
        let client = http()?;
        let witness = format!("{}/add-checkpoint", info.witnesses[number / 2]);
        let push = |request: &AddCheckpoint| -> Result<(u16, String)> {
            let answer = client.post(&witness).body(request.to_string()).send()?;
            Ok((answer.status().as_u16(), answer.text()?))
        };
        while flood.continues() {
            let checkpoint = client.get(format!("{}/head", info.ledger)).send()?.text()?;
            let size = claimed(checkpoint.as_bytes())?.size;
            let mut request = AddCheckpoint {
                old: Size::new(0)?,
                proof: Vec::new(),
                checkpoint,
            };
            // A witness that has a tree of this log refuses another beginning and names its size.
            let (status, text) = push(&request)?;
            ensure!([200, 409, 429].contains(&status), "{status} {text}");
            if status != 409 {
                continue;
            }
            let old = Size::new(text.trim().parse().context("the witness's size")?)?;
            if old > size {
                continue;
            }
            let mut tree = PublicLog::of_ledger(&info.ledger)?.tree(size)?;
            request.old = old;
            request.proof = consistency_proof(&mut tree, old, size)?;
            let (status, text) = push(&request)?;
            // Another push or the ledger itself can be faster.
            ensure!([200, 409, 429].contains(&status), "{status} {text}");
            if number % 2 == 1
                && let Some(hash) = request.proof.first_mut()
            {
                hash.0[0] ^= 1;
                let (status, text) = push(&request)?;
                ensure!([409, 422, 429].contains(&status), "a wrong proof: {status} {text}");
            }
        }
        Ok(())
    })
}

#[test]
fn pushes_of_outsiders_do_not_stop_the_log() -> Result<()> {
    SCENARIO.briefly()
}

#[test]
#[ignore = "takes a minute: `cargo xtask test --long`"]
fn pushes_of_outsiders_do_not_stop_the_log_for_a_minute() -> Result<()> {
    SCENARIO.for_a_minute()
}
