//! The facts about a running demonstration: on standard output for people, in `demo.json` for scripts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Serialize;

/// The content of `demo.json`.
#[derive(Serialize)]
pub(crate) struct Facts {
    /// Base URL of the ledger.
    pub(crate) ledger: String,
    /// Base URL of the broker.
    pub(crate) broker: String,
    /// Base URL of identity.
    pub(crate) identity: String,
    /// Base URL of the portal.
    pub(crate) portal: String,
    /// URL of the online services.
    pub(crate) antrag: String,
    /// Base URL of the issuer of certificates.
    pub(crate) join: String,
    /// Base URL of each connector, by participant.
    pub(crate) connectors: BTreeMap<String, String>,
    /// Base URL of the operator's listener, with the health and the metrics of all of them.
    pub(crate) operations: String,
    /// Base URLs of the witnesses.
    pub(crate) witnesses: Vec<String>,
    /// Path of the trust policy.
    pub(crate) policy: PathBuf,
    /// Hash of the genesis entry, hex.
    pub(crate) genesis: String,
    /// Verifier keys of log and witnesses, by name.
    pub(crate) vkeys: BTreeMap<String, String>,
    /// The test logins.
    pub(crate) logins: Vec<TestLogin>,
}

/// A demonstration citizen with a test login.
#[derive(Serialize)]
pub(crate) struct TestLogin {
    /// Given and family name.
    pub(crate) name: String,
    /// The user name for the test login.
    pub(crate) user: String,
    /// The test identification number.
    pub(crate) idnr: String,
}

impl Facts {
    /// Writes `demo.json` atomically, so that the file is complete or absent.
    pub(crate) fn write(&self, data: &Path) -> Result<()> {
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        service::durable::write_private(&data.join("demo.json"), &json)?;
        Ok(())
    }

    /// Prints how to use the demonstration and how to verify it. Every command can be pasted into a shell.
    pub(crate) fn print(&self, data: &Path) -> Result<()> {
        output::stdout!("\nEinsicht is running. All people, cities and vehicles are invented.\n")?;
        output::stdout!("  portal    {}", self.portal)?;
        output::stdout!("  services  {}", self.antrag)?;
        for login in &self.logins {
            output::stdout!("  login     {} ({})", login.user, login.name)?;
        }
        output::stdout!("  log       {}", self.ledger)?;
        output::stdout!("  health    {}/health", self.operations)?;
        for (name, key) in &self.vkeys {
            output::stdout!("  key       {name}: {key}")?;
        }
        output::stdout!("  genesis   {}", self.genesis)?;
        output::stdout!("\nVerify the log without trusting this program:\n")?;
        for command in self.commands(data) {
            output::stdout!("  {command}")?;
        }
        output::stdout!(
            "\nScripts find the same facts in {}. Press Ctrl-C to stop.",
            data.join("demo.json").display()
        )?;
        Ok(())
    }

    /// Audits the running log, exports it, and audits the export.
    fn commands(&self, data: &Path) -> [String; 3] {
        let (verifier, ledger) = (program("verifier"), program("ledger"));
        let (policy, genesis) = (quoted(&self.policy), &self.genesis);
        let (store, export) = (quoted(&data.join("ledger")), quoted(&data.join("export")));
        [
            format!(
                "{verifier} audit --log {} --policy {policy} --genesis {genesis}",
                self.ledger
            ),
            format!("{ledger} export --data {store} --to {export} --records"),
            format!("{verifier} audit --log {export} --policy {policy} --genesis {genesis} --records"),
        ]
    }
}

/// A program of the workspace as a shell command: with its path if it is beside this program, otherwise by its name.
fn program(name: &str) -> String {
    let beside = std::env::current_exe().ok().map(|this| this.with_file_name(name));
    beside
        .filter(|path| path.exists())
        .map_or_else(|| name.to_owned(), |path| quoted(&path))
}

/// A path as one word of a POSIX shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    if text.bytes().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
