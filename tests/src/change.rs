//! A change of the directory, made with the authorities' tool.

use std::process::Command;

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::processes::Processes;
use crate::program;

/// The authorities' tool with this verb.
#[must_use]
pub fn tool(processes: &Processes, verb: &str) -> Command {
    let info = &processes.info;
    let mut command = Command::new(program("directory"));
    command.args([verb, "--ledger", &info.ledger, "--genesis", &info.genesis, "--policy"]);
    command.arg(&info.policy);
    command
}

/// Publishes changes of the directory that both authorities have approved.
///
/// # Errors
/// A command fails.
pub fn publish(processes: &Processes, changes: &Value) -> Result<()> {
    let (file, proposal) = (
        processes.data.join("changes.toml"),
        processes.data.join("proposal.json"),
    );
    std::fs::write(&file, toml::to_string(changes)?)?;
    let key = |name: &str| processes.data.join("operator").join(name);
    let mut propose = tool(processes, "propose");
    propose
        .args(["--kind", "directory", "--reason", "Versuch", "--by"])
        .arg(key("operator.key"));
    let mut commands = vec![propose];
    commands[0].arg(&file).arg(&proposal);
    for authority in ["authority-1.key", "authority-2.key"] {
        let mut approve = tool(processes, "approve");
        approve.arg("--key").arg(key(authority)).arg(&proposal);
        commands.push(approve);
    }
    let mut publish = tool(processes, "publish");
    publish.arg("--operator-key").arg(key("operator.key")).arg(&proposal);
    commands.push(publish);
    for mut command in commands {
        let output = command.output()?;
        ensure!(
            output.status.success(),
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}
