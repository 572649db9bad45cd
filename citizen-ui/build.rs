//! Computes the digests of the style sheets (Subresource Integrity), which every page names.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The path at which the server has each style sheet, and its file.
const STYLES: [(&str, &str); 2] = [
    ("/assets/kern.css", "assets/vendor/kern/2.7.2/kern.min.css"),
    ("/assets/portal.css", "assets/portal.css"),
];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed=EINSICHT_PIN_GENESIS");
    println!("cargo::rerun-if-env-changed=EINSICHT_PIN_POLICY");
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    let mut list = String::from("[");
    for (path, file) in STYLES {
        println!("cargo::rerun-if-changed={file}");
        let digest = STANDARD.encode(Sha256::digest(fs::read(Path::new(file))?));
        list += &format!("({path:?}, \"sha256-{digest}\"),");
    }
    fs::write(PathBuf::from(out).join("styles.rs"), list + "]")
}
