//! A log that shows one provider another past than it shows everybody else. That provider's connector notices within a
//! minute.
//!
//! The receipt that the provider gets is signed by the log, for a tree that no witness has seen. The provider may
//! believe it for a minute. By then a checkpoint must have arrived that a quorum has cosigned and that has the same
//! past. Without one, the connector serves nothing new, and serves again as soon as one arrives. If one arrives with
//! another past, the connector stops until an operator acts, also across restarts.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use messages::{CallKind, Forward, OutcomeNotice};
use record::Receipt;
use tests::intermediary::{Intermediary, Passed};
use tests::keys::Keys;
use tests::processes::Processes;
use tests::wait_for;
use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::merkle::node_hash;
use tlog::note::{Note, SignerKey};

/// How long the connector may take to notice: its minute, one poll interval, and a margin for a slow machine.
const NOTICED: Duration = Duration::from_secs(180);

/// The receipt that a log with another past would give: the same entry and index in another tree, signed by the log.
fn forked(receipt: &[u8], log: &SignerKey) -> Vec<u8> {
    let receipt = Receipt::parse(receipt).unwrap();
    let mut hashes = receipt.proof().hashes.clone();
    // The last hash of an inclusion proof is that of the larger half. For a new entry that half is the past.
    hashes.last_mut().unwrap().0[0] ^= 1;
    let note = Note::parse(receipt.proof().checkpoint.as_bytes()).unwrap();
    let claimed: Checkpoint = note.text.parse().unwrap();
    let entry = receipt.entry().clone();
    let root = root(entry.leaf_hash(), receipt.index().get(), claimed.size.get(), &hashes);
    let checkpoint = Checkpoint::new(claimed.origin, claimed.size, root)
        .sign(&[log])
        .unwrap();
    Receipt::new(entry, receipt.index(), hashes, checkpoint.to_string()).to_bytes()
}

/// The root that an inclusion proof leads to. SPEC: RFC 9162 §2.1.3.2.
fn root(leaf: Hash, mut index: u64, size: u64, proof: &[Hash]) -> Hash {
    let mut last = size - 1;
    proof.iter().fold(leaf, |hash, sibling| {
        let parent = if index & 1 == 1 || index == last {
            while index & 1 == 0 && index != 0 {
                (index, last) = (index >> 1, last >> 1);
            }
            node_hash(sibling, &hash)
        } else {
            node_hash(&hash, sibling)
        };
        (index, last) = (index >> 1, last >> 1);
        parent
    })
}

/// A checkpoint without its cosignatures: what the log alone has signed.
fn unwitnessed(checkpoint: &[u8], log: &SignerKey) -> Vec<u8> {
    let claimed = tests::public_log::claimed(checkpoint).unwrap();
    claimed.sign(&[log]).unwrap().to_string().into_bytes()
}

/// Sends a forward again that the provider's connector has served. Returns the `type` of its problem, or an empty
/// string.
fn problem_type(processes: &Processes, served: &Passed) -> Result<String> {
    let answer = processes.call_provider(CallKind::Forward, &served.request)?;
    if answer.status() == 200 {
        return Ok(String::new());
    }
    let problem: serde_json::Value = serde_json::from_str(&answer.text()?)?;
    Ok(problem["type"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn a_fork_shown_to_one_provider_is_noticed_after_a_minute() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::seed(&scratch.path().join("demo"), "127.0.0.1:22200")?;
    let log = Arc::new(Keys::of(&processes.data).log()?);
    let forwards = Intermediary::between(
        &processes.data,
        "broker",
        ("connector-kba", &processes.info.connectors["kba"]),
    )?;
    forwards.sign_calls(Keys::of(&processes.data).writer("broker/writer.key")?);
    let view = Intermediary::before(&processes.info.ledger)?;
    processes.configure("broker", |config| {
        config["routes"]["bund:kba:zfzr"] = forwards.url.clone().into();
    })?;
    processes.configure("connector-kba", |config| config["ledger"] = view.url.clone().into())?;
    processes.start_all()?;
    processes.all_healthy()?;
    processes.ask_until_delivered()?;

    // From here on this provider sees only the fork, and no checkpoint that witnesses have cosigned.
    let key = log.clone();
    forwards.change_requests(move |path, body| match path {
        "/forward" => {
            let mut forward: Forward = record::cbor::from_slice(&body).unwrap();
            forward.intent_receipt = forked(&forward.intent_receipt, &key);
            record::cbor::to_vec(&forward)
        }
        "/outcome" => {
            let mut notice: OutcomeNotice = record::cbor::from_slice(&body).unwrap();
            notice.intent_receipt = forked(&notice.intent_receipt, &key);
            notice.outcome_receipt = forked(&notice.outcome_receipt, &key);
            record::cbor::to_vec(&notice)
        }
        _ => body,
    });
    let key = log.clone();
    view.change_answers(move |path, body| match path {
        "/checkpoint" => unwitnessed(&body, &key),
        _ => body,
    });
    processes.ask_until_delivered()?;
    let asked = processes.register_asked()?;
    // Another exchange would reveal the fork at once, because identity's part carries the log as identity sees it.
    let served = forwards.last("/forward").context("a forward")?;
    wait_for(NOTICED, || {
        Ok(problem_type(&processes, &served)?.ends_with("log-not-witnessed"))
    })?;
    let (status, body) = processes.ask()?;
    ensure!(status == 503, "{status} {body:#}");
    ensure!(processes.register_asked()? == asked, "the register was asked");
    ensure!(
        processes.alarms("kba", "log-inconsistent")? == 0,
        "an alarm before any witness has contradicted the fork"
    );

    // The true log comes back. It proves the fork, so the connector does not recover by itself any more.
    forwards.honest();
    view.honest();
    let stopped = |processes: &Processes| {
        wait_for(NOTICED, || Ok(problem_type(processes, &served)?.ends_with("stopped")))?;
        ensure!(processes.alarms("kba", "log-inconsistent")? > 0, "no alarm");
        let (status, body) = processes.ask()?;
        ensure!(status == 503, "{status} {body:#}");
        Ok(())
    };
    stopped(&processes)?;
    processes.running.remove("connector-kba").unwrap().kill()?;
    let url = processes.info.connectors["kba"].clone();
    processes.up("connector-kba", "connector", &url)?;
    processes.halted(&url)?;
    stopped(&processes)?;
    ensure!(processes.register_asked()? == asked, "the register was asked");
    processes.every_intent_is_closed()
}
