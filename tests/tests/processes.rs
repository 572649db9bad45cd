//! Every compartment as a process of its own: what happens when one of them is not there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tests::{DemoInfo, Process, http, program, run, verifier, wait_for};

/// The demonstration's compartments, each a process.
struct Processes {
    data: PathBuf,
    info: DemoInfo,
    running: BTreeMap<String, Process>,
}

impl Processes {
    /// Seeds a demonstration, ends it, and starts its compartments one by one.
    fn start(data: &Path) -> Result<Self> {
        // A base far from the ephemeral range; the demonstration takes the ports above it.
        let base = "127.0.0.1:21700";
        let output = run(
            "einsicht",
            &[
                "demo",
                "--data",
                data.to_str().unwrap(),
                "--listen",
                base,
                "--exit-after-seed",
            ],
        )?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let info: DemoInfo = serde_json::from_slice(&std::fs::read(data.join("demo.json"))?)?;
        let mut this = Self {
            data: data.to_path_buf(),
            info,
            running: BTreeMap::new(),
        };
        for (number, url) in this.info.witnesses.clone().iter().enumerate() {
            this.witness(&format!("witness-{}", number + 1), url)?;
        }
        let info = this.info.clone();
        this.up("ledger", "ledger", &info.ledger)?;
        this.up("identity", "identity", &info.identity)?;
        this.up("broker", "broker", &info.broker)?;
        this.up("register-kba", "register", &this.register("kba")?)?;
        for name in ["rheinfurt", "kba"] {
            this.up(&format!("connector-{name}"), "connector", &info.connectors[name])?;
        }
        Ok(this)
    }

    fn register(&self, short: &str) -> Result<String> {
        let config = std::fs::read(self.data.join(format!("connector-{short}/config.json")))?;
        let config: serde_json::Value = serde_json::from_slice(&config)?;
        let url = config["role"]["provider"]["register"]
            .as_str()
            .context("the connector's configuration names its register")?;
        Ok(url.to_owned())
    }

    /// A witness is the verifier's own program, as anybody could run it.
    fn witness(&mut self, name: &str, url: &str) -> Result<()> {
        let folder = self.data.join(name);
        let mut command = Command::new(program("verifier"));
        command.args(["witness", "--listen", url.strip_prefix("http://").context("url")?]);
        command.arg("--state").arg(folder.join("state"));
        command.arg("--key").arg(folder.join("witness.key"));
        command.arg("--logs").arg(folder.join("logs"));
        let process = Process::start(&mut command, &self.data.join(format!("{name}.log")))?;
        self.running.insert(name.to_owned(), process);
        Ok(())
    }

    fn up(&mut self, name: &str, compartment: &str, url: &str) -> Result<()> {
        let folder = self.data.join(name);
        let address = url.strip_prefix("http://").context("url")?;
        let mut command = Command::new(program("einsicht"));
        command
            .args(["run", compartment, "--config"])
            .arg(folder.join("config.json"))
            .args(["--listen", address]);
        let process = Process::start(&mut command, &self.data.join(format!("{name}.log")))?;
        self.running.insert(name.to_owned(), process);
        Ok(())
    }

    fn healthy(&self, url: &str) -> Result<()> {
        let client = http()?;
        wait_for(Duration::from_secs(30), || {
            Ok(client
                .get(format!("{url}/health"))
                .send()
                .is_ok_and(|a| a.status() == 200))
        })
        .with_context(|| url.to_owned())
    }

    fn all_healthy(&self) -> Result<()> {
        let info = &self.info;
        for url in [
            &info.ledger,
            &info.identity,
            &info.broker,
            &info.connectors["rheinfurt"],
            &info.connectors["kba"],
        ] {
            self.healthy(url)?;
        }
        Ok(())
    }

    /// Status and body of Rheinfurt's question to the KBA.
    fn ask(&self) -> Result<(u16, serde_json::Value)> {
        let answer = http()?
            .post(format!("{}/evidence", self.info.connectors["rheinfurt"]))
            .header("content-type", "application/json")
            .body(include_str!("evidence-request.json"))
            .send()?;
        Ok((answer.status().as_u16(), serde_json::from_str(&answer.text()?)?))
    }

    fn ask_until_delivered(&self) -> Result<()> {
        let mut last = None;
        wait_for(Duration::from_secs(40), || {
            last = Some(self.ask()?);
            Ok(last
                .as_ref()
                .is_some_and(|(status, body)| *status == 200 && body["outcome"] == "delivered"))
        })
        .with_context(|| format!("{last:?}"))
    }

    /// How often the register was asked, by its own account.
    fn register_asked(&self) -> Result<usize> {
        Ok(std::fs::read_to_string(self.data.join("register-kba/access.log"))?
            .lines()
            .count())
    }
}

#[test]
fn no_receipt_no_data() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::start(&scratch.path().join("demo"))?;
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

    let policy = processes.info.policy.clone();
    wait_for(Duration::from_secs(40), || {
        let (code, report) = verifier(&[
            "audit",
            "--log",
            &processes.info.ledger,
            "--policy",
            policy.to_str().unwrap(),
        ])?;
        ensure!(code == 0, "{report:#}");
        Ok(report["open_intents"] == 0)
    })
}
