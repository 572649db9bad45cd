//! Embeds the browser's program in the server, so that the server is a single file, and compresses the files of which a
//! browser loads much, with gzip and with brotli at its highest level.
//!
//! The program is `pkg/portal.js` and `pkg/portal_bg.wasm` in the directory that `EINSICHT_SITE` names. `cargo xtask`
//! builds these files and sets the variable. A server that is built without them works, but browsers cannot verify
//! proofs.
//!
//! The functions that load the program and the portal's own script become one file, with the digest of the program in
//! it. So a page that names the digest of the script names the digest of the program, too.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// The portal's own script.
const BOOT: &str = "../assets/boot.js";

/// The style sheet, which the build script of `citizen-ui` has joined.
const STYLE: &str = "DEP_CITIZEN_UI_STYLE";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed=EINSICHT_SITE");
    let set_by_cargo = |name| env::var_os(name).ok_or_else(|| io::Error::other(format!("cargo sets {name}")));
    let out = PathBuf::from(set_by_cargo("OUT_DIR")?);
    let style = PathBuf::from(set_by_cargo(STYLE)?);
    fs::copy(&style, out.join("portal.css"))?;
    compress(&style, &out)?;
    let program = match env::var_os("EINSICHT_SITE") {
        Some(site) => program(&PathBuf::from(site).join("pkg"), &out)?,
        None => Program::default(),
    };
    let Program { script, preload, files } = program;
    let list = format!(
        "fn browser() -> Vec<(String, &'static str, Content)> {{ vec![{files}] }}\n\
         pub(crate) const PROGRAM: Option<&str> = {script:?};\n\
         pub(crate) const PRELOAD: Option<&str> = {preload:?};\n"
    );
    fs::write(out.join("browser.rs"), list)
}

/// What the server knows of the browser's program; nothing if it is built without.
#[derive(Default)]
struct Program {
    /// The digest of the script.
    script: Option<String>,
    /// The value of a `Link` field (RFC 8288) that lets a browser load the program before it has the script.
    preload: Option<String>,
    /// The list of both files, as Rust.
    files: String,
}

/// Writes the script.
fn program(pkg: &Path, out: &Path) -> io::Result<Program> {
    let program = pkg.join("portal_bg.wasm");
    let glue = pkg.join("portal.js");
    for file in [&glue, Path::new(BOOT)] {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    let content = fs::read(&program)?;
    let part: String = Sha256::digest(&content)
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let path_of_program = format!("/assets/portal.{part}.wasm");
    let boot = fs::read_to_string(BOOT)?
        .replace("{{PROGRAM_PATH}}", &path_of_program)
        .replace("{{PROGRAM_DIGEST}}", &digest(&content));
    let script = fs::read_to_string(&glue)? + &boot;
    let path = out.join("portal.js");
    fs::write(&path, &script)?;
    let mut list = String::new();
    for (name, media, file) in [
        ("script_path()", "text/javascript; charset=utf-8", &path),
        (&format!("{path_of_program:?}.to_owned()"), "application/wasm", &program),
    ] {
        compress(file, out)?;
        let file_name = file.file_name().unwrap_or_default().to_string_lossy();
        let compressed = |ending| out.join(format!("{file_name}.{ending}")).display().to_string();
        list += &format!(
            "({name}, {media:?}, Content {{ plain: include_bytes!({:?}), gzip: include_bytes!({:?}), brotli: include_bytes!({:?}) }}),",
            file.display().to_string(),
            compressed("gz"),
            compressed("br")
        );
    }
    // The mode must be that of the script's request, or the browser would load the program twice. The script checks the
    // digest; browsers do not check it here, and Chromium complains about it.
    let preload = format!("<{path_of_program}>; rel=preload; as=fetch; crossorigin=anonymous");
    Ok(Program {
        script: Some(digest(script.as_bytes())),
        preload: Some(preload),
        files: list,
    })
}

/// The digest of a file, as Subresource Integrity writes it.
fn digest(content: &[u8]) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(content)))
}

/// Writes `NAME.gz` and `NAME.br` into the folder `out`. The same file gives the same bytes.
fn compress(file: &Path, out: &Path) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", file.display());
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let content = fs::read(file)?;
    let mut gzip = GzEncoder::new(fs::File::create(out.join(format!("{name}.gz")))?, Compression::best());
    gzip.write_all(&content)?;
    gzip.finish()?;
    let parameters = BrotliEncoderParams {
        quality: 11,
        lgwin: 24,
        size_hint: content.len(),
        ..BrotliEncoderParams::default()
    };
    let mut brotli = fs::File::create(out.join(format!("{name}.br")))?;
    brotli::BrotliCompress(&mut content.as_slice(), &mut brotli, &parameters)?;
    Ok(())
}
