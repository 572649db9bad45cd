//! libclang: found as bindgen finds it, loaded, and a header parsed with it.
//!
//! RocksDB's bindings are made at build time by bindgen, which loads libclang through the crate `clang-sys`. A file
//! whose name begins with `libclang` proves nothing: `libclang-cpp.so.14` is another library, which Debian installs
//! with other packages, and a library without clang's own headers parses nothing. So this module makes the search of
//! `clang-sys` 1 (`build/common.rs` and `build/dynamic.rs`, with the feature `runtime`), takes the library that it
//! would take, and lets a small C program load it and parse a header.
//!
//! The search: `LIBCLANG_PATH` alone if it is set (a file or a directory); otherwise the prefix of `llvm-config`, then
//! `LD_LIBRARY_PATH`, then [`DIRECTORIES`]. Of all files that match [`FILES`] and are ELF libraries of 64 bits, the one
//! with the highest version in its name is taken.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::compiler;
use super::probe::{Probe, Problem};
use super::program::{self, Version};
use crate::sh;

/// SPEC: clang-sys 1, `DIRECTORIES_LINUX`.
const DIRECTORIES: [&str; 7] = [
    "/usr/local/llvm*/lib*",
    "/usr/local/lib*/*/*",
    "/usr/local/lib*/*",
    "/usr/local/lib*",
    "/usr/lib*/*/*",
    "/usr/lib*/*",
    "/usr/lib*",
];

/// SPEC: clang-sys 1, the patterns of file names on Linux with the feature `runtime`.
const FILES: [&str; 4] = ["libclang.so", "libclang-*.so", "libclang.so.*", "libclang-*.so.*"];

/// bindgen 0.72 needs the functions of clang 9.
const OLDEST: Version = Version(9, 0);

const LOADER: &str = include_str!("probe_libclang.c");

/// Where to search: the machine's own places, or a test's.
pub(crate) struct Search {
    /// The directory that stands for `/`.
    pub(crate) root: PathBuf,
    /// `LIBCLANG_PATH`.
    pub(crate) chosen: Option<PathBuf>,
    /// The prefix that `llvm-config` prints, and the entries of `LD_LIBRARY_PATH`.
    pub(crate) extra: Vec<PathBuf>,
}

impl Search {
    /// The search that a build on this machine makes.
    pub(crate) fn of_this_machine(path: &[PathBuf]) -> Search {
        let mut extra = Vec::new();
        if let Ok(llvm_config) = program::find(path, "llvm-config")
            && let Ok(prefix) = sh::output(Command::new(llvm_config).arg("--prefix"))
        {
            let prefix = PathBuf::from(prefix.trim());
            extra.extend(["bin", "lib", "lib64"].map(|folder| prefix.join(folder)));
        }
        for variable in ["LD_LIBRARY_PATH", "LIBRARY_PATH"] {
            if let Some(directories) = std::env::var_os(variable) {
                extra.extend(std::env::split_paths(&directories));
            }
        }
        Search {
            root: PathBuf::from("/"),
            chosen: std::env::var_os("LIBCLANG_PATH").map(PathBuf::from),
            extra,
        }
    }

    /// The library that bindgen would load.
    ///
    /// # Errors
    /// Names each file that matches and cannot be loaded, or the places that were searched.
    pub(crate) fn library(&self) -> Result<PathBuf, Problem> {
        let mut unusable = Vec::new();
        let mut usable: Vec<(Vec<u32>, PathBuf)> = Vec::new();
        for file in self.candidates() {
            match check_header(&file) {
                Ok(()) => usable.push((version_in_name(&file), file)),
                Err(reason) => unusable.push(format!("{} {reason}", file.display())),
            }
        }
        // The highest version; among equals the first, hence the reversal.
        match usable.into_iter().rev().max_by(|a, b| a.0.cmp(&b.0)) {
            Some((_, file)) => Ok(file),
            None if unusable.is_empty() => Err(Problem::new(format!("no {} in {}", FILES.join(", "), self.places()))),
            None => Err(Problem::all(unusable)),
        }
    }

    fn candidates(&self) -> Vec<PathBuf> {
        if let Some(chosen) = &self.chosen {
            if let (Some(folder), Some(name)) = (chosen.parent(), chosen.file_name())
                && matching(folder).iter().any(|file| file.file_name() == Some(name))
            {
                return vec![chosen.clone()];
            }
            return matching(chosen);
        }
        let mut found: Vec<PathBuf> = self.extra.iter().flat_map(|folder| matching(folder)).collect();
        for pattern in DIRECTORIES {
            let folders = expand(&self.root, pattern.trim_start_matches('/'));
            found.extend(
                folders
                    .iter()
                    .filter(|folder| folder.is_dir())
                    .flat_map(|folder| matching(folder)),
            );
        }
        found
    }

