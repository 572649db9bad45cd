//! What a machine must have, how its absence is noticed, and how it is installed.
//!
//! Each prerequisite has a *probe* that does with it what the build or the tests will do: compile and link a program,
//! load libclang and parse a header, run a program and read its version. A probe either returns what it found or a
//! [`Problem`] that says what it tried. Nothing is judged by the name of a file or of a package, so a machine that has
//! everything needs neither root nor apt, and on a distribution other than Debian [`report`] still names what is
//! missing.

mod compiler;
mod install;
mod libclang;
mod probe;
mod program;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

pub(crate) use install::Missing;
use probe::{Probe, Problem};
use program::Version;

use crate::sh;

/// What the machine is needed for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Purpose {
    /// Building and running the demonstration.
    Build,
    /// Running the tests as well, in a browser too.
    Test,
}

/// A prerequisite.
struct Need {
    /// Its name and what needs it, in terms that hold on every distribution.
    what: &'static str,
    purpose: Purpose,
    /// The packages of Debian that provide it.
    packages: &'static [&'static str],
    /// Tries it with the programs in these directories.
    probe: fn(&[PathBuf]) -> Probe,
}

const NEEDS: &[Need] = &[
    Need {
        what: "a C compiler and linker",
        purpose: Purpose::Build,
        packages: &["gcc", "libc6-dev"],
        probe: compiler::c,
    },
    Need {
        what: "a C++20 compiler with its standard library (RocksDB)",
        purpose: Purpose::Build,
        packages: &["g++"],
        probe: compiler::cxx,
    },
    Need {
        what: "libclang 9 or newer with its headers (RocksDB's bindings)",
        purpose: Purpose::Build,
        packages: &["libclang-dev"],
        probe: |path| libclang::probe(&libclang::Search::of_this_machine(path), path),
    },
    Need {
        what: "Chromium 115 or newer (browser tests)",
        purpose: Purpose::Test,
        packages: &["chromium"],
        probe: |path| program::probe(path, "chromium", "--version", Version(115, 0)),
    },
    Need {
        what: "strace (the test that answers wait for the disk)",
        purpose: Purpose::Test,
        packages: &["strace"],
        probe: |path| program::probe(path, "strace", "-V", Version(5, 0)),
    },
    Need {
        what: "Node.js 18.19 or newer (browser tests)",
        purpose: Purpose::Test,
        packages: &["nodejs"],
        probe: |path| program::probe(path, "node", "--version", Version(18, 19)),
    },
    Need {
        what: "npm 7 or newer (the browser tests' packages)",
        purpose: Purpose::Test,
        packages: &["npm"],
        probe: |path| program::probe(path, "npm", "--version", Version(7, 0)),
    },
    Need {
        what: "SoftHSM 2.6 or newer (the tests of keys in a PKCS #11 module)",
        purpose: Purpose::Test,
        packages: &["softhsm2"],
        probe: |path| program::probe(path, "softhsm2-util", "--version", Version(2, 6)),
    },
    Need {
        what: "PostgreSQL 15 or newer (the tests of the ledger's store; no server of the system is used)",
        purpose: Purpose::Test,
        packages: &["postgresql"],
        probe: |path| program::probe(&program::with_postgres(path), "postgres", "--version", Version(15, 0)),
    },
    Need {
        what: "qpdf 10 or newer (the tests of PDF files)",
        purpose: Purpose::Test,
        packages: &["qpdf"],
        probe: |path| program::probe(path, "qpdf", "--version", Version(10, 0)),
    },
    Need {
        what: "pdftotext of poppler 20 or newer (the tests of PDF files)",
        purpose: Purpose::Test,
        packages: &["poppler-utils"],
        probe: |path| program::probe(path, "pdftotext", "-v", Version(20, 0)),
    },
    Need {
        what: "xmllint of libxml2 (the tests of XML files)",
        purpose: Purpose::Test,
        packages: &["libxml2-utils"],
        probe: |path| Ok(program::find(path, "xmllint")?.display().to_string()),
    },
    Need {
        what: "Python 3.9 or newer (the tests of CSV and JSON files)",
        purpose: Purpose::Test,
        packages: &["python3"],
        probe: |path| program::probe(path, "python3", "--version", Version(3, 9)),
    },
];

