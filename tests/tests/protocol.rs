//! The authority's own protocol of its transmissions: both connectors of an exchange keep it, search it while they run,
//! and prove it to a verifier that has nothing but the policy.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tests::processes::Processes;
use tests::{files_below, program, verifier, wait_for};

const IDNR: &str = "08214967384";

/// `connector protocol` for one connector.
struct Protocol<'a> {
    processes: &'a Processes,
    connector: &'static str,
}

impl Protocol<'_> {
    fn run(&self, arguments: &[&str], input: &str) -> Result<Output> {
        let mut command = Command::new(program("connector"));
        command.args(["protocol", arguments[0], "--config"]);
        command.arg(self.processes.data.join(self.connector).join("config.json"));
        command.args(&arguments[1..]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        child.stdin.take().context("a pipe")?.write_all(input.as_bytes())?;
        Ok(child.wait_with_output()?)
    }

    fn lines(&self, arguments: &[&str], input: &str) -> Result<Vec<String>> {
        let output = self.run(arguments, input)?;
        ensure!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout)?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    fn exported(&self, arguments: &[&str]) -> Result<Vec<Value>> {
        let lines = self.lines(&[&["export"], arguments].concat(), "")?;
        lines.iter().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    /// The exchanges are logged, each with a proof.
    fn has(&self, exchanges: &[(String, &str)]) -> Result<()> {
        let exported = self.exported(&[])?;
        for (exchange, result) in exchanges {
            let found = exported.iter().find(|one| one["exchange"] == exchange.as_str());
            let one = found.with_context(|| format!("{}: no {exchange}", self.connector))?;
            ensure!(one["result"] == *result && one["proof"] == "sound", "{one:#}");
            self.receipts_hold(one)?;
            let found = self.lines(&["search", "--exchange", exchange, "--result", result], "")?;
            ensure!(found.len() == 1 && found[0].contains(exchange), "{found:?}");
            let shown = self.lines(&["show", exchange], "")?.join("\n");
            ensure!(serde_json::from_str::<Value>(&shown)? == *one, "{shown}");
        }
        ensure!(
            !exported.iter().any(|one| one.to_string().contains(IDNR)),
            "an IDNr in an export without it"
        );
        Ok(())
    }

    /// The verifier accepts both receipts.
    fn receipts_hold(&self, exported: &Value) -> Result<()> {
        for name in ["intent_receipt", "outcome_receipt"] {
            let receipt = self.processes.data.join("exported.tlog-proof");
            std::fs::write(&receipt, exported[name].as_str().context(name)?)?;
            let policy = self.processes.info.policy.to_str().context("a path")?;
            let arguments = [
                "verify",
                receipt.to_str().context("a path")?,
                "--policy",
                policy,
                "--allow-unwitnessed",
            ];
            let (code, report) = verifier(&arguments)?;
            ensure!(code == 0, "{name}: {report:#}");
        }
        Ok(())
    }

    /// The exchanges about a person.
    fn about(&self, idnr: &str) -> Result<usize> {
        Ok(self.lines(&["search", "--person"], idnr)?.len())
    }
}

#[test]
fn both_authorities_prove_their_exchanges_from_their_own_protocol() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::start(&scratch.path().join("demo"), "127.0.0.1:25200")?;
    processes.all_healthy()?;
    processes.ask_until_delivered()?;
    let mut exchanges = Vec::new();
    let mut ask = |expected: &'static str, change: &dyn Fn(&mut Value)| {
        let (status, body) = processes.ask_about(change)?;
        ensure!(status == 200, "{status} {body:#}");
        exchanges.push((body["exchange"].as_str().context("an exchange")?.to_owned(), expected));
        anyhow::Ok(())
    };
    ask("delivered", &|_| {})?;
    ask("nothing-found", &|person| {
        *person = serde_json::json!({ "family_name": "Unbekannt", "given_name": "Udo", "date_of_birth": "1970-01-01",
            "postal_code": "73614", "place": "Rheinfurt" });
    })?;
    // The provider has the outcome a moment after the consumer.
    let [consumer, provider] = ["connector-rheinfurt", "connector-kba"].map(|connector| Protocol {
        processes: &processes,
        connector,
    });
    wait_for(std::time::Duration::from_secs(60), || {
        let exported = provider.exported(&[])?;
        Ok(exchanges.iter().all(|(exchange, result)| {
            let mut exported = exported.iter();
            exported.any(|one| one["exchange"] == exchange.as_str() && one["result"] == *result)
        }))
    })?;
    for protocol in [&consumer, &provider] {
        protocol.has(&exchanges)?;
        let (about, all) = (protocol.about(IDNR)?, protocol.lines(&["search"], "")?.len());
        ensure!(about > 0 && about < all, "{}: {about} of {all}", protocol.connector);
        ensure!(protocol.exported(&["--to", "2020-01-01"])?.is_empty());
        let with_person = protocol.exported(&["--exchange", &exchanges[0].0, "--with-person"])?;
        ensure!(with_person[0]["idnr"] == IDNR, "{with_person:#?}");
        let folder = processes.data.join(protocol.connector).join("protocol");
        for file in files_below(&folder)? {
            let bytes = std::fs::read(&file)?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            ensure!(
                !text.contains(IDNR) && !text.contains("Mustermann"),
                "{}",
                file.display()
            );
        }
    }
    // A changed line is reported, and the others are read.
    let folder = processes.data.join("connector-kba/protocol");
    let before = provider.exported(&[])?.len();
    let file = files_below(&folder)?.pop().context("a file")?;
    let text = std::fs::read_to_string(&file)?;
    let changed = text.lines().last().context("a line")?;
    let forged = format!("{}{}", if changed.starts_with('A') { "B" } else { "A" }, &changed[1..]);
    std::fs::write(&file, text.replace(changed, &forged))?;
    let output = provider.run(&["export"], "")?;
    ensure!(output.status.code() == Some(1), "{:?}", output.status);
    ensure!(String::from_utf8_lossy(&output.stderr).contains("not sealed with this key"));
    ensure!(
        String::from_utf8_lossy(&output.stdout).lines().count() == before,
        "the answer's line is left"
    );
    processes.running.remove("broker").context("the broker runs")?.stop()?;
    Ok(())
}
