//! A city and a register join the running system: from a registrar's invitation to an exchange through the new
//! connector, with the released programs. The city's way is a rough one: the join service is killed after each step,
//! the operator's command is killed too, and what is not right is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use service::durable::{private_directory, write_private};
use tests::change::tool;
use tests::processes::{Processes, send};
use tests::{Process, program, secured, wait_for};

const BASE: &str = "127.0.0.1:26600";
/// Where the new connector listens.
const CONNECTOR: &str = "127.0.0.1:26680";
const COMPONENT: &str = "ags:053150000000:parken";
const INVITATION: &str = r#"
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

/// Where the connector of the new register listens.
const REGISTER: &str = "127.0.0.1:27080";
const REGISTER_INVITATION: &str = r#"
[component]
id         = "land:nord:melderegister"
directory  = "DVDV"
identifier = "land:nord:melderegister"
name       = "Spiegelregister Nord"
role       = "provider"
body       = "landesamt-nord"
serves     = [{ register = "melderegister", areas = ["05"] }]

[body]
id              = "landesamt-nord"
name            = "Landesamt Nord"
level           = "state"
ars             = "05"
classes         = []
roles           = ["responsible", "operating"]
contact         = "klaerungsstelle@nord.example"
data_protection = "datenschutz@nord.example"
forms           = { subject = "das ~", at = "beim ~" }
"#;

struct Stage {
    processes: Processes,
    folder: PathBuf,
}

/// What a program has printed, if it ended with this code.
fn printed(output: &Output, code: i32) -> Result<String> {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    let text = String::from_utf8(text)?;
    ensure!(output.status.code() == Some(code), "not {code}: {output:?}");
    Ok(text)
}

/// What follows this word at the beginning of a line.
fn value<'a>(text: &'a str, name: &str) -> Result<&'a str> {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    Ok(line.with_context(|| format!("no {name} in {text}"))?.trim())
}

impl Stage {
    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn key(&self, name: &str) -> PathBuf {
        self.processes.data.join("operator").join(name)
    }

