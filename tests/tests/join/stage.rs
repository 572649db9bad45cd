//! The people and commands of an enrolment, around the running processes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use service::durable::private_directory;
use tests::change::tool;
use tests::processes::{Processes, send};
use tests::{Process, program, secured, wait_for};

pub(crate) const COMPONENT: &str = "ags:053150000000:parken";
pub(crate) const INVITATION: &str = r#"
[component]
id         = "ags:053150000000:parken"
directory  = "DVDV"
identifier = "ags:053150000000:parken"
name       = "Onlinedienst Bewohnerparken Neustadt"
role       = "consumer"
body       = "stadt-neustadt"

[body]
id              = "stadt-neustadt"
name            = "Stadt Neustadt"
level           = "municipal"
ars             = "053150000000"
classes         = ["parkbehoerde"]
roles           = ["responsible", "operating"]
contact         = "klaerungsstelle@neustadt.example"
data_protection = "datenschutz@neustadt.example"
forms           = { subject = "die ~", at = "bei der ~" }
"#;

pub(crate) struct Stage {
    pub(crate) processes: Processes,
    pub(crate) folder: PathBuf,
}

/// What a program has printed, if it ended with this code.
pub(crate) fn printed(output: &Output, code: i32) -> Result<String> {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    let text = String::from_utf8(text)?;
    ensure!(output.status.code() == Some(code), "not {code}: {output:?}");
    Ok(text)
}

/// What follows this word at the beginning of a line.
pub(crate) fn value<'a>(text: &'a str, name: &str) -> Result<&'a str> {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    Ok(line.with_context(|| format!("no {name} in {text}"))?.trim())
}

