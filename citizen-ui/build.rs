//! Joins the style sheets of KERN and of the portal into one file, because each file costs a slow connection a request,
//! and computes the paths and digests (Subresource Integrity) of the files that every page names. A path has a part of
//! the digest, so a file with another content has another path, and browsers keep each as long as they like.
//!
//! The build script of the server gets the path of the joined style sheet as `DEP_CITIZEN_UI_STYLE`.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The style sheets in their order: the portal's overrides KERN's.
const STYLES: [&str; 2] = ["assets/vendor/kern/2.7.2/kern.min.css", "assets/portal.css"];
const ICON: &str = "assets/icon.svg";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed=EINSICHT_PIN_GENESIS");
    println!("cargo::rerun-if-env-changed=EINSICHT_PIN_POLICY");
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    let out = PathBuf::from(out);
    let style = STYLES
        .map(read)
        .into_iter()
        .collect::<io::Result<Vec<_>>>()?
        .join(&b'\n');
    let joined = out.join("portal.css");
    fs::write(&joined, &style)?;
    println!("cargo::metadata=style={}", joined.display());
    let list = format!(
        "[{}, {}]",
        path_and_digest("portal", "css", &style),
        path_and_digest("icon", "svg", &read(ICON)?)
    );
    fs::write(out.join("files.rs"), list)
}

fn read(file: &str) -> io::Result<Vec<u8>> {
    println!("cargo::rerun-if-changed={file}");
    fs::read(Path::new(file))
}

/// The path and the digest of a file, as Rust.
fn path_and_digest(name: &str, ending: &str, content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    let part: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let digest = STANDARD.encode(digest);
    format!("(\"/assets/{name}.{part}.{ending}\", \"sha256-{digest}\")")
}
