//! A ledger that writes into its log what the rules forbid, or removes an entry, and has the key of every writer to do
//! it with. Every auditor of the public log notices (`verifier audit`, `verifier map`), without any secret. An auditing
//! witness does not cosign such a log, so a policy that needs auditing witnesses for its quorum gets none.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use record::{
    Body, Commitment, Kind, LabelledKind, NewestSets, Period, PeriodEvent, Sequence, SigningKey, Timestamp, Unsigned,
    WriterId,
};
use tests::keys::Keys;
use tests::processes::Processes;
use tests::public_log::{PublicLog, claimed};
use tests::{Process, copy_folder, http, program, run, verifier, wait_for};
use tlog::checkpoint::{Checkpoint, Origin};
use tlog::merkle::{Index, Size};
use tlog::vrf::SecretKey;
use tlog::witness::AddCheckpoint;
use tlog::{Hash, cosignature};

/// Where the auditing witness listens.
const WITNESS: &str = "127.0.0.1:22450";

type Lie = fn(&mut LyingLedger) -> Result<()>;

/// Name, text of the audit's finding, and the lie.
const LIES: &[(&str, &str, Lie)] = &[
    (
        "a second map for another viewer, without the newest entries",
        "recomputed",
        |ledger| {
            let mut maps = ledger.log.maps_before(ledger.middle()?)?;
            let roots = maps.iter_mut().map(|(period, map)| (*period, map.root())).collect();
            let newest = ledger.newest_sets()?;
            ledger.append("ledger/writer.key", Body::Map { roots, newest })
        },
    ),
    ("a second key of a period", "its label is already in", |ledger| {
        let event = ledger.begin(0)?;
        let period = Period::FIRST;
        ledger.append("identity/writer.key", Body::Period { period, event })
    }),
    ("a closed period with the root of its middle", "final root", |ledger| {
        let period = Period::FIRST;
        let event = ledger.begin(1)?;
        let next = Period(2);
        ledger.append("identity/writer.key", Body::Period { period: next, event })?;
        let root = ledger
            .log
            .maps_before(ledger.middle()?)?
            .get_mut(&period)
            .context("a map")?
            .root();
        ledger.time += 36 * 24 * 3600;
        let event = PeriodEvent::Final { root };
        ledger.append("identity/writer.key", Body::Period { period, event })
    }),
    (
        "a label for another person's exchange",
        "its label is already in",
        |ledger| {
            let used = ledger.newest(Kind::Intent)?;
            let label = ledger.log.entry(used)?.entry().body.label().context("a label")?;
            ledger.labelled(LabelledKind::Intent, label, None)
        },
    ),
    ("a second outcome of one intent", "which is closed already", |ledger| {
        let outcome = ledger.log.entry(ledger.newest(Kind::Outcome)?)?;
        let refers = outcome.entry().body.refers();
        ledger.labelled(LabelledKind::Outcome, record::Label([7; 32]), refers)
    }),
    (
        "an outcome under a label of its own",
        "its label does not follow from that of its intent",
        |ledger| {
            ledger.labelled(LabelledKind::Intent, record::Label([8; 32]), None)?;
            let refers = Some(Index::new(ledger.newest(Kind::Intent)?)?);
            ledger.labelled(LabelledKind::Outcome, record::Label([7; 32]), refers)
        },
    ),
    ("an entry taken out", "its chain continues with", |ledger| {
        let index = ledger.middle()?;
        ledger.log.leaves.remove(usize::try_from(index)?);
        Ok(())
    }),
];

/// An honest log as a control: it shows that the tools of this test produce sound logs.
const TRUTH: Lie = |ledger| {
    let mut maps = ledger.log.maps_before(ledger.log.leaves.len() as u64)?;
    let roots = maps.iter_mut().map(|(period, map)| (*period, map.root())).collect();
    let newest = ledger.newest_sets()?;
    ledger.append("ledger/writer.key", Body::Map { roots, newest })
};

