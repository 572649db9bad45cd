//! An identity or a ledger that lies to a citizen about which entries there are. Noticed by whoever verifies: the portal's server
//! and the browser while the page is shown, and a verifier from elsewhere with the file taken home; all of them by the map roots.
//!
//! The liar has all keys: identity's VRF secrets and signing key, even the ledger's own. Only the log is the one that the witnesses
//! have cosigned. So what is shown is proved as well as it can be, and still does not pass.

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

/// What a liar knows.
struct Knowledge {
    secrets: Secrets,
    identity: SigningKey,
    ledger: SigningKey,
    log: PublicLog,
    /// What identity said of the same person before the newest exchange, and of somebody else.
    earlier: Disclosure,
    other: Disclosure,
}

type Lie = fn(&mut Disclosure, &Knowledge) -> Result<()>;

const LIES: &[(&str, Lie)] = &[
    ("the newest exchange is left out", |told, known| {
        leave_out(told, |series, number, newest| {
            series == Series::Exchanges && number == newest
        })?;
        proved(told, known)
    }),
    ("all exchanges are left out", |told, known| {
        leave_out(told, |series, _, _| series == Series::Exchanges)?;
        proved(told, known)
    }),
    ("the inspections are left out", |told, known| {
        leave_out(told, |series, _, _| series == Series::Inspections)?;
        proved(told, known)
    }),
    ("an outcome is left out", |told, known| {
        let outcome = proof(told)?.periods[0].exchanges.numbers[0].outcome.take();
        let outcome = outcome.context("the demonstration's first exchange has an outcome")?;
        told.entries.retain(|entry| entry.index != outcome.index);
        proved(told, known)
    }),
    ("the list is shorter than its proof", |told, _| {
        told.entries
            .retain(|entry| entry.series != Series::Exchanges || entry.number != 0);
        Ok(())
    }),
    ("the proof is cut off", |told, known| {
        proof(told)?.periods[0].exchanges.numbers.pop();
        prove_tree(proof(told)?, &known.log)
    }),
    ("another person's proof is replayed", |told, known| {
        let (idnr, name) = (told.idnr.clone(), told.display_name.clone());
        *told = known.other.clone();
        (told.idnr, told.display_name) = (idnr, name);
        Ok(())
    }),
    ("an old map is shown under the newest map entry", |told, known| {
        let mut old = known.earlier.clone();
        let periods = proof(&mut old)?.periods.clone();
        proof(told)?.periods = periods;
        told.entries
            .retain(|entry| known.earlier.entries.iter().any(|known| known.index == entry.index));
        prove_tree(proof(told)?, &known.log)
    }),
    ("this viewer gets another map", |told, known| {
        // The map entry of the log, but with the root of a map that has none of the person's newest entries.
        leave_out(told, |series, number, newest| {
            series == Series::Exchanges && number == newest
        })?;
        let index = proof(told)?.map.index;
        let mut maps = known.log.maps_before(proof(&mut known.earlier.clone())?.map.index)?;
        let roots = maps.iter_mut().map(|(period, map)| (*period, map.root())).collect();
        proof(told)?.map.leaf = rewritten(&known.log.entry(index)?, Body::Map { roots }, &known.ledger)?;
        proved(told, known)
    }),
    ("this viewer gets another key of the period", |told, known| {
        // Under another key the person has other labels, and none of those stands in the log.
        leave_out(told, |_, _, _| true)?;
        let key = SecretKey::from_seed(&[99; 32])?;
        let begin = &mut proof(told)?.periods[0].begin;
        let event = PeriodEvent::Begin {
            vrf_key: *key.public_key().as_bytes(),
            start: Timestamp(0),
        };
        let period = Period::FIRST;
        let body = Body::Period { period, event };
        begin.leaf = rewritten(&known.log.entry(begin.index)?, body, &known.identity)?;
        let secrets = Secrets::from([(period, key)]);
        let idnr = told.idnr.clone();
        prove_again(proof(told)?, &idnr, &secrets, &known.log)
    }),
];

/// To be told more than a minute after [`Knowledge::earlier`] was true: everything of it fits together, and it is out of date.
const STALE: (&str, Lie) = ("an old map entry is shown as the newest", |told, known| {
    let mut old = known.earlier.clone();
    let checkpoint = proof(told)?.checkpoint.clone();
    told.entries
        .retain(|entry| known.earlier.entries.iter().any(|known| known.index == entry.index));
    told.complete = old.complete.take();
    proof(told)?.checkpoint = checkpoint;
    prove_tree(proof(told)?, &known.log)
});