impl Stage {
    /// Starts the processes, and writes the invitation file.
    pub(crate) fn start(scratch: &Path, base: &str, invitation: &str) -> Result<Self> {
        let processes = secured::start(&scratch.join("data"), base)?;
        let folder = scratch.join("people");
        private_directory(&folder)?;
        let stage = Self { processes, folder };
        std::fs::write(stage.file("invitation.toml"), invitation)?;
        Ok(stage)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn key(&self, name: &str) -> PathBuf {
        self.processes.data.join("operator").join(name)
    }

    /// A command of a registrar with this key.
    pub(crate) fn registrar(&self, verb: &str, key: &str) -> Command {
        let info = &self.processes.info;
        let mut command = Command::new(program("join"));
        command.args([
            verb,
            "--service",
            &info.join,
            "--ledger",
            &info.ledger,
            "--genesis",
            &info.genesis,
        ]);
        command
            .arg("--policy")
            .arg(&info.policy)
            .arg("--key")
            .arg(self.key(key));
        command
    }

    pub(crate) fn invite(&self, key: &str, link: &str) -> Result<Output> {
        let broker = self.processes.info.broker.clone();
        let mut command = self.registrar("invite", key);
        command.args(["--broker", &broker, "--test", "--authorities"]);
        command.arg(self.processes.data.join("join/authority.pem"));
        Ok(command
            .arg(self.file("invitation.toml"))
            .arg(self.file(link))
            .output()?)
    }

    pub(crate) fn countersign(&self, key: &str, enrolment: &str, code: &str) -> Result<Output> {
        let mut command = self.registrar("countersign", key);
        Ok(command.arg(enrolment).arg(self.file(code)).output()?)
    }

    pub(crate) fn confirm(&self, code: &str, words: &str) -> Result<Output> {
        let mut command = Command::new(program("join"));
        Ok(command
            .arg("confirm")
            .arg(self.file(code))
            .args(words.split_whitespace())
            .output()?)
    }

    pub(crate) fn changes(&self, enrolment: &str) -> Result<Output> {
        self.changes_by("authority-1.key", enrolment, "changes.toml")
    }

    pub(crate) fn changes_by(&self, key: &str, enrolment: &str, file: &str) -> Result<Output> {
        let mut command = self.registrar("changes", key);
        Ok(command.arg(enrolment).arg(self.file(file)).output()?)
    }

    pub(crate) fn join(&self, link: &str, folder: &str, wait: u64) -> Command {
        let mut command = Command::new(program("connector"));
        command.args(["join", "--wait", &wait.to_string(), "--folder"]);
        command.arg(self.file(folder)).arg(self.file(link));
        command
    }

    /// Ends the join service without warning, and starts it again.
    pub(crate) fn crash(&mut self) -> Result<()> {
        self.processes.running.remove("join").context("join runs")?.kill()?;
        self.begin()
    }

    fn begin(&mut self) -> Result<()> {
        let url = self.processes.info.join.clone();
        self.processes.up("join", "join", &url)?;
        self.processes.healthy(&url)
    }

    /// Does what makes the join service come to a fail point, where it dies. Starts it again, and returns what was
    /// done.
    pub(crate) fn killed_at<T>(&mut self, point: &str, act: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        let points = format!("{point}=return(kill)");
        self.processes.failpoints.insert("join".into(), points);
        self.crash()?;
        self.processes.failpoints.clear();
        let done = act(self)?;
        let mut service = self.processes.running.remove("join").context("join runs")?;
        wait_for(Duration::from_secs(60), || service.ended()).with_context(|| point.to_owned())?;
        self.begin()?;
        Ok(done)
    }

    pub(crate) fn is_listed(&self) -> Result<bool> {
        let output = tool(&self.processes, "show").output()?;
        Ok(String::from_utf8(output.stdout)?.contains(COMPONENT))
    }

    /// What the registrars see of an enrolment.
    pub(crate) fn shown(&self, enrolment: &str) -> Result<Value> {
        let found = self.all()?.into_iter().find(|line| line["enrolment"] == enrolment);
        found.with_context(|| enrolment.to_owned())
    }

    /// All enrolments, as the registrars see them.
    pub(crate) fn all(&self) -> Result<Vec<Value>> {
        let text = printed(&self.registrar("list", "authority-2.key").output()?, 0)?;
        let lines: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
        Ok(lines?)
    }

    /// Proposes, approves and publishes the file of changes, as for every other change.
    pub(crate) fn publish(&self) -> Result<()> {
        let proposal = self.file("proposal.json");
        let mut propose = tool(&self.processes, "propose");
        propose.args(["--reason", "Beitritt der Stadt Neustadt", "--by"]);
        propose
            .arg(self.key("operator.key"))
            .arg(self.file("changes.toml"))
            .arg(&proposal);
        printed(&propose.output()?, 0)?;
        let publish = || -> Result<Output> {
            let mut publish = tool(&self.processes, "publish");
            let publish = publish.arg("--operator-key").arg(self.key("operator.key"));
            Ok(publish.arg(&proposal).output()?)
        };
        printed(&publish()?, 1).context("no entry without approval")?;
        for authority in ["authority-1.key", "authority-2.key"] {
            let mut approve = tool(&self.processes, "approve");
            printed(
                &approve.arg("--key").arg(self.key(authority)).arg(&proposal).output()?,
                0,
            )?;
        }
        printed(&publish()?, 0)?;
        Ok(())
    }
}

/// Asks a consumer's connector until the evidence is delivered.
pub(crate) fn exchange(connector: &str, evidence: &str, purpose: &str) -> Result<()> {
    let mut question: Value = serde_json::from_str(&tests::evidence_request())?;
    question["place"] = "053150000000".into();
    question["evidence_type"] = evidence.into();
    question["purpose"] = purpose.into();
    let (url, mut last) = (format!("{connector}/evidence"), None);
    wait_for(Duration::from_secs(60), || {
        let Ok(answer) = send(&url, question.to_string()) else {
            return Ok(false);
        };
        Ok(last.insert(answer).1["outcome"] == "delivered")
    })
    .with_context(|| format!("{last:?}"))
}

/// Starts a connector in the folder that `connector join` has made.
pub(crate) fn serve(stage: &Stage, folder: &str, address: &str) -> Result<Process> {
    let mut serve = Command::new(program("connector"));
    serve
        .arg("serve")
        .arg("--config")
        .arg(stage.file(folder).join("config.json"));
    Process::start(serve.args(["--listen", address]), &stage.file("connector.log"))
}