    /// A command of a registrar with this key.
    fn registrar(&self, verb: &str, key: &str) -> Command {
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

    fn invite(&self, key: &str, link: &str) -> Result<Output> {
        let broker = self.processes.info.broker.clone();
        let mut command = self.registrar("invite", key);
        command.args(["--broker", &broker, "--test", "--authorities"]);
        command.arg(self.processes.data.join("join/authority.pem"));
        Ok(command
            .arg(self.file("invitation.toml"))
            .arg(self.file(link))
            .output()?)
    }

    fn countersign(&self, key: &str, enrolment: &str, code: &str) -> Result<Output> {
        let mut command = self.registrar("countersign", key);
        Ok(command.arg(enrolment).arg(self.file(code)).output()?)
    }

    fn confirm(&self, code: &str, words: &str) -> Result<Output> {
        let mut command = Command::new(program("join"));
        Ok(command
            .arg("confirm")
            .arg(self.file(code))
            .args(words.split_whitespace())
            .output()?)
    }

    fn changes(&self, enrolment: &str) -> Result<Output> {
        self.changes_by("authority-1.key", enrolment, "changes.toml")
    }

    fn changes_by(&self, key: &str, enrolment: &str, file: &str) -> Result<Output> {
        let mut command = self.registrar("changes", key);
        Ok(command.arg(enrolment).arg(self.file(file)).output()?)
    }

    fn join(&self, link: &str, folder: &str, wait: u64) -> Command {
        let mut command = Command::new(program("connector"));
        command.args(["join", "--wait", &wait.to_string(), "--folder"]);
        command.arg(self.file(folder)).arg(self.file(link));
        command
    }

    /// Ends the join service without warning, and starts it again.
    fn crash(&mut self) -> Result<()> {
        self.processes.running.remove("join").context("join runs")?.kill()?;
        let url = self.processes.info.join.clone();
        self.processes.up("join", "join", &url)?;
        self.processes.healthy(&url)
    }

    fn is_listed(&self) -> Result<bool> {
        let output = tool(&self.processes, "show").output()?;
        Ok(String::from_utf8(output.stdout)?.contains(COMPONENT))
    }

    /// What the registrars see of an enrolment.
    fn shown(&self, enrolment: &str) -> Result<Value> {
        let text = printed(&self.registrar("list", "authority-2.key").output()?, 0)?;
        let lines: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
        let found = lines?.into_iter().find(|line| line["enrolment"] == enrolment);
        found.with_context(|| text.clone())
    }

    /// Proposes, approves and publishes the file of changes, as for every other change.
    fn publish(&self) -> Result<()> {
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
fn exchange(connector: &str, evidence: &str, purpose: &str) -> Result<()> {
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

/// Whether a file holds a secret.
fn holds(path: &Path, secret: &str) -> Result<bool> {
    let bytes = std::fs::read(path)?;
    let seed = hex::decode(secret)?;
    let find = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    Ok(find(secret.as_bytes()) || find(&seed))
}

/// Starts a connector in the folder that `connector join` has made.
fn serve(stage: &Stage, folder: &str, address: &str) -> Result<Process> {
    let mut serve = Command::new(program("connector"));
    serve
        .arg("serve")
        .arg("--config")
        .arg(stage.file(folder).join("config.json"));
    Process::start(serve.args(["--listen", address]), &stage.file("connector.log"))
}

#[test]
#[allow(clippy::print_stdout, reason = "a test prints what it has measured")]
fn a_city_joins_by_invitation_and_fetches_evidence() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let processes = secured::start(&scratch.path().join("data"), BASE)?;
    let folder = scratch.path().join("people");
    private_directory(&folder)?;
    let mut stage = Stage { processes, folder };
    std::fs::write(stage.file("invitation.toml"), INVITATION)?;
    let began = Instant::now();

    // The operator is no registrar, and an invitation needs two of them.
    let text = printed(&stage.invite("operator.key", "never.link")?, 1)?;
    ensure!(text.contains("not that of an authority"), "{text}");
    let text = printed(&stage.invite("authority-1.key", "first.link")?, 0)?;
    let first = value(&text, "enrolment")?.to_owned();
    stage.crash()?;
    let text = printed(&stage.join("first.link", "early", 0).output()?, 1)?;
    ensure!(text.contains("is invited"), "not before it is countersigned: {text}");
    let text = printed(&stage.countersign("authority-1.key", &first, "never.code")?, 1)?;
    ensure!(text.contains("another one must"), "{text}");

    // An invitation is withdrawn, and its link leads to nothing.
    let mut withdraw = stage.registrar("withdraw", "authority-2.key");
    printed(&withdraw.arg(&first).output()?, 0)?;
    stage.crash()?;
    let text = printed(&stage.join("first.link", "early", 0).output()?, 1)?;
    ensure!(text.contains("withdrawn"), "{text}");

    let text = printed(&stage.invite("authority-1.key", "link")?, 0)?;
    let enrolment = value(&text, "enrolment")?.to_owned();
    let text = printed(&stage.countersign("authority-2.key", &enrolment, "code")?, 0)?;
    ensure!(text.contains("stage      open"), "{text}");
    stage.crash()?;

    // The operator's command is killed once it has applied, and continues with the same keys.
    let log = stage.file("join.log");
    let operator = Process::start(&mut stage.join("link", "connector", 600), &log)?;
    wait_for(Duration::from_secs(30), || {
        Ok(std::fs::read_to_string(&log)?.contains("stage"))
    })?;
    operator.kill()?;
    stage.crash()?;
    let text = printed(&stage.join("link", "connector", 0).output()?, 3)?;
    let words = value(&text, "words")?.to_owned();
    ensure!(
        std::fs::read_to_string(&log)?.contains(&words),
        "the keys are the same: {text}"
    );
    // Someone else with the same link makes other keys, and is refused.
    let text = printed(&stage.join("link", "thief", 0).output()?, 1)?;
    ensure!(text.contains("used before"), "{text}");

    // The body confirms with its own code and the right words only.
    let text = printed(&stage.confirm("code", "")?, 0)?;
    ensure!(
        text.contains("Stadt Neustadt") && text.contains("stage      applied"),
        "{text}"
    );
    let text = printed(&stage.confirm("link", &words)?, 2)?;
    ensure!(text.contains("operator's link"), "{text}");
    let wrong = "legal winner thank year wave sausage worth useful legal winner thank yellow";
    let text = printed(&stage.confirm("code", wrong)?, 1)?;
    ensure!(text.contains("attempts left: 2"), "{text}");
    let text = printed(&stage.changes(&enrolment)?, 1)?;
    ensure!(text.contains("is applied"), "no change set without the body: {text}");
    let code = std::fs::read_to_string(stage.file("code"))?;
    let forged = code.trim_end().rsplit_once('.').context("a code")?.0.to_owned() + "." + &"11".repeat(32);
    write_private(&stage.file("forged"), forged.as_bytes())?;
    let text = printed(&stage.confirm("forged", &words)?, 1)?;
    ensure!(text.contains("code does not belong"), "{text}");
    printed(&stage.confirm("code", &words.to_uppercase())?, 0)?;
    stage.crash()?;
    ensure!(stage.shown(&enrolment)?["stage"] == "confirmed");

    printed(&stage.changes(&enrolment)?, 0)?;
    ensure!(!stage.is_listed()?, "not active without an entry");
    let operator = Process::start(&mut stage.join("link", "connector", 600), &log)?;
    stage.publish()?;
    ensure!(stage.is_listed()?);
    wait_for(Duration::from_secs(60), || {
        Ok(std::fs::read_to_string(&log)?.contains("in version 2"))
    })?;
    drop(operator);
    stage.crash()?;
    ensure!(stage.shown(&enrolment)?["stage"] == "listed");

    // The connector runs as it was configured, gets its certificate, and fetches evidence.
    let config = stage.file("connector/config.json");
    let doctor = Command::new(program("connector"))
        .arg("doctor")
        .arg("--config")
        .arg(&config)
        .output()?;
    let text = printed(&doctor, 0)?;
    ensure!(text.contains("ok   directory"), "{text}");
    let connector = serve(&stage, "connector", CONNECTOR)?;
    exchange(&format!("http://{CONNECTOR}"), "fahrzeug-parken", "bewohnerparken")?;
    println!("joined, with refusals and eight restarts: {:?}", began.elapsed());
    ensure!(
        stage.file("connector/tls.pem").is_file(),
        "the broker was called with a certificate"
    );
    connector.stop()?;

    // Neither secret is anywhere in the service.
    let secrets = ["link", "code"].map(|name| std::fs::read_to_string(stage.file(name)).unwrap());
    for secret in secrets.map(|text| text.trim_end().rsplit_once('.').unwrap().1.to_owned()) {
        ensure!(!holds(&stage.processes.data.join("join.log"), &secret)?);
        ensure!(!holds(&stage.processes.data.join("join/enrolments.redb"), &secret)?);
    }
    stage.processes.every_intent_is_closed()
}

#[test]
fn a_register_joins_by_invitation_and_provides_evidence() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = secured::start(&scratch.path().join("data"), "127.0.0.1:27000")?;
    processes.start_residents()?;
    let folder = scratch.path().join("people");
    private_directory(&folder)?;
    let stage = Stage { processes, folder };
    std::fs::write(stage.file("invitation.toml"), REGISTER_INVITATION)?;
    let text = printed(&stage.invite("authority-2.key", "link")?, 0)?;
    let enrolment = value(&text, "enrolment")?.to_owned();
    printed(&stage.countersign("authority-1.key", &enrolment, "code")?, 0)?;

    // A provider says where it is reached, and which register it has.
    let text = printed(&stage.join("link", "connector", 0).output()?, 2)?;
    ensure!(text.contains("--endpoint"), "{text}");
    let data = &stage.processes.data;
    let config: Value = serde_json::from_slice(&std::fs::read(data.join("connector-meldewesen/config.json"))?)?;
    let register = config["role"]["provider"]["register"]
        .as_str()
        .context("the register")?;
    let join = |wait| {
        let mut join = stage.join("link", "connector", wait);
        join.args(["--endpoint", &format!("https://{REGISTER}"), "--register", register]);
        join.arg("--register-credential");
        join.arg(data.join("connector-meldewesen/register.credential")).output()
    };
    let text = printed(&join(0)?, 3)?;
    printed(&stage.confirm("code", value(&text, "words")?)?, 0)?;
    printed(&stage.changes(&enrolment)?, 0)?;
    printed(&stage.changes_by("authority-2.key", &enrolment, "same.toml")?, 0)?;
    let files = ["changes.toml", "same.toml"].map(|name| std::fs::read(stage.file(name)).unwrap());
    ensure!(files[0] == files[1], "who approves can compare the files");
    stage.publish()?;
    let text = printed(&join(60)?, 0)?;
    ensure!(text.contains("listed     in version 2"), "{text}");

    let connector = serve(&stage, "connector", REGISTER)?;
    exchange(
        &stage.processes.info.connectors["seewalde"],
        "melde-anschrift",
        "wohngeld",
    )?;
    let log = std::fs::read_to_string(stage.file("connector.log"))?;
    ensure!(
        log.contains("outcome=Delivered"),
        "the new connector has answered: {log}"
    );
    connector.stop()?;
    stage.processes.every_intent_is_closed()
}
