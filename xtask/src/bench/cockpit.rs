//! `bench cockpit`: what the portal costs a citizen's browser, and how many pages and logins a server manages.
//!
//! The measurement is `tests/browser/cockpit-bench.mjs`, because a browser does it. Server, browser and load generator
//! share the machine.

use std::process::Command;

use anyhow::{Result, ensure};

use super::figures::{Figures, folder, keep, number, read};
use super::wrk;
use crate::dist::{self, Build};
use crate::{machine, sh, test};

pub(crate) fn run(quick: bool) -> Result<()> {
    machine::ensure(machine::Purpose::Test)?;
    ensure!(wrk::found(), "bench cockpit needs wrk");
    test::npm_packages()?;
    let programs = dist::build(Build::Release)?;
    let json = folder()?.join("cockpit-browser.json");
    let mut node = Command::new("node");
    node.current_dir(test::browser_tests()?)
        .env("EINSICHT_PROGRAMS", programs)
        .arg("cockpit-bench.mjs")
        .arg(&json);
    if quick {
        node.arg("--quick");
    }
    sh::run(&mut node)?;
    let figures: Figures = read(&json)?;
    output::stdout!("\n| the portal | |\n| --- | ---: |")?;
    for (name, value) in &figures {
        output::stdout!("| `{name}` | {} |", number(Some(value)))?;
    }
    keep("cockpit", quick, &figures)
}
