//! The demonstration's log is moved from RocksDB to PostgreSQL with the command line; what others read of it from then
//! on is the same log.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use anyhow::{Context, Result, ensure};
use fixtures::postgres::{Cluster, DATABASE};
use tests::{Demo, DemoInfo, files_below, run, verifier};

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
