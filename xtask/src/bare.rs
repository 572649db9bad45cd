//! `cargo xtask test --bare`: the first commands of the README on a Debian that has next to nothing.
//!
//! A root is made by debootstrap with gcc, git and certificates, and rustup with the pinned toolchain is copied into
//! it. In it run, as a new user would run them, `cargo xtask doctor`, which must find what is missing, `cargo xtask
//! demo --exit-after-seed`, which must install it, build everything and make its exchanges, and one package's tests.
//! This happens in two roots: in the second one are packages whose files look like what is missing and are not
//! ([`MISLEADING`]).
//!
//! Needs root, debootstrap and the network's package registries. The checkout that is tested is a clone of `HEAD`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::{paths, sh};

/// What a new user has besides rustup.
const MINIMUM: &str = "gcc,libc6-dev,git,ca-certificates";
/// `libclang-cpp.so` is not libclang, and a compiler for C does not compile C++.
const MISLEADING: &str = "gcc,libc6-dev,git,ca-certificates,libclang-cpp14";

/// What doctor must say at first, and no more after `demo` has installed it.
const MISSING: [&str; 2] = ["missing a C++20 compiler", "missing libclang"];

/// Runs the commands in both roots; prints what each took.
pub(crate) fn run() -> Result<()> {
    let root = sh::output(Command::new("id").arg("-u"))?.trim() == "0";
    ensure!(root, "--bare changes its root directory, which only root may do");
    ensure!(
        sh::found("debootstrap"),
        "--bare needs debootstrap: apt-get install debootstrap"
    );
    let folder = paths::target()?.join("bare");
    for (name, packages) in [("minimum", MINIMUM), ("misleading", MISLEADING)] {
        let bare = Bare::make(&folder.join(name), packages)?;
        bare.test().with_context(|| format!("in the root {name}"))?;
    }
    Ok(())
}

/// A root with `/proc` and `/dev` mounted; unmounted and removed in the end.
struct Bare {
    root: PathBuf,
}

impl Bare {
    fn make(root: &Path, packages: &str) -> Result<Bare> {
        let bare = Bare {
            root: root.to_path_buf(),
        };
        bare.remove();
        std::fs::create_dir_all(root)?;
        let release = std::fs::read_to_string("/etc/os-release").context("this is no Debian")?;
        let suite = release
            .lines()
            .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
            .context("/etc/os-release names no Debian release")?;
        sh::run_within(
            sh::LONG,
            Command::new("debootstrap")
                .args(["--variant=minbase", &format!("--include={packages}"), suite])
                .arg(root),
        )?;
        bare.copy_toolchain()?;
        // Certificates and names as this machine resolves them.
        for file in ["/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt"] {
            std::fs::copy(file, bare.path(file)).with_context(|| format!("copying {file}"))?;
        }
        let checkout = bare.path("/root/einsicht");
        sh::run(
            Command::new("git")
                .args(["clone", "--quiet", "--no-local"])
                .arg(paths::root()?)
                .arg(&checkout),
        )?;
        for (kind, target) in [("proc", "/proc"), ("devtmpfs", "/dev")] {
            sh::run(Command::new("mount").args(["-t", kind, kind]).arg(bare.path(target)))?;
        }
        Ok(bare)
    }

    /// rustup and the pinned toolchain, without what this user has built or downloaded.
    fn copy_toolchain(&self) -> Result<()> {
        let toolchain = PathBuf::from(sh::output(Command::new("rustc").args(["--print", "sysroot"]))?.trim());
        let rustup = sh::output(Command::new("rustup").args(["show", "home"]))?;
        let name = toolchain.file_name().context("the toolchain has no name")?;
        let toolchains = self.path("/root/.rustup/toolchains");
        std::fs::create_dir_all(&toolchains)?;
        std::fs::create_dir_all(self.path("/root/.cargo"))?;
        let copy = |from: &Path, to: &Path| sh::run(Command::new("cp").arg("-aL").arg(from).arg(to));
        copy(&toolchain, &toolchains.join(name))?;
        copy(
            &Path::new(rustup.trim()).join("settings.toml"),
            &self.path("/root/.rustup"),
        )?;
        let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let cargo = cargo.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
        copy(
            &cargo.context("HOME is not set")?.join("bin"),
            &self.path("/root/.cargo/bin"),
        )
    }

    fn test(&self) -> Result<()> {
        // The first command builds xtask, so the time counts from here.
        let (began, cpu) = (Instant::now(), sh::cpu_seconds());
        let said = self.doctor()?;
        for missing in MISSING {
            ensure!(said.contains(missing), "doctor does not say: {missing}");
        }
        sh::run(&mut self.command("cargo xtask demo --exit-after-seed"))?;
        output::stdout!(
            "{}: from the clone to the exchanges of the demonstration {} s, {} s of CPU time",
            self.root.display(),
            began.elapsed().as_secs(),
            sh::cpu_seconds() - cpu,
        )?;
        let said = self.doctor()?;
        for missing in MISSING {
            ensure!(!said.contains(missing), "doctor still says: {missing}");
        }
        sh::run(&mut self.command("cargo test --locked --package xtask"))
    }

    /// What doctor says. What only the tests need is always missing here.
    fn doctor(&self) -> Result<String> {
        let doctor = sh::complete(sh::LONG, &mut self.command("cargo xtask doctor")).context("cannot run chroot")?;
        let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
        output::stdout!("{said}")?;
        ensure!(
            doctor.status.code() == Some(2),
            "doctor must end with 2 where something is missing: {}",
            doctor.status
        );
        Ok(said)
    }

    /// A shell line in the root, with the environment of a new user.
    fn command(&self, line: &str) -> Command {
        let mut command = Command::new("chroot");
        command
            .arg(&self.root)
            .args(["/bin/sh", "-c"])
            .arg(format!("cd /root/einsicht && {line}"))
            .env_clear()
            .env("HOME", "/root")
            .env(
                "PATH",
                "/root/.cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .env("LANG", "C.UTF-8");
        command
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.root.join(inside.trim_start_matches('/'))
    }

    fn remove(&self) {
        for mounted in ["/dev", "/proc"] {
            Command::new("umount")
                .arg("--quiet")
                .arg(self.path(mounted))
                .status()
                .ok();
        }
        // Never through a mount that is still there.
        Command::new("rm")
            .args(["-rf", "--one-file-system"])
            .arg(&self.root)
            .status()
            .ok();
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.remove();
    }
}
