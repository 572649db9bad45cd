//! An identity or a ledger that lies to a citizen about which entries exist. Everybody who verifies notices: the
//! portal's server and the browser while the page is shown, and a separate verifier with the downloaded file. All of
//! them notice by the map roots.
//!
//! The liar has all keys: identity's VRF secrets and signing key, and even the ledger's own. Only the log is the one
//! that the witnesses have cosigned. So every forged list is proved as well as it can be, and its verification still
//! fails.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use messages::Disclosure;
use proof::bundle::CompletenessProof;
use record::{Body, Period, PeriodEvent, Series, SignedEntry, SigningKey, Timestamp, Unsigned};
use tests::citizen::Citizen;
use tests::completeness::{prove_again, prove_tree};
use tests::intermediary::Intermediary;
use tests::keys::{Keys, Secrets};
use tests::processes::Processes;
use tests::public_log::PublicLog;
use tests::{verifier, wait_for};
use tlog::vrf::SecretKey;

/// What the liar knows.
struct Knowledge {
    secrets: Secrets,
    identity: SigningKey,
    ledger: SigningKey,
    log: PublicLog,
    /// What identity disclosed of the same person before the newest exchange, and of another person.
    earlier: Disclosure,
    other: Disclosure,
}

type Lie = fn(&mut Disclosure, &Knowledge) -> Result<()>;

const LIES: &[(&str, Lie)] = &[
    ("the newest exchange is left out", |forged, known| {
        leave_out(forged, |series, number, newest| {
            series == Series::Exchanges && number == newest
        })?;
        proved(forged, known)
    }),
    ("all exchanges are left out", |forged, known| {
        leave_out(forged, |series, _, _| series == Series::Exchanges)?;
        proved(forged, known)
    }),
    ("the inspections are left out", |forged, known| {
        leave_out(forged, |series, _, _| series == Series::Inspections)?;
        proved(forged, known)
    }),
    ("an outcome is left out", |forged, known| {
        let outcome = proof(forged)?.periods[0].exchanges.numbers[0].outcome.take();
        let outcome = outcome.context("the demonstration's first exchange has an outcome")?;
        forged.entries.retain(|entry| entry.index != outcome.index);
        proved(forged, known)
    }),
    ("the list is shorter than its proof", |forged, _| {
        forged
            .entries
            .retain(|entry| entry.series != Series::Exchanges || entry.number != 0);
        Ok(())
    }),
    ("the proof is cut off", |forged, known| {
        proof(forged)?.periods[0].exchanges.numbers.pop();
        prove_tree(proof(forged)?, &known.log)
    }),
    ("another person's proof is replayed", |forged, known| {
        let (idnr, name) = (forged.idnr.clone(), forged.display_name.clone());
        *forged = known.other.clone();
        (forged.idnr, forged.display_name) = (idnr, name);
        Ok(())
    }),
    ("an old map is shown under the newest map entry", |forged, known| {
        let mut old = known.earlier.clone();
        let periods = proof(&mut old)?.periods.clone();
        proof(forged)?.periods = periods;
        forged
            .entries
            .retain(|entry| known.earlier.entries.iter().any(|known| known.index == entry.index));
        prove_tree(proof(forged)?, &known.log)
    }),
    ("this viewer gets another map", |forged, known| {
        // The log's map entry, but with the root of a map that lacks the person's newest entry.
        leave_out(forged, |series, number, newest| {
            series == Series::Exchanges && number == newest
        })?;
        let index = proof(forged)?.map.index;
        let mut maps = known.log.maps_before(proof(&mut known.earlier.clone())?.map.index)?;
        let roots = maps.iter_mut().map(|(period, map)| (*period, map.root())).collect();
        let newest = known.log.newest_before(index)?;
        proof(forged)?.map.leaf = rewritten(&known.log.entry(index)?, Body::Map { roots, newest }, &known.ledger)?;
        proved(forged, known)
    }),
    ("this viewer gets another key of the period", |forged, known| {
        // Under another key the person has other labels, and none of those is in the log.
        leave_out(forged, |_, _, _| true)?;
        let key = SecretKey::from_seed(&[99; 32])?;
        let begin = &mut proof(forged)?.periods[0].begin;
        let event = PeriodEvent::Begin {
            vrf_key: *key.public_key().as_bytes(),
            start: Timestamp(0),
        };
        let period = Period::FIRST;
        let body = Body::Period { period, event };
        begin.leaf = rewritten(&known.log.entry(begin.index)?, body, &known.identity)?;
        let secrets = Secrets::from([(period, key)]);
        let idnr = forged.idnr.clone();
        prove_again(proof(forged)?, &idnr, &secrets, &known.log)
    }),
];

