//! RocksDB's static archive, built once per user and shared by every checkout.
//!
//! Cargo would build RocksDB in every target directory and for every profile. So it is built once, into the user's
//! cache, and all builds link that archive (`ROCKSDB_LIB_DIR`, `ROCKSDB_STATIC`). The sources and the flags are those
//! of the crate that `Cargo.lock` names: its build script runs with [`recorder`] as its compiler, and [`unity`] then
//! compiles the same sources with the same flags as a few large files, at a quarter of the cost. If a large file does
//! not compile, the crate's own build makes the archive. The directory's name carries the crate's version and a digest
//! of the flags, so that another version or other flags never meet an old archive.

pub(crate) mod recorder;
mod unity;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::{machine, paths, sh};

/// How much the C++ compiler optimises: as upstream's Makefile does. More costs a seventh more time to build and gains
/// nothing that `cargo xtask bench ledger` shows.
const OPT_LEVEL: &str = "2";

/// Whether the archive for this lock file and these flags is there.
pub(crate) fn cached() -> Result<bool> {
    Ok(directory()?.join("librocksdb.a").is_file())
}

/// Builds the archive if it is not there, and returns its directory.
pub(crate) fn ensure() -> Result<PathBuf> {
    let directory = directory()?;
    let archive = directory.join("librocksdb.a");
    if archive.is_file() {
        return Ok(directory);
    }
    output::stderr!("RocksDB is built once for this user into {}", directory.display());
    let (began, cpu) = (Instant::now(), sh::cpu_seconds());
    let build = paths::cache()?.join("build");
    let built = match unity_build(&build) {
        Ok(archive) => archive,
        Err(error) => {
            output::stderr!("RocksDB's unity build failed, so its own build follows (30 CPU minutes): {error:#}");
            single_build(&build.join("single"))?
        }
    };
    std::fs::create_dir_all(&directory)?;
    // Copy, then rename: another checkout may look at the same moment.
    let partial = directory.join(format!("librocksdb.{}.partial", std::process::id()));
    std::fs::copy(&built, &partial).with_context(|| format!("copying {}", built.display()))?;
    std::fs::rename(&partial, &archive)?;
    std::fs::remove_dir_all(&build).ok();
    let (wall, cpu) = (began.elapsed().as_secs(), sh::cpu_seconds() - cpu);
    output::stderr!("RocksDB was built in {wall} s, with {cpu} s of CPU time");
    Ok(directory)
}

/// Compiles RocksDB as a few large files; returns the archive.
fn unity_build(build: &Path) -> Result<PathBuf> {
    let (notes, archive) = (build.join("notes"), build.join("librocksdb.a"));
    if notes.exists() {
        std::fs::remove_dir_all(&notes)?;
    }
    std::fs::create_dir_all(&notes)?;
    record_calls(&notes)?;
    unity::build(&notes, &build.join("unity"), &archive)?;
    Ok(archive)
}

/// Runs the crate's build script with the recorder as its C++ compiler. This happens in the checkout's own target
/// directory, so that the next build finds bindgen and the build script's other dependencies compiled.
fn record_calls(notes: &Path) -> Result<()> {
    let mut cargo = build_command()?;
    cargo
        .arg("--config")
        .arg(format!("profile.dev.package.librocksdb-sys.opt-level={OPT_LEVEL}"));
    cargo.env("CXX", std::env::current_exe()?);
    cargo
        .env(recorder::DIRECTORY, notes)
        .env(recorder::COMPILER, machine::cxx_compiler()?);
    sh::run(&mut cargo)
}

/// Lets the crate build itself; returns the archive.
fn single_build(target: &Path) -> Result<PathBuf> {
    let mut cargo = build_command()?;
    cargo.args(["--release", "--target-dir"]).arg(target);
    // With debug information the archive would be forty times as large, and every link slower.
    cargo.env("CARGO_PROFILE_RELEASE_DEBUG", "false");
    cargo.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", OPT_LEVEL);
    sh::run(&mut cargo)?;
    newest_archive(&target.join("release/build"))
}

fn build_command() -> Result<Command> {
    let mut cargo = sh::cargo();
    cargo
        .current_dir(paths::root()?)
        .args(["build", "--locked", "--package", "librocksdb-sys"]);
    cargo.env_remove("ROCKSDB_LIB_DIR").env_remove("ROCKSDB_STATIC");
    Ok(cargo)
}

/// Lets a cargo command link the archive.
pub(crate) fn link(command: &mut Command) -> Result<()> {
    command.env("ROCKSDB_LIB_DIR", ensure()?).env("ROCKSDB_STATIC", "1");
    Ok(())
}

fn directory() -> Result<PathBuf> {
    let lock = std::fs::read_to_string(paths::root()?.join("Cargo.lock")).context("Cargo.lock")?;
    let version = locked_version(&lock, "librocksdb-sys").context("librocksdb-sys is not in Cargo.lock")?;
    let mut hasher = DefaultHasher::new();
    std::fs::read_to_string(paths::root()?.join(".cargo/config.toml"))
        .unwrap_or_default()
        .hash(&mut hasher);
    std::env::var("RUSTFLAGS").unwrap_or_default().hash(&mut hasher);
    OPT_LEVEL.hash(&mut hasher);
    Ok(paths::cache()?.join(format!("rocksdb-{version}-{:016x}", hasher.finish())))
}

fn locked_version(lock: &str, name: &str) -> Option<String> {
    let mut lines = lock.lines();
    lines.find(|line| *line == format!("name = \"{name}\""))?;
    Some(
        lines
            .next()?
            .strip_prefix("version = \"")?
            .strip_suffix('"')?
            .to_owned(),
    )
}

fn newest_archive(builds: &Path) -> Result<PathBuf> {
    let entries = std::fs::read_dir(builds).with_context(|| format!("{}", builds.display()))?;
    let archives = entries
        .flatten()
        .map(|entry| entry.path().join("out/librocksdb.a"))
        .filter(|path| path.is_file());
    archives
        .max_by_key(|path| path.metadata().and_then(|meta| meta.modified()).ok())
        .context("cargo built librocksdb-sys, but no librocksdb.a lies in its output")
}
