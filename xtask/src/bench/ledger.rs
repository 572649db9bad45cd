//! `bench ledger`: the log in process (`inproc`), over HTTP (`load`), and as `open_log` under `wrk`.

use std::process::Command;

use anyhow::Result;
use serde_json::Value;

use super::figures::{Figures, folder, keep, number, read, scratch};
use super::host::build_ledger;
use super::server::Server;
use super::wrk;
use crate::{paths, sh};

/// One run of the load generator.
struct Offer {
    /// Entries per second; `None` offers as many as the ledger accepts.
    rate: Option<u32>,
    batch: u32,
    check: bool,
    writers: u32,
}

const fn offer(rate: Option<u32>, batch: u32, writers: u32, check: bool) -> Offer {
    Offer {
        rate,
        batch,
        check,
        writers,
    }
}

const OFFERS: [Offer; 9] = [
    offer(None, 256, 8, false),
    offer(None, 256, 8, true),
    offer(None, 1, 256, false),
    offer(None, 1, 256, true),
    offer(Some(500), 1, 64, false),
    offer(Some(5_000), 1, 128, false),
    offer(Some(5_000), 1, 128, true),
    offer(Some(10_000), 1, 256, false),
    offer(Some(20_000), 16, 64, false),
];

pub(crate) fn run(quick: bool) -> Result<()> {
    build_ledger()?;
    let mut figures = Figures::new();
    let sizes: &[u32] = if quick { &[100_000] } else { &[1_000_000, 10_000_000] };
    in_process(sizes, &mut figures)?;
    over_http(quick, &mut figures)?;
    open_log(quick, &mut figures)?;
    keep("ledger", quick, &figures)
}

/// Measures in process at each size; the suite keeps the figures of the last one.
fn in_process(sizes: &[u32], figures: &mut Figures) -> Result<()> {
    let mut columns = Vec::new();
    for entries in sizes {
        // The program creates its directory itself.
        let data = scratch("inproc")?.join("data");
        let json = folder()?.join("inproc.json");
        sh::run(
            Command::new(paths::programs()?.join("examples/inproc"))
                .arg("--data")
                .arg(&data)
                .args(["--entries", &entries.to_string(), "--json"])
                .arg(&json),
        )?;
        std::fs::remove_dir_all(&data)?;
        let measured = read(&json)?;
        take(figures, &measured, *entries);
        columns.push(measured);
    }
    let heads: Vec<String> = sizes
        .iter()
        .map(|size| format!("{} entries", number(Some(&Value::from(*size)))))
        .collect();
    output::stdout!(
        "\n| in process | {} |\n| --- |{}",
        heads.join(" | "),
        " ---: |".repeat(sizes.len())
    )?;
    for name in columns.last().into_iter().flat_map(Figures::keys) {
        let cells: Vec<String> = columns.iter().map(|column| number(column.get(name))).collect();
        output::stdout!("| `{name}` | {} |", cells.join(" | "))?;
    }
    Ok(())
}

/// Adds the size to the names of figures that depend on it, if it is the size that the published table states.
fn take(figures: &mut Figures, measured: &Figures, entries: u32) {
    let sized = [
        ("restart_s", "restart_s_10m"),
        ("restart_map_s", "restart_map_s_10m"),
        ("rss_mb", "rss_mb_10m"),
        ("rss_mb_with_map", "rss_mb_10m_with_map"),
    ];
    for (name, value) in measured {
        match sized.iter().find(|(plain, _)| plain == name) {
            None => drop(figures.insert(name.clone(), value.clone())),
            Some((_, with_size)) if entries == 10_000_000 => {
                figures.insert((*with_size).into(), value.clone());
            }
            Some(_) => {}
        }
    }
}

/// Runs the load generator at several offered loads.
fn over_http(quick: bool, figures: &mut Figures) -> Result<()> {
    let seconds = if quick { 2 } else { 20 };
    let mut rows = Vec::new();
    for offer in OFFERS {
        let saturation = if offer.batch > 1 { 40_000 } else { 20_000 };
        let entries = seconds * offer.rate.unwrap_or(saturation);
        let json = folder()?.join("load.json");
        let mut load = Command::new(paths::programs()?.join("load"));
        load.arg("--ledger").arg(paths::programs()?.join("ledger"));
        load.args(["--entries", &entries.to_string(), "--batch", &offer.batch.to_string()]);
        load.args(["--writers", &offer.writers.to_string(), "--folder"]);
        load.arg(scratch("load")?).arg("--json").arg(&json);
        if let Some(rate) = offer.rate {
            load.args(["--rate", &rate.to_string()]);
        }
        if offer.check {
            load.arg("--check");
        }
        sh::run(&mut load)?;
        let row = read(&json)?;
        name_row(&offer, &row, figures);
        rows.push(row);
    }
    output::stdout!(
        "\n| offered/s | entries a request | writers | receipts checked | entries/s | p50 ms | p90 ms | p99 ms | max ms |\n\
         | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |"
    )?;
    for (offer, row) in OFFERS.iter().zip(&rows) {
        let offered = offer
            .rate
            .map_or_else(|| "all".into(), |rate| number(Some(&Value::from(rate))));
        let checked = if offer.check { "each" } else { "no" };
        let figures = ["entries_per_s", "p50_ms", "p90_ms", "p99_ms", "max_ms"].map(|name| number(row.get(name)));
        output::stdout!(
            "| {offered} | {} | {} | {checked} | {} |",
            offer.batch,
            offer.writers,
            figures.join(" | ")
        )?;
    }
    Ok(())
}

/// The rows that have their own name in the figures.
fn name_row(offer: &Offer, row: &Figures, figures: &mut Figures) {
    let names: &[(&str, &str)] = match (offer.rate, offer.batch, offer.check) {
        (None, 1, false) => &[("http_single_per_s", "entries_per_s")],
        (None, _, false) => &[("http_batched_per_s", "entries_per_s")],
        (Some(5_000), 1, false) => &[("p50_ms_at_5000", "p50_ms"), ("p99_ms_at_5000", "p99_ms")],
        _ => &[],
    };
    for (name, column) in names {
        figures.extend(row.get(*column).map(|value| ((*name).to_owned(), value.clone())));
    }
}

fn open_log(quick: bool, figures: &mut Figures) -> Result<()> {
    if !wrk::found() {
        return Ok(());
    }
    let measured = wrk::run(&Server::open_log()?, 256, if quick { 2 } else { 10 })?;
    output::stdout!(
        "\n| `open_log`, wrk -t1 -c256 | requests/s | p50 ms | p99 ms | max ms |\n| --- | ---: | ---: | ---: | ---: |"
    )?;
    let cells = ["per_s", "p50_ms", "p99_ms", "max_ms"].map(|name| number(measured.get(name)));
    output::stdout!("| 500-byte bodies | {} |", cells.join(" | "))?;
    for (name, column) in [("open_log_wrk_per_s", "per_s"), ("open_log_wrk_p50_ms", "p50_ms")] {
        figures.extend(measured.get(column).map(|value| (name.to_owned(), value.clone())));
    }
    Ok(())
}