/// Served more than a minute after [`Knowledge::earlier`] was true: all parts agree with each other, but they are out
/// of date.
const STALE: (&str, Lie) = ("an old map entry is shown as the newest", |forged, known| {
    let mut old = known.earlier.clone();
    let checkpoint = proof(forged)?.checkpoint.clone();
    forged
        .entries
        .retain(|entry| known.earlier.entries.iter().any(|known| known.index == entry.index));
    forged.complete = old.complete.take();
    proof(forged)?.checkpoint = checkpoint;
    prove_tree(proof(forged)?, &known.log)
});

/// How many seconds older than the witnesses' time a map entry may be, and one second for rounding.
const FRESH: u64 = proof::bundle::MAX_MAP_AGE + 1;

fn proof(forged: &mut Disclosure) -> Result<&mut CompletenessProof<()>> {
    forged.complete.as_mut().context("identity has proved its list")
}

/// Removes numbers from the list and its proof. `which` receives the series, the number and the newest number of the
/// series.
fn leave_out(forged: &mut Disclosure, which: fn(Series, u32, u32) -> bool) -> Result<()> {
    let mut complete = forged.complete.take().context("identity has proved its list")?;
    let period = &mut complete.periods[0];
    for (series, row) in [
        (Series::Exchanges, &mut period.exchanges),
        (Series::Inspections, &mut period.inspections),
    ] {
        let newest = u32::try_from(row.numbers.len())?.saturating_sub(1);
        let mut number = 0..;
        row.numbers
            .retain(|_| !number.next().is_some_and(|number| which(series, number, newest)));
        forged
            .entries
            .retain(|entry| entry.series != series || !which(series, entry.number, newest));
    }
    forged.complete = Some(complete);
    Ok(())
}

/// Proves the remaining entries as well as they can be proved.
fn proved(forged: &mut Disclosure, known: &Knowledge) -> Result<()> {
    let idnr = forged.idnr.clone();
    prove_again(proof(forged)?, &idnr, &known.secrets, &known.log)
}

/// Replaces the body of an entry, at the same position of its writer's chain and with the writer's signature.
fn rewritten(entry: &SignedEntry, body: Body, key: &SigningKey) -> Result<Vec<u8>> {
    let entry = entry.entry();
    let unsigned = Unsigned {
        sequence: entry.sequence,
        previous: entry.previous,
        time: entry.time,
        body,
    };
    Ok(key.sign(unsigned)?.into_bytes())
}

/// The processes, and an intermediary between the portal and identity.
struct Stage {
    processes: Processes,
    between: Intermediary,
    secrets: Secrets,
    keys: Keys,
}

impl Stage {
    fn set(data: &Path) -> Result<Self> {
        let mut processes = Processes::seed(data, "127.0.0.1:22000")?;
        let keys = Keys::of(&processes.data);
        let secrets = keys.periods()?;
        let between = Intermediary::between(&processes.data, "portal", ("identity", &processes.info.identity))?;
        processes.configure("portal", |config| config["identity"] = between.url.clone().into())?;
        processes.start_all()?;
        processes.all_healthy()?;
        processes.start_portal()?;
        Ok(Self {
            processes,
            between,
            secrets,
            keys,
        })
    }

    /// What identity discloses of a person, once it is proved to be complete as of a time after `after` (POSIX
    /// seconds).
    fn honest(&self, user: &str, after: u64) -> Result<Disclosure> {
        self.between.honest();
        let mut forged = None;
        wait_for(Duration::from_secs(60), || {
            let citizen = Citizen::log_in(&self.processes.info, user)?;
            let disclosure = self.between.last("/disclosures").context("identity was asked")?;
            let mut disclosure: Disclosure = record::cbor::from_slice(&disclosure.answer)?;
            if disclosure.complete.is_none() || time_of_map(&mut disclosure)? <= after {
                return Ok(false);
            }
            ensure!(citizen.completeness()? == "server", "an honest list is not accepted");
            let (code, report) = self.verify(&citizen.bundle()?)?;
            ensure!(code == 0, "an honest bundle is not accepted: {report:#}");
            forged = Some(disclosure);
            Ok(true)
        })?;
        forged.context("a complete list")
    }

