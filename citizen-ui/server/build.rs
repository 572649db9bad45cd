//! Embeds the browser's program in the server, so that the server is a single file, and compresses the files of which a
//! browser loads much.
//!
//! The program is `pkg/portal.js` and `pkg/portal_bg.wasm` in the directory that `EINSICHT_SITE` names. `cargo xtask`
//! builds these files and sets the variable. A server that is built without them works, but browsers cannot verify
//! proofs.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use flate2::Compression;
use flate2::write::GzEncoder;

const FILES: [(&str, &str); 2] = [
    ("portal.js", "text/javascript; charset=utf-8"),
    ("portal_bg.wasm", "application/wasm"),
];

/// The style sheets, relative to the package.
const STYLES: [&str; 2] = ["../assets/vendor/kern/2.7.2/kern.min.css", "../assets/portal.css"];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed=EINSICHT_SITE");
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    let out = PathBuf::from(out);
    for file in STYLES {
        compress(Path::new(file), &out)?;
    }
    let mut entries = String::new();
    if let Some(site) = env::var_os("EINSICHT_SITE") {
        let pkg = PathBuf::from(site).join("pkg");
        for (name, media) in FILES {
            let file = pkg.join(name);
            let compressed = compress(&file, &out)?;
            entries += &format!(
                "(\"/pkg/{name}\", {media:?}, include_bytes!({:?}) as &[u8], include_bytes!({:?}) as &[u8]),",
                file.display().to_string(),
                compressed.display().to_string()
            );
        }
    }
    let list = format!("&[{entries}]");
    fs::write(out.join("browser.rs"), list)
}

/// Writes `NAME.gz` into the folder `out` and returns its path. The same file gives the same bytes.
fn compress(file: &Path, out: &Path) -> io::Result<PathBuf> {
    println!("cargo::rerun-if-changed={}", file.display());
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let compressed = out.join(format!("{name}.gz"));
    let mut encoder = GzEncoder::new(fs::File::create(&compressed)?, Compression::best());
    io::copy(&mut fs::File::open(file)?, &mut encoder)?;
    encoder.finish()?;
    Ok(compressed)
}
