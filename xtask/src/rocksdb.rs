//! RocksDB's static archive, built once per user and shared by every checkout.
//!
//! Building RocksDB from source costs half an hour of CPU time. Cargo would pay it in every target directory and for every
//! profile. So it is built once, by cargo, from the very crate that `Cargo.lock` names, into the user's cache; all builds then
//! link that archive (`ROCKSDB_LIB_DIR`, `ROCKSDB_STATIC`). The directory's name carries the crate's version and a digest of
//! the flags, so that another version or other flags never meet an old archive.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{paths, sh};

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
    eprintln!(
        "RocksDB is built once for this user (about 15 minutes on two cores) into {}",
        directory.display()
    );
    let build = paths::cache()?.join("build");
    let mut cargo = sh::cargo();
    cargo
        .current_dir(paths::root()?)
        .args(["build", "--release", "--package", "librocksdb-sys", "--target-dir"])
        .arg(&build);
    // With debug information the archive would be forty times as large, and every link slower.
    cargo.env("CARGO_PROFILE_RELEASE_DEBUG", "false");
    cargo
        .env_remove("ROCKSDB_LIB_DIR")
        .env_remove("ROCKSDB_STATIC")
        .env_remove("CARGO_TARGET_DIR");
    sh::run(&mut cargo)?;
    let built = newest_archive(&build.join("release/build"))?;
    std::fs::create_dir_all(&directory)?;
    // Copy, then rename: another checkout may look at the same moment.
    let partial = directory.join(format!("librocksdb.{}.partial", std::process::id()));
    std::fs::copy(&built, &partial).with_context(|| format!("copying {}", built.display()))?;
    std::fs::rename(&partial, &archive)?;
    std::fs::remove_dir_all(&build).ok();
    Ok(directory)
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
