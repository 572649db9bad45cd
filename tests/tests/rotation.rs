//! While exchanges run, a consumer and a provider rotate their keys with the released programs, and the certificate
//! authority is replaced by another one. No exchange fails, and only the join service is restarted.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use service::SystemClock;
use service::tls::{TlsIdentity, certificates};
use tests::change::{publish, tool};
use tests::processes::{Processes, version_of};
use tests::{program, secured, wait_for};

/// How long exchanges run at least while the keys change.
const LOAD: Duration = Duration::from_secs(3);
const CONNECTORS: [&str; 2] = ["connector-rheinfurt", "connector-kba"];

fn folder(processes: &Processes, name: &str) -> PathBuf {
    processes.data.join(name)
}

/// The component of a connector.
fn component(processes: &Processes, name: &str) -> Result<String> {
    let config: Value = serde_json::from_slice(&std::fs::read(folder(processes, name).join("config.json"))?)?;
    Ok(config["participant"].as_str().context("its component")?.to_owned())
}

fn rotate(processes: &Processes, name: &str) -> Result<Output> {
    let mut rotate = Command::new(program("connector"));
    rotate.arg("rotate").arg("--config");
    Ok(rotate.arg(folder(processes, name).join("config.json")).output()?)
}

/// What the registrars' tool makes of the rotations that wait.
fn rotations(processes: &Processes) -> Result<(Output, PathBuf)> {
    let (info, file) = (&processes.info, processes.data.join("rotations.toml"));
    let mut command = Command::new(program("join"));
    command.args(["rotations", "--service", &info.join, "--ledger", &info.ledger]);
    command.args(["--genesis", &info.genesis, "--policy"]).arg(&info.policy);
    command
        .arg("--key")
        .arg(processes.data.join("operator/authority-1.key"));
    Ok((command.arg(&file).output()?, file))
}

fn succeeded(output: &Output) -> Result<String> {
    ensure!(output.status.success(), "{output:?}");
    Ok(String::from_utf8(output.stdout.clone())?)
}

/// The component with this id, as the directory lists it.
fn listed(processes: &Processes, id: &str) -> Result<Value> {
    let shown = tool(processes, "show").arg(format!("component/{id}")).output()?;
    let mut versions: Vec<Value> = serde_json::from_str(&succeeded(&shown)?)?;
    versions.pop().context("it is listed")
}

/// Waits until everyone follows this version of the directory.
fn everyone_knows(processes: &Processes, version: u64) -> Result<()> {
    let info = &processes.info;
    for url in [
        &info.broker,
        &info.identity,
        &info.connectors["rheinfurt"],
        &info.connectors["kba"],
    ] {
        wait_for(Duration::from_secs(30), || Ok(version_of(url, "directory")? == version))?;
    }
    Ok(())
}

#[test]
#[allow(clippy::print_stdout, reason = "a test prints what it has measured")]
fn keys_are_rotated_while_exchanges_run() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let processes = secured::start(&scratch.path().join("data"), "127.0.0.1:29100")?;
    processes.ask_until_delivered()?;
    let ids = CONNECTORS.map(|name| component(&processes, name).unwrap());
    for (name, id) in CONNECTORS.iter().zip(&ids) {
        let text = succeeded(&rotate(&processes, name)?)?;
        ensure!(text.contains(id), "{text}");
        // After an interruption the same command continues with the same keys.
        ensure!(succeeded(&rotate(&processes, name)?)? == text, "other keys than {text}");
    }

    let (mut asked, mut rotated) = (0, None);
    let publishing =
        |file: PathBuf| -> Result<()> { publish(&processes, &toml::from_str(&std::fs::read_to_string(file)?)?) };
    std::thread::scope(|scope| -> Result<()> {
        let mut change = None;
        loop {
            let (status, answer) = processes.ask()?;
            ensure!(answer["outcome"] == "delivered", "exchange {asked}: {status} {answer}");
            asked += 1;
            if change.is_none() {
                let (output, file) = rotations(&processes)?;
                let text = succeeded(&output)?;
                ensure!(ids.iter().all(|id| text.contains(id)), "{text}");
                change = Some(scope.spawn(move || publishing(file)));
            }
            let is_moved = |name: &str| {
                let folder = folder(&processes, name);
                let there = |file: &str| folder.join(file).exists();
                there("sealing.key.previous") && there("signing.key.previous") && !there("sealing.key.next")
            };
            if rotated.is_none() && CONNECTORS.into_iter().all(is_moved) {
                rotated = Some(Instant::now());
            }
            if rotated.is_some_and(|rotated: Instant| rotated.elapsed() > LOAD) {
                break;
            }
        }
        change.context("a change")?.join().expect("it does not panic")
    })?;
    println!("{asked} exchanges while two components rotate their keys: all delivered");
    let (output, _) = rotations(&processes)?;
    ensure!(succeeded(&output)?.contains("no component"), "{output:?}");

    // The previous keys end, and only the new ones count. The next rotation waits until nothing needs them any more.
    publish(&processes, &json!({ "end-previous": ids }))?;
    for (name, id) in CONNECTORS.iter().zip(&ids) {
        ensure!(!listed(&processes, id)?.to_string().contains("previous"));
        let refused = rotate(&processes, name)?;
        ensure!(refused.status.code() == Some(1), "{refused:?}");
    }
    // An answer that a provider signs before it knows that a key has ended is of no use any more.
    everyone_knows(&processes, 3)?;
    let (status, answer) = processes.ask()?;
    ensure!(answer["outcome"] == "delivered", "{status} {answer}");
    processes.every_intent_is_closed()
}

