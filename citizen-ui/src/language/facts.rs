//! Every field of a record as a labelled value: the groups of the detail page, in the order of the record's fields.
//!
//! The server calls [`facts`] to render the page. The browser calls it on the entries that it has verified itself and
//! compares the values with those on the page, so both must produce the same values in the same order.

use record::{
    Assurance, Check, DisclosureClass, ExchangeRecord, ExchangeResult, Kind, Lifecycle, Outcome, Party,
    PreviewDecision, ReleaseRecord, RetentionClass, SubjectRole, Why,
};

use crate::language::codes;
use crate::language::lang::Lang;
use crate::language::local_time::{LocalTime, day};
use crate::language::representation;
use crate::language::words::Words;
use crate::proof::access::{Access, EntryStamp, Exchange};
use text::phrase::Phrase;

/// A titled group of facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The title.
    pub title: &'static str,
    /// Label and value, in order.
    pub facts: Vec<Fact>,
}

/// One labelled value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The label.
    pub label: Phrase,
    /// The value.
    pub value: Phrase,
}

/// All groups of an access.
pub fn facts(access: &Access, lang: Lang) -> Vec<Group> {
    let words = lang.words();
    match access {
        Access::Exchange(exchange) => exchange_groups(exchange, lang),
        Access::Inspection { stamp, record } => vec![
            group(
                words.group_who,
                vec![
                    quoted(words.reader, &record.reader),
                    fact(words.reason, codes::inspection_reason(&record.reason, lang)),
                    own(words.day, &day(record.day)),
                ],
            ),
            group(
                words.group_entries,
                vec![entry(words, words.entry_inspection, Some(*stamp))],
            ),
        ],
        Access::Release { stamp, record } => release_groups(*stamp, record, lang),
        Access::Unused { stamp, record } => vec![
            group(
                words.group_who,
                vec![
                    cited(words.consumer, record.consumer.as_str()),
                    own(words.s1_digest, &record.s1_digest.to_string()),
                ],
            ),
            group(words.group_entries, vec![entry(words, words.entry_void, Some(*stamp))]),
        ],
        Access::Expired {
            kind,
            stamp,
            outcome,
            preview,
            expiry,
        } => {
            let first = match kind {
                Kind::Inspection => words.entry_inspection,
                Kind::Void => words.entry_void,
                _ => words.entry_intent,
            };
            let mut entries = vec![entry(words, first, Some(*stamp))];
            if *kind == Kind::Intent {
                entries.push(entry(words, words.entry_outcome, *outcome));
            }
            if preview.is_some() {
                entries.push(entry(words, words.entry_preview, *preview));
            }
            vec![
                group(words.group_lifecycle, vec![own(words.expired, &day(expiry.0))]),
                group(words.group_entries, entries),
            ]
        }
    }
}

/// All values, in the order in which a page shows them.
pub fn values(groups: &[Group]) -> Vec<String> {
    let facts = groups.iter().flat_map(|group| &group.facts);
    facts.map(|fact| fact.value.text()).collect()
}

fn exchange_groups(exchange: &Exchange, lang: Lang) -> Vec<Group> {
    let words = lang.words();
    let record = &exchange.record;
    let mut entries = vec![
        entry(words, words.entry_intent, Some(exchange.intent)),
        entry(words, words.entry_outcome, exchange.outcome),
    ];
    if exchange.preview.is_some() {
        entries.push(entry(words, words.entry_preview, exchange.preview));
    }
    let mut who = party(words, words.consumer, &record.consumer);
    who.extend(party(words, words.provider, &record.provider));
    vec![
        group(words.group_who, who),
        group(words.group_what, what(record, words)),
        group(words.group_why, why(&record.why, words)),
        group(
            words.group_allowed,
            vec![
                cited(words.permission, &record.allowed_by.permission),
                own(words.registry, &record.allowed_by.registerlandkarte.to_string()),
            ],
        ),
        group(words.group_result, result(exchange, lang)),
        group(words.group_role, role(record, words, lang)),
        group(words.group_lifecycle, lifecycle(&record.lifecycle, words)),
        group(words.group_signatures, signatures(record, words)),
        group(words.group_ids, ids(record, words)),
        group(words.group_entries, entries),
    ]
}

fn release_groups(stamp: EntryStamp, record: &ReleaseRecord, lang: Lang) -> Vec<Group> {
    let words = lang.words();
    let data = record.data.iter().flat_map(|datum| {
        [
            quoted(words.categories, &datum.title),
            quoted(words.legal_basis, &datum.legal_basis),
            cited(words.permission, &datum.permission),
        ]
    });
    let values = own(words.no_values, words.no_values_text);
    vec![
        group(words.group_who, party(words, words.receiver, &record.receiver)),
        group(words.group_what, data.chain([values]).collect()),
        group(words.group_why, why(&record.why, words)),
        group(
            words.group_allowed,
            vec![own(words.registry, &record.registerlandkarte.to_string())],
        ),
        group(words.group_lifecycle, lifecycle(&record.lifecycle, words)),
        group(words.group_entries, vec![entry(words, words.entry_intent, Some(stamp))]),
    ]
}

