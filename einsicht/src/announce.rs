//! What the demonstration says of itself: on standard output for people, in `demo.json` for scripts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Serialize;

/// `demo.json`.
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
    /// Base URL of each connector, by participant.
    pub(crate) connectors: BTreeMap<String, String>,
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

/// A demonstration citizen who can log in.
#[derive(Serialize)]
pub(crate) struct TestLogin {
    /// Given and family name.
    pub(crate) name: String,
    /// The name to log in by.
    pub(crate) user: String,
    /// The test identification number.
    pub(crate) idnr: String,
}

impl Facts {
    /// Writes `demo.json`: complete, or not there.
    pub(crate) fn write(&self, data: &Path) -> Result<()> {
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        service::durable::write_atomic(&data.join("demo.json"), &json)?;
        Ok(())
    }

    /// Prints what a new user wants to know next.
    pub(crate) fn print(&self, data: &Path) {
        let policy = self.policy.display();
        println!("\nEinsicht is up. All people, cities and vehicles are invented.\n");
        println!("  portal    {}", self.portal);
        for login in &self.logins {
            println!("  login     {} ({})", login.user, login.name);
        }
        println!("  log       {}", self.ledger);
        for (name, key) in &self.vkeys {
            println!("  key       {name}: {key}");
        }
        println!("  genesis   {}", self.genesis);
        println!("\nCheck it without trusting it:\n");
        println!(
            "  verifier audit --log {} --policy {policy} --genesis {}",
            self.ledger, self.genesis
        );
        println!(
            "  ledger export --data {} --to EXPORT --records",
            data.join("ledger").display()
        );
        println!("  verifier audit --log EXPORT --policy {policy} --records\n");
        println!(
            "The same facts for scripts: {}. End with Ctrl-C.",
            data.join("demo.json").display()
        );
    }
}
