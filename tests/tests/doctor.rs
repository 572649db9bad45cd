//! `connector doctor` beside real processes: what it says of a sound connector, and of one that lacks something.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use anyhow::{Context, Result, ensure};
use tests::processes::Processes;
use tests::run;

struct Doctor<'a>(&'a Processes);

impl Doctor<'_> {
    /// Exit code and output for a connector, with further arguments.
    fn examine(&self, connector: &str, arguments: &[&str]) -> Result<(i32, String)> {
        let config = self.0.data.join(format!("connector-{connector}/config.json"));
        let mut all = vec!["doctor", "--config", config.to_str().context("a path in UTF-8")?];
        all.extend(arguments);
        let output = run("connector", &all)?;
        let code = output.status.code().context("the doctor was killed")?;
        Ok((code, String::from_utf8(output.stdout)?))
    }

    fn sound(&self, connector: &str, arguments: &[&str], words: &[&str]) -> Result<()> {
        let (code, text) = self.examine(connector, arguments)?;
        ensure!(code == 0 && !text.contains("FAIL"), "{connector}: {code} {text}");
        for word in words {
            ensure!(text.contains(word), "{connector}: no {word} in {text}");
        }
        Ok(())
    }

    /// Exactly these checks fail.
    fn fails(&self, connector: &str, arguments: &[&str], checks: &[&str]) -> Result<()> {
        let (code, text) = self.examine(connector, arguments)?;
        let failed = text.lines().filter_map(|line| line.strip_prefix("FAIL "));
        let failed: Vec<&str> = failed.filter_map(|line| line.split_whitespace().next()).collect();
        ensure!(code == 1 && failed == checks, "{connector}: {code} {text}");
        Ok(())
    }
}

#[test]
fn the_doctor_names_what_a_connector_lacks() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::start(&scratch.path().join("demo"), "127.0.0.1:24900")?;
    processes.all_healthy()?;
    processes.ask_until_delivered()?;
    let parking = [
        "--provider",
        "bund:kba:zfzr",
        "--evidence-type",
        "fahrzeug-parken",
        "--purpose",
    ];
    let with = |purpose: &'static str| [&parking[..], &[purpose, "--idnr"]].concat();
    let doctor = Doctor(&processes);
    let all = [
        "configuration",
        "keys",
        "trust root",
        "log",
        "quorum",
        "clock",
        "directory",
    ];
    doctor.sound("kba", &[], &[&all[..], &["register"]].concat())?;
    doctor.sound(
        "rheinfurt",
        &with("bewohnerparken"),
        &[&all[..], &["broker", "with a preview"]].concat(),
    )?;
    doctor.fails("rheinfurt", &with("steuer"), &["permission"])?;
    // Seewalde's connector does not run, and the doctor finds nothing wrong with it.
    doctor.sound("seewalde", &[], &["directory"])?;
    processes.configure("connector-kba", |config| {
        config["signing_key"] = "sealing.key".into();
    })?;
    Doctor(&processes).fails("kba", &[], &["directory"])?;
    processes.configure("connector-seewalde", |config| {
        config["genesis"] = "0".repeat(64).into();
        config["role"]["consumer"]["broker"] = "https://127.0.0.1:1".into();
    })?;
    Doctor(&processes).fails("seewalde", &[], &["log", "broker"])?;
    processes.running.remove("ledger").context("the ledger runs")?.kill()?;
    Doctor(&processes).fails("rheinfurt", &[], &["log"])
}