fn why(why: &Why, words: &Words) -> Vec<Fact> {
    vec![
        quoted(words.purpose, &why.purpose),
        quoted(words.occasion, &why.occasion),
        quoted(words.procedure, &why.procedure),
        quoted(words.legal_basis, &why.legal_basis),
    ]
}

fn party(words: &Words, label: &str, party: &Party) -> Vec<Fact> {
    let of = |part: &str| format!("{label}: {part}");
    let mut identifier = Phrase::cited(&party.directory);
    identifier.say(" / ").cite(&party.identifier);
    vec![
        quoted(label, &party.name),
        fact(&of(words.identifier), identifier),
        quoted(&of(words.component), &party.component),
        quoted(&of(words.responsible), &party.responsible),
        quoted(&of(words.operating), &party.operating),
    ]
}

fn what(record: &ExchangeRecord, words: &Words) -> Vec<Fact> {
    let mut categories = Phrase::default();
    for category in &record.evidence.categories {
        if !categories.0.is_empty() {
            categories.say(", ");
        }
        categories.quote(category);
    }
    let mut facts = vec![
        quoted(words.evidence, &record.evidence.title),
        cited(
            &format!("{}: {}", words.evidence, words.identifier),
            &record.evidence.id,
        ),
        fact(words.categories, categories),
        own(words.no_values, words.no_values_text),
        own(words.request_digest, &record.request_digest.to_string()),
    ];
    if let Some(result) = &record.result {
        let hash = |hash: &Option<tlog::Hash>| hash.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string);
        facts.push(own(words.evidence_digest, &hash(&result.evidence_digest)));
        facts.push(own(words.answer_digest, &hash(&result.answer_digest)));
    }
    facts
}

fn result(exchange: &Exchange, lang: Lang) -> Vec<Fact> {
    let words = lang.words();
    let record = &exchange.record;
    let mut facts = Vec::new();
    match &record.result {
        None => facts.push(own(words.outcome, words.outcome_open)),
        Some(result) => facts.extend(closed(result, lang)),
    }
    if let Some(preview) = &record.preview {
        let decision = match preview.decision {
            PreviewDecision::Accepted => words.preview_accepted,
            PreviewDecision::Rejected => words.preview_rejected,
            PreviewDecision::Cancelled => words.preview_cancelled,
            PreviewDecision::NotMade => words.preview_not_made,
        };
        facts.push(own(words.preview, decision));
    }
    if let Some(reason) = &exchange.internal_reason {
        facts.push(fact(words.internal, codes::internal_reason(reason, lang)));
    }
    let course = if record.synchronous {
        words.synchronous_yes
    } else {
        words.synchronous_no
    };
    facts.push(own(words.synchronous, course));
    facts.push(own(
        words.assurance,
        match record.assurance {
            Assurance::Low => words.assurance_low,
            Assurance::Substantial => words.assurance_substantial,
            Assurance::High => words.assurance_high,
        },
    ));
    facts
}

fn closed(result: &ExchangeResult, lang: Lang) -> Vec<Fact> {
    let words = lang.words();
    let outcome = match result.outcome {
        Outcome::Delivered => words.outcome_delivered,
        Outcome::NothingFound => words.outcome_nothing,
        Outcome::Refused => words.outcome_refused,
        Outcome::Failed => words.outcome_failed,
        Outcome::TimedOut => words.outcome_timed_out,
    };
    let mut facts = vec![
        own(words.outcome, outcome),
        fact(words.told, codes::told_reason(&result.told, lang)),
    ];
    facts.extend(result.checks.iter().map(|check| checked(check, lang)));
    facts
}

fn checked(check: &Check, lang: Lang) -> Fact {
    let words = lang.words();
    let verdict = if check.passed { words.passed } else { words.not_passed };
    let mut label = Phrase::said(words.check);
    label.say(": ").append(codes::check_name(&check.name, lang));
    let mut value = Phrase::said(verdict);
    value.say(" (").cite(&check.algorithm).say(")");
    Fact { label, value }
}

fn role(record: &ExchangeRecord, words: &Words, lang: Lang) -> Vec<Fact> {
    let role = match record.role {
        SubjectRole::DataSubject => words.role_subject,
        SubjectRole::Representative => words.role_representative,
        SubjectRole::ThirdPerson => words.role_third,
    };
    let mut facts = vec![own(words.role, role), own(words.idnr, yes(record.idnr_used, words))];
    if let Some(power) = record.representation {
        facts.insert(1, own(words.power, representation::name(power, lang)));
    }
    facts
}

fn lifecycle(lifecycle: &Lifecycle, words: &Words) -> Vec<Fact> {
    let retention = match lifecycle.retention {
        RetentionClass::IdnrG2y => words.retention_idnrg,
        RetentionClass::Eu12m => words.retention_eu,
    };
    let disclosure = match lifecycle.disclosure {
        DisclosureClass::Immediate => words.disclosure_immediate,
        DisclosureClass::Delayed => words.disclosure_delayed,
    };
    vec![
        own(words.retention, retention),
        own(words.expiry, &day(lifecycle.expiry.0)),
        own(words.disclosure, disclosure),
    ]
}