/// How much older than the witnesses' time a map entry may be, seconds, and one for rounding.
const FRESH: u64 = proof::bundle::MAX_MAP_AGE + 1;

fn proof(told: &mut Disclosure) -> Result<&mut CompletenessProof<()>> {
    told.complete.as_mut().context("identity has proved its list")
}

/// Takes numbers out of list and proof. `which` gets the row, the number and the row's newest number.
fn leave_out(told: &mut Disclosure, which: fn(Series, u32, u32) -> bool) -> Result<()> {
    let mut complete = told.complete.take().context("identity has proved its list")?;
    let period = &mut complete.periods[0];
    for (series, row) in [
        (Series::Exchanges, &mut period.exchanges),
        (Series::Inspections, &mut period.inspections),
    ] {
        let newest = u32::try_from(row.numbers.len())?.saturating_sub(1);
        let mut number = 0..;
        row.numbers
            .retain(|_| !number.next().is_some_and(|number| which(series, number, newest)));
        told.entries
            .retain(|entry| entry.series != series || !which(series, entry.number, newest));
    }
    told.complete = Some(complete);
    Ok(())
}

/// Proves what is shown as well as it can be.
fn proved(told: &mut Disclosure, known: &Knowledge) -> Result<()> {
    let idnr = told.idnr.clone();
    prove_again(proof(told)?, &idnr, &known.secrets, &known.log)
}

/// An entry that says something else in the same place of its writer's chain, with the writer's signature.
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

/// The processes, and who stands between portal and identity.
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
        let between = Intermediary::before(&processes.info.identity)?;
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

    /// What identity tells of somebody, once it is proved to be all, and to have been true after `after`.
    fn honest(&self, user: &str, after: u64) -> Result<Disclosure> {
        self.between.honest();
        let mut told = None;
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
            told = Some(disclosure);
            Ok(true)
        })?;
        told.context("told")
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

    /// Emma logs in, is lied to, and notices: on the page, and at home with the file.
    fn noticed(&self, (name, lie): (&str, Lie), known: Knowledge) -> Result<()> {
        let failure: Arc<Mutex<Option<anyhow::Error>>> = Arc::default();
        let failed = failure.clone();
        self.between.change_answers(move |path, body| {
            let Ok(mut told) = record::cbor::from_slice::<Disclosure>(&body) else {
                return body;
            };
            assert_eq!(path, "/disclosures");
            if let Err(error) = lie(&mut told, &known) {
                *failed.lock().unwrap() = Some(error);
            }
            record::cbor::to_vec(&told)
        });
        let emma = Citizen::log_in(&self.processes.info, "emma").context(name.to_owned())?;
        if let Some(error) = failure.lock().unwrap().take() {
            return Err(error.context(format!("{name}: the lie could not be made")));
        }
        let shown = emma.completeness()?;
        ensure!(shown == "failed", "{name}: the portal says {shown}");
        if name.starts_with("the list is shorter") {
            // Then the bundle lacks a record, and there is none to take home.
            return Ok(());
        }
        let (code, report) = self.verify(&emma.bundle().context(name.to_owned())?)?;
        ensure!(code == 1, "{name}: the verifier at home says {report:#}");
        Ok(())
    }
}

fn time_of_map(told: &mut Disclosure) -> Result<u64> {
    let leaf = proof(told)?.map.leaf.clone();
    Ok(SignedEntry::parse(leaf)?.entry().time.0)
}

#[test]
fn a_list_that_is_not_all_is_noticed() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let stage = Stage::set(&scratch.path().join("demo"))?;
    stage.processes.ask_until_delivered()?;
    let mut earlier = stage.honest("emma", 0)?;
    let since = time_of_map(&mut earlier)?;
    // Entries tell whole seconds. What comes now must not fall into that one: its `map` entry would not be later, and none follows.
    std::thread::sleep(Duration::from_secs(1));
    stage.processes.ask_until_delivered()?;
    let other = stage.honest("deniz", since)?;
    stage.honest("emma", since)?;
    for lie in LIES {
        stage.noticed(*lie, stage.knowledge(&earlier, &other)?)?;
    }
    // The old map entry was true for a minute; then something must have happened since, or it is still the newest there is.
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
