//! The demonstration's log is moved from RocksDB to PostgreSQL with the command line. What others read of it from then
//! on is the same log, also from a second ledger, which takes over when the first one dies.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fixtures::postgres::{Cluster, DATABASE};
use serde_json::json;
use tests::processes::Processes;
use tests::{Demo, DemoInfo, files_below, run, secured, verifier, wait_for};

/// Where the second ledger's writing entrance listens.
const WRITING_2: &str = "127.0.0.1:29061";

/// Runs a command of the ledger; returns what it prints.
fn ledger(arguments: &[&str]) -> Result<String> {
    let output = run("ledger", arguments)?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "ledger {arguments:?}: {error}");
    Ok(String::from_utf8(output.stdout)?)
}

fn root(text: &str) -> Result<String> {
    let line = text.lines().find_map(|line| line.strip_prefix("root"));
    Ok(line.context("a root")?.trim().to_owned())
}

/// Audits a copy of the log in a directory or at a URL; returns its root.
fn audited(log: &str, info: &DemoInfo) -> Result<String> {
    let policy = info.policy.to_str().context("path")?;
    let (code, report) = verifier(&["audit", "--log", log, "--policy", policy, "--genesis", &info.genesis])?;
    ensure!(code == 0, "{report:#}");
    Ok(report["root"].as_str().context("a root")?.to_owned())
}

/// A configuration of the same ledger with its log in the database.
fn in_database(config: &Path, cluster: &Cluster) -> Result<std::path::PathBuf> {
    let mut changed: serde_json::Value = serde_json::from_slice(&std::fs::read(config)?)?;
    changed["store"] = serde_json::json!({
        "engine": "postgres", "hosts": cluster.hosts(), "database": DATABASE, "user": DATABASE,
    });
    let path = config.with_file_name("postgres.json");
    std::fs::write(&path, changed.to_string())?;
    Ok(path)
}

#[test]
fn a_log_in_a_database_is_exported_and_audited_like_any_other() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let data = scratch.path().join("demo");
    let demo = Demo::start(&data)?;
    let info = demo.info.clone();
    demo.stop()?;
    let cluster = Cluster::replicated()?;
    let config = data.join("ledger/config.json");
    let database = in_database(&config, &cluster)?;
    let (from, to) = (config.to_str().context("path")?, database.to_str().context("path")?);
    let before = scratch.path().join("before");
    let before = before.to_str().context("path")?;
    let exported = root(&ledger(&["export", "--config", from, "--to", before])?)?;
    let moved = root(&ledger(&["migrate", "--from", from, "--to", to])?)?;

    let after = scratch.path().join("after");
    let after = after.to_str().context("path")?;
    ensure!(root(&ledger(&["export", "--config", to, "--to", after])?)? == exported);
    ensure!(root(&ledger(&["check", "--config", to])?)? == moved);
    ensure!(audited(after, &info)? == exported && audited(before, &info)? == exported);

    let bucket = scratch.path().join("bucket");
    let bucket = bucket.to_str().context("path")?;
    let published = ledger(&["publish", "--config", to, "--to", &format!("file://{bucket}")])?;
    ensure!(root(&published)? == exported && audited(bucket, &info)? == exported);
    for file in files_below(Path::new(after))? {
        let there = Path::new(bucket).join(file.strip_prefix(after)?);
        ensure!(std::fs::read(&file)? == std::fs::read(there)?, "{}", file.display());
    }
    Ok(())
}

/// The files of a second ledger of the same log: keys and configuration, without what the first one stores.
fn second_ledger(processes: &Processes, addresses: [&str; 2]) -> Result<()> {
    let (first, second) = (processes.data.join("ledger"), processes.data.join("ledger-2"));
    service::durable::private_directory(&second)?;
    for file in std::fs::read_dir(&first)? {
        let file = file?;
        if file.file_type()?.is_file() {
            std::fs::copy(file.path(), second.join(file.file_name()))?;
        }
    }
    let listeners = [secured::writing(&processes.data)?, WRITING_2.to_owned()];
    let entrances = listeners.clone().map(|listener| format!("https://{listener}"));
    for (number, name) in ["ledger", "ledger-2"].into_iter().enumerate() {
        processes.configure(name, |config| {
            config["address"] = addresses[number].into();
            config["writing"]["listen"] = json!(listeners[number]);
            config["writing"]["address"] = json!(entrances[number]);
        })?;
    }
    for name in ["broker", "identity"] {
        processes.configure(name, |config| config["ledger_writing"] = json!(entrances))?;
    }
    for name in ["broker", "identity", "connector-rheinfurt", "connector-kba"] {
        processes.configure(name, |config| config["ledger"] = json!(addresses))?;
    }
    Ok(())
}

#[test]
fn a_second_ledger_shows_the_same_log_and_takes_over_when_the_first_one_dies() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let data = scratch.path().join("demo");
    let mut processes = Processes::seed(&data, "127.0.0.1:29000")?;
    let cluster = Cluster::replicated()?;
    let config = data.join("ledger/config.json");
    let database = in_database(&config, &cluster)?;
    let (from, to) = (config.to_str().context("path")?, database.to_str().context("path")?);
    ledger(&["migrate", "--from", from, "--to", to])?;
    std::fs::rename(&database, &config)?;
    let (first, second) = (processes.info.ledger.clone(), "http://127.0.0.1:29060".to_owned());
    second_ledger(&processes, [&first, &second])?;
    processes.start_all()?;
    processes.all_healthy()?;
    processes.up("ledger-2", "ledger", &second)?;
    processes.healthy(&second)?;
    processes.ask_until_delivered()?;
    let info = processes.info.clone();
    // Entries may come between the two audits.
    let same = || Ok(audited(&first, &info)? == audited(&second, &info)?);
    wait_for(Duration::from_secs(30), same).context("the follower shows another root")?;

    // A request is on its way while the ledger that writes is killed.
    let asking = processes.ask_meanwhile();
    processes.running.remove("ledger").context("it runs")?.kill()?;
    let (status, body) = asking.join().expect("no panic")?;
    ensure!(matches!(status, 200 | 503 | 504), "{status} {body:#}");
    processes.ask_until_delivered()?;
    processes.info.ledger = second.clone();
    processes.every_intent_is_closed()?;

    // The first one comes back, follows, and shows all that happened without it.
    processes.up("ledger", "ledger", &first)?;
    processes.healthy(&first)?;
    wait_for(Duration::from_secs(30), same).context("the follower shows another root")?;
    processes.ask_until_delivered()?;
    processes.every_intent_is_closed()
}