    fn places(&self) -> String {
        match &self.chosen {
            Some(chosen) => format!("LIBCLANG_PATH={}", chosen.display()),
            None => DIRECTORIES.join(", "),
        }
    }
}

/// Loads the library of `search` in a small C program, which parses a header with it.
pub(crate) fn probe(search: &Search, path: &[PathBuf]) -> Probe {
    let library = search.library()?;
    let folder = tempfile::tempdir().map_err(|error| Problem::new(format!("no temporary directory: {error}")))?;
    let compiler = compiler::compiler(path, "CC", "cc")?;
    let program = compiler::build(&compiler, folder.path(), "probe.c", LOADER, &["-ldl"])?;
    let output = sh::complete(sh::SHORT, Command::new(&program).arg(&library))
        .map_err(|error| Problem::new(format!("cannot run {}: {error}", program.display())))?;
    let (out, complaint) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    if !output.status.success() {
        return Err(Problem::new(format!("{}: {}", library.display(), complaint.trim())));
    }
    let version = Version::first_in(&out)
        .ok_or_else(|| Problem::new(format!("{} tells no version: {}", library.display(), out.trim())))?;
    if version < OLDEST {
        return Err(Problem::new(format!(
            "{} is version {version}; {OLDEST} or newer is needed",
            library.display()
        )));
    }
    Ok(format!("{version} ({}), parses a header", library.display()))
}

/// The files in `folder` that may be libclang.
fn matching(folder: &Path) -> Vec<PathBuf> {
    let files = FILES.iter().flat_map(|pattern| expand(folder, pattern));
    // SPEC: clang-sys 1 passes over `libclang-cpp.so`, which is another library.
    files
        .filter(|file| {
            !file
                .to_string_lossy()
                .rsplit('/')
                .next()
                .is_some_and(|name| name.contains("-cpp."))
        })
        .collect()
}

/// The paths below `folder` that fit `pattern`, in which `*` crosses no `/`.
fn expand(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let options = glob::MatchOptions {
        require_literal_separator: true,
        ..glob::MatchOptions::default()
    };
    let pattern = format!(
        "{}/{pattern}",
        glob::Pattern::escape(folder.to_string_lossy().trim_end_matches('/'))
    );
    glob::glob_with(&pattern, options)
        .map(|paths| paths.flatten().collect())
        .unwrap_or_default()
}

/// SPEC: clang-sys 1, `validate_library` on a host of 64 bits; the architecture is checked besides, which only loading
/// would tell.
fn check_header(file: &Path) -> Result<(), String> {
    let mut header = [0; 20];
    std::fs::File::open(file)
        .and_then(|mut opened| opened.read_exact(&mut header))
        .map_err(|error| format!("cannot be read ({error})"))?;
    if header[..4] != *b"\x7fELF" {
        return Err("is no ELF library".to_owned());
    }
    if header[4] != 2 {
        return Err("is a library of 32 bits".to_owned());
    }
    let machine = u16::from_le_bytes([header[18], header[19]]);
    let own = match std::env::consts::ARCH {
        "x86_64" => 62,
        "aarch64" => 183,
        _ => machine,
    };
    if machine == own {
        Ok(())
    } else {
        Err(format!("is for another architecture (ELF machine {machine})"))
    }
}

