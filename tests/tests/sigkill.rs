//! SIGKILL of any compartment at any moment of a load: nothing is transmitted without an entry, every intent gets one
//! outcome that is true, and every caller gets an answer or an error.
//!
//! Callers send requests with idempotency keys, and send them again until they have a final answer. Meanwhile one
//! compartment after another is killed, sometimes two at once, and started again. At the end the register's access log,
//! the protocols of both authorities, the answers of the callers and the audit of the log must agree.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use store::{Encoding, Store, StoreConfig, Table};
use tests::processes::Processes;
use tests::{http, wait_for};

const CALLERS: usize = 4;
/// How long a caller repeats one request, and how long a process may take to recover on a slow machine.
const LIMIT: Duration = Duration::from_secs(180);
/// The most exchanges about the one person who has evidence. A consumer may ask 128 times a month.
const MAX_DELIVERED: usize = 100;

/// A repeatable sequence of numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// What a caller has learned about one request.
#[derive(Debug)]
struct Answered {
    reference: String,
    status: u16,
    body: Value,
}

struct Load {
    url: String,
    sent: AtomicUsize,
    errors: AtomicUsize,
    stop: AtomicBool,
}

impl Load {
    /// One caller, until the end of the load.
    fn call(&self) -> Result<Vec<Answered>> {
        let mut answered = Vec::new();
        while !self.stop.load(Ordering::Relaxed) {
            let number = self.sent.fetch_add(1, Ordering::Relaxed);
            answered.push(self.until_final(number)?);
        }
        Ok(answered)
    }

