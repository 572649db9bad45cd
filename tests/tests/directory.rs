//! Changes of the directory and the Registerlandkarte while everything runs: a participant is suspended, comes back,
//! and rotates its key, the broker's writer key is rotated, a rule ends. Each change takes effect in every process
//! without a restart and holds after one; what was recorded before still verifies. Everything is done with the
//! authorities' tool.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test prints what it has measured"
)]

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use record::{LegalDay, SigningKey, Timestamp};
use serde_json::{Value, json};
use service::durable::write_private;
use tests::processes::{Processes, operations, version_of};
use tests::{http, program, run, wait_for};

/// How long a change may take on a slow machine.
const LIMIT: Duration = Duration::from_secs(60);
const CONSUMER: &str = "rheinfurt";
/// The refusal by a connector whose own component or key is not in the directory.
const NOT_LISTED: &str = "not-listed";

struct Stage {
    processes: Processes,
    folder: tempfile::TempDir,
    changes: u32,
}

impl Stage {
    /// Each test has ports of its own.
    fn start(listen: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut processes = Processes::start(&folder.path().join("data"), listen)?;
        let join = processes.info.join.clone();
        processes.up("join", "join", &join)?;
        processes.start_portal()?;
        processes.ask_until_delivered()?;
        Ok(Self {
            processes,
            folder,
            changes: 0,
        })
    }

    /// Arguments of the authorities' tool.
    fn tool(&self, verb: &str) -> Command {
        let info = &self.processes.info;
        let mut command = Command::new(program("directory"));
        command.args([verb, "--ledger", &info.ledger, "--genesis", &info.genesis, "--policy"]);
        command.arg(&info.policy);
        command
    }

    fn key(&self, name: &str) -> PathBuf {
        self.processes.data.join("operator").join(name)
    }

    /// Proposes changes with the operator's key, and lets both authorities approve. Returns the proposal.
    fn approved(&mut self, kind: &str, changes: &Value) -> Result<PathBuf> {
        self.changes += 1;
        let file = self.folder.path().join(format!("changes-{}.toml", self.changes));
        let proposal = self.folder.path().join(format!("proposal-{}.json", self.changes));
        std::fs::write(&file, toml::to_string(changes)?)?;
        let mut propose = self.tool("propose");
        propose
            .args(["--kind", kind, "--reason", "Versuch", "--by"])
            .arg(self.key("operator.key"));
        done(propose.arg(&file).arg(&proposal))?;
        for authority in ["authority-1.key", "authority-2.key"] {
            let mut approve = self.tool("approve");
            done(approve.arg("--key").arg(self.key(authority)).arg(&proposal))?;
        }
        Ok(proposal)
    }

