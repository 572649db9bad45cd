//! `cargo xtask demo`: one command from a checkout to the portal in a browser.

use anyhow::Result;
use clap::Args;

use crate::dist::{self, Build};
use crate::{machine, paths, sh};

#[derive(Args)]
pub(crate) struct Options {
    /// Directory for the demonstration's state; a later start continues with it.
    #[arg(long, default_value = ".einsicht")]
    data: String,
    /// The first address to listen on, such as 127.0.0.1:8000; free ports otherwise.
    #[arg(long)]
    listen: Option<String>,
    /// End after the example exchanges have been made.
    #[arg(long)]
    exit_after_seed: bool,
    /// Build and run the released programs; without it the development build, which compiles in half the time.
    #[arg(long)]
    release: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    machine::ensure(machine::Purpose::Build)?;
    let build = if options.release {
        Build::Release
    } else {
        Build::Development
    };
    let programs = dist::build(build)?;
    let mut demo = std::process::Command::new(programs.join("einsicht"));
    demo.current_dir(paths::root()?).args(["demo", "--data", &options.data]);
    if let Some(listen) = &options.listen {
        demo.args(["--listen", listen]);
    }
    if options.exit_after_seed {
        demo.arg("--exit-after-seed");
    }
    sh::run(&mut demo)
}
