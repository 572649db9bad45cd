//! Embeds the browser's program in the server, so that the server is a single file, and compresses the files of which a
//! browser loads much.
//!
//! The program is `pkg/portal.js` and `pkg/portal_bg.wasm` in the directory that `EINSICHT_SITE` names. `cargo xtask`
//! builds these files and sets the variable. A server that is built without them works, but browsers cannot verify
//! proofs.
//!
//! The functions that load the program and the portal's own script become one file, with the digest of the program in
//! it. So a page that names the digest of the script names the digest of the program, too.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// The portal's own script.
const BOOT: &str = "../assets/boot.js";

/// The style sheets, relative to the package.
const STYLES: [&str; 2] = ["../assets/vendor/kern/2.7.2/kern.min.css", "../assets/portal.css"];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed=EINSICHT_SITE");
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    let out = PathBuf::from(out);
    for file in STYLES {
        compress(Path::new(file), &out)?;
    }
    let (digest, files) = match env::var_os("EINSICHT_SITE") {
        Some(site) => program(&PathBuf::from(site).join("pkg"), &out)?,
        None => ("None".to_owned(), String::new()),
    };
    let list = format!(
        "const BROWSER: &[BrowserFile] = &[{files}];\n\
         pub(crate) const PROGRAM: Option<&str> = {digest};\n"
    );
    fs::write(out.join("browser.rs"), list)
}

/// Writes the script. Returns its digest and the list of both files, as Rust.
fn program(pkg: &Path, out: &Path) -> io::Result<(String, String)> {
    let program = pkg.join("portal_bg.wasm");
    let glue = pkg.join("portal.js");
    for file in [&glue, Path::new(BOOT)] {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    let boot = fs::read_to_string(BOOT)?.replace("{{PROGRAM_DIGEST}}", &digest(&fs::read(&program)?));
    let script = fs::read_to_string(&glue)? + &boot;
    let path = out.join("portal.js");
    fs::write(&path, &script)?;
    let mut list = String::new();
    for (name, media, file) in [
        ("portal.js", "text/javascript; charset=utf-8", &path),
        ("portal.wasm", "application/wasm", &program),
    ] {
        let compressed = compress(file, out)?;
        list += &format!(
            "(\"/assets/{name}\", {media:?}, include_bytes!({:?}) as &[u8], include_bytes!({:?}) as &[u8]),",
            file.display().to_string(),
            compressed.display().to_string()
        );
    }
    Ok((format!("Some({:?})", digest(script.as_bytes())), list))
}

/// The digest of a file, as Subresource Integrity writes it.
fn digest(content: &[u8]) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(content)))
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
