//! A file that the visitor has: a receipt, an opening or a bundle.

use proof::bundle::Bundle;
use proof::opening::Opening;
use record::Receipt;

use super::words::{Told, Tone, Words};
use crate::language::lang::Lang;
use crate::language::local_time::LocalTime;
use crate::proof::device::{Memory, Pins, check_trust};
use crate::proof::statement::prove;
use crate::proof::verify::{Trust, TrustText};

/// The longest file that is read.
pub const MAX_FILE: usize = 64 << 20;

/// Checks a file by the keys of the page.
pub fn check_file(file: &[u8], trust: &TrustText, memory: Option<&Memory>, pins: Pins, lang: Lang) -> Told {
    let words = Words::of(lang);
    if file.len() > MAX_FILE {
        return Told::new(Tone::Unknown, words.too_large, Vec::new());
    }
    let Ok(trust) = trust.parse() else {
        return Told::new(Tone::Refused, words.no_trust, Vec::new());
    };
    if check_trust(&trust, memory, pins).is_err() {
        return Told::new(Tone::Refused, words.other_log, Vec::new());
    }
    let mut told = told(file, &trust, lang);
    if told.tone == Tone::Sound && memory.is_none() && pins.genesis.is_none() {
        told.lines.push(words.first_time.to_owned());
    }
    told
}

fn told(file: &[u8], trust: &Trust, lang: Lang) -> Told {
    let words = Words::of(lang);
    let answer = if let Ok(receipt) = Receipt::parse(file) {
        of_receipt(&receipt, trust, lang)
    } else if let Ok(bundle) = Bundle::parse(file) {
        of_bundle(file, bundle.idnr.expose(), trust, lang)
    } else if let Ok(opening) = Opening::parse(file) {
        of_opening(&opening, trust, lang)
    } else {
        return Told::new(Tone::Refused, words.no_file, vec![words.no_file_text.to_owned()]);
    };
    answer.unwrap_or_else(|| Told::new(Tone::Refused, words.refused, vec![words.refused_text.to_owned()]))
}

/// What holds, with whether the witnesses have confirmed it.
fn proved(title: String, mut lines: Vec<String>, quorum: bool, words: &Words) -> Told {
    if quorum {
        return Told::new(Tone::Sound, title, lines);
    }
    lines.push(words.no_quorum.to_owned());
    Told::new(Tone::Unknown, title, lines)
}

fn of_receipt(receipt: &Receipt, trust: &Trust, lang: Lang) -> Option<Told> {
    let words = Words::of(lang);
    let verified = receipt.verify(&trust.policy).ok()?;
    let written = LocalTime::of(verified.entry().entry().time.0).full(lang);
    let mut lines = vec![(words.written)(&written)];
    if verified.quorum() {
        lines.push((words.witnesses)(verified.cosignatures().len()));
    }
    Some(proved(
        (words.receipt)(verified.index().get()),
        lines,
        verified.quorum(),
        words,
    ))
}

fn of_opening(opening: &Opening, trust: &Trust, lang: Lang) -> Option<Told> {
    let words = Words::of(lang);
    let anchor = opening.anchor.as_ref()?;
    let anchor = anchor.verify(&trust.policy, Some(&trust.genesis)).ok()?;
    let verified = opening.verify_under(&trust.policy, Some(&anchor)).ok()?;
    let mut lines = vec![(words.written)(&LocalTime::of(verified.time.0).full(lang))];
    if let Some(label) = &opening.label_proof {
        verified.person.as_ref()?;
        lines.push((words.person)(ending(label.idnr.expose())));
    }
    Some(proved(
        (words.opening)(verified.index.get()),
        lines,
        verified.quorum,
        words,
    ))
}

fn of_bundle(file: &[u8], idnr: &str, trust: &Trust, lang: Lang) -> Option<Told> {
    let words = Words::of(lang);
    let list = prove(file, &[], trust).ok()?;
    let lines = vec![
        (words.person)(ending(idnr)),
        (words.as_of)(&LocalTime::of(list.claim.as_of).full(lang)),
        (words.witnesses)(list.witnesses),
    ];
    Some(proved(
        (words.bundle)(list.claim.exchanges, list.claim.inspections),
        lines,
        list.quorum,
        words,
    ))
}

/// The last three digits, which are all that is shown.
fn ending(idnr: &str) -> &str {
    idnr.get(idnr.len().saturating_sub(3)..).unwrap_or_default()
}
