//! C and C++: a program is compiled, linked and run, as the builds of RocksDB and of other native code do.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::probe::{Probe, Problem};
use super::program::{self};
use crate::sh;

const C: &str = "#include <stdio.h>\nint main(void) { puts(\"ok\"); return 0; }\n";

/// RocksDB 11 is written in C++20.
const CXX: &str = "#include <compare>\n#include <iostream>\n#include <memory>\n\
    struct Number { int value; auto operator<=>(const Number&) const = default; };\n\
    int main() { auto one = std::make_unique<Number>(1); if (*one < Number{2}) std::cout << \"ok\"; return 0; }\n";

/// A C compiler that makes a program which runs.
pub(crate) fn c(path: &[PathBuf]) -> Probe {
    compile_and_run(&compiler(path, "CC", "cc")?, "probe.c", C, &[])
}

/// A C++ compiler with the standard library of C++20.
pub(crate) fn cxx(path: &[PathBuf]) -> Probe {
    compile_and_run(&compiler(path, "CXX", "c++")?, "probe.cc", CXX, &["-std=c++20"])
}

/// The compiler that the crate `cc` takes: the one in the environment, or the conventional name.
pub(crate) fn compiler(path: &[PathBuf], variable: &str, name: &str) -> Result<PathBuf, Problem> {
    match std::env::var_os(variable) {
        Some(chosen) if Path::new(&chosen).is_absolute() => Ok(PathBuf::from(chosen)),
        Some(chosen) => program::find(path, &chosen.to_string_lossy()),
        None => program::find(path, name),
    }
}

fn compile_and_run(compiler: &Path, file: &str, source: &str, flags: &[&str]) -> Probe {
    let folder = tempfile::tempdir().map_err(|error| Problem::new(format!("no temporary directory: {error}")))?;
    let program = build(compiler, folder.path(), file, source, flags)?;
    let line = format!("the program that {} made", compiler.display());
    let output = sh::complete(sh::SHORT, &mut Command::new(&program))
        .map_err(|error| Problem::new(format!("{line} does not run: {error}")))?;
    if !output.status.success() || !output.stdout.starts_with(b"ok") {
        return Err(Problem::new(format!("{line} does not work: {}", output.status)));
    }
    Ok(format!("{}, compiles and links", compiler.display()))
}

/// Compiles and links `source` in `folder`; returns the program.
///
/// # Errors
/// The compiler's first complaint.
pub(crate) fn build(
    compiler: &Path,
    folder: &Path,
    file: &str,
    source: &str,
    flags: &[&str],
) -> Result<PathBuf, Problem> {
    let (source_file, program) = (folder.join(file), folder.join("probe"));
    std::fs::write(&source_file, source)
        .map_err(|error| Problem::new(format!("cannot write {}: {error}", source_file.display())))?;
    let mut compile = Command::new(compiler);
    compile.arg(&source_file).arg("-o").arg(&program).args(flags);
    let output = sh::complete(sh::SHORT, &mut compile)
        .map_err(|error| Problem::new(format!("cannot run {}: {error}", compiler.display())))?;
    if output.status.success() {
        return Ok(program);
    }
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    let first = complaints
        .lines()
        .find(|line| line.contains("error"))
        .unwrap_or(complaints.trim());
    Err(Problem::new(format!(
        "{} does not compile a small program: {first}",
        compiler.display()
    )))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn with_compiler(script: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c++");
        fs::write(&file, script).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        (folder, file)
    }

    #[test]
    fn a_compiler_that_refuses_the_standard_is_missing() {
        let (_folder, file) =
            with_compiler("#!/bin/sh\necho \"c++: error: unrecognized option '-std=c++20'\" >&2\nexit 1\n");
        let problem = compile_and_run(&file, "probe.cc", CXX, &["-std=c++20"]).unwrap_err();
        assert!(
            problem.to_string().contains("unrecognized option '-std=c++20'"),
            "{problem}"
        );
    }

    #[test]
    fn a_compiler_that_makes_no_program_is_missing() {
        let (_folder, file) = with_compiler("#!/bin/sh\nexit 0\n");
        let problem = compile_and_run(&file, "probe.cc", CXX, &[]).unwrap_err();
        assert!(problem.to_string().contains("does not run"), "{problem}");
    }

    #[test]
    fn a_compiler_whose_programs_fail_is_missing() {
        // The fake "links" a script that fails, as a program for another machine would.
        let script = "#!/bin/sh\nprintf '#!/bin/sh\\nexit 1\\n' > \"$3\"; chmod +x \"$3\"\n";
        let (_folder, file) = with_compiler(script);
        let problem = compile_and_run(&file, "probe.cc", CXX, &[]).unwrap_err();
        assert!(problem.to_string().contains("does not work"), "{problem}");
    }

    #[test]
    fn no_compiler_on_the_path_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let problem = program::find(&[folder.path().to_path_buf()], "c++").unwrap_err();
        assert!(problem.to_string().starts_with("no `c++` in"), "{problem}");
    }
}