/// A ledger that has the log and the keys of all writers.
struct LyingLedger {
    keys: Keys,
    log: PublicLog,
    chains: HashMap<WriterId, (Sequence, Hash)>,
    origin: Origin,
    time: u64,
}

impl LyingLedger {
    fn new(data: &Path, export: &Path) -> Result<Self> {
        let log = PublicLog::of_export(export)?;
        let (mut chains, mut time) = (HashMap::new(), 0);
        for index in 0..log.leaves.len() as u64 {
            let signed = log.entry(index)?;
            let entry = signed.entry();
            chains.insert(entry.writer, (Sequence(entry.sequence.0 + 1), signed.leaf_hash()));
            time = entry.time.0;
        }
        Ok(Self {
            keys: Keys::of(data),
            log,
            chains,
            origin: claimed(&std::fs::read(export.join("checkpoint"))?)?.origin,
            time,
        })
    }

    /// An outcome in the middle of the log.
    fn middle(&self) -> Result<u64> {
        let middle = self.log.leaves.len() as u64 / 2;
        for index in middle.. {
            if self.log.entry(index)?.entry().body.kind() == Kind::Outcome {
                return Ok(index);
            }
        }
        unreachable!("an entry that is not there is an error")
    }

    fn newest_sets(&self) -> Result<NewestSets> {
        self.log.newest_before(self.log.leaves.len() as u64)
    }

    fn newest(&self, kind: Kind) -> Result<u64> {
        let mut newest = None;
        for index in 0..self.log.leaves.len() as u64 {
            if self.log.entry(index)?.entry().body.kind() == kind {
                newest = Some(index);
            }
        }
        newest.context("the demonstration has exchanges")
    }

    /// The begin of a period under a new key, `after` seconds after the first period's.
    fn begin(&self, after: u64) -> Result<PeriodEvent> {
        let first = self.log.entry(self.newest(Kind::Period)?)?;
        let Body::Period {
            event: PeriodEvent::Begin { start, .. },
            ..
        } = first.entry().body
        else {
            anyhow::bail!("the demonstration's last period has just begun");
        };
        let key = SecretKey::from_seed(&[99; 32])?;
        Ok(PeriodEvent::Begin {
            vrf_key: *key.public_key().as_bytes(),
            start: Timestamp(start.0 + after),
        })
    }

    fn labelled(&mut self, kind: LabelledKind, label: record::Label, refers: Option<Index>) -> Result<()> {
        let body = Body::Labelled {
            kind,
            period: Period::FIRST,
            label,
            commitment: Commitment(Hash([7; 32])),
            refers,
        };
        self.append("broker/writer.key", body)
    }

    /// Appends an entry as its writer would.
    fn append(&mut self, key: &str, body: Body) -> Result<()> {
        let key: SigningKey = self.keys.writer(key)?;
        let chain = self.chains.get(&key.id()).copied();
        let (sequence, previous) = chain.context("the writer has written before")?;
        let time = Timestamp(self.time);
        let unsigned = Unsigned {
            sequence,
            previous,
            time,
            body,
        };
        let entry = key.sign(unsigned)?;
        let next = (Sequence(sequence.0 + 1), entry.leaf_hash());
        self.chains.insert(key.id(), next);
        self.log.leaves.push(entry.into_bytes());
        Ok(())
    }

    /// The checkpoint, signed by the log and by two witnesses that cosign without auditing.
    fn checkpoint(&self) -> Result<String> {
        let size = Size::new(self.log.leaves.len() as u64)?;
        let checkpoint = Checkpoint::new(self.origin.clone(), size, self.log.tree(size)?.root());
        let mut note = checkpoint.sign(&[&self.keys.log()?])?;
        for witness in ["witness-1", "witness-2"] {
            let line = cosignature::cosign(&note.text, &self.keys.witness(witness)?, self.time)?;
            note.signatures.push(line);
        }
        Ok(note.to_string())
    }
}

/// A seeded log, exported.
struct Stage {
    data: PathBuf,
    export: PathBuf,
    policy: String,
    genesis: String,
}

