//! `cargo xtask fuzz`: runs the fuzz targets, each for a limited time, and keeps a minimised corpus.
//!
//! A run finds thousands of inputs, and most of them add nothing but another count of a known path. So after a run the
//! corpus keeps the hand-made seeds and the fewest found inputs that reach the same edges, and the repository stays
//! small.
//!
//! The command needs a nightly compiler and cargo-fuzz (built into the user's cache). The ordinary tests need neither:
//! they replay the corpus.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use clap::Args;

use crate::{machine, paths, sh};

/// The version of cargo-fuzz that is built into the user's cache.
const CARGO_FUZZ: &str = "0.13.2";

#[derive(Args)]
pub(crate) struct Options {
    /// The targets to run; all targets if none is named
    targets: Vec<String>,
    /// How long each target runs, in seconds
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
        output::stdout!("fuzz: {target} for {} s", options.seconds)?;
        sh::run(
            fuzz(&program, &folder)
                .args(["run", target, "--"])
                .arg(format!("-max_total_time={}", options.seconds))
                .args(["-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]),
        )?;
        minimise(&program, &folder, target)?;
    }
    Ok(())
}

/// Replaces the corpus of a target by its seeds and a set cover of the edges that the found inputs add to them.
fn minimise(program: &Path, folder: &Path, target: &str) -> Result<()> {
    let corpus = folder.join("corpus").join(target);
    let kept = folder.join("corpus").join(format!("{target}.minimised"));
    if kept.exists() {
        std::fs::remove_dir_all(&kept)?;
    }
    std::fs::create_dir(&kept)?;
    for file in std::fs::read_dir(&corpus)? {
        let file = file?;
        if !is_found(&file.file_name().to_string_lossy()) {
            std::fs::copy(file.path(), kept.join(file.file_name()))?;
        }
    }
    sh::run(
        fuzz(program, folder)
            .args(["run", target])
            .args([&kept, &corpus])
            .args(["--", "-set_cover_merge=1", "-use_counters=0", "-use_value_profile=0"]),
    )?;
    std::fs::remove_dir_all(&corpus)?;
    std::fs::rename(&kept, &corpus)?;
    Ok(())
}

/// Reports whether the fuzzer named a file: libFuzzer names an input by its SHA-1 in hex, and a seed has another name.
fn is_found(name: &str) -> bool {
    name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
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

fn fuzz(program: &Path, folder: &Path) -> Command {
    let mut fuzz = Command::new(program);
    // Called directly, cargo-fuzz does not know the toolchain. Link-time optimisation would only slow the build.
    fuzz.arg("fuzz")
        .env("RUSTUP_TOOLCHAIN", "nightly")
        .env("CARGO_PROFILE_RELEASE_LTO", "off");
    fuzz.env_remove("CARGO").env_remove("RUSTC").current_dir(folder);
    fuzz
}
