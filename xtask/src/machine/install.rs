//! Installing packages on Debian, or saying which ones are missing.
//!
//! Debian's package of PostgreSQL creates a cluster and starts a server by default. The tests run servers of their own,
//! so [`NO_CLUSTER`] keeps the package from doing so, unless this machine has a setting already.

use std::fmt;
use std::process::Command;

use anyhow::Result;

use crate::sh;

/// Keeps the package `postgresql` from creating a cluster.
const NO_CLUSTER: &str = "test -e /etc/postgresql-common/createcluster.conf || \
    { mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf; }";

/// Something is missing that this user may not install, or that is installed otherwise on this distribution.
#[derive(Debug)]
pub(crate) struct Missing {
    /// In general terms.
    what: Vec<&'static str>,
    /// The line that installs it, where there is apt.
    apt: Option<String>,
}

impl Missing {
    pub(super) fn new(packages: &[&str], what: &[&'static str]) -> Missing {
        Missing {
            what: what.to_vec(),
            apt: sh::found("apt-get").then(|| apt_line(packages)),
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.apt {
            Some(line) => write!(
                f,
                "this machine lacks packages and this user may not install them. Run:\n\n    {line}\n"
            ),
            None => {
                writeln!(f, "this machine lacks, and has no apt-get to install:\n")?;
                self.what.iter().try_for_each(|what| writeln!(f, "    {what}"))?;
                f.write_str("\nInstall them with your distribution's packages and run the command again.")
            }
        }
    }
}

impl std::error::Error for Missing {}

fn apt_line(packages: &[&str]) -> String {
    let packages = packages.join(" ");
    format!("sudo apt-get update && sudo apt-get install -y --no-install-recommends {packages}")
}

/// Installs packages with apt.
///
/// # Errors
/// [`Missing`] without apt or the right to use it.
pub(super) fn packages(packages: &[&str], what: &[&'static str]) -> Result<()> {
    let Some(prefix) = privilege() else {
        return Err(Missing::new(packages, what).into());
    };
    if packages.contains(&"postgresql") {
        sh::run_within(sh::SHORT, &mut privileged(prefix, &["sh", "-c", NO_CLUSTER]))?;
    }
    sh::run_within(sh::LONG, &mut apt(prefix, &["update", "-qq"]))?;
    let words: Vec<&str> = ["install", "-y", "-qq", "--no-install-recommends"]
        .into_iter()
        .chain(packages.iter().copied())
        .collect();
    sh::run_within(sh::LONG, &mut apt(prefix, &words))
}

fn apt(prefix: &[&str], words: &[&str]) -> Command {
    let mut command = privileged(prefix, &[&["apt-get"], words].concat());
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn privileged(prefix: &[&str], words: &[&str]) -> Command {
    let mut line = prefix.iter().chain(words);
    let mut command = Command::new(line.next().unwrap_or(&"true"));
    command.args(line);
    command
}

/// How to become root: this user is root already, or sudo asks for no password.
fn privilege() -> Option<&'static [&'static str]> {
    let root = sh::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !sh::found("apt-get") {
        None
    } else if root {
        Some(&[])
    } else if sh::output(Command::new("sudo").args(["-n", "true"])).is_ok() {
        Some(&["sudo"])
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_apt_the_missing_things_are_named_in_general_terms() {
        let missing = Missing {
            what: vec!["a C++20 compiler", "libclang 9 or newer"],
            apt: None,
        };
        let text = missing.to_string();
        assert!(
            text.contains("    a C++20 compiler\n    libclang 9 or newer\n"),
            "{text}"
        );
        assert!(!text.contains("apt-get install"), "{text}");
    }

    #[test]
    fn with_apt_the_line_to_run_is_printed() {
        let missing = Missing {
            what: vec!["a C compiler"],
            apt: Some(apt_line(&["gcc", "libc6-dev"])),
        };
        assert!(
            missing
                .to_string()
                .ends_with("apt-get install -y --no-install-recommends gcc libc6-dev\n")
        );
    }
}
