//! What happens when a compartment is not there: no receipt, no data.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use anyhow::{Result, ensure};
use tests::http;
use tests::processes::Processes;

#[test]
fn no_receipt_no_data() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::start(&scratch.path().join("demo"), "127.0.0.1:21700")?;
    processes.all_healthy()?;
    processes.ask_until_delivered()?;

    // What is no forward with a receipt gets nothing out of the provider's connector, whoever sends it.
    let asked = processes.register_asked()?;
    for body in [&b""[..], b"\xa0", b"{}"] {
        let url = format!("{}/forward", processes.info.connectors["kba"]);
        let answer = http()?
            .post(url)
            .header("content-type", "application/cbor")
            .body(body.to_vec())
            .send()?;
        ensure!(answer.status().is_client_error(), "{}", answer.status());
    }
    ensure!(
        processes.register_asked()? == asked,
        "the register was asked for something that is no exchange"
    );

    // Without the ledger an exchange is refused, retryably, and the register is never asked.
    processes.running.remove("ledger").unwrap().kill()?;
    for _ in 0..2 {
        let (status, body) = processes.ask()?;
        ensure!(status == 503 || status == 504, "{status} {body:#}");
        ensure!(body["evidence"].is_null(), "{body:#}");
    }
    ensure!(
        processes.register_asked()? == asked,
        "the register was asked without a receipt"
    );

    // With the ledger back, everything goes on, and the log is sound.
    let url = processes.info.ledger.clone();
    processes.up("ledger", "ledger", &url)?;
    processes.healthy(&url)?;
    processes.ask_until_delivered()?;
    ensure!(processes.register_asked()? > asked);

    // A broker killed between exchanges continues from its journals.
    processes.running.remove("broker").unwrap().kill()?;
    ensure!(processes.ask()?.0 >= 500, "no broker, no exchange");
    let url = processes.info.broker.clone();
    processes.up("broker", "broker", &url)?;
    processes.healthy(&url)?;
    processes.ask_until_delivered()?;

    processes.every_intent_is_closed()
}
