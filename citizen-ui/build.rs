//! Computes the paths and digests (Subresource Integrity) of the files that every page names. A path has a part of the
//! digest, so a file with another content has another path, and browsers keep each as long as they like.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Name, ending and file of each.
const FILES: [(&str, &str, &str); 3] = [
    ("kern", "css", "assets/vendor/kern/2.7.2/kern.min.css"),
    ("portal", "css", "assets/portal.css"),
    ("icon", "svg", "assets/icon.svg"),
];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed=EINSICHT_PIN_GENESIS");
    println!("cargo::rerun-if-env-changed=EINSICHT_PIN_POLICY");
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    let mut list = String::from("[");
    for (name, ending, file) in FILES {
        println!("cargo::rerun-if-changed={file}");
        let digest = Sha256::digest(fs::read(Path::new(file))?);
        let part: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        let digest = STANDARD.encode(digest);
        list += &format!("(\"/assets/{name}.{part}.{ending}\", \"sha256-{digest}\"),");
    }
    fs::write(PathBuf::from(out).join("files.rs"), list + "]")
}
