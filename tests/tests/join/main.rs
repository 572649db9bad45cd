//! A city and a register join the running system: from a registrar's invitation to an exchange through the new
//! connector, with the released programs. The city's way is a rough one: the join service is killed after each step,
//! the operator's command is killed too, and what is not right is refused. [`killed`] kills the service within each
//! step.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod killed;
mod stage;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use service::durable::write_private;
use stage::{INVITATION, Stage, exchange, printed, serve, value};
use tests::{Process, program, wait_for};

const BASE: &str = "127.0.0.1:26600";
/// Where the new connector listens.
const CONNECTOR: &str = "127.0.0.1:26680";
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

/// Whether a file holds a secret.
fn holds(path: &Path, secret: &str) -> Result<bool> {
    let bytes = std::fs::read(path)?;
    let seed = hex::decode(secret)?;
    let find = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    Ok(find(secret.as_bytes()) || find(&seed))
}

#[test]
#[allow(clippy::print_stdout, reason = "a test prints what it has measured")]
fn a_city_joins_by_invitation_and_fetches_evidence() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut stage = Stage::start(scratch.path(), BASE, INVITATION)?;
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
    let mut stage = Stage::start(scratch.path(), "127.0.0.1:27000", REGISTER_INVITATION)?;
    stage.processes.start_residents()?;
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
