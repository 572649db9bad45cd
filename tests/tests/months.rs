//! The demonstration's past, made in every month of a year.
//!
//! Its days follow from the month of the start, and so do the times between them, by which exchanges wait, end and are
//! forgotten.

#![allow(clippy::panic)]

use std::process::Command;

use anyhow::{Result, ensure};
use tests::program;
use tests::wall_clock::WallClock;

/// Seconds of a month, on average.
const MONTH: i64 = 2_629_746;

#[test]
#[ignore = "takes a quarter of an hour: `cargo xtask test --long`"]
fn the_past_is_made_in_every_month() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let clock = WallClock::new(scratch.path(), "demo")?;
    for month in 0..12 {
        clock.jump(month * MONTH)?;
        let data = scratch.path().join(format!("demo-{month}"));
        let mut demo = Command::new(program("einsicht"));
        demo.args(["demo", "--exit-after-seed", "--listen", "127.0.0.1:29200", "--data"]);
        clock.rule(demo.arg(data));
        let output = demo.output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{month} months from now: {said}");
    }
    Ok(())
}
