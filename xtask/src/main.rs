//! `cargo xtask`: the commands that do everything, set-up included.
//!
//! * `demo` builds the portal's WebAssembly and the programs, then runs the demonstration.
//! * `test` builds the same and runs every test: unit, property, end-to-end, browser.
//! * `bench` runs the benchmarks and writes their tables: parts, `ledger`, `store`, `peers`, and others.
//! * `fuzz` runs the fuzz targets, which needs a nightly compiler.
//! * `check` is formatting, clippy and the dependency rules, as CI asks for them.
//! * `site` builds the browser's program alone.
//! * `doctor` says what is missing on this machine and changes nothing.
//!
//! Missing packages are installed if this user may (as root, or by sudo without a password). Otherwise the exact line
//! to run is printed and the exit code is 2. Every other failure is exit code 1.

mod bare;
mod bench;
mod check;
mod demo;
mod dist;
mod doctor;
mod fuzz;
mod machine;
mod paths;
mod rocksdb;
mod sh;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Build, run and test Einsicht")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Set up what is missing, build, and run the demonstration with real exchanges.
    Demo(demo::Options),
    /// Set up what is missing, build, and run all tests.
    Test(test::Options),
    /// Run benchmarks and print their tables: of the parts, or a suite.
    Bench(bench::Options),
    /// Run the fuzz targets, each for a while, and keep what finds new paths.
    Fuzz(fuzz::Options),
    /// Check formatting, the width of comments, clippy with warnings denied, and the rules for dependencies.
    Check(check::Options),
    /// Build the released programs and the portal's site, and run nothing.
    Dist,
    /// Build the portal's site alone: the browser's program and the script that loads it.
    Site,
    /// Report what is missing on this machine; change nothing.
    Doctor,
}

fn main() -> ExitCode {
    if let Some(code) = rocksdb::recorder::acted_as_compiler() {
        return code;
    }
    let outcome = match Arguments::parse().command {
        Command::Demo(options) => demo::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Check(options) => check::run(&options),
        Command::Dist => machine::ensure(machine::Purpose::Build)
            .and_then(|()| dist::build(dist::Build::Release))
            .map(drop),
        Command::Site => dist::site(),
        Command::Doctor => doctor::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::stderr!("xtask: {error:#}");
            match error.downcast_ref::<machine::Missing>() {
                Some(_) => ExitCode::from(2),
                None => ExitCode::FAILURE,
            }
        }
    }
}
