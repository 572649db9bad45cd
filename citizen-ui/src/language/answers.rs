//! The six answers about an exchange, its course in five steps, and the five answers about a release of base data.

use record::{Check, ReleaseRecord};

use crate::language::codes;
use crate::language::lang::Lang;
use crate::language::local_time::LocalTime;
use crate::language::sentence::{capitalised, released_data};
use crate::proof::access::{Ending, EntryStamp, Exchange};
use text::phrase::Phrase;

/// The name that records give to the check of the permission.
const PERMISSION_CHECK: &str = "abstract permission";
/// The provider's reason when it finds no permission.
const NOT_PERMITTED: &str = "P7";

/// An answer to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The question.
    pub question: &'static str,
    /// The answer.
    pub value: Phrase,
    /// What belongs to it.
    pub notes: Vec<Phrase>,
    /// The public page that says more: its path after the language.
    pub page: Option<String>,
}

/// One step of the course.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// POSIX seconds, if the log has the time of the step.
    pub time: Option<u64>,
    /// What happens.
    pub text: String,
    /// What belongs to it.
    pub note: Option<String>,
}

/// Who, from whom, what, why, under which law, and whether it was allowed.
pub fn answers(exchange: &Exchange, lang: Lang) -> [Answer; 6] {
    let text = &lang.citizen().detail;
    let record = &exchange.record;
    let answer = |question, value, notes| Answer {
        question,
        value,
        notes,
        page: None,
    };
    let mut kinds = Phrase::default();
    for kind in &record.evidence.categories {
        if !kinds.0.is_empty() {
            kinds.say(", ");
        }
        kinds.quote(kind);
    }
    if !kinds.0.is_empty() {
        kinds.say(". ");
    }
    kinds.say(text.values);
    let mut reference = Phrase::said(text.reference);
    reference.cite(&record.ids.request_reference);
    let who = if record.why.is_own_request() {
        answer(
            text.who,
            Phrase::said(text.who_own),
            vec![Phrase::quoted(&record.consumer.name)],
        )
    } else {
        let component = Phrase::quoted(&record.consumer.component);
        answer(text.who, Phrase::quoted(&record.consumer.name), vec![component])
    };
    [
        who,
        answer(
            text.at,
            Phrase::quoted(&record.provider.name),
            vec![Phrase::quoted(&record.provider.component)],
        ),
        answer(text.what, Phrase::quoted(&record.evidence.title), vec![kinds]),
        answer(text.why, Phrase::quoted(&record.why.occasion), vec![reference]),
        answer(text.law, Phrase::quoted(&record.why.legal_basis), Vec::new()),
        allowed(exchange, lang),
    ]
}

/// Who received base data of the person from identity, which, why, under which law, and by which permissions.
pub fn released(stamp: EntryStamp, record: &ReleaseRecord, lang: Lang) -> [Answer; 5] {
    let text = &lang.citizen().detail;
    let answer = |question, value, notes| Answer {
        question,
        value,
        notes,
        page: None,
    };
    let mut laws = Vec::new();
    let mut permissions = vec![Phrase::said(&format!("{}.", capitalised(text.permission_then)))];
    for datum in &record.data {
        let mut law = Phrase::quoted(&datum.title);
        law.say(": ").quote(&datum.legal_basis);
        laws.push(law);
        let mut permission = Phrase::quoted(&datum.title);
        permission.say(": ").cite(&datum.permission);
        permissions.push(permission);
    }
    let first = record.data.first();
    [
        answer(
            text.who,
            Phrase::quoted(&record.receiver.name),
            vec![Phrase::quoted(&record.receiver.component)],
        ),
        answer(text.what, released_data(record), vec![Phrase::said(text.values)]),
        answer(text.why, Phrase::quoted(&record.why.occasion), Vec::new()),
        answer(text.law, Phrase::quoted(&record.why.legal_basis), laws),
        Answer {
            page: first.and_then(|datum| permission_page(&datum.permission, stamp)),
            ..answer(text.allowed, Phrase::said(text.allowed_yes), permissions)
        },
    ]
}

/// Whether the exchange was allowed: as broker and provider have checked it.
fn allowed(exchange: &Exchange, lang: Lang) -> Answer {
    let text = &lang.citizen().detail;
    let value = match permitted(exchange) {
        Some(true) => text.allowed_yes,
        Some(false) => text.allowed_no,
        None => text.allowed_open,
    };
    let mut permission = Phrase::said(text.permission);
    permission.cite(&exchange.record.allowed_by.permission);
    permission.say(&format!(", {}.", text.permission_then));
    let mut notes = vec![permission];
    if let Some(reason) = &exchange.internal_reason {
        let mut only_you = Phrase::said(&format!("{} ", text.only_you));
        only_you.append(codes::internal_reason(reason, lang));
        notes.push(only_you);
    }
    Answer {
        question: text.allowed,
        value: Phrase::said(value),
        notes,
        page: permission_page(&exchange.record.allowed_by.permission, exchange.intent),
    }
}

/// The permission with its laws, as of the day of the entry. `None` for a name that would be no part of a path.
fn permission_page(permission: &str, stamp: EntryStamp) -> Option<String> {
    let day = LocalTime::of(stamp.time).form_date();
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-_.@".contains(letter);
    let path = format!("/registerlandkarte/erlaubnis/{permission}?stand={day}");
    (!permission.is_empty() && permission.chars().all(is_name)).then_some(path)
}

