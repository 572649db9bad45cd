//! Whose label it is, and that no earlier one was left out: P4 and P5.
//!
//! The provider accepts a label for a person only with the VRF's proof under the one key that the period's `begin`
//! entry logs, so identity cannot have two label sets. And it accepts the label only if the labels of its chain are in
//! the log. Therefore an attacker who hides an exchange from a citizen needs a label that is proved absent
//! (record::label, the lemma).

use ledger_client::recorded::{Intent, Recorded};
use messages::{CheckName, LinkedEntry, ProviderContent};
use record::{Body, Counter, Label, LabelledKind, Period, PeriodEvent, Phase, Series, SignedEntry, Timestamp, label};
use tlog::checkpoint::Checkpoint;
use tlog::merkle::{Index, verify_inclusion};
use tlog::vrf;

use super::failed::CheckFailed;
use crate::context::CheckContext;

/// An intent may precede its period's start by this many seconds (design §5.2).
const PERIOD_SKEW: u64 = 120;

/// What P4 proves: the intent's label is that of this number of this person.
pub(super) struct LabelProof {
    /// The labels of the chain, in its order.
    chain: Vec<Label>,
    /// The log-signed checkpoint under which period and chain must be included.
    pub(super) checkpoint: Checkpoint,
}

/// P5 has passed. Only [`p5_chain`] makes one.
pub(super) struct ChainRecorded(());

/// P4: the VRF proofs of the number and of its chain hold under the period's logged key, and give the intent's label.
pub(super) fn p4_numbers(
    context: &CheckContext,
    content: &ProviderContent,
    intent: &Recorded<Intent>,
    label: Label,
    period: Period,
) -> Result<LabelProof, CheckFailed> {
    let failed = CheckFailed::of(CheckName::P4);
    if content.period != period {
        return Err(failed("identity's part is of another period"));
    }
    if !matches!(content.series, Series::Exchanges | Series::DelayedExchanges) {
        return Err(failed("identity's part is of a series that is not for exchanges"));
    }
    let checkpoint = log_signed(context, &content.checkpoint).map_err(&failed)?;
    let key = period_key(context, content, &checkpoint, intent.entry().time).map_err(&failed)?;
    if !content.idnr.is_nobody() && Counter::new(content.number).is_err() {
        return Err(failed("a person has no such number"));
    }
    let derived = derive(&key, content, content.number, content.vrf_proof).map_err(&failed)?;
    if derived != label {
        return Err(failed("the intent's label is not that of the number"));
    }
    let chain: Result<Vec<Label>, &'static str> = content
        .chain
        .iter()
        .map(|link| derive(&key, content, link.number, link.vrf_proof))
        .collect();
    Ok(LabelProof {
        chain: chain.map_err(&failed)?,
        checkpoint,
    })
}

/// P5: the chain has exactly the required numbers, and the log has an intent or void for each.
pub(super) fn p5_chain(
    context: &CheckContext,
    content: &ProviderContent,
    proof: &LabelProof,
) -> Result<ChainRecorded, CheckFailed> {
    let failed = CheckFailed::of(CheckName::P5);
    // SPEC: design §5.5: nobody has random numbers and no chain.
    let expected = if content.idnr.is_nobody() {
        Vec::new()
    } else {
        label::chain(content.number)
    };
    let numbers: Vec<u32> = content.chain.iter().map(|link| link.number).collect();
    if numbers != expected {
        return Err(failed("the chain's numbers are not those of the number"));
    }
    for (link, expected) in content.chain.iter().zip(&proof.chain) {
        let entry = included(context, &link.entry, &proof.checkpoint).map_err(&failed)?;
        let Body::Labelled {
            kind, period, label, ..
        } = entry.entry().body
        else {
            return Err(failed("a link of the chain has no label"));
        };
        if !matches!(kind, LabelledKind::Intent | LabelledKind::Void) {
            return Err(failed("a link of the chain is neither intent nor void"));
        }
        if period != content.period || label != *expected {
            return Err(failed("a link of the chain has another label"));
        }
    }
    Ok(ChainRecorded(()))
}

/// Verifies the log's signature of a checkpoint, and that it is of the anchored log.
fn log_signed(context: &CheckContext, bytes: &[u8]) -> Result<Checkpoint, &'static str> {
    let head = context
        .trust
        .checkpoint(bytes.to_vec())
        .map_err(|_| "the checkpoint is not signed by the log")?;
    let checkpoint = head.checkpoint().clone();
    if context.is_our_log(&checkpoint) {
        Ok(checkpoint)
    } else {
        Err("the checkpoint is of another log")
    }
}

/// Returns the VRF key that the period's begin entry logs.
fn period_key(
    context: &CheckContext,
    content: &ProviderContent,
    checkpoint: &Checkpoint,
    entry_time: Timestamp,
) -> Result<vrf::PublicKey, &'static str> {
    let begin = included(context, &content.period_begin, checkpoint)?;
    let Body::Period {
        period,
        event: PeriodEvent::Begin { vrf_key, start },
    } = begin.entry().body
    else {
        return Err("the period's entry is not a begin");
    };
    if period != content.period {
        return Err("the period's entry is of another period");
    }
    if start > entry_time.after(PERIOD_SKEW) {
        return Err("the period has not begun");
    }
    vrf::PublicKey::from_bytes(vrf_key).map_err(|_| "the period's key is no VRF key")
}

fn derive(
    key: &vrf::PublicKey,
    content: &ProviderContent,
    number: u32,
    proof: [u8; 80],
) -> Result<Label, &'static str> {
    let alpha = label::alpha(&content.idnr, content.period, content.series, number);
    let beta = key
        .verify(&alpha, &vrf::Proof(proof))
        .map_err(|_| "a VRF proof does not hold")?;
    Ok(label::label(&beta, Phase::Intent))
}

/// Proves that an entry is included under the checkpoint, and that its writer had the right to write it.
fn included(
    context: &CheckContext,
    linked: &LinkedEntry,
    checkpoint: &Checkpoint,
) -> Result<SignedEntry, &'static str> {
    let entry = SignedEntry::parse(linked.leaf.clone()).map_err(|_| "an entry of identity's part is malformed")?;
    let index = Index::new(linked.index).map_err(|_| "an index of identity's part is out of range")?;
    verify_inclusion(
        &entry.leaf_hash(),
        index,
        checkpoint.size,
        &linked.hashes,
        &checkpoint.root,
    )
    .map_err(|_| "an entry of identity's part is not included")?;
    context
        .history
        .check_writer_at(&entry, index)
        .map_err(|_| "an entry of identity's part was not its writer's to write")?;
    Ok(entry)
}
