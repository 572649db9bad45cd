//! The released programs, and the portal's site: the browser's verifier as WebAssembly.
//!
//! `wasm-bindgen` is a library here, pinned by the same lock file as the crate it must fit, so no other tool is
//! installed. The native flags must not reach the WebAssembly build; cargo's target-specific flags in
//! `.cargo/config.toml` see to that.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::{paths, rocksdb, sh};

/// The programs that a user runs.
const PROGRAMS: &[&str] = &["directory", "einsicht", "ledger", "verifier"];

/// How the programs are compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Build {
    /// In the development profile, within a few minutes. Only cryptography is optimised.
    Development,
    /// As they are released: optimised as a whole, which takes twice as long.
    Release,
}

/// Builds the site, then the programs; returns the programs' directory.
pub(crate) fn build(how: Build) -> Result<PathBuf> {
    site()?;
    let mut cargo = sh::cargo();
    cargo.current_dir(paths::root()?).args(["build", "--locked"]);
    if how == Build::Release {
        cargo.arg("--release");
    }
    for program in PROGRAMS {
        cargo.args(["--package", program]);
    }
    rocksdb::link(&mut cargo)?;
    cargo.env("EINSICHT_SITE", paths::site()?);
    sh::run(&mut cargo)?;
    match how {
        Build::Development => paths::development(),
        Build::Release => paths::programs(),
    }
}

/// Builds `target/site/pkg/portal.js` and `portal_bg.wasm`.
pub(crate) fn site() -> Result<()> {
    let program = compile(&["--lib"])?.join("citizen_ui_browser.wasm");
    let bound = paths::target()?.join("wasm/bound");
    bind(&program, "portal", &bound, |bindgen| bindgen.web(true).map(drop))?;
    let pkg = paths::site()?.join("pkg");
    std::fs::create_dir_all(&pkg)?;
    for file in ["portal.js", "portal_bg.wasm"] {
        update(&bound.join(file), &pkg.join(file))?;
    }
    Ok(())
}

/// Compiles a program for the browser: the portal's (`--lib`) or an example of its package. Returns its directory.
pub(crate) fn compile(which: &[&str]) -> Result<PathBuf> {
    // A separate target directory: the profile below, which optimises for size, would otherwise rebuild the host's
    // build scripts each time.
    let target = paths::target()?.join("wasm");
    let mut cargo = sh::cargo();
    cargo.current_dir(paths::root()?).args([
        "build",
        "--release",
        "--locked",
        "--package",
        "citizen-ui-browser",
        "--target",
        "wasm32-unknown-unknown",
        "--target-dir",
    ]);
    cargo
        .arg(&target)
        .args(which)
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    // A small download matters more to a citizen than speed.
    for (name, value) in [
        ("OPT_LEVEL", "z"),
        ("LTO", "fat"),
        ("CODEGEN_UNITS", "1"),
        ("PANIC", "abort"),
        ("DEBUG", "false"),
    ] {
        cargo.env(format!("CARGO_PROFILE_RELEASE_{name}"), value);
    }
    for sources in registries() {
        let remap = format!("--remap-path-prefix={}=", sources.display());
        let flags = format!("target.wasm32-unknown-unknown.rustflags=[{remap:?}]");
        cargo.arg("--config").arg(flags);
    }
    sh::run(&mut cargo)?;
    Ok(target.join("wasm32-unknown-unknown/release"))
}

/// The folders of cargo's sources. Their paths are in the messages of panics, so without another name for them the
/// program would be larger, and another one in another home.
fn registries() -> Vec<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let folders = home.map(|home| std::fs::read_dir(home.join("registry/src")));
    let folders = folders.into_iter().flatten().flatten().flatten();
    folders.map(|folder| folder.path()).collect()
}

/// Makes `NAME.js` and `NAME_bg.wasm` of a compiled program, as the kind of script that `form` chooses.
pub(crate) fn bind(program: &Path, name: &str, out: &Path, form: fn(&mut Bindgen) -> Result<()>) -> Result<()> {
    let mut bindgen = Bindgen::new();
    form(&mut bindgen)?;
    bindgen
        .input_path(program)
        .typescript(false)
        .out_name(name)
        .remove_producers_section(true)
        .remove_name_section(true);
    bindgen
        .generate(out)
        .with_context(|| format!("binding {}", program.display()))
}

/// Copies a file unless the copy is already the same: the programs embed the copy, and cargo would link each of them
/// again because of a newer modification time alone.
fn update(from: &Path, to: &Path) -> Result<()> {
    let content = std::fs::read(from).with_context(|| format!("reading {}", from.display()))?;
    if std::fs::read(to).is_ok_and(|copy| copy == content) {
        return Ok(());
    }
    std::fs::write(to, content).with_context(|| format!("writing {}", to.display()))
}
