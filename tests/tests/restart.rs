//! A broker that is killed at any step of an exchange, and answers that get lost: what is recorded is what happened.
//!
//! At each step the answer that the broker waits for is kept back, the broker is killed and started again while the
//! provider may still be at work, and the answer is passed on, too late for the broker that has asked.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fixtures::postgres::{Cluster, DATABASE};
use messages::{Completion, ReplyOutcome};
use record::cbor;
use serde_json::json;
use tests::intermediary::{Instead, Intermediary};
use tests::surrounded::Surrounded;
use tests::wait_for;

/// How long a step may take on a slow machine.
const LIMIT: Duration = Duration::from_secs(120);

/// The intermediary that keeps an answer back, and the path of the request.
type Step = (&'static str, fn(&Stage) -> &Intermediary, &'static str);

const AT_WORK: Step = ("the register is at work", |stage| &stage.register, "/evidence");

const STEPS: &[Step] = &[
    ("the label is reserved", |stage| &stage.around.identity, "/labels"),
    ("the intent is recorded", |stage| &stage.around.ledger, "/entries"),
    AT_WORK,
    ("the provider has answered", |stage| &stage.around.provider, "/forward"),
    (
        "the provider has the outcome",
        |stage| &stage.around.provider,
        "/outcome",
    ),
];

struct Stage {
    around: Surrounded,
    /// Between the KBA's connector and its register.
    register: Intermediary,
}

impl Stage {
    /// Starts all processes. Broker and connectors have their state in files, or each in a database of this cluster.
    fn start(data: &std::path::Path, listen: &str, cluster: Option<&Cluster>) -> Result<Self> {
        let mut register = None;
        let around = Surrounded::start(data, listen, |processes| {
            for name in ["broker", "connector-kba", "connector-rheinfurt"] {
                let Some(cluster) = cluster else { break };
                // What the demonstration's past has left is over.
                std::fs::remove_file(data.join(name).join("state.redb"))?;
                cluster.sql(0, &format!("CREATE DATABASE \"{name}\""))?;
                processes.configure(name, |config| {
                    config["store"] = json!({
                        "engine": "postgres", "hosts": cluster.hosts(), "database": name, "user": DATABASE,
                    });
                })?;
            }
            processes.configure("connector-kba", |config| {
                let provider = &mut config["role"]["provider"];
                let before = Intermediary::before(provider["register"].as_str().unwrap()).unwrap();
                provider["register"] = before.url.clone().into();
                provider["register_seconds"] = 20.into();
                register = Some(before);
            })?;
            processes.configure("connector-rheinfurt", |config| {
                config["role"]["consumer"]["deadline_seconds"] = 60.into();
            })
        })?;
        let register = register.context("an intermediary before the register")?;
        Ok(Self { around, register })
    }

    /// Kills the broker at a step of an exchange and starts it again before the step's answer is passed on. The next
    /// forwards are treated in the ways of `then`. The consumer gets the evidence, from one question to the register.
    fn killed_at(&mut self, (name, at, path): Step, then: &[Instead]) -> Result<()> {
        let asked = self.around.processes.register_asked()?;
        at(self).hold_answers(path);
        let answer = self.around.processes.ask_meanwhile();
        wait_for(LIMIT, || Ok(at(self).held() > 0)).context(name)?;
        self.around.provider.instead_of_answers("/forward", then);
        self.around.processes.kill_and_start_broker()?;
        at(self).release();
        let (status, body) = answer.join().expect("the asking thread")?;
        ensure!(
            status == 200 && body["outcome"] == "delivered",
            "{name}: {status} {body:#}"
        );
        self.delivered_once(name, asked)
    }

    /// Kills the broker when the ledger has recorded the outcome and the broker does not know it yet.
    fn killed_at_the_outcome(&mut self) -> Result<()> {
        let asked = self.around.processes.register_asked()?;
        self.around.provider.hold_answers("/forward");
        let answer = self.around.processes.ask_meanwhile();
        wait_for(LIMIT, || Ok(self.around.provider.held() > 0)).context("a forward")?;
        self.around.ledger.hold_answers("/entries");
        self.around.provider.release();
        wait_for(LIMIT, || Ok(self.around.ledger.held() > 0)).context("an outcome")?;
        self.around.processes.kill_and_start_broker()?;
        self.around.ledger.release();
        let (status, body) = answer.join().expect("the asking thread")?;
        ensure!(status == 200 && body["outcome"] == "delivered", "{status} {body:#}");
        self.delivered_once("the outcome is recorded", asked)
    }