/// Between two exchanges, because a consumer may ask 128 times a month about a person.
const PAUSE: Duration = Duration::from_millis(300);
/// The processes that have certificates.
const CERTIFIED: [&str; 5] = ["ledger", "identity", "broker", "connector-rheinfurt", "connector-kba"];

/// Creates another certificate authority, and gives it to the join service, which is restarted.
fn add_authority(processes: &mut Processes) -> Result<PathBuf> {
    let folder = folder(processes, "join");
    let (key, certificate) = (folder.join("new.key"), folder.join("new.pem"));
    let mut create = Command::new(program("join"));
    create.arg("create-authority").arg("--key").arg(&key);
    succeeded(&create.arg("--certificate").arg(&certificate).output()?)?;
    let file = folder.join("config.json");
    let mut config: Value = serde_json::from_slice(&std::fs::read(&file)?)?;
    let authorities = config["authorities"].as_array_mut().context("the authorities")?;
    authorities.push(json!({ "key": "new.key", "certificate": "new.pem" }));
    std::fs::write(&file, config.to_string())?;
    processes.running.remove("join").context("join runs")?.stop()?;
    let url = processes.info.join.clone();
    processes.up("join", "join", &url)?;
    processes.healthy(&url)?;
    Ok(certificate)
}

/// Whether all processes have certificates of this authority.
fn all_have(processes: &Processes, authority: &Path) -> Result<bool> {
    let pem = std::fs::read_to_string(authority)?;
    let identity = TlsIdentity::new(&pem, SystemClock::shared())?;
    for name in CERTIFIED {
        let chain = certificates(&std::fs::read_to_string(folder(processes, name).join("tls.pem"))?)?;
        if !identity.is_valid_under(&chain, certificates(&pem)?) {
            return Ok(false);
        }
    }
    Ok(true)
}

#[test]
#[allow(clippy::print_stdout, reason = "a test prints what it has measured")]
fn the_certificate_authority_is_replaced_while_exchanges_run() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = secured::start(&scratch.path().join("data"), "127.0.0.1:29200")?;
    processes.ask_until_delivered()?;
    let new = add_authority(&mut processes)?;
    let old = folder(&processes, "join").join("authority.pem");
    ensure!(all_have(&processes, &old)? && !all_have(&processes, &new)?);

    let replaced = AtomicBool::new(false);
    let asked = std::thread::scope(|scope| -> Result<u32> {
        let load = scope.spawn(|| -> Result<u32> {
            let (mut asked, mut last) = (0, None);
            while last.is_none_or(|last: Instant| last.elapsed() < LOAD) {
                let (status, answer) = processes.ask()?;
                ensure!(answer["outcome"] == "delivered", "exchange {asked}: {status} {answer}");
                asked += 1;
                std::thread::sleep(PAUSE);
                if replaced.load(Ordering::Relaxed) && last.is_none() {
                    last = Some(Instant::now());
                }
            }
            Ok(asked)
        });
        let replacing = || -> Result<()> {
            let lists = |issuing: &Path, accepted: &[&Path]| {
                publish(
                    &processes,
                    &json!({ "certificate-authorities": { "issuing": issuing, "accepted": accepted } }),
                )
            };
            lists(&old, &[&new])?;
            everyone_knows(&processes, 2)?;
            lists(&new, &[&old])?;
            wait_for(Duration::from_secs(60), || all_have(&processes, &new))?;
            lists(&new, &[])?;
            everyone_knows(&processes, 4)
        };
        let result = replacing();
        replaced.store(true, Ordering::Relaxed);
        result?;
        load.join().expect("it does not panic")
    })?;
    println!("{asked} exchanges while the certificate authority is replaced: all delivered");
    processes.every_intent_is_closed()
}
