//! What a machine must have, how we notice that it has not, and how it gets it.
//!
//! A fresh Debian with rustup lacks a C++ compiler and libclang (RocksDB and its bindings), the WebAssembly target, and for
//! the tests a browser and node. Everything is looked for first, so that a machine which has it needs neither root nor apt.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::sh;

/// What the machine is wanted for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Purpose {
    /// Building and running the demonstration.
    Build,
    /// Also the tests, in a browser too.
    Test,
}

/// Something is missing and we may not install it. The text is the line to run.
#[derive(Debug)]
pub(crate) struct Missing(String);

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "this machine lacks packages and may not install them. Run:\n\n    {}\n",
            self.0
        )
    }
}

impl std::error::Error for Missing {}

struct Need {
    what: &'static str,
    purpose: Purpose,
    packages: &'static [&'static str],
    found: fn() -> bool,
}

const NEEDS: &[Need] = &[
    Need {
        what: "C and C++ compiler",
        purpose: Purpose::Build,
        packages: &["gcc", "g++", "libc6-dev"],
        found: || sh::found("cc") && sh::found("c++"),
    },
    Need {
        what: "make",
        purpose: Purpose::Build,
        packages: &["make"],
        found: || sh::found("make"),
    },
    Need {
        what: "libclang, for RocksDB's bindings",
        purpose: Purpose::Build,
        packages: &["clang", "libclang-dev"],
        found: libclang,
    },
    Need {
        what: "a browser (chromium)",
        purpose: Purpose::Test,
        packages: &["chromium"],
        found: || sh::found("chromium"),
    },
    Need {
        what: "strace, for the test that answers wait for the disk",
        purpose: Purpose::Test,
        packages: &["strace"],
        found: || sh::found("strace"),
    },
    Need {
        what: "node and npm, for the browser tests",
        purpose: Purpose::Test,
        packages: &["nodejs", "npm"],
        found: || sh::found("node") && sh::found("npm"),
    },
    Need {
        what: "SoftHSM2, for the tests of keys in a module",
        purpose: Purpose::Test,
        packages: &["softhsm2"],
        found: || sh::found("softhsm2-util"),
    },
];

const COMPONENTS: &[&str] = &["rustfmt", "clippy"];
const WASM: &str = "wasm32-unknown-unknown";

/// Installs what is missing for this purpose, or says how.
pub(crate) fn ensure(purpose: Purpose) -> Result<()> {
    let packages: Vec<&str> = NEEDS
        .iter()
        .filter(|need| need.purpose <= purpose && !(need.found)())
        .flat_map(|need| need.packages.iter().copied())
        .collect();
    if !packages.is_empty() {
        install(&packages)?;
    }
    if !has_target(WASM)? {
        sh::run(Command::new("rustup").args(["target", "add", WASM])).context("the WebAssembly target is missing")?;
    }
    Ok(())
}

/// The components that `check` needs. rustup's own automatic installation may be off.
pub(crate) fn ensure_components() -> Result<()> {
    for component in COMPONENTS {
        let program = if *component == "clippy" {
            "clippy-driver"
        } else {
            *component
        };
        if !sysroot()?.join("bin").join(program).is_file() {
            sh::run(Command::new("rustup").args(["component", "add", component]))?;
        }
    }
    Ok(())
}

/// Prints a line for each need; fails if one is not met.
pub(crate) fn doctor() -> Result<()> {
    let mut missing = Vec::new();
    for need in NEEDS {
        let found = (need.found)();
        println!("{} {}", if found { "ok     " } else { "missing" }, need.what);
        if !found {
            missing.extend_from_slice(need.packages);
        }
    }
    let target = has_target(WASM)?;
    println!(
        "{} Rust target {WASM}{}",
        if target { "ok     " } else { "missing" },
        if target { "" } else { " (cargo xtask adds it)" }
    );
    let archive = crate::rocksdb::cached()?;
    println!(
        "{} RocksDB archive{}",
        if archive { "ok     " } else { "later  " },
        if archive {
            ""
        } else {
            " (built once, about 15 minutes on two cores)"
        }
    );
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Missing(apt_line(&missing)).into())
    }
}

fn apt_line(packages: &[&str]) -> String {
    format!(
        "sudo apt-get update && sudo apt-get install -y --no-install-recommends {}",
        packages.join(" ")
    )
}

fn install(packages: &[&str]) -> Result<()> {
    let Some(prefix) = privilege() else {
        return Err(Missing(apt_line(packages)).into());
    };
    let apt = |words: &[&str]| {
        let mut words: Vec<&str> = prefix
            .iter()
            .copied()
            .chain(["apt-get"])
            .chain(words.iter().copied())
            .collect();
        let mut command = Command::new(words.remove(0));
        command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    sh::run(&mut apt(&["update", "-qq"])).and_then(|()| {
        let mut words = vec!["install", "-y", "-qq", "--no-install-recommends"];
        words.extend_from_slice(packages);
        sh::run(&mut apt(&words))
    })
}

/// How to become root: we are it, or sudo asks for nothing.
fn privilege() -> Option<&'static [&'static str]> {
    let root = sh::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !sh::found("apt-get") {
        None
    } else if root {
        Some(&[])
    } else if sh::output(Command::new("sudo").args(["-n", "true"])).is_ok() {
        Some(&["sudo"])
    } else {
        None
    }
}

fn sysroot() -> Result<PathBuf> {
    Ok(PathBuf::from(
        sh::output(Command::new("rustc").args(["--print", "sysroot"]))?.trim(),
    ))
}

fn has_target(target: &str) -> Result<bool> {
    Ok(sysroot()?.join("lib/rustlib").join(target).is_dir())
}

/// Looks where bindgen's own search looks on Debian: LIBCLANG_PATH, and the folders of LLVM and of the linker.
fn libclang() -> bool {
    if let Some(path) = std::env::var_os("LIBCLANG_PATH") {
        return Path::new(&path).exists();
    }
    let holds = |dir: &Path| {
        std::fs::read_dir(dir).is_ok_and(|entries| {
            entries.flatten().any(|entry| {
                entry.file_name().to_string_lossy().starts_with("libclang.so")
                    || entry.file_name().to_string_lossy().starts_with("libclang-")
            })
        })
    };
    let llvm = std::fs::read_dir("/usr/lib")
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("llvm-"));
    llvm.map(|entry| entry.path().join("lib"))
        .chain([
            PathBuf::from("/usr/lib/x86_64-linux-gnu"),
            PathBuf::from("/usr/lib/aarch64-linux-gnu"),
        ])
        .any(|dir| holds(&dir))
}