fn signatures(record: &ExchangeRecord, words: &Words) -> Vec<Fact> {
    let by_consumer = &record.consumer_signatures;
    let mut facts = vec![
        own(words.consumer_signature_1, &hex(&by_consumer.s1)),
        own(words.s1_digest, &by_consumer.s1_digest.to_string()),
        own(words.consumer_signature_2, &hex(&by_consumer.s2)),
        own(words.sealed_request, &by_consumer.sealed_request.to_string()),
        own(words.answer_key, &hex(&by_consumer.answer_key)),
    ];
    let by_provider = record
        .result
        .as_ref()
        .and_then(|result| result.provider_signature.as_ref());
    facts.push(own(
        words.provider_signature,
        &by_provider.map_or_else(|| "–".to_owned(), |signature| hex(signature)),
    ));
    facts
}

fn ids(record: &ExchangeRecord, words: &Words) -> Vec<Fact> {
    vec![
        own(words.exchange_id, &record.ids.exchange.to_string()),
        own(words.message_id, &record.ids.message.to_string()),
        cited(words.request_reference, &record.ids.request_reference),
        cited(words.trace, &record.ids.trace),
        own(words.test_message, yes(record.ids.test, words)),
    ]
}

fn entry(words: &Words, label: &str, stamp: Option<EntryStamp>) -> Fact {
    let value = stamp.map_or_else(
        || words.entry_none.to_owned(),
        |stamp| (words.entry_at)(stamp.index, &LocalTime::of(stamp.time)),
    );
    own(label, &value)
}

fn group(title: &'static str, facts: Vec<Fact>) -> Group {
    Group { title, facts }
}

fn fact(label: &str, value: Phrase) -> Fact {
    Fact {
        label: Phrase::said(label),
        value,
    }
}

fn own(label: &str, value: &str) -> Fact {
    fact(label, Phrase::said(value))
}

fn quoted(label: &str, value: &str) -> Fact {
    fact(label, Phrase::quoted(value))
}

fn cited(label: &str, value: &str) -> Fact {
    fact(label, Phrase::cited(value))
}

fn yes(yes: bool, words: &Words) -> &'static str {
    if yes { words.yes } else { words.no }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::samples;

    #[test]
    fn all_groups_have_their_facts_in_both_languages() {
        let access = Access::of(vec![samples::intent(), samples::outcome(Outcome::Refused)]).unwrap();
        for lang in Lang::ALL {
            let groups = facts(&access, lang);
            assert_eq!(groups.len(), 10);
            let all = values(&groups);
            for expected in [
                "Stadt Musterhausen",
                "DVDV / ags-kba",
                "Zentrales Fahrzeugregister",
                "Kraftfahrt-Bundesamt, Fachamt",
                "Rechenzentrum Muster",
                "Zulassungsbescheinigung Teil I",
                "Fahrzeug, Halter",
                "bewohnerparken",
                "Antrag auf einen Bewohnerparkausweis",
                "99108008001000",
                "§ 45 Abs. 1b StVO",
                "bewohnerparken@1",
                "Halterdaten stimmen nicht überein",
                "BPA-2026-17",
                "0199a5b0-0000-7000-8000-000000000001",
                "21.11.2028",
                &"08".repeat(32),
                &"0a".repeat(64),
                lang.words().outcome_refused,
                lang.words().assurance_high,
                lang.words().role_subject,
                lang.words().retention_idnrg,
            ] {
                assert!(
                    all.iter().any(|value| value == expected),
                    "{expected} is missing: {all:#?}"
                );
            }
        }
    }

    #[test]
    fn a_wrong_clock_is_shown_as_a_technical_fault_and_not_as_a_refusal() {
        for (code, german) in [("clock", "Die Uhren "), ("too-late", "Die Anfrage kam zu spät an")] {
            let mut outcome = samples::outcome(Outcome::Failed);
            outcome.citizen = Some(record::CitizenPart::with_reason(code));
            let access = Access::of(vec![samples::intent(), outcome]).unwrap();
            let all = values(&facts(&access, Lang::De));
            assert!(all.iter().any(|value| value.starts_with(german)), "{all:#?}");
            assert!(!all.iter().any(|value| value.contains("bgelehnt")), "{all:#?}");
            let sentence = crate::language::sentence::sentence(&access, Lang::De).text();
            assert!(sentence.contains("technisch gescheitert"), "{sentence}");
        }
    }

    #[test]
    fn an_open_exchange_has_no_result_and_no_outcome_entry() {
        let access = Access::of(vec![samples::intent()]).unwrap();
        let groups = facts(&access, Lang::De);
        let all = values(&groups);
        assert!(all.contains(&"Noch nicht eingetragen".to_owned()) && all.contains(&"noch kein Eintrag".to_owned()));
    }
}