/// What the checks of the permission found. `None` if there is no result yet, or it has no such check.
fn permitted(exchange: &Exchange) -> Option<bool> {
    if exchange.internal_reason.as_deref() == Some(NOT_PERMITTED) {
        return Some(false);
    }
    let checks = &exchange.record.result.as_ref()?.checks;
    let check = checks.iter().find(|check| check.name == PERMISSION_CHECK);
    check.map(|check| check.passed)
}

/// The course. Only the two entries of the log have times.
pub fn course(exchange: &Exchange, lang: Lang) -> [Step; 5] {
    let text = &lang.citizen().detail;
    let step = |time, text: &str, note| Step {
        time,
        text: text.to_owned(),
        note,
    };
    let checks: &[Check] = exchange.record.result.as_ref().map_or(&[], |result| &result.checks);
    let checked = match checks.len() {
        0 => text.step_unchecked.to_owned(),
        all => (text.step_checked)(checks.iter().filter(|check| check.passed).count(), all),
    };
    let own = exchange.record.why.is_own_request();
    let sent = match Ending::of_exchange(exchange) {
        Ending::Delivered if own => text.step_sent_own,
        Ending::Delivered => text.step_sent,
        Ending::Open => text.step_open,
        _ => text.step_not_sent,
    };
    let closed = match exchange.outcome {
        Some(outcome) => step(
            Some(outcome.time),
            text.step_closed,
            Some((text.step_closed_note)(outcome.index)),
        ),
        None => step(None, text.step_open, None),
    };
    [
        step(None, text.step_asked, None),
        step(
            Some(exchange.intent.time),
            text.step_entered,
            Some((text.step_entered_note)(exchange.intent.index)),
        ),
        step(None, &checked, None),
        step(None, sent, None),
        closed,
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use record::Outcome;

    use super::*;
    use crate::proof::access::Access;
    use crate::samples;

    fn exchange(outcome: Option<Outcome>) -> Exchange {
        let mut opened = vec![samples::intent()];
        opened.extend(outcome.map(samples::outcome));
        match Access::of(opened).unwrap() {
            Access::Exchange(exchange) => *exchange,
            access => unreachable!("{access:?}"),
        }
    }

    #[test]
    fn the_six_answers_are_those_of_the_record() {
        let answers = answers(&exchange(Some(Outcome::Delivered)), Lang::De);
        let texts: Vec<String> = answers.iter().map(|answer| answer.value.text()).collect();
        assert_eq!(
            texts,
            [
                "Stadt Musterhausen",
                "Kraftfahrt-Bundesamt",
                "Zulassungsbescheinigung Teil I",
                "Antrag auf einen Bewohnerparkausweis",
                "§ 45 Abs. 1b StVO",
                "Ja."
            ]
        );
        assert_eq!(
            answers[2].notes[0].text(),
            "Fahrzeug, Halter. Die Daten selbst stehen nicht im Protokoll."
        );
        assert_eq!(
            answers[5].notes[0].text(),
            "Erlaubnis: bewohnerparken@1, so wie sie an diesem Tag galt."
        );
        let page = "/registerlandkarte/erlaubnis/bewohnerparken@1?stand=2026-11-21";
        assert_eq!(answers[5].page.as_deref(), Some(page));
    }

    #[test]
    fn a_permission_with_another_name_is_no_link() {
        let mut strange = exchange(None);
        for name in ["", "../x", "a?b", "a b", "ä@1"] {
            strange.record.allowed_by.permission = name.into();
            assert_eq!(answers(&strange, Lang::De)[5].page, None, "{name}");
        }
    }

    #[test]
    fn the_answer_about_the_permission_follows_its_check() {
        let answer = |exchange: &Exchange| answers(exchange, Lang::De)[5].value.text();
        let mut refused = exchange(Some(Outcome::Refused));
        assert_eq!(answer(&refused), "Ja.", "it was refused for another reason");
        refused.internal_reason = Some(NOT_PERMITTED.into());
        assert_eq!(answer(&refused), "Nein. Darum flossen keine Daten.");
        refused.internal_reason = None;
        for check in &mut refused.record.result.as_mut().unwrap().checks {
            check.passed = check.name != PERMISSION_CHECK;
        }
        assert_eq!(answer(&refused), "Nein. Darum flossen keine Daten.");
        assert_eq!(answer(&exchange(None)), "Das Ergebnis der Prüfung steht noch aus.");
    }

    #[test]
    fn the_course_has_the_times_of_the_two_entries() {
        let steps = course(&exchange(Some(Outcome::Delivered)), Lang::De);
        let times: Vec<Option<u64>> = steps.iter().map(|step| step.time).collect();
        assert_eq!(times, [None, Some(samples::TIME), None, None, Some(samples::TIME + 1)]);
        assert_eq!(steps[3].text, "Die Daten gehen verschlüsselt an die Behörde.");
        let open = course(&exchange(None), Lang::De);
        assert_eq!(open[4].text, "Das Ergebnis steht noch nicht im Protokoll.");
        let refused = course(&exchange(Some(Outcome::Refused)), Lang::De);
        assert_eq!(refused[3].text, "Es fließen keine Daten.");
    }
}