impl Stage {
    fn set(scratch: &Path) -> Result<Self> {
        let processes = Processes::seed(&scratch.join("demo"), "127.0.0.1:22400")?;
        let export = scratch.join("export");
        let (from, to) = (processes.data.join("ledger"), export.display().to_string());
        let from = from.display().to_string();
        let output = run("ledger", &["export", "--data", &from, "--to", &to])?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(Self {
            data: processes.data.clone(),
            export,
            policy: processes.info.policy.display().to_string(),
            genesis: processes.info.genesis.clone(),
        })
    }

    /// Writes the export with a lie in it to `folder`. Returns the checkpoint with the log's signature only.
    fn write(&self, lie: Lie, folder: &Path) -> Result<String> {
        copy_folder(&self.export, folder)?;
        std::fs::remove_dir_all(folder.join("tile"))?;
        // A lying ledger does not include the checkpoints that it has published before.
        std::fs::remove_dir_all(folder.join("checkpoints"))?;
        let mut ledger = LyingLedger::new(&self.data, &self.export)?;
        lie(&mut ledger)?;
        let checkpoint = ledger.checkpoint()?;
        ledger.log.write(folder, checkpoint.as_bytes())?;
        Ok(claimed(checkpoint.as_bytes())?
            .sign(&[&ledger.keys.log()?])?
            .to_string())
    }

    fn audit(&self, command: &str, folder: &Path) -> Result<(i32, serde_json::Value)> {
        let log = folder.to_str().context("a path in UTF-8")?;
        verifier(&[
            command,
            "--log",
            log,
            "--policy",
            &self.policy,
            "--genesis",
            &self.genesis,
        ])
    }

    /// Asks an auditing witness to cosign the log in `folder`. Returns status and text of its answer.
    fn cosign(&self, folder: &Path, checkpoint: String, state: &Path) -> Result<(u16, String)> {
        let own = self.data.join("witness-3");
        let mut command = Command::new(program("verifier"));
        command.args(["witness", "--listen", WITNESS, "--genesis", &self.genesis]);
        command.arg("--audit").arg(folder).arg("--state").arg(state);
        command.arg("--key").arg(own.join("witness.key"));
        command.arg("--logs").arg(own.join("logs"));
        let _witness = Process::start(&mut command, &state.with_extension("log"))?;
        let request = AddCheckpoint {
            old: Size::ZERO,
            proof: Vec::new(),
            checkpoint,
        };
        let mut answer = None;
        wait_for(Duration::from_secs(30), || {
            let url = format!("http://{WITNESS}/add-checkpoint");
            answer = http()?.post(url).body(request.to_string()).send().ok();
            Ok(answer.is_some())
        })?;
        let answer = answer.context("the witness answers")?;
        Ok((answer.status().as_u16(), answer.text()?))
    }
}

#[test]
fn a_log_that_breaks_its_rules_is_noticed_by_every_auditor() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let stage = Stage::set(scratch.path())?;
    for (number, (name, says, lie)) in LIES.iter().enumerate() {
        let folder = scratch.path().join(format!("lie-{number}"));
        let checkpoint = stage.write(*lie, &folder)?;
        for command in ["audit", "map"] {
            let (code, report) = stage.audit(command, &folder)?;
            let findings = report["findings"].to_string();
            ensure!(
                code == 1 && findings.contains(says),
                "{command}, {name}: exit {code} {report:#}"
            );
        }
        let (status, words) = stage.cosign(&folder, checkpoint, &folder.with_extension("state"))?;
        ensure!(status == 422, "{name}: the auditing witness answers {status} {words}");
    }
    let folder = scratch.path().join("truth");
    let checkpoint = stage.write(TRUTH, &folder)?;
    let (code, report) = stage.audit("audit", &folder)?;
    ensure!(code == 0, "an honest log: {report:#}");
    let (status, words) = stage.cosign(&folder, checkpoint, &folder.with_extension("state"))?;
    ensure!(status == 200, "an honest log: {status} {words}");
    Ok(())
}
