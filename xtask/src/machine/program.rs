//! Programs: found on the search path, run, and their version read.
//!
//! A file with the right name proves nothing: it may be a dangling link, a program for another architecture, not
//! executable, or too old. So the probe runs the program with its version option and compares what it prints with the
//! oldest version that is known to work.

use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::probe::{Probe, Problem};
use crate::sh;

/// A version as far as it is compared: major and minor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u32, pub(crate) u32);

impl Version {
    /// The first word of `text` with digits, a dot and digits again: `strace -- version 6.1`, `v20.20.2`.
    pub(crate) fn first_in(text: &str) -> Option<Version> {
        text.split(|c: char| !(c.is_ascii_digit() || c == '.'))
            .find_map(|word| {
                let mut numbers = word.split('.').map(str::parse);
                Some(Version(numbers.next()?.ok()?, numbers.next()?.ok()?))
            })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// Finds `name` in `path`, runs it with `version_option`, and wants at least the version `oldest`.
pub(crate) fn probe(path: &[PathBuf], name: &str, version_option: &str, oldest: Version) -> Probe {
    let program = find(path, name)?;
    let output = sh::complete(sh::SHORT, Command::new(&program).arg(version_option))
        .map_err(|error| Problem::new(format!("cannot run {}: {error}", program.display())))?;
    // Some programs print their version to standard error.
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let line = format!("{} {version_option}", program.display());
    if !output.status.success() {
        return Err(Problem::new(format!("`{line}` ended with {}", output.status)));
    }
    let found = Version::first_in(&text)
        .ok_or_else(|| Problem::new(format!("`{line}` printed no version: {}", text.trim())))?;
    if found < oldest {
        return Err(Problem::new(format!(
            "`{line}` is version {found}; {oldest} or newer is needed"
        )));
    }
    Ok(format!("{found} ({})", program.display()))
}

/// Debian keeps the programs of PostgreSQL's server out of the search path. These directories, the newest version
/// first, then `path`.
pub(crate) fn with_postgres(path: &[PathBuf]) -> Vec<PathBuf> {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<u32> = installed
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    versions.sort_unstable();
    let directory = |version: &u32| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin"));
    versions
        .iter()
        .rev()
        .map(directory)
        .chain(path.iter().cloned())
        .collect()
}

/// The first file named `name` in the directories of `path` that can be executed.
///
/// # Errors
/// Names each file of that name that cannot, and why; without one, the directories that were searched.
pub(crate) fn find(path: &[PathBuf], name: &str) -> Result<PathBuf, Problem> {
    let mut unusable = Vec::new();
    for file in path.iter().map(|directory| directory.join(name)) {
        match usable(&file) {
            Ok(true) => return Ok(file),
            Ok(false) => {}
            Err(reason) => unusable.push(format!("{} {reason}", file.display())),
        }
    }
    if unusable.is_empty() {
        let directories: Vec<_> = path.iter().map(|directory| directory.display().to_string()).collect();
        unusable.push(format!("no `{name}` in {}", directories.join(":")));
    }
    Err(Problem::all(unusable))
}

/// Whether there is a file that can be executed; an error says why the file that is there cannot.
fn usable(file: &Path) -> Result<bool, &'static str> {
    if file.symlink_metadata().is_err() {
        return Ok(false);
    }
    match file.metadata() {
        Err(_) => Err("is a dangling link"),
        Ok(metadata) if !metadata.is_file() => Err("is not a file"),
        Ok(metadata) if metadata.permissions().mode() & 0o111 == 0 => Err("is not executable"),
        Ok(_) => Ok(true),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::*;

    const OLDEST: Version = Version(18, 19);

    fn folder() -> (tempfile::TempDir, Vec<PathBuf>) {
        let folder = tempfile::tempdir().unwrap();
        let path = vec![folder.path().to_path_buf()];
        (folder, path)
    }

    fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>, mode: u32) {
        let file = folder.join(name);
        fs::write(&file, content).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn problem(path: &[PathBuf]) -> String {
        probe(path, "node", "--version", OLDEST).unwrap_err().to_string()
    }

    #[test]
    fn versions_are_read_from_what_programs_print() {
        for (text, version) in [
            ("v20.20.2\n", Some(Version(20, 20))),
            (
                "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)",
                Some(Version(15, 18)),
            ),
            ("Chromium 156.0.8078.73 built on Debian 12", Some(Version(156, 0))),
            ("strace -- version 6.1\nCopyright (c) 1991-2022", Some(Version(6, 1))),
            ("Debian clang version 14.0.6", Some(Version(14, 0))),
            ("11.19.1\n", Some(Version(11, 19))),
            ("no number", None),
            ("2022", None),
            (".5", None),
        ] {
            assert_eq!(Version::first_in(text), version, "{text}");
        }
    }

    #[test]
    fn a_program_that_runs_and_is_new_enough_is_found() {
        let (folder, path) = folder();
        write(folder.path(), "node", "#!/bin/sh\necho v18.20.1\n", 0o755);
        assert!(
            probe(&path, "node", "--version", OLDEST)
                .unwrap()
                .starts_with("18.20 (")
        );
    }

    #[test]
    fn a_program_that_is_too_old_is_missing() {
        let (folder, path) = folder();
        write(folder.path(), "node", "#!/bin/sh\necho v12.22.0\n", 0o755);
        assert!(
            problem(&path).contains("12.22; 18.19 or newer is needed"),
            "{}",
            problem(&path)
        );
    }

    #[test]
    fn a_dangling_link_is_missing() {
        let (folder, path) = folder();
        std::os::unix::fs::symlink("/nowhere/node", folder.path().join("node")).unwrap();
        assert!(problem(&path).contains("is a dangling link"));
    }

    #[test]
    fn a_directory_and_a_file_that_is_not_executable_are_missing() {
        let (folder, path) = folder();
        fs::create_dir(folder.path().join("node")).unwrap();
        assert!(problem(&path).contains("is not a file"));
        fs::remove_dir(folder.path().join("node")).unwrap();
        write(folder.path(), "node", "#!/bin/sh\necho v18.20.1\n", 0o644);
        assert!(problem(&path).contains("is not executable"));
    }

    #[test]
    fn a_program_of_another_architecture_is_missing() {
        let (folder, path) = folder();
        // An ELF header for no machine (EM_NONE).
        let mut header = vec![0x7f, b'E', b'L', b'F', 2, 1, 1];
        header.resize(64, 0);
        write(folder.path(), "node", header, 0o755);
        assert!(problem(&path).contains("cannot run"), "{}", problem(&path));
    }

    #[test]
    fn a_program_that_fails_or_prints_no_version_is_missing() {
        let (folder, path) = folder();
        write(folder.path(), "node", "#!/bin/sh\nexit 3\n", 0o755);
        assert!(problem(&path).contains("ended with"));
        write(folder.path(), "node", "#!/bin/sh\necho ready\n", 0o755);
        assert!(problem(&path).contains("printed no version"));
    }

    #[test]
    fn an_unusable_program_does_not_hide_a_good_one_later_on_the_path() {
        let (bad, _) = folder();
        let (good, _) = folder();
        std::os::unix::fs::symlink("/nowhere/node", bad.path().join("node")).unwrap();
        write(good.path(), "node", "#!/bin/sh\necho v20.1.0\n", 0o755);
        let path = [bad.path().to_path_buf(), good.path().to_path_buf()];
        assert!(probe(&path, "node", "--version", OLDEST).is_ok());
    }

    #[test]
    fn a_missing_program_is_reported_with_the_directories_searched() {
        let (folder, path) = folder();
        assert_eq!(problem(&path), format!("no `node` in {}", folder.path().display()));
    }
}
