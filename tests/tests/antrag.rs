//! The online services as a process of their own, between a browser and the authority's connector: a double click, a
//! reload or a lost answer makes no second exchange.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tests::citizen::Citizen;
use tests::intermediary::{Instead, Intermediary};
use tests::processes::Processes;
use tests::{http, wait_for};

const LIMIT: Duration = Duration::from_secs(60);
/// How often the services send a request whose answer is lost before the person has to.
const SENT: usize = 4;

/// A person who is logged in at the services.
struct Applicant<'a> {
    processes: &'a Processes,
    cookie: String,
}

impl<'a> Applicant<'a> {
    fn log_in(processes: &'a Processes, user: &str) -> Result<Self> {
        let begin = format!("{}/anmelden?dienst=bewohnerparken", processes.info.antrag);
        let cookie = Citizen::log_in_at(&begin, user)?;
        Ok(Self { processes, cookie })
    }

    fn page(&self) -> Result<String> {
        let url = format!("{}/bewohnerparken", self.processes.info.antrag);
        Ok(http()?.get(url).header("cookie", &self.cookie).send()?.text()?)
    }

    fn form(&self) -> Result<String> {
        let page = self.page()?;
        let (_, rest) = page.split_once("name=\"form\" value=\"").context("a form")?;
        Ok(rest.split('"').next().unwrap_or_default().to_owned())
    }

    /// Sends a form of the page for the vehicle.
    fn click(&self, act: &str, form: &str) -> Result<()> {
        let url = format!("{}/bewohnerparken/1/{act}", self.processes.info.antrag);
        let request = http()?.post(url).header("cookie", &self.cookie);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(format!("form={form}")).send()?;
        ensure!(answer.status() == 303, "{act}: {}", answer.status());
        Ok(())
    }

    /// Reloads the page until the vehicle is in this stage.
    fn reach(&self, stage: &str) -> Result<()> {
        let wanted = format!("id=\"unterlage-1\" data-stage=\"{stage}\"");
        let mut last = String::new();
        wait_for(LIMIT, || {
            last = self.page()?;
            Ok(last.contains(&wanted))
        })
        .with_context(|| format!("not {stage}: {last}"))
    }
}

/// Intents and outcomes of the log, and how often the register was asked.
fn counts(processes: &Processes) -> Result<[usize; 3]> {
    processes.every_intent_is_closed()?;
    let (_, report) = processes.audit()?;
    let count = |kind: &str| usize::try_from(report["kinds"][kind].as_u64().unwrap_or_default());
    Ok([count("intent")?, count("outcome")?, processes.register_asked()?])
}

#[test]
fn a_double_click_a_reload_or_a_lost_answer_makes_no_second_exchange() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::seed(&scratch.path().join("demo"), "127.0.0.1:27200")?;
    let between = Intermediary::before(&processes.info.connectors["rheinfurt"])?;
    processes.configure("antrag", |config| {
        config["services"][0]["connector"] = between.url.clone().into();
    })?;
    processes.start_all()?;
    processes.all_healthy()?;
    processes.start_portal()?;
    let antrag = processes.info.antrag.clone();
    processes.up("antrag", "antrag", &antrag)?;
    processes.healthy(&antrag)?;
    processes.ask_until_delivered()?;
    let before = counts(&processes)?;

    // Every answer is lost, so that the person has to try again.
    between.instead_of_answers("/evidence", &[Instead::Lost; SENT]);
    let emma = Applicant::log_in(&processes, "emma")?;
    let form = emma.form()?;
    std::thread::scope(|scope| {
        let clicks = [(); 4].map(|()| scope.spawn(|| emma.click("abrufen", &form)));
        clicks
            .into_iter()
            .try_for_each(|click| click.join().expect("a thread of the test"))
    })?;
    emma.reach("failed")?;
    ensure!(emma.page()?.contains("nur einmal abgerufen"));
    emma.click("abrufen", &form)?;
    emma.click("abrufen", &form)?;
    emma.reach("preview")?;

    let passed = between.passed();
    let sent: Vec<_> = passed.iter().filter(|passed| passed.path == "/evidence").collect();
    ensure!(sent.len() == SENT + 1, "{} requests", sent.len());
    ensure!(sent.iter().all(|passed| passed.request == sent[0].request));
    ensure!(sent.iter().all(|passed| passed.answer == sent[0].answer));
    let after = counts(&processes)?;
    ensure!(after == before.map(|count| count + 1), "{before:?} {after:?}");

    // Another person's request is another exchange, also for the same step.
    let deniz = Applicant::log_in(&processes, "deniz")?;
    deniz.click("abrufen", &deniz.form()?)?;
    deniz.reach("preview")?;
    ensure!(counts(&processes)? == before.map(|count| count + 2));
    Ok(())
}
