//! The online services as a process of their own, between a browser and the authority's connector: a double click, a
//! reload or a lost answer makes no second exchange, and an answer that comes later is found at another login.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tests::citizen::Citizen;
use tests::intermediary::{Instead, Intermediary};
use tests::processes::Processes;
use tests::{http, wait_for};

const LIMIT: Duration = Duration::from_secs(120);
/// How often the services send a request whose answer is lost before the person has to.
const SENT: usize = 4;

const VEHICLE: (&str, usize) = ("bewohnerparken", 1);
const ADDRESS: (&str, usize) = ("gewerbeanmeldung", 0);

/// A person who is logged in at the services.
struct Applicant<'a> {
    processes: &'a Processes,
    cookie: String,
    /// The service, and the number of the evidence.
    need: (&'static str, usize),
}

impl<'a> Applicant<'a> {
    fn log_in(processes: &'a Processes, need: (&'static str, usize), user: &str) -> Result<Self> {
        let begin = format!("{}/anmelden?dienst={}", processes.info.antrag, need.0);
        let cookie = Citizen::log_in_at(&begin, user)?;
        Ok(Self {
            processes,
            cookie,
            need,
        })
    }

    fn page(&self) -> Result<String> {
        let url = format!("{}/{}", self.processes.info.antrag, self.need.0);
        Ok(http()?.get(url).header("cookie", &self.cookie).send()?.text()?)
    }

    fn form(&self) -> Result<String> {
        let page = self.page()?;
        let (_, rest) = page.split_once("name=\"form\" value=\"").context("a form")?;
        Ok(rest.split('"').next().unwrap_or_default().to_owned())
    }

    /// Sends a form of the page for the evidence.
    fn click(&self, act: &str, form: &str) -> Result<()> {
        let (service, need) = self.need;
        let url = format!("{}/{service}/{need}/{act}", self.processes.info.antrag);
        let request = http()?.post(url).header("cookie", &self.cookie);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(format!("form={form}")).send()?;
        ensure!(answer.status() == 303, "{act}: {}", answer.status());
        Ok(())
    }

    /// Reloads the page until the evidence is in this stage.
    fn reach(&self, stage: &str) -> Result<()> {
        let wanted = format!("id=\"unterlage-{}\" data-stage=\"{stage}\"", self.need.1);
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

fn start_services(processes: &mut Processes) -> Result<()> {
    processes.start_portal()?;
    let antrag = processes.info.antrag.clone();
    processes.up("antrag", "antrag", &antrag)?;
    processes.healthy(&antrag)
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
    start_services(&mut processes)?;
    processes.ask_until_delivered()?;
    let before = counts(&processes)?;

    // Every answer is lost, so that the person has to try again.
    between.instead_of_answers("/evidence", &[Instead::Lost; SENT]);
    let emma = Applicant::log_in(&processes, VEHICLE, "emma")?;
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
    let deniz = Applicant::log_in(&processes, VEHICLE, "deniz")?;
    deniz.click("abrufen", &deniz.form()?)?;
    deniz.reach("preview")?;
    ensure!(counts(&processes)? == before.map(|count| count + 2));
    Ok(())
}

#[test]
fn an_answer_that_comes_later_is_collected_at_another_login_although_it_was_lost_on_its_way() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::seed(&scratch.path().join("demo"), "127.0.0.1:27400")?;
    let between = Intermediary::before(&processes.info.connectors["seewalde"])?;
    processes.configure("antrag", |config| {
        config["services"][1]["connector"] = between.url.clone().into();
        config["services"][1]["needs"][0]["asynchronous"] = true.into();
    })?;
    processes.configure("register-meldewesen", |config| {
        config["preparation_seconds"]["melde-anschrift"] = 5.into();
    })?;
    processes.start_all()?;
    processes.all_healthy()?;
    processes.start_residents()?;
    start_services(&mut processes)?;
    processes.ask_until_delivered()?;
    let before = counts(&processes)?;
    let lookups = || -> Result<usize> {
        let log = processes.data.join("register-meldewesen/access.log");
        Ok(std::fs::read_to_string(log)?.lines().count())
    };
    let looked_up = lookups()?;

    let janusz = Applicant::log_in(&processes, ADDRESS, "janusz")?;
    janusz.click("abrufen", &janusz.form()?)?;
    janusz.reach("pending")?;
    // The session ends. From now on each attempt to collect the answer loses it.
    between.instead_of_answers("/evidence", &[Instead::Lost; SENT]);
    let collections = || {
        between
            .passed()
            .iter()
            .filter(|passed| passed.path == "/evidence")
            .count()
            - 1
    };
    let (service, form) = (format!("{}/abmelden", processes.info.antrag), janusz.form()?);
    let out = http()?.post(service).header("cookie", &janusz.cookie);
    let out = out
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("form={form}"));
    ensure!(out.send()?.status() == 303 && !janusz.page()?.contains("unterlage-0"));

    let again = Applicant::log_in(&processes, ADDRESS, "janusz")?;
    again.reach("pending")?;
    wait_for(LIMIT, || {
        again.page()?;
        Ok(collections() >= SENT)
    })?;
    again.reach("received")?;
    let after = counts(&processes)?;
    ensure!(after[..2] == [before[0] + 1, before[1] + 1], "{before:?} {after:?}");
    ensure!(lookups()? == looked_up + 1);
    Ok(())
}
