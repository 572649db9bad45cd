//! Embeds the browser's program, so that the server is one file: `pkg/portal.js` and `pkg/portal_bg.wasm` of the directory that
//! `EINSICHT_SITE` names (`cargo xtask` builds it and sets the variable). Without it the server works, but no browser checks
//! by itself.

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
