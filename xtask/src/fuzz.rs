//! `cargo xtask fuzz`: runs the fuzz targets, each for a while, and keeps what finds new paths.
//!
//! Needs a nightly compiler and cargo-fuzz (built into the user's cache). The ordinary tests need neither: they replay the corpus.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};
use clap::Args;

use crate::{machine, paths, sh};

/// cargo-fuzz as built into the user's cache.
const CARGO_FUZZ: &str = "0.13.2";

#[derive(Args)]
pub(crate) struct Options {
    /// The targets to run; all of them if none is named.
    targets: Vec<String>,
    /// How long each runs, in seconds.
    #[arg(long, default_value_t = 600)]
    seconds: u64,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    machine::ensure(machine::Purpose::Build)?;
    let program = sh::installed_tool("cargo-fuzz", CARGO_FUZZ)?;
    let folder = paths::root()?.join("fuzz");
    let all = targets(&folder)?;
    let wanted = if options.targets.is_empty() {
        &all
    } else {
        &options.targets
    };
    for target in wanted {
        ensure!(
            all.contains(target),
            "there is no fuzz target {target}; there are {}",
            all.join(", ")
        );
        println!("fuzz: {target} for {} s", options.seconds);
        sh::run(
            fuzz(&program, &folder)
                .args(["run", target, "--"])
                .arg(format!("-max_total_time={}", options.seconds))
                .args(["-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]),
        )?;
        // What adds nothing to what other inputs reach is not kept.
        sh::run(fuzz(&program, &folder).args(["cmin", target]))?;
    }
    Ok(())
}

fn targets(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for file in std::fs::read_dir(folder.join("targets"))? {
        if let Some(name) = file?.path().file_stem() {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn fuzz(program: &PathBuf, folder: &Path) -> Command {
    let mut fuzz = Command::new(program);
    // Called directly, cargo-fuzz needs to be told the toolchain; link-time optimisation only slows the programs' making.
    fuzz.arg("fuzz")
        .env("RUSTUP_TOOLCHAIN", "nightly")
        .env("CARGO_PROFILE_RELEASE_LTO", "off");
    fuzz.env_remove("CARGO").env_remove("RUSTC").current_dir(folder);
    fuzz
}
