//! The state of the log that the device remembers, against the one that the server shows.

use serde::{Deserialize, Serialize};
use tlog::merkle::{Size, verify_consistency};

use super::words::{Told, Tone, Words};
use crate::language::lang::Lang;
use crate::language::local_time::LocalTime;
use crate::proof::device::{Memory, Pins, check_trust};
use crate::proof::statement::Consistency;
use crate::proof::verify::TrustText;

/// The answer of the server: a checkpoint, and the proof that it continues the device's.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogProof {
    /// The signed checkpoint.
    #[serde(with = "record::bytes")]
    pub checkpoint: Vec<u8>,
    /// The proof from the size that the device has named.
    pub consistency: Option<Consistency>,
}

impl LogProof {
    /// Encodes the answer.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        record::cbor::to_vec(self)
    }
}

/// Compares the answer with what the device remembers.
pub fn compare(answer: Option<&[u8]>, trust: &TrustText, memory: Option<&Memory>, pins: Pins, lang: Lang) -> Told {
    let words = Words::of(lang);
    let Some(memory) = memory else {
        return Told::new(Tone::Unknown, words.nothing, vec![words.nothing_text.to_owned()]);
    };
    let Ok(trust) = trust.parse() else {
        return Told::new(Tone::Refused, words.no_trust, Vec::new());
    };
    if check_trust(&trust, Some(memory), pins).is_err() {
        return Told::new(Tone::Refused, words.other_log, vec![words.report.to_owned()]);
    }
    let answer = answer.and_then(|answer| record::cbor::from_slice::<LogProof>(answer).ok());
    let Some(answer) = answer else {
        return Told::new(Tone::Unknown, words.unable, vec![words.unlinked.to_owned()]);
    };
    let Ok(verdict) = trust.policy.verify_checkpoint(&answer.checkpoint) else {
        return Told::new(Tone::Refused, words.refused, vec![words.report.to_owned()]);
    };
    let checkpoint = verdict.checkpoint();
    let time = LocalTime::of(memory.as_of).full(lang);
    let (before, now) = (memory.size, checkpoint.size.get());
    if now < before {
        // An older state that is signed proves no fraud, but the device knows better.
        return Told::new(Tone::Refused, (words.older)(&time), vec![words.report.to_owned()]);
    }
    let linked = match (&answer.consistency, now == before) {
        (_, true) => checkpoint.root == memory.root,
        (None, false) => return Told::new(Tone::Unknown, words.unable, vec![words.unlinked.to_owned()]),
        (Some(proof), false) => Size::new(before).is_ok_and(|before| {
            verify_consistency(before, &memory.root, checkpoint.size, &checkpoint.root, &proof.hashes).is_ok()
        }),
    };
    if !linked {
        return Told::new(Tone::Refused, (words.rewritten)(&time), vec![words.report.to_owned()]);
    }
    let mut lines = vec![(words.grown_text)(now)];
    if !verdict.quorum() {
        lines.push(words.no_quorum.to_owned());
        return Told::new(Tone::Unknown, (words.grown)(before, &time), lines);
    }
    lines.push((words.witnesses)(verdict.cosignatures().len()));
    Told::new(Tone::Sound, (words.grown)(before, &time), lines)
}