const COMPONENTS: &[&str] = &["rustfmt", "clippy"];
const WASM: &str = "wasm32-unknown-unknown";

/// Installs what is missing for this purpose, then probes it again.
///
/// # Errors
/// [`Missing`] if something is missing that may not be installed; the probe's words if it is missing after
/// installation.
pub(crate) fn ensure(purpose: Purpose) -> Result<()> {
    let path = search_path();
    let missing = |(need, result): (&'static Need, Probe)| result.err().map(|problem| (need, problem));
    let needs = || NEEDS.iter().filter(|need| need.purpose <= purpose);
    let lacking: Vec<_> = needs()
        .map(|need| (need, (need.probe)(&path)))
        .filter_map(missing)
        .collect();
    if !lacking.is_empty() {
        for (need, problem) in &lacking {
            output::stderr!("missing: {}: {problem}", need.what);
        }
        install::packages(&packages_of(lacking.iter().map(|(need, _)| *need)), &names_of(&lacking))?;
        for (need, _) in &lacking {
            if let Err(problem) = (need.probe)(&path) {
                bail!(
                    "{} is still missing after its packages were installed: {problem}",
                    need.what
                );
            }
        }
    }
    if !has_target(WASM)? {
        sh::run_within(sh::LONG, Command::new("rustup").args(["target", "add", WASM]))
            .context("the WebAssembly target is missing")?;
    }
    Ok(())
}

/// Installs the components that `check` needs; rustup's own automatic installation may be off.
pub(crate) fn ensure_components() -> Result<()> {
    for component in COMPONENTS {
        let program = if *component == "clippy" {
            "clippy-driver"
        } else {
            *component
        };
        if !sysroot()?.join("bin").join(program).is_file() {
            sh::run_within(sh::LONG, Command::new("rustup").args(["component", "add", component]))?;
        }
    }
    Ok(())
}

/// Prints what the probe of each prerequisite found or tried; the inner result says what is missing.
///
/// # Errors
/// If rustup's toolchain cannot be found.
pub(crate) fn report() -> Result<Result<(), Missing>> {
    let path = search_path();
    let mut lacking = Vec::new();
    for need in NEEDS {
        match (need.probe)(&path) {
            Ok(found) => output::stdout!("ok      {}: {found}", need.what)?,
            Err(problem) => {
                output::stdout!("missing {}: {problem}", need.what)?;
                lacking.push((need, problem));
            }
        }
    }
    if has_target(WASM)? {
        output::stdout!("ok      the Rust target {WASM}")?;
    } else {
        output::stdout!("later   the Rust target {WASM}: `cargo xtask demo` adds it with rustup")?;
    }
    if lacking.is_empty() {
        return Ok(Ok(()));
    }
    let packages = packages_of(lacking.iter().map(|(need, _)| *need));
    Ok(Err(Missing::new(&packages, &names_of(&lacking))))
}

fn packages_of(needs: impl Iterator<Item = &'static Need>) -> Vec<&'static str> {
    needs.flat_map(|need| need.packages.iter().copied()).collect()
}

fn names_of(lacking: &[(&'static Need, Problem)]) -> Vec<&'static str> {
    lacking.iter().map(|(need, _)| need.what).collect()
}

/// The directories of `PATH`.
fn search_path() -> Vec<PathBuf> {
    std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default()
}

/// The C++ compiler that native builds use.
pub(crate) fn cxx_compiler() -> Result<PathBuf> {
    compiler::compiler(&search_path(), "CXX", "c++").map_err(|problem| anyhow::anyhow!("{problem}"))
}

fn sysroot() -> Result<PathBuf> {
    Ok(PathBuf::from(
        sh::output(Command::new("rustc").args(["--print", "sysroot"]))?.trim(),
    ))
}

fn has_target(target: &str) -> Result<bool> {
    Ok(sysroot()?.join("lib/rustlib").join(target).is_dir())
}