    fn verify(&self, bundle: &[u8]) -> Result<(i32, serde_json::Value)> {
        let file = self.processes.data.join("eintraege.bundle");
        std::fs::write(&file, bundle)?;
        let info = &self.processes.info;
        let policy = info.policy.to_str().context("a path in UTF-8")?;
        let file = file.to_str().context("a path in UTF-8")?;
        verifier(&["verify", file, "--policy", policy, "--genesis", &info.genesis])
    }

    fn knowledge(&self, earlier: &Disclosure, other: &Disclosure) -> Result<Knowledge> {
        let copy = self.secrets.iter().map(|(period, key)| (*period, key.clone()));
        Ok(Knowledge {
            secrets: copy.collect(),
            identity: self.keys.writer("identity/writer.key")?,
            ledger: self.keys.writer("ledger/writer.key")?,
            log: PublicLog::of_ledger(&self.processes.info.ledger)?,
            earlier: earlier.clone(),
            other: other.clone(),
        })
    }

    /// Emma logs in and gets the forged list. Both the page and the verifier with the downloaded file report it.
    fn noticed(&self, (name, lie): (&str, Lie), known: Knowledge) -> Result<()> {
        let failure: Arc<Mutex<Option<anyhow::Error>>> = Arc::default();
        let failed = failure.clone();
        self.between.change_answers(move |path, body| {
            let Ok(mut forged) = record::cbor::from_slice::<Disclosure>(&body) else {
                return body;
            };
            assert_eq!(path, "/disclosures");
            if let Err(error) = lie(&mut forged, &known) {
                *failed.lock().unwrap() = Some(error);
            }
            record::cbor::to_vec(&forged)
        });
        let emma = Citizen::log_in(&self.processes.info, "emma").context(name.to_owned())?;
        if let Some(error) = failure.lock().unwrap().take() {
            return Err(error.context(format!("{name}: the lie could not be prepared")));
        }
        let shown = emma.completeness()?;
        ensure!(shown == "server-failed", "{name}: the portal reports {shown}");
        if name.starts_with("the list is shorter") {
            // The portal cannot build a bundle then, because a record is missing.
            return Ok(());
        }
        let (code, report) = self.verify(&emma.bundle().context(name.to_owned())?)?;
        ensure!(code == 1, "{name}: the verifier reports {report:#}");
        Ok(())
    }
}

fn time_of_map(forged: &mut Disclosure) -> Result<u64> {
    let leaf = proof(forged)?.map.leaf.clone();
    Ok(SignedEntry::parse(leaf)?.entry().time.0)
}

#[test]
fn an_incomplete_list_is_noticed() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let stage = Stage::set(&scratch.path().join("demo"))?;
    stage.processes.ask_until_delivered()?;
    let mut earlier = stage.honest("emma", 0)?;
    let since = time_of_map(&mut earlier)?;
    // Entry times are whole seconds. A new entry in the same second would have a `map` entry with the same time, and no
    // later one would follow.
    std::thread::sleep(Duration::from_secs(1));
    stage.processes.ask_until_delivered()?;
    let other = stage.honest("deniz", since)?;
    stage.honest("emma", since)?;
    for lie in LIES {
        stage.noticed(*lie, stage.knowledge(&earlier, &other)?)?;
    }
    // The old map entry counts as fresh for a minute. After that an exchange must follow, or it would still be the
    // newest one.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let old = Duration::from_secs(since + FRESH + 1);
    std::thread::sleep(old.saturating_sub(now));
    stage.between.honest();
    stage.processes.ask_until_delivered()?;
    stage.honest("emma", since + FRESH)?;
    stage.noticed(STALE, stage.knowledge(&earlier, &other)?)?;
    stage.honest("emma", since + FRESH)?;
    Ok(())
}
