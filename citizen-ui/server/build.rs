//! Embeds the browser's program in the server, so that the server is a single file.
//!
//! The program is `pkg/portal.js` and `pkg/portal_bg.wasm` in the directory that `EINSICHT_SITE` names. `cargo xtask`
//! builds these files and sets the variable. A server that is built without them works, but browsers cannot verify
//! proofs.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

const FILES: [(&str, &str); 2] = [
    ("portal.js", "text/javascript; charset=utf-8"),
    ("portal_bg.wasm", "application/wasm"),
];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed=EINSICHT_SITE");
    let mut entries = String::new();
    if let Some(site) = env::var_os("EINSICHT_SITE") {
        let pkg = PathBuf::from(site).join("pkg");
        for (name, media) in FILES {
            let file = pkg.join(name);
            println!("cargo::rerun-if-changed={}", file.display());
            entries += &format!(
                "(\"/pkg/{name}\", {media:?}, include_bytes!({:?}) as &[u8]),",
                file.display().to_string()
            );
        }
    }
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    let list = format!("&[{entries}]");
    fs::write(Path::new(&out).join("browser.rs"), list)
}
