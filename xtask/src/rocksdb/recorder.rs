//! A C++ compiler that compiles nothing and notes how it was called.
//!
//! The flags that RocksDB must be compiled with are known to the build script of `librocksdb-sys` only, and it computes
//! them from cargo's environment. So cargo runs that build script with this program as its C++ compiler. A call that
//! compiles one of RocksDB's sources is noted as a file of its own in [`DIRECTORY`], and its object is an empty one,
//! which costs milliseconds. Every other call (the build script tries out flags) goes to the real compiler.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// The environment variable with the directory for the notes; its presence makes xtask the recorder.
pub(super) const DIRECTORY: &str = "EINSICHT_RECORD_COMPILER_CALLS";
/// The environment variable with the real compiler.
pub(super) const COMPILER: &str = "EINSICHT_REAL_COMPILER";

/// How one source was to be compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    /// The source, absolute.
    pub(super) source: PathBuf,
    /// The directory of the call, to which its relative paths refer.
    pub(super) directory: PathBuf,
    /// All words but the source and the object.
    pub(super) flags: Vec<String>,
}

/// Acts as the compiler if the environment asks for it.
pub(crate) fn acted_as_compiler() -> Option<ExitCode> {
    let notes = PathBuf::from(std::env::var_os(DIRECTORY)?);
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    Some(match act(&notes, &words) {
        Ok(code) => code,
        Err(error) => {
            output::stderr!("xtask as compiler: {error:#}");
            ExitCode::FAILURE
        }
    })
}

fn act(notes: &Path, words: &[OsString]) -> Result<ExitCode> {
    let compiler = std::env::var_os(COMPILER).context("the real compiler is not named")?;
    let mut real = Command::new(compiler);
    match Call::parse(words, std::env::current_dir()?) {
        None => real.args(words),
        Some((call, object)) => {
            let name = call.source.to_string_lossy().replace('/', "_");
            std::fs::write(notes.join(name), call.to_json().to_string())?;
            real.args(["-x", "c++", "-c", "/dev/null", "-o"]).arg(object)
        }
    };
    let status = real.status().context("the real compiler does not run")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

impl Call {
    /// The call and its object, if it compiles a source that the crate names by a path relative to its own directory.
    fn parse(words: &[OsString], directory: PathBuf) -> Option<(Call, PathBuf)> {
        let (mut source, mut object, mut flags) = (None, None, Vec::new());
        let mut compiles = false;
        let mut words = words.iter().map(|word| word.to_string_lossy().into_owned());
        while let Some(word) = words.next() {
            if word == "-o" {
                object = words.next().map(PathBuf::from);
            } else if word == "-c" {
                compiles = true;
            } else if word.ends_with(".cc") && !word.starts_with('/') {
                source = Some(directory.join(word));
            } else {
                flags.push(word);
            }
        }
        let call = Call {
            source: source?,
            directory,
            flags,
        };
        compiles.then_some(())?;
        Some((call, object?))
    }

    fn to_json(&self) -> Value {
        json!({ "source": self.source, "directory": self.directory, "flags": self.flags })
    }

    fn from_json(value: &Value) -> Option<Call> {
        let flags = value["flags"]
            .as_array()?
            .iter()
            .map(|flag| flag.as_str().map(str::to_owned));
        Some(Call {
            source: value["source"].as_str()?.into(),
            directory: value["directory"].as_str()?.into(),
            flags: flags.collect::<Option<_>>()?,
        })
    }
}

/// The calls noted in a directory, ordered by source.
pub(super) fn read(notes: &Path) -> Result<Vec<Call>> {
    let mut calls = Vec::new();
    for note in std::fs::read_dir(notes)? {
        let note = note?.path();
        let value = serde_json::from_slice(&std::fs::read(&note)?)?;
        calls.push(Call::from_json(&value).with_context(|| format!("{} is no note of a call", note.display()))?);
    }
    calls.sort_by(|a, b| a.source.cmp(&b.source));
    if let Some(first) = calls.first() {
        let same = calls
            .iter()
            .all(|call| call.flags == first.flags && call.directory == first.directory);
        ensure!(same, "the sources are to be compiled with different flags");
    }
    Ok(calls)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse(line: &str) -> Option<(Call, PathBuf)> {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        Call::parse(&words, PathBuf::from("/crate"))
    }

    #[test]
    fn a_source_of_the_crate_is_noted_with_its_flags() {
        let (call, object) = parse("-O3 -I rocksdb/include/ -o /out/a.o -c rocksdb/db/db_impl.cc").unwrap();
        assert_eq!(object, Path::new("/out/a.o"));
        assert_eq!(call.source, Path::new("/crate/rocksdb/db/db_impl.cc"));
        assert_eq!(call.flags, ["-O3", "-I", "rocksdb/include/"]);
        assert_eq!(Call::from_json(&call.to_json()), Some(call));
    }

    #[test]
    fn a_trial_of_a_flag_is_for_the_real_compiler() {
        assert_eq!(
            parse("-march=x86-64-v2 -o /out/flag_check -c /out/flag_check.cpp"),
            None
        );
        assert_eq!(parse("-E rocksdb/a.cc"), None);
    }
}
