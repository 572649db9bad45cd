//! Readers without any credential read everything that the log publishes, as fast as they can.

use anyhow::{Result, ensure};
use tests::http;

use crate::harness::{Flood, Scenario};

const SCENARIO: Scenario = Scenario {
    name: "public reads",
    listen: "127.0.0.1:23000",
    prepare: |_| Ok(()),
    flood,
};

fn flood(flood: &Flood<'_>) -> Result<()> {
    flood.in_threads(16, |_| {
        let client = http()?;
        while flood.continues() {
            for path in [
                "head",
                "checkpoint",
                "tile/0/000.p/1",
                "tile/entries/000.p/1",
                "entries/0/receipt",
            ] {
                let status = client
                    .get(format!("{}/{path}", flood.processes.info.ledger))
                    .send()?
                    .status();
                ensure!(status == 200 || status == 429 || status == 503, "{path}: {status}");
            }
        }
        Ok(())
    })
}

#[test]
fn exchanges_continue_while_the_log_is_read() -> Result<()> {
    SCENARIO.briefly()
}

#[test]
#[ignore = "takes a minute: `cargo xtask test --long`"]
fn exchanges_continue_while_the_log_is_read_for_a_minute() -> Result<()> {
    SCENARIO.for_a_minute()
}