    /// The recorded outcome is the delivery, and the register was asked once for it.
    fn delivered_once(&self, name: &str, asked: usize) -> Result<()> {
        let completion = self.around.consumer.last("/exchanges").context("a completion")?;
        let completion: Completion = cbor::from_slice(&completion.answer)?;
        let outcome = completion.reply.context("a reply")?.statement.outcome;
        ensure!(outcome == ReplyOutcome::Delivered, "{name}: {outcome:?}");
        let now = self.around.processes.register_asked()?;
        ensure!(now == asked + 1, "{name}: the register was asked {} times", now - asked);
        self.as_the_provider_answered(name)
    }

    /// No intent is open, and the provider has no outcome to complain about.
    fn as_the_provider_answered(&self, name: &str) -> Result<()> {
        self.around.processes.every_intent_is_closed()?;
        for kind in ["outcome-differs", "answer-lost", "outcome-missing"] {
            ensure!(self.around.processes.alarms("kba", kind)? == 0, "{name}: {kind}");
        }
        Ok(())
    }

    /// The provider's answer is lost. The broker asks again, and gets the same one, whatever happens in between.
    fn a_lost_answer_is_repeated(&self, name: &str, ways: &[Instead]) -> Result<()> {
        let asked = self.around.processes.register_asked()?;
        self.around.provider.instead_of_answers("/forward", ways);
        let (status, body) = self.around.processes.ask()?;
        ensure!(
            status == 200 && body["outcome"] == "delivered",
            "{name}: {status} {body:#}"
        );
        self.delivered_once(name, asked)
    }

    /// Kills the broker and the consumer's connector, which does not ask again. The broker that is started then closes
    /// the exchange all the same, with the outcome that the provider has signed.
    fn killed_with_the_consumer(&mut self) -> Result<()> {
        self.around.provider.hold_answers("/forward");
        let answer = self.around.processes.ask_meanwhile();
        wait_for(LIMIT, || Ok(self.around.provider.held() > 0)).context("a forward")?;
        let notices = self.notices();
        let consumer = self.around.processes.running.remove("connector-rheinfurt");
        consumer.context("the consumer's connector runs")?.kill()?;
        self.around.processes.kill_and_start_broker()?;
        self.around.provider.release();
        let answer = answer.join().expect("the asking thread");
        ensure!(answer.is_err(), "{answer:?}");
        wait_for(LIMIT, || Ok(self.notices() > notices)).context("no notice of an outcome")?;
        self.as_the_provider_answered("the consumer does not ask again")
    }

    /// Kills the primary of the databases while the broker waits for the provider's answer, and promotes the standby.
    fn the_primary_is_lost(&self, cluster: &mut Cluster) -> Result<()> {
        let asked = self.around.processes.register_asked()?;
        self.around.provider.hold_answers("/forward");
        let answer = self.around.processes.ask_meanwhile();
        wait_for(LIMIT, || Ok(self.around.provider.held() > 0)).context("a forward")?;
        cluster.kill(0)?;
        self.around.provider.release();
        cluster.fail_over()?;
        let (status, body) = answer.join().expect("the asking thread")?;
        ensure!(status == 200 && body["outcome"] == "delivered", "{status} {body:#}");
        self.delivered_once("the primary is lost", asked)
    }

    /// How many notices of an outcome the provider has answered.
    fn notices(&self) -> usize {
        let passed = self.around.provider.passed();
        passed.iter().filter(|passed| passed.path == "/outcome").count()
    }
}

#[test]
fn a_broker_killed_at_any_step_records_what_happened() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut stage = Stage::start(&scratch.path().join("demo"), "127.0.0.1:23500", None)?;
    stage.a_lost_answer_is_repeated("a lost answer", &[Instead::Lost; 3])?;
    // A refusal that the provider did not sign says nothing about the attempts before it.
    stage.a_lost_answer_is_repeated("a refusal after a lost answer", &[Instead::Lost, Instead::Refused])?;
    for step in STEPS {
        stage.killed_at(*step, &[])?;
    }
    stage.killed_at(AT_WORK, &[Instead::Refused])?;
    stage.killed_at_the_outcome()?;
    stage.killed_with_the_consumer()
}

#[test]
fn broker_and_connectors_with_their_state_in_databases_survive_kills_and_a_lost_primary() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut cluster = Cluster::replicated()?;
    let mut stage = Stage::start(&scratch.path().join("demo"), "127.0.0.1:29200", Some(&cluster))?;
    for step in STEPS {
        stage.killed_at(*step, &[])?;
    }
    stage.killed_at_the_outcome()?;
    stage.killed_with_the_consumer()?;
    let consumer = "connector-rheinfurt";
    let url = stage.around.processes.start_again(consumer)?;
    stage.around.processes.healthy(&url)?;
    stage.the_primary_is_lost(&mut cluster)?;
    for name in ["broker", "connector-kba", consumer] {
        let file = stage.around.processes.data.join(name).join("state.redb");
        ensure!(!file.exists(), "{name} has its state in a file");
    }
    Ok(())
}
