//! `bench store`: the ledger on RocksDB and on PostgreSQL with a synchronous standby, by turns.
//!
//! Each turn is a new log, a new ledger and, for PostgreSQL, two new servers. Both ledgers have a witness, because one
//! on PostgreSQL needs it. The figures are medians over the turns. The bars are those of a ledger that survives the
//! loss of a machine; one that is missed fails the command.

use std::process::Command;

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use serde_json::Value;

use super::figures::{Figures, folder, keep, number, read, scratch};
use super::host::build_load;
use crate::{machine, paths, sh};

#[derive(Args)]
pub(crate) struct Options {
    /// The engines, which take turns.
    #[arg(long, value_delimiter = ',', default_value = "rocks,postgres")]
    engine: Vec<Engine>,
    /// Turns of each engine.
    #[arg(long, default_value_t = 3)]
    turns: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    Rocks,
    Postgres,
}

impl Engine {
    const fn name(self) -> &'static str {
        match self {
            Self::Rocks => "rocks",
            Self::Postgres => "postgres",
        }
    }
}

/// A closed loop with so many entries under way.
struct Shape {
    under_way: u32,
    writers: u32,
    /// Entries of a request.
    batch: u32,
}

const SHAPES: [Shape; 2] = [
    Shape {
        under_way: 512,
        writers: 8,
        batch: 64,
    },
    Shape {
        under_way: 4096,
        writers: 16,
        batch: 256,
    },
];

const ENTRIES: u32 = 200_000;

/// A figure, and the most or the least that it may be.
struct Bar {
    figure: &'static str,
    at_least: Option<f64>,
    at_most: Option<f64>,
}

const fn at_most(figure: &'static str, limit: f64) -> Bar {
    Bar {
        figure,
        at_least: None,
        at_most: Some(limit),
    }
}

const BARS: [Bar; 4] = [
    Bar {
        figure: "postgres_of_rocks",
        at_least: Some(0.2),
        at_most: None,
    },
    at_most("primary_cpu_us_512", 15.0),
    at_most("p99_ms_4096", 300.0),
    at_most("restart_s", 2.0),
];

/// What the load generator measured in one turn.
struct Run {
    engine: Engine,
    under_way: u32,
    measured: Figures,
}

pub(crate) fn run(options: &Options, quick: bool) -> Result<()> {
    ensure!(options.turns > 0, "there must be a turn");
    machine::ensure(machine::Purpose::Test)?;
    build_load()?;
    let mut runs = Vec::new();
    for _ in 0..if quick { 1 } else { options.turns } {
        for shape in &SHAPES {
            for engine in &options.engine {
                runs.push(Run {
                    engine: *engine,
                    under_way: shape.under_way,
                    measured: measure(*engine, shape, if quick { ENTRIES / 10 } else { ENTRIES })?,
                });
            }
        }
    }
    table(options, &runs)?;
    let figures = figures(&runs);
    keep("store", quick, &figures)?;
    judge(&figures, quick)
}

fn measure(engine: Engine, shape: &Shape, entries: u32) -> Result<Figures> {
    let json = folder()?.join("load.json");
    let mut load = Command::new(paths::programs()?.join("load"));
    load.arg("--ledger").arg(paths::programs()?.join("ledger"));
    load.args(["--store", engine.name(), "--witnessed", "--restart"]);
    load.args(["--entries", &entries.to_string(), "--batch", &shape.batch.to_string()]);
    load.args(["--writers", &shape.writers.to_string(), "--folder"]);
    load.arg(scratch("load")?).arg("--json").arg(&json);
    sh::run(&mut load)?;
    read(&json)
}

const COLUMNS: [&str; 7] = [
    "entries_per_s",
    "p50_ms",
    "p99_ms",
    "max_ms",
    "primary_cpu_us",
    "standby_cpu_us",
    "restart_s",
];

/// The middle of what was measured, or nothing.
fn median(runs: &[Run], engine: Engine, under_way: u32, column: &str) -> Option<f64> {
    let of_these = runs
        .iter()
        .filter(|run| run.engine == engine && run.under_way == under_way);
    let mut values: Vec<f64> = of_these.filter_map(|run| run.measured.get(column)?.as_f64()).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

fn table(options: &Options, runs: &[Run]) -> Result<()> {
    output::stdout!(
        "\n| engine | entries under way | entries/s | p50 ms | p99 ms | max ms | primary µs/entry | standby µs/entry | \
         restart s |\n| --- |{}",
        " ---: |".repeat(COLUMNS.len() + 1)
    )?;
    for shape in &SHAPES {
        for engine in &options.engine {
            let cells = COLUMNS.map(|column| {
                let value = median(runs, *engine, shape.under_way, column);
                number(value.map(Value::from).as_ref())
            });
            output::stdout!("| {} | {} | {} |", engine.name(), shape.under_way, cells.join(" | "))?;
        }
    }
    Ok(())
}

fn figures(runs: &[Run]) -> Figures {
    let mut figures = Figures::new();
    let mut keep = |name: String, value: Option<f64>| {
        figures.extend(value.map(|value| (name, Value::from(value))));
    };
    let mut shares = Vec::new();
    for shape in &SHAPES {
        let under_way = shape.under_way;
        let rate = |engine| median(runs, engine, under_way, "entries_per_s");
        for engine in [Engine::Rocks, Engine::Postgres] {
            keep(format!("{}_per_s_{under_way}", engine.name()), rate(engine));
            let p99 = median(runs, engine, under_way, "p99_ms");
            keep(format!("{}_p99_ms_{under_way}", engine.name()), p99);
        }
        for column in ["p99_ms", "primary_cpu_us", "standby_cpu_us"] {
            let value = median(runs, Engine::Postgres, under_way, column);
            keep(format!("{column}_{under_way}"), value);
        }
        let share = rate(Engine::Postgres).zip(rate(Engine::Rocks));
        let share = share.map(|(postgres, rocks)| postgres / rocks);
        keep(format!("postgres_of_rocks_{under_way}"), share);
        shares.extend(share);
    }
    keep("postgres_of_rocks".into(), shares.into_iter().reduce(f64::min));
    for (name, engine) in [("restart_s", Engine::Postgres), ("rocks_restart_s", Engine::Rocks)] {
        let starts = SHAPES.iter();
        let starts = starts.filter_map(|shape| median(runs, engine, shape.under_way, "restart_s"));
        keep(name.into(), starts.reduce(f64::max));
    }
    figures
}

/// Compares the figures with the bars. Figures of a short run are compared, but do not fail the command.
fn judge(figures: &Figures, quick: bool) -> Result<()> {
    output::stdout!("\n| bar | measured | demanded | |\n| --- | ---: | ---: | --- |")?;
    let mut missed = Vec::new();
    for bar in &BARS {
        let Some(value) = figures.get(bar.figure).and_then(Value::as_f64) else {
            continue;
        };
        let held = bar.at_least.is_none_or(|least| value >= least) && bar.at_most.is_none_or(|most| value <= most);
        let demanded = match (bar.at_least, bar.at_most) {
            (Some(least), _) => format!("≥ {least}"),
            (None, most) => format!("≤ {}", most.unwrap_or_default()),
        };
        let verdict = if held { "held" } else { "missed" };
        let measured = number(Some(&Value::from(value)));
        output::stdout!("| `{}` | {measured} | {demanded} | {verdict} |", bar.figure)?;
        if !held {
            missed.push(bar.figure);
        }
    }
    ensure!(quick || missed.is_empty(), "missed: {}", missed.join(", "));
    Ok(())
}