    fn until_final(&self, number: usize) -> Result<Answered> {
        let mut question: Value = serde_json::from_str(&tests::evidence_request())?;
        let reference = format!("KILL-{number:06}");
        question["request_reference"] = reference.clone().into();
        if !number.is_multiple_of(4) || number / 4 >= MAX_DELIVERED {
            let letters: String = number
                .to_string()
                .bytes()
                .map(|digit| char::from(digit - b'0' + b'a'))
                .collect();
            question["person"] = json!({ "family_name": format!("Unbekannt{letters}"), "given_name": "Udo",
                "date_of_birth": "1970-01-01", "postal_code": "73614", "place": "Rheinfurt" });
        }
        let (key, since) = (uuid::Uuid::new_v4(), Instant::now());
        loop {
            let request = http()?.post(&self.url).timeout(LIMIT);
            let request = request.header("content-type", "application/json");
            let request = request.header("idempotency-key", format!("\"{key}\""));
            match request.body(question.to_string()).send() {
                Ok(answer) => {
                    let (status, later) = (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
                    // The connector can be killed while it writes the answer.
                    if let Some(body) = answer.text().ok().and_then(|text| serde_json::from_str(&text).ok())
                        && !later
                    {
                        return Ok(Answered {
                            reference,
                            status,
                            body,
                        });
                    }
                }
                Err(error) if error.is_timeout() => bail!("{reference}: neither an answer nor an error in {LIMIT:?}"),
                Err(_) => {}
            }
            self.errors.fetch_add(1, Ordering::Relaxed);
            ensure!(since.elapsed() < LIMIT, "{reference}: no final answer in {LIMIT:?}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// The protocol of one connector, by exchange.
fn protocol(processes: &Processes, connector: &str) -> Result<BTreeMap<String, Value>> {
    let mut exchanges = BTreeMap::new();
    for value in processes.protocol(connector, &[])? {
        let exchange = value["exchange"].as_str().context("an exchange")?.to_owned();
        ensure!(
            exchanges.insert(exchange, value).is_none(),
            "an exchange is exported twice"
        );
    }
    Ok(exchanges)
}

/// The number of rows of a table of a process that does not run.
fn rows(processes: &Processes, name: &str, table: &'static str) -> Result<usize> {
    let store = Store::open(&StoreConfig::Redb, &processes.data.join(name), "state")?;
    let bytes = Encoding {
        encode: Vec::clone,
        decode: |bytes| Ok(bytes.to_vec()),
    };
    let table: Table<[u8; 16], Vec<u8>> = Table::open(&store, table, bytes)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    Ok(runtime.block_on(table.all())?.len())
}

/// Stops the broker and the consumer's connector until their journals are empty.
fn journals_become_empty(processes: &mut Processes) -> Result<()> {
    let mut last = (0, 0);
    wait_for(LIMIT, || {
        for name in ["connector-rheinfurt", "broker"] {
            processes.running.remove(name).context("it runs")?.stop()?;
        }
        last = (
            rows(processes, "broker", "exchanges")?,
            rows(processes, "connector-rheinfurt", "asked")?,
        );
        for name in ["broker", "connector-rheinfurt"] {
            let url = processes.start_again(name)?;
            processes.healthy(&url)?;
        }
        std::thread::sleep(Duration::from_secs(2));
        Ok(last == (0, 0))
    })
    .with_context(|| format!("open in the broker's journal and in the consumer's: {last:?}"))
}

/// Kills until there were so many kills. Waits in between until every process serves again.
fn kill_at_random(
    processes: &mut Processes,
    kills: usize,
    random: &mut Random,
) -> Result<BTreeMap<&'static str, usize>> {
    let mut killed = BTreeMap::new();
    let mut count = 0;
    while count < kills {
        std::thread::sleep(Duration::from_millis(random.below(1200)));
        let victims = if random.below(4) == 0 { 2 } else { 1 };
        let mut again = Vec::new();
        for _ in 0..victims {
            let name = Processes::COMPARTMENTS[usize::try_from(random.below(6))?];
            again.push((name, processes.kill_and_start(name)?));
            *killed.entry(name).or_default() += 1;
            count += 1;
        }
        for (name, url) in again {
            processes
                .healthy(&url)
                .with_context(|| format!("{name} after kill {count}"))?;
        }
    }
    Ok(killed)
}

fn killed_under_load(listen: &str, kills: usize) -> Result<()> {
    let seed = std::time::UNIX_EPOCH.elapsed()?.as_nanos() as u64 | 1;
    println!("seed {seed}");
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::seed(&scratch.path().join("demo"), listen)?;
    processes.configure("connector-rheinfurt", |config| {
        // A preview without a decision ends soon, so that journals become empty.
        config["role"]["consumer"]["preview_seconds"] = 5.into();
    })?;
    processes.start_all()?;
    processes.all_healthy()?;
    let load = Arc::new(Load {
        url: format!("{}/evidence", processes.info.connectors["rheinfurt"]),
        sent: AtomicUsize::new(0),
        errors: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
    });
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let load = load.clone();
            std::thread::spawn(move || load.call())
        })
        .collect();
    let killed = kill_at_random(&mut processes, kills, &mut Random(seed));
    load.stop.store(true, Ordering::Relaxed);
    let mut answers = Vec::new();
    for caller in callers {
        answers.extend(caller.join().expect("a caller")?);
    }
    let killed = killed?;
    println!(
        "{killed:?}; {} requests, {} errors in between",
        answers.len(),
        load.errors.load(Ordering::Relaxed)
    );
    processes.all_healthy()?;
    processes.every_intent_is_closed()?;
    journals_become_empty(&mut processes)?;
    everything_agrees(&processes, &answers)
}

/// Compares what register, authorities and callers know.
fn everything_agrees(processes: &Processes, answers: &[Answered]) -> Result<()> {
    let (consumer, provider) = (
        protocol(processes, "connector-rheinfurt")?,
        protocol(processes, "connector-kba")?,
    );
    for one in consumer.values().chain(provider.values()) {
        ensure!(one["proof"] == "sound", "{one:#}");
    }
    // The register was asked for no exchange that has no intent in the log.
    let mut found = BTreeSet::new();
    for line in std::fs::read_to_string(processes.data.join("register-kba/access.log"))?.lines() {
        let access: Value = serde_json::from_str(line)?;
        let exchange = access["exchange"].as_str().context("an exchange")?.to_owned();
        ensure!(provider.contains_key(&exchange), "evidence without an intent: {line}");
        if access["found"] == true {
            found.insert(exchange);
        }
    }
    // A delivery is recorded for what the register has found, and both authorities have the same outcome.
    let mut references = BTreeSet::new();
    let mut results: BTreeMap<String, usize> = BTreeMap::new();
    for (exchange, one) in &consumer {
        let reference = one["request_reference"].as_str().context("a reference")?;
        ensure!(
            references.insert(reference.to_owned()),
            "two exchanges of one key: {reference}"
        );
        ensure!(
            one["result"] != "delivered" || found.contains(exchange),
            "delivered and not found: {one:#}"
        );
        if let Some(other) = provider.get(exchange) {
            ensure!(other["result"] == one["result"], "{one:#} {other:#}");
        }
        *results
            .entry(one["result"].as_str().unwrap_or_default().to_owned())
            .or_default() += 1;
    }
    println!("recorded: {results:?}");
    let by_reference = |reference: &str| consumer.values().find(|one| one["request_reference"] == reference);
    let mut answered: BTreeMap<String, usize> = BTreeMap::new();
    for Answered {
        reference,
        status,
        body,
    } in answers
    {
        let kind = body["outcome"].as_str().or(body["type"].as_str()).unwrap_or_default();
        *answered.entry(format!("{status} {kind}")).or_default() += 1;
        let expected = match kind {
            "awaiting_preview" | "delivered" | "not_decided" => "delivered",
            "nothing_found" => "nothing-found",
            _ => continue,
        };
        let one = by_reference(reference).with_context(|| format!("{reference} was answered and not recorded"))?;
        ensure!(one["result"] == expected, "{reference}: {body:#} {one:#}");
    }
    println!("answered: {answered:?}");
    let good = answered
        .iter()
        .filter(|(kind, _)| kind.starts_with('2'))
        .map(|(_, count)| count)
        .sum::<usize>();
    ensure!(good > 0, "no exchange has succeeded");
    for connector in ["connector-rheinfurt", "connector-kba"] {
        let log = std::fs::read_to_string(processes.data.join(format!("{connector}.log")))?;
        ensure!(
            !log.contains("outcome-differs"),
            "{connector}: an outcome differs from the answer"
        );
    }
    Ok(())
}

#[test]
fn compartments_are_killed_under_load_and_nothing_is_lost_or_untrue() -> Result<()> {
    killed_under_load("127.0.0.1:25300", 18)
}

#[test]
#[ignore = "takes half an hour: `cargo xtask test --long`"]
fn compartments_are_killed_five_hundred_times_under_load() -> Result<()> {
    killed_under_load("127.0.0.1:25400", 500)
}