/// SPEC: clang-sys 1, `parse_version`: the numbers after `libclang.so.` or between `libclang-` and `.so`.
fn version_in_name(file: &Path) -> Vec<u32> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let version = name
        .strip_prefix("libclang.so.")
        .or_else(|| name.strip_prefix("libclang-")?.split(".so").next());
    version
        .map(|text| text.split('.').map(|part| part.parse().unwrap_or(0)).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// The first bytes of a library: bits and machine as in the ELF header.
    fn elf(class: u8, machine: u16) -> Vec<u8> {
        let mut header = vec![0; 64];
        header[..5].copy_from_slice(&[0x7f, b'E', b'L', b'F', class]);
        header[18..20].copy_from_slice(&machine.to_le_bytes());
        header
    }

    fn own_machine() -> u16 {
        if cfg!(target_arch = "aarch64") { 183 } else { 62 }
    }

    struct Root(tempfile::TempDir);

    impl Root {
        fn new() -> Root {
            Root(tempfile::tempdir().unwrap())
        }

        fn library(&self, path: &str, content: Vec<u8>) -> PathBuf {
            let file = self.0.path().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, content).unwrap();
            file
        }

        fn good(&self, path: &str) -> PathBuf {
            self.library(path, elf(2, own_machine()))
        }

        fn search(&self) -> Search {
            Search {
                root: self.0.path().to_path_buf(),
                chosen: None,
                extra: Vec::new(),
            }
        }

        fn problem(&self) -> String {
            self.search().library().unwrap_err().to_string()
        }
    }

    #[test]
    fn libclang_cpp_is_not_libclang() {
        let root = Root::new();
        root.good("usr/lib/x86_64-linux-gnu/libclang-cpp.so.14");
        root.good("usr/lib/llvm-14/lib/libclang-cpp.so.14");
        root.good("usr/lib/llvm-14/lib/libclang-cpp.so");
        assert!(root.problem().starts_with("no libclang.so, "), "{}", root.problem());
    }

    #[test]
    fn debian_s_library_is_found_in_each_of_its_places() {
        for place in [
            "usr/lib/llvm-14/lib/libclang.so.1",
            "usr/lib/x86_64-linux-gnu/libclang-14.so.1",
            "usr/local/lib/libclang.so",
        ] {
            let root = Root::new();
            let file = root.good(place);
            assert_eq!(root.search().library().unwrap(), file);
        }
    }

    #[test]
    fn the_highest_version_is_taken() {
        let root = Root::new();
        root.good("usr/lib/x86_64-linux-gnu/libclang-14.so.1");
        let newest = root.good("usr/lib/x86_64-linux-gnu/libclang-19.so.1");
        assert_eq!(root.search().library().unwrap(), newest);
    }

    #[test]
    fn a_dangling_link_is_reported() {
        let root = Root::new();
        fs::create_dir_all(root.0.path().join("usr/lib/llvm-14/lib")).unwrap();
        symlink(
            "libclang-14.so.14.0.6",
            root.0.path().join("usr/lib/llvm-14/lib/libclang.so"),
        )
        .unwrap();
        assert!(
            root.problem().contains("libclang.so cannot be read"),
            "{}",
            root.problem()
        );
    }

    #[test]
    fn a_library_of_another_architecture_is_reported() {
        let root = Root::new();
        root.library("usr/lib/x86_64-linux-gnu/libclang-14.so.1", elf(1, 3));
        assert!(root.problem().contains("is a library of 32 bits"), "{}", root.problem());
        root.library("usr/lib/x86_64-linux-gnu/libclang-14.so.1", elf(2, 22));
        assert!(
            root.problem().contains("another architecture (ELF machine 22)"),
            "{}",
            root.problem()
        );
    }

    #[test]
    fn a_file_that_is_no_library_is_reported_and_does_not_hide_a_good_one() {
        let root = Root::new();
        root.library(
            "usr/lib/x86_64-linux-gnu/libclang-19.so.1",
            b"INPUT(-lclang-19), a linker script".to_vec(),
        );
        assert!(root.problem().contains("is no ELF library"), "{}", root.problem());
        let good = root.good("usr/lib/llvm-14/lib/libclang-14.so.1");
        assert_eq!(root.search().library().unwrap(), good);
    }

    #[test]
    fn the_chosen_path_is_the_only_place() {
        let root = Root::new();
        root.good("usr/lib/llvm-14/lib/libclang-14.so.1");
        let chosen = root.good("opt/libclang.so.9");
        let search = |chosen: &Path| Search {
            chosen: Some(chosen.to_path_buf()),
            ..root.search()
        };
        assert_eq!(search(&chosen).library().unwrap(), chosen);
        assert_eq!(search(chosen.parent().unwrap()).library().unwrap(), chosen);
        let problem = search(&root.0.path().join("empty")).library().unwrap_err().to_string();
        assert!(problem.contains("LIBCLANG_PATH="), "{problem}");
    }

    #[test]
    fn a_library_that_is_not_libclang_does_not_load() {
        // The header is right and the rest is nothing.
        let root = Root::new();
        root.good("usr/lib/llvm-14/lib/libclang-14.so.1");
        let path: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH").unwrap()).collect();
        assert!(probe(&root.search(), &path).is_err());
    }
}
