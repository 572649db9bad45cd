//! What happens when a compartment is down: without a receipt no data leaves the register.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use anyhow::{Result, ensure};
use tests::http;
use tests::processes::Processes;

#[test]
fn the_register_is_not_asked_without_a_receipt() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::start(&scratch.path().join("demo"), "127.0.0.1:21700")?;
    processes.all_healthy()?;
    processes.ask_until_delivered()?;

    // The provider's connector refuses every message that is not a forward with a receipt.
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
        "the register was asked without an exchange"
    );

    // Without the ledger an exchange is refused with a retryable status, and the register is not asked.
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

    // With the ledger back, exchanges continue.
    let url = processes.info.ledger.clone();
    processes.up("ledger", "ledger", &url)?;
    processes.healthy(&url)?;
    processes.ask_until_delivered()?;
    ensure!(processes.register_asked()? > asked);

    // A broker killed between exchanges continues from its journals.
    processes.running.remove("broker").unwrap().kill()?;
    ensure!(processes.ask()?.0 >= 500, "an exchange succeeded without the broker");
    let url = processes.info.broker.clone();
    processes.up("broker", "broker", &url)?;
    processes.healthy(&url)?;
    processes.ask_until_delivered()?;

    processes.every_intent_is_closed()
}
