//! RocksDB as a few large sources.
//!
//! Compiled one by one, RocksDB's 342 sources cost about 30 CPU minutes, most of them spent on the same headers again
//! and again. Upstream maintains a unity build for this reason (`unity.cc` in its Makefile): sources that include the
//! sources. This module writes [`FILES`] such files, each with its share of the crate's sources in the order of their
//! paths, and compiles them with the flags that the crate's own build script uses ([`super::recorder`] notes them).
//! Each compilation takes up to [`MEMORY`].

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use anyhow::{Context, Result, bail, ensure};

use super::recorder::{self, Call};
use crate::machine;

/// How many large sources there are. More share less of the headers' cost, fewer need more memory each.
const FILES: usize = 8;
/// What one compiler needs at most, in bytes, with a margin (2.7 GB measured).
const MEMORY: u64 = 3_000_000_000;
/// Lets GCC collect its garbage later: 0.6 GB more memory, a tenth less time, the same object.
const COLLECT_LATER: [&str; 4] = ["--param", "ggc-min-expand=300", "--param", "ggc-min-heapsize=4194304"];

/// Compiles the noted calls into `archive`; `folder` is for the large sources and their objects.
///
/// # Errors
/// If nothing was noted, or a large source does not compile. The crate's own build is then the way.
pub(super) fn build(notes: &Path, folder: &Path, archive: &Path) -> Result<()> {
    let calls = recorder::read(notes)?;
    let first = calls
        .first()
        .context("the build script compiled no source of RocksDB")?;
    let sources: Vec<&Path> = calls.iter().map(|call| call.source.as_path()).collect();
    std::fs::create_dir_all(folder)?;
    let shares = sources.chunks(sources.len().div_ceil(FILES));
    let mut waiting = Vec::new();
    for (number, share) in shares.enumerate() {
        let file = folder.join(format!("unity{number}.cc"));
        std::fs::write(&file, unity_source(share)?)?;
        waiting.push(file);
    }
    let objects: Vec<PathBuf> = waiting.iter().map(|file| file.with_extension("o")).collect();
    compile_all(waiting, first)?;
    std::fs::remove_file(archive).ok();
    let status = Command::new("ar")
        .arg("crs")
        .arg(archive)
        .args(&objects)
        .status()
        .context("cannot run ar")?;
    ensure!(status.success(), "ar ended with {status}");
    Ok(())
}

fn unity_source(sources: &[&Path]) -> Result<String> {
    let mut text = String::new();
    for source in sources {
        let source = source.to_str().context("a path of RocksDB is not UTF-8")?;
        ensure!(
            !source.contains(['"', '\\', '\n']),
            "a path of RocksDB cannot be included: {source}"
        );
        text += &format!("#include \"{source}\"\n");
    }
    Ok(text)
}

/// As many compilers at once as there are cores and memory for.
fn compile_all(files: Vec<PathBuf>, call: &Call) -> Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let by_memory = available_memory().map_or(1, |bytes| usize::try_from(bytes / MEMORY).unwrap_or(1));
    let workers = cores.min(by_memory).clamp(1, files.len());
    let compiler = machine::cxx_compiler()?;
    let total = files.len();
    let waiting = Mutex::new(files.into_iter().enumerate());
    let work = || -> Result<()> {
        loop {
            let next = waiting.lock().ok().and_then(|mut waiting| waiting.next());
            let Some((number, file)) = next else { return Ok(()) };
            output::stderr!("▸ RocksDB: part {} of {total}", number + 1);
            compile(&compiler, &file, call)?;
        }
    };
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let results = handles.into_iter().map(|handle| match handle.join() {
            Ok(result) => result,
            Err(_) => bail!("a thread that ran the compiler panicked"),
        });
        results.collect()
    })
}

fn compile(compiler: &Path, file: &Path, call: &Call) -> Result<()> {
    // clang has no such parameters.
    let collect_later: &[&str] = if is_gcc(compiler) { &COLLECT_LATER } else { &[] };
    let output = Command::new(compiler)
        .current_dir(&call.directory)
        // The warnings are upstream's to read, and the passes that look for them cost time.
        .args(call.flags.iter().filter(|flag| !is_warning(flag)))
        .arg("-w")
        .args(collect_later)
        .arg("-c")
        .arg(file)
        .arg("-o")
        .arg(file.with_extension("o"))
        .output()
        .with_context(|| format!("cannot run {}", compiler.display()))?;
    let complaints = String::from_utf8_lossy(&output.stderr);
    let first = complaints
        .lines()
        .find(|line| line.contains("error"))
        .unwrap_or_default();
    ensure!(output.status.success(), "{} does not compile: {first}", file.display());
    Ok(())
}

/// Whether the compiler is GCC, by the macros that it defines.
fn is_gcc(compiler: &Path) -> bool {
    let mut macros = Command::new(compiler);
    macros.args(["-x", "c++", "-dM", "-E", "/dev/null"]);
    crate::sh::output(&mut macros).is_ok_and(|text| text.contains("__GNUC__") && !text.contains("__clang__"))
}

/// `-Wall`, `-Wno-…`; but not `-Wl,…`, `-Wa,…`, `-Wp,…`, which are options for other programs.
fn is_warning(flag: &str) -> bool {
    flag.starts_with("-W") && !flag.contains(',')
}

/// `MemAvailable` of Linux, in bytes.
fn available_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim()
        .strip_suffix("kB")?
        .trim()
        .parse::<u64>()
        .ok()
        .map(|kilobytes| kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_unity_source_includes_its_share() {
        let text = unity_source(&[Path::new("/r/a.cc"), Path::new("/r/b.cc")]).unwrap();
        assert_eq!(text, "#include \"/r/a.cc\"\n#include \"/r/b.cc\"\n");
        assert!(unity_source(&[Path::new("/r/\".cc")]).is_err());
    }

    #[test]
    fn small_sources_become_one_archive_and_a_bad_one_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let (notes, out) = (folder.path().join("notes"), folder.path().join("out"));
        std::fs::create_dir(&notes).unwrap();
        let note = |name: &str, source: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, source).unwrap();
            let note = serde_json::json!({ "source": file, "directory": folder.path(), "flags": ["-O1"] });
            std::fs::write(notes.join(name), note.to_string()).unwrap();
        };
        note("a.cc", "int one() { return 1; }");
        note("b.cc", "int one(); int two() { return one() + 1; }");
        let archive = folder.path().join("lib.a");
        build(&notes, &out, &archive).unwrap();
        assert!(std::fs::metadata(&archive).unwrap().len() > 0);
        note("c.cc", "int three() { return missing; }");
        assert!(
            build(&notes, &out, &archive)
                .unwrap_err()
                .to_string()
                .contains("does not compile")
        );
    }

    #[test]
    fn only_warnings_are_left_out() {
        let flags = ["-O3", "-Wall", "-Wno-unused-variable", "-Wl,-z,now", "-w", "-std=c++20"];
        let kept: Vec<_> = flags.into_iter().filter(|flag| !is_warning(flag)).collect();
        assert_eq!(kept, ["-O3", "-Wl,-z,now", "-w", "-std=c++20"]);
    }

    #[test]
    fn without_a_note_there_is_nothing_to_build() {
        let notes = tempfile::tempdir().unwrap();
        assert!(build(notes.path(), notes.path(), &notes.path().join("lib.a")).is_err());
    }
}
