//! `wrk` as an independent load generator: `POST /add` with a fresh body of 500 bytes each (see `add.lua`).

use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::figures::Figures;
use super::server::Server;
use crate::sh;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bench/add.lua");

/// Reports whether `wrk` is installed, and prints how to install it if not.
pub(crate) fn found() -> bool {
    let found = sh::found("wrk");
    if !found {
        output::stderr!("wrk is not installed (a Debian package of that name): its rows are skipped");
    }
    found
}

/// Measures one run against a server: `per_s`, `p50_ms`, `p90_ms`, `p99_ms`, `max_ms`. Answers other than 2xx are an
/// error.
pub(crate) fn run(server: &Server, connections: u32, seconds: u32) -> Result<Figures> {
    let output = sh::output(
        Command::new("wrk")
            .args([
                "-t1",
                &format!("-c{connections}"),
                &format!("-d{seconds}s"),
                "--timeout",
                "20s",
            ])
            .args(["--script", SCRIPT, &server.url()]),
    )?;
    let line = output
        .lines()
        .rev()
        .find(|line| line.starts_with('{'))
        .context("wrk printed no figures")?;
    let figures: Figures = serde_json::from_str(line)?;
    if figures.get("errors").and_then(Value::as_u64) != Some(0) {
        bail!("the server failed under wrk: {line}");
    }
    Ok(figures)
}
