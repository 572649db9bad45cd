//! Directories: of the checkout, and of the cache that all checkouts of a user share.

use std::path::PathBuf;

use anyhow::{Context, Result};

/// The root of this checkout.
pub(crate) fn root() -> Result<PathBuf> {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    Ok(manifest
        .parent()
        .context("xtask lies in the root of the checkout")?
        .to_path_buf())
}

/// Cargo's target directory for this checkout.
pub(crate) fn target() -> Result<PathBuf> {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => Ok(PathBuf::from(directory)),
        None => Ok(root()?.join("target")),
    }
}

/// The directory of the programs in the development profile.
pub(crate) fn development() -> Result<PathBuf> {
    Ok(target()?.join("debug"))
}

/// The directory of the released programs.
pub(crate) fn programs() -> Result<PathBuf> {
    Ok(target()?.join("release"))
}

/// The directory of the files that the portal serves beside its pages: the browser's verifier (`pkg/`).
pub(crate) fn site() -> Result<PathBuf> {
    Ok(target()?.join("site"))
}

/// The directory of what is built once per user: RocksDB's archive and tools. `XDG_CACHE_HOME` or `~/.cache`, then
/// `einsicht`.
pub(crate) fn cache() -> Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME") {
        Some(directory) => PathBuf::from(directory),
        None => {
            let home = std::env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?;
            PathBuf::from(home).join(".cache")
        }
    };
    Ok(base.join("einsicht"))
}