    /// Publishes changes and waits until every process relies on them. Prints how long that took after the receipt.
    fn change(&mut self, name: &str, kind: &str, changes: &Value) -> Result<()> {
        let proposal = self.approved(kind, changes)?;
        let version = version_of(&self.processes.info.broker, kind)? + 1;
        let mut publish = self.tool("publish");
        publish
            .arg("--operator-key")
            .arg(self.key("operator.key"))
            .arg(&proposal);
        let mut publish = publish.stdout(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(publish.stdout.take().context("a pipe")?).lines();
        let first = lines.next().context("the tool prints the entry")??;
        ensure!(first.contains("is entry"), "{first}");
        let recorded = Instant::now();
        let info = &self.processes.info;
        let mut waiting = vec![&info.broker, &info.identity, &info.portal];
        waiting.extend([&info.connectors[CONSUMER], &info.connectors["kba"]]);
        while !waiting.is_empty() {
            ensure!(recorded.elapsed() < LIMIT, "{name}: {waiting:?} do not follow");
            let behind = |url: &&String| version_of(url, kind).map_or(true, |now| now < version);
            waiting.retain(behind);
            std::thread::sleep(Duration::from_millis(10));
        }
        println!("{name}: in force everywhere {:?} after the receipt", recorded.elapsed());
        ensure!(publish.wait()?.success(), "{name}: not published");
        Ok(())
    }

    /// What `directory show` prints.
    fn shown(&self, kind: &str) -> Result<Value> {
        let output = self.tool("show").args(["--kind", kind]).output()?;
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// The newest value whose key begins like this, as `directory show` prints it.
    fn value(&self, kind: &str, part: &str) -> Result<(String, Value)> {
        let shown = self.shown(kind)?;
        let values = shown["values"].as_array().context("values")?;
        let found = values
            .iter()
            .find(|value| value["key"].as_str().is_some_and(|key| key.contains(part)));
        let found = found.with_context(|| format!("no {part} in {shown:#}"))?;
        Ok((found["key"].as_str().unwrap().to_owned(), found["value"].clone()))
    }

    /// The consumer's component.
    fn component(&self) -> Result<(String, Value)> {
        let config = std::fs::read(self.processes.data.join("connector-rheinfurt/config.json"))?;
        let config: Value = serde_json::from_slice(&config)?;
        let id = config["participant"].as_str().context("the connector's participant")?;
        self.value("directory", &format!("component/{id}"))
    }

    /// Asks, and expects a refusal for this reason: a process that fails refuses, too.
    fn is_refused(&self, reason: &str) -> Result<()> {
        let (status, body) = self.processes.ask()?;
        let slug = body["type"].as_str().and_then(|kind| kind.rsplit(':').next());
        ensure!(
            status != 200 && slug == Some(reason),
            "not refused as {reason}: {status} {body:#}"
        );
        Ok(())
    }

    /// Restarts the processes of an exchange.
    fn restart(&mut self) -> Result<()> {
        for name in ["broker", "identity", "connector-rheinfurt", "connector-kba"] {
            self.processes.running.remove(name).context(name)?.kill()?;
        }
        let info = self.processes.info.clone();
        self.processes.up("identity", "identity", &info.identity)?;
        self.processes.up("broker", "broker", &info.broker)?;
        for name in [CONSUMER, "kba"] {
            self.processes
                .up(&format!("connector-{name}"), "connector", &info.connectors[name])?;
        }
        let connectors = [CONSUMER, "kba"].map(|name| &info.connectors[name]);
        for url in [&info.identity, &info.broker].into_iter().chain(connectors) {
            self.has_started(url)?;
        }
        Ok(())
    }

    /// Waits until a process serves, healthy or not.
    fn has_started(&self, url: &str) -> Result<()> {
        let (client, health) = (http()?, format!("{}/health", operations(url)?));
        wait_for(LIMIT, || {
            let Ok(answer) = client.get(&health).send() else {
                return Ok(false);
            };
            let starts = answer.status() != 200 && answer.text()?.contains("problem:starting");
            Ok(!starts)
        })
        .with_context(|| url.to_owned())
    }

    /// What the ledger tells everybody about a value: how often it has changed, and the newest change. Compares it with
    /// what `directory show` has verified.
    fn history(&self, kind: &str, key: &str) -> Result<Vec<Value>> {
        let read = |path: &str| -> Result<Value> {
            let url = format!("{}/trust/{kind}{path}", self.processes.info.ledger);
            let text = http()?.get(url).send()?.error_for_status()?.text()?;
            Ok(serde_json::from_str(&text)?)
        };
        let newest = read("")?;
        let version = &newest["version"];
        let public = read(&format!("/{version}/history/{key}"))?;
        let public = public["changes"].as_array().context("changes")?.clone();
        let output = self.tool("show").args(["--kind", kind, key]).output()?;
        let mut verified: Vec<Value> = serde_json::from_slice(&output.stdout)?;
        verified.reverse();
        ensure!(public.len() == verified.len(), "{public:#?} and {verified:#?}");
        let section = key.split('/').next().unwrap_or_default();
        for (public, verified) in public.iter().zip(&verified) {
            let places = ["version", "entry"].map(|field| (&public[field], &verified[field]));
            let values = (&public["value"], &verified["value"][section]);
            ensure!(
                places.iter().all(|(a, b)| a == b) && values.0 == values.1,
                "{public:#} and {verified:#}"
            );
        }
        let found = read(&format!(
            "/{version}/search?q={}",
            key.rsplit('/').next().unwrap_or_default()
        ))?;
        let keys = found["values"].as_array().context("values")?.iter();
        let is_found = keys.clone().any(|value| value["key"] == key);
        ensure!(
            is_found != public[0]["value"].is_null(),
            "a search finds what is in force: {found:#}"
        );
        Ok(public)
    }

    /// Waits until the log is sound for the auditor and has no open intent.
    fn is_sound(&self) -> Result<()> {
        self.processes.every_intent_is_closed()
    }
}

fn done(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {text}");
    Ok(())
}

/// Another key in the file of a process. Returns its public half.
fn new_key(path: PathBuf, seed: u8) -> Result<String> {
    write_private(&path, hex::encode([seed; 32]).as_bytes())?;
    Ok(hex::encode(SigningKey::from_seed([seed; 32]).public().as_bytes()))
}

/// A receipt of an entry that was there before any change, and the check of it by the verifier.
struct OldReceipt(PathBuf);

impl OldReceipt {
    fn of(stage: &Stage) -> Result<Self> {
        let url = format!("{}/entries/4/receipt?witnessed", stage.processes.info.ledger);
        let path = stage.folder.path().join("old.tlog-proof");
        std::fs::write(&path, http()?.get(url).send()?.bytes()?)?;
        Ok(Self(path))
    }

    fn verifies(&self, stage: &Stage) -> Result<()> {
        let policy = stage.processes.info.policy.to_str().context("a path in UTF-8")?;
        let file = self.0.to_str().context("a path in UTF-8")?;
        let output = run("verifier", &["verify", file, "--policy", policy])?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }
}

/// The id in the key of a component.
fn id(key: &str) -> &str {
    key.trim_start_matches("component/")
}

#[test]
fn changes_take_effect_everywhere_without_a_restart_and_after_one() -> Result<()> {
    let mut stage = Stage::start("127.0.0.1:23600")?;
    let old = OldReceipt::of(&stage)?;
    let started = Timestamp(UNIX_EPOCH.elapsed()?.as_secs());

    let (key, component) = stage.component()?;
    let component_key = key.clone();
    let first_key = component["component"]["signing_key"]
        .as_str()
        .context("a key")?
        .to_owned();
    stage.change("component suspended", "directory", &json!({ "suspend": [id(&key)] }))?;
    stage.is_refused(NOT_LISTED)?;
    ensure!(stage.history("directory", &key)?.len() == 2, "put and suspended");
    stage.restart()?;
    stage.is_refused(NOT_LISTED)?;

    stage.change("component back", "directory", &json!({ "resume": [id(&key)] }))?;
    stage.processes.ask_until_delivered()?;

    let mut rotated = component;
    let path = stage.processes.data.join("connector-rheinfurt/signing.key");
    let second_key = new_key(path, 201)?;
    rotated["component"]["signing_key"] = second_key.clone().into();
    stage.change("component's key rotated", "directory", &json!({ "put": [rotated] }))?;
    stage.is_refused(NOT_LISTED)?;
    stage.restart()?;
    stage.processes.ask_until_delivered()?;
    ensure!(
        stage.history("directory", &key)?.len() == 4,
        "put, suspended, back, rotated"
    );

    let (_, mut writer) = stage.value("directory", "writer/broker")?;
    let path = stage.processes.data.join("broker/writer.key");
    writer["writer"]["key"] = new_key(path, 202)?.into();
    stage.change("broker's writer key rotated", "directory", &json!({ "put": [writer] }))?;
    stage.restart()?;
    stage.processes.ask_until_delivered()?;
    stage.processes.healthy(&stage.processes.info.identity)?;

    let (rule, _) = stage.value("registry", "permission/bewohnerparken-fahrzeug@")?;
    stage.change("rule ended", "registry", &json!({ "end": [rule] }))?;
    stage.is_refused("not-permitted")?;
    stage.restart()?;
    stage.is_refused("not-permitted")?;
    old.verifies(&stage)?;
    stage.is_sound()?;

    // What the log alone says about this day: the first key until it was suspended, and until the second one took its
    // place; the second one until the rule ended.
    let today = LegalDay::of(Timestamp(UNIX_EPOCH.elapsed()?.as_secs()));
    let mut first = Vec::new();
    for key in [first_key, second_key] {
        let mut rights = stage.tool("rights");
        rights.args([
            "--on",
            &today.to_string(),
            "--component",
            id(&component_key),
            "--key",
            &key,
        ]);
        let output = rights.output()?;
        let text = String::from_utf8(output.stdout)?;
        let lines = text
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<Vec<Value>, _>>()?;
        let right = lines
            .iter()
            .find(|right| right["evidence_type"].as_str() == Some("fahrzeug-parken"));
        let right = right.with_context(|| format!("{key}: {lines:#?}"))?;
        ensure!(
            right["permission"]
                .as_str()
                .is_some_and(|rule| rule.starts_with("bewohnerparken-fahrzeug@"))
        );
        first.push(serde_json::from_value::<Vec<(u64, u64)>>(right["times"].clone())?);
    }
    // A test that ends on another day than it began sees the second part of this.
    if LegalDay::of(started) == today {
        let (of_first, of_second) = (&first[0], &first[1]);
        ensure!(of_first.len() == 2 && of_first[0].1 < of_first[1].0, "{first:?}");
        ensure!(of_second.len() == 1 && of_first[1].1 == of_second[0].0, "{first:?}");
        ensure!(of_second[0].1 < today.end().0, "{first:?}");
    }
    Ok(())
}

/// The broker has no route of its own to a provider, so the exchanges go where the directory says.
#[test]
fn a_connector_is_where_the_directory_says() -> Result<()> {
    const PROVIDER: &str = "bund:kba:zfzr";
    let mut stage = Stage::start("127.0.0.1:25000")?;
    let path = stage.processes.data.join("broker/config.json");
    let mut config: Value = serde_json::from_slice(&std::fs::read(&path)?)?;
    let own = config["routes"].as_object_mut().context("routes")?.remove(PROVIDER);
    let own = own.context("the demonstration's route to the provider")?;
    std::fs::write(&path, config.to_string())?;
    stage.restart()?;
    stage.is_refused("provider-unavailable")?;

    let (_, mut provider) = stage.value("directory", &format!("component/{PROVIDER}"))?;
    provider["component"]["endpoint"] = own;
    stage.change("endpoint", "directory", &json!({ "put": [provider.clone()] }))?;
    stage.processes.ask_until_delivered()?;

    provider["component"]["endpoint"] = "https://127.0.0.1:1".into();
    stage.change("endpoint moved", "directory", &json!({ "put": [provider] }))?;
    stage.is_refused("provider-unavailable")?;
    stage.is_sound()
}

#[test]
fn no_single_person_publishes() -> Result<()> {
    let mut stage = Stage::start("127.0.0.1:24200")?;
    let (key, _) = stage.component()?;
    let changes = json!({ "end": [key] });
    let proposal = stage.approved("directory", &changes)?;

    // One approval is taken away.
    let mut one: Value = serde_json::from_slice(&std::fs::read(&proposal)?)?;
    one["approvals"].as_array_mut().unwrap().pop();
    let alone = stage.folder.path().join("alone.json");
    std::fs::write(&alone, one.to_string())?;
    let publish = |proposal: &PathBuf| {
        let mut publish = stage.tool("publish");
        publish
            .arg("--operator-key")
            .arg(stage.key("operator.key"))
            .arg(proposal);
        publish.output()
    };
    let output = publish(&alone)?;
    ensure!(output.status.code() == Some(1), "{output:?}");
    ensure!(String::from_utf8_lossy(&output.stderr).contains("2 must"), "{output:?}");

    // Neither the proposer, nor an authority for a second time, nor a key that is no authority's approves.
    for (name, text) in [
        ("operator.key", "proposer"),
        ("authority-1.key", "approved already"),
        ("../broker/writer.key", "not that of an authority"),
    ] {
        let output = stage
            .tool("approve")
            .arg("--key")
            .arg(stage.key(name))
            .arg(&proposal)
            .output()?;
        ensure!(output.status.code() == Some(1), "{name}: {output:?}");
        ensure!(
            String::from_utf8_lossy(&output.stderr).contains(text),
            "{name}: {output:?}"
        );
    }

    ensure!(publish(&proposal)?.status.success());
    let output = publish(&proposal)?;
    ensure!(
        output.status.code() == Some(1),
        "an old set was published again: {output:?}"
    );
    wait_for(LIMIT, || Ok(stage.is_refused(NOT_LISTED).is_ok()))
}
