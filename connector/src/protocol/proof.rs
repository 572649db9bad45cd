//! What an entry of the protocol proves, checked again with the trust root: without the log, the broker or the keys of
//! others.

use ledger_client::Trust;
use record::{Body, Receipt, SignedEntry};
use tlog::policy::Policy;

use super::entry::{Closing, ProtocolEntry};
use crate::record_check;

/// The first thing that is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct NotProved(&'static str);

/// Checks the receipts of an entry, and that its record is the one that the log's outcome commits to.
///
/// # Errors
/// [`NotProved`].
pub(super) fn check(entry: &ProtocolEntry, trust: &Trust) -> Result<(), NotProved> {
    let policy = &trust.policy;
    receipt(&entry.intent_receipt, entry.intent, policy).ok_or(NotProved("the intent's receipt does not hold"))?;
    let Some(closing) = &entry.closing else {
        return Ok(());
    };
    let outcome = receipt(&closing.receipt, closing.outcome, policy);
    let outcome = outcome.ok_or(NotProved("the outcome's receipt does not hold"))?;
    record(entry, closing, &outcome)
}

fn receipt(bytes: &[u8], index: u64, policy: &Policy) -> Option<SignedEntry> {
    let verified = Receipt::parse(bytes).ok()?.verify(policy).ok()?;
    (verified.index().get() == index).then(|| verified.entry().clone())
}

fn record(entry: &ProtocolEntry, closing: &Closing, outcome: &SignedEntry) -> Result<(), NotProved> {
    let Body::Labelled { label, refers, .. } = &outcome.entry().body else {
        return Err(NotProved("the outcome has no label"));
    };
    if refers.map(|intent| intent.get()) != Some(entry.intent) {
        return Err(NotProved("the outcome closes another intent"));
    }
    let record = record_check::open(&closing.sealed_record, outcome.entry(), label, &closing.key).map_err(NotProved)?;
    if *record == entry.record {
        Ok(())
    } else {
        Err(NotProved("the log's record is another one"))
    }
}
