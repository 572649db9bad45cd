//! The join service is killed within each step: before it writes, and between writing and answering. No step is half
//! done, the same command continues, and the directory lists no component before the authorities have approved it.

use std::process::{Command, Output};

use anyhow::{Context as _, Result, ensure};
use tests::program;

use super::stage::{INVITATION, Stage, exchange, printed, serve, value};

const CONNECTOR: &str = "127.0.0.1:29380";
const CHECKED: &str = "join-checked";
const KEPT: &str = "join-kept";
const ISSUED: &str = "join-issued";

/// Takes a step of an enrolment three times: the service dies before it has written the step, then after it, and then
/// lives. Returns what the third command has printed; it ends with `code`.
fn step(
    stage: &mut Stage,
    enrolment: &str,
    (before, after): (&str, &str),
    code: i32,
    command: impl Fn(&Stage) -> Result<Output>,
) -> Result<String> {
    for (point, expected) in [(CHECKED, before), (KEPT, after)] {
        let output = stage.killed_at(point, &command)?;
        ensure!(
            !output.status.success(),
            "{point}: an answer that was not sent: {output:?}"
        );
        let shown = stage.shown(enrolment)?;
        ensure!(shown["stage"] == expected, "{point}: {expected} is expected: {shown}");
        ensure!(!stage.is_listed()?, "{point}: active without an entry");
    }
    let printed = printed(&command(stage)?, code)?;
    ensure!(stage.shown(enrolment)?["stage"] == after, "{printed}");
    Ok(printed)
}

fn rotate(stage: &Stage) -> Result<Output> {
    let mut rotate = Command::new(program("connector"));
    rotate.arg("rotate").arg("--config");
    Ok(rotate.arg(stage.file("connector/config.json")).output()?)
}

/// The file of changes for the rotations that wait.
fn rotations(stage: &Stage) -> Result<String> {
    let mut command = stage.registrar("rotations", "authority-1.key");
    printed(&command.arg(stage.file("rotations.toml")).output()?, 0)
}

#[test]
fn a_step_in_which_the_service_dies_is_taken_or_not_and_continues() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut stage = Stage::start(scratch.path(), "127.0.0.1:29300", INVITATION)?;

    let output = stage.killed_at(CHECKED, |stage| stage.invite("authority-1.key", "lost.link"))?;
    ensure!(!output.status.success(), "{output:?}");
    ensure!(stage.all()?.is_empty(), "nothing is written");
    let output = stage.killed_at(KEPT, |stage| stage.invite("authority-1.key", "link"))?;
    ensure!(!output.status.success(), "{output:?}");
    let all = stage.all()?;
    let [invited] = all.as_slice() else {
        anyhow::bail!("one enrolment: {all:?}")
    };
    let enrolment = invited["enrolment"].as_str().context("its name")?.to_owned();

    step(&mut stage, &enrolment, ("invited", "open"), 0, |stage| {
        stage.countersign("authority-2.key", &enrolment, "code")
    })?;
    let text = step(&mut stage, &enrolment, ("open", "applied"), 3, |stage| {
        Ok(stage.join("link", "connector", 0).output()?)
    })?;
    let words = value(&text, "words")?.to_owned();
    step(&mut stage, &enrolment, ("applied", "confirmed"), 0, |stage| {
        stage.confirm("code", &words)
    })?;
    printed(&stage.changes(&enrolment)?, 0)?;
    stage.publish()?;
    ensure!(stage.is_listed()?);
    printed(&stage.join("link", "connector", 60).output()?, 0)?;

    // The connector's first certificate is lost on its way, and it asks for another one.
    let connector = stage.killed_at(ISSUED, |stage| serve(stage, "connector", CONNECTOR))?;
    exchange(&format!("http://{CONNECTOR}"), "fahrzeug-parken", "bewohnerparken")?;

    // A rotation is asked for once, however often the command is interrupted.
    let output = stage.killed_at(CHECKED, rotate)?;
    ensure!(!output.status.success(), "{output:?}");
    ensure!(rotations(&stage)?.contains("no component"), "nothing is written");
    let output = stage.killed_at(KEPT, rotate)?;
    ensure!(!output.status.success(), "{output:?}");
    let asked = printed(&rotate(&stage)?, 0)?;
    let signing = value(&asked, "signing")?;
    rotations(&stage)?;
    let changes = std::fs::read_to_string(stage.file("rotations.toml"))?;
    ensure!(
        changes.contains(signing) && changes.matches("[[rotate-key]]").count() == 1,
        "{changes}"
    );
    connector.stop()?;
    stage.processes.every_intent_is_closed()
}
