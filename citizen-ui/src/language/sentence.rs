//! The sentence that describes an access in plain language, and the reason that the authority has given.
//!
//! The server calls these functions to render the page. The browser's program calls them on the access that it has
//! verified itself and compares the whole page. An authority's name and its grammatical forms are those of the record,
//! which has them from the directory as of the day of the access.

use record::{ExchangeRecord, ExpiryDay, InspectionRecord, Kind, PreviewDecision, ReleaseRecord, SubjectRole};

use crate::language::case::upper;
use crate::language::codes;
use crate::language::lang::Lang;
use crate::language::local_time::{LocalTime, day};
use crate::language::representation::acted;
use crate::proof::access::{Access, Ending, EntryStamp, Exchange};
use text::phrase::Phrase;

/// The reason that the cockpit's own visits have.
const OWN_LOGIN: &str = "own-login";

/// Describes an access in one to three short sentences, without its time, which stands beside it.
pub fn sentence(access: &Access, lang: Lang) -> Phrase {
    let mut phrase = Phrase::default();
    match access {
        Access::Exchange(exchange) if exchange.record.why.is_own_request() => own(&mut phrase, exchange, lang),
        Access::Exchange(exchange) => match lang {
            Lang::De => german(&mut phrase, exchange),
            Lang::En => english(&mut phrase, exchange),
            Lang::Leicht => easy(&mut phrase, exchange),
        },
        Access::Inspection { record, .. } => inspection(&mut phrase, record, lang),
        Access::Release { record, .. } => {
            let (receiver, verb) = match lang {
                Lang::De => (
                    capitalised(&record.receiver.subject),
                    " bekommt diese Daten über Sie aus der Datenbank der Identifikationsnummern: ",
                ),
                Lang::En => (
                    record.receiver.name.clone(),
                    " receives these data about you from the database of identification numbers: ",
                ),
                Lang::Leicht => (capitalised(&record.receiver.subject), " bekommt diese Daten über Sie: "),
            };
            phrase.quote(&receiver).say(verb).append(released_data(record)).say(".");
        }
        Access::Unused { record, .. } => {
            let [before, after] = match lang {
                Lang::De => [
                    "Ein Abruf von „",
                    "“ wurde vorbereitet und nicht gemacht. Es flossen keine Daten.",
                ],
                Lang::En => ["A request by “", "” was prepared and not made. No data were sent."],
                Lang::Leicht => ["„", "“ wollte etwas fragen. Es wurde nicht gefragt."],
            };
            phrase.say(before).cite(record.consumer.as_str()).say(after);
        }
        Access::Expired {
            kind, stamp, expiry, ..
        } => {
            phrase.say(&expired(*kind, *stamp, *expiry, lang));
        }
    }
    phrase
}

/// The reason that the authority has given: "Weil: …"; for the citizen's own request, what it asked for. `None` for an
/// access without one.
pub fn reason(access: &Access, lang: Lang) -> Option<Phrase> {
    let why = match access {
        // The sentence has the reason, and not which of a body's registers it was.
        Access::Exchange(exchange) if exchange.record.why.is_own_request() => {
            return Some(Phrase::quoted(&exchange.record.evidence.title));
        }
        Access::Exchange(exchange) => &exchange.record.why,
        Access::Release { record, .. } => &record.why,
        _ => return None,
    };
    let mut phrase = Phrase::said(match lang {
        Lang::De => "Weil: ",
        Lang::En => "Because: ",
        Lang::Leicht => "Der Grund: ",
    });
    phrase.quote(without_stop(&why.occasion));
    Some(phrase)
}

/// A request that the citizen has caused.
fn own(phrase: &mut Phrase, exchange: &Exchange, lang: Lang) {
    let record = &exchange.record;
    let (before, provider, after) = match lang {
        Lang::De => ("Sie haben ", &record.provider.at, " gefragt, was dort über Sie steht."),
        Lang::En => ("You asked ", &record.provider.name, " what it has about you."),
        Lang::Leicht => ("Sie haben ", &record.provider.at, " gefragt: Was steht da über mich?"),
    };
    phrase.say(before).quote(provider).say(after);
    phrase.say(match (lang, Ending::of_exchange(exchange)) {
        (Lang::De, Ending::Delivered) => " Ihre Daten wurden Ihnen gezeigt.",
        (Lang::De, Ending::Nothing) => " Es wurde nichts gefunden.",
        (Lang::De, Ending::Refused | Ending::Failed | Ending::TimedOut | Ending::Withdrawn) => " Es kam keine Antwort.",
        (Lang::De, Ending::Open | Ending::Erased) => " Das Ergebnis steht noch aus.",
        (Lang::En, Ending::Delivered) => " Your data were shown to you.",
        (Lang::En, Ending::Nothing) => " Nothing was found.",
        (Lang::En, Ending::Refused | Ending::Failed | Ending::TimedOut | Ending::Withdrawn) => " There was no answer.",
        (Lang::En, Ending::Open | Ending::Erased) => " The result is still to come.",
        (Lang::Leicht, Ending::Delivered) => " Sie haben Ihre Daten gesehen.",
        (Lang::Leicht, Ending::Nothing) => " Da steht nichts.",
        (Lang::Leicht, Ending::Refused | Ending::Failed | Ending::TimedOut | Ending::Withdrawn) => {
            " Es kam keine Antwort."
        }
        (Lang::Leicht, Ending::Open | Ending::Erased) => " Die Antwort ist noch nicht da.",
    });
}

fn german(phrase: &mut Phrase, exchange: &Exchange) {
    let record = &exchange.record;
    let whose = match record.role {
        SubjectRole::DataSubject => "Ihre Unterlage",
        SubjectRole::Representative | SubjectRole::ThirdPerson => "die Unterlage",
    };
    let (auxiliary, verb, end) = match Ending::of_exchange(exchange) {
        Ending::Delivered => ("hat", "abgerufen", ""),
        Ending::Nothing => ("wollte", "abrufen", " Es wurde nichts gefunden."),
        Ending::Refused => ("wollte", "abrufen", " Das wurde abgelehnt. Es flossen keine Daten."),
        Ending::Failed => ("wollte", "abrufen", " Das ist technisch gescheitert."),
        Ending::TimedOut => ("wollte", "abrufen", " Es kam keine Antwort."),
        Ending::Withdrawn => ("wollte", "abrufen", " Die Anfrage wurde zurückgezogen."),
        Ending::Open | Ending::Erased => ("will", "abrufen", " Das Ergebnis steht noch aus."),
    };
    phrase
        .quote(&capitalised(&record.consumer.subject))
        .say(&format!(" {auxiliary} "))
        .quote(&record.provider.at)
        .say(&format!(" {whose} „"))
        .quote(&record.evidence.title)
        .say(&format!("“ {verb}.{end}"))
        .say(decided(record, Lang::De));
    if record.role == SubjectRole::ThirdPerson {
        phrase.say(" Sie kommen darin als dritte Person vor.");
    }
    phrase.say(acted(record, Lang::De));
}

fn english(phrase: &mut Phrase, exchange: &Exchange) {
    let record = &exchange.record;
    let (verb, end) = match Ending::of_exchange(exchange) {
        Ending::Delivered => ("retrieved", ""),
        Ending::Nothing => ("tried to retrieve", " Nothing was found."),
        Ending::Refused => ("tried to retrieve", " This was refused. No data were sent."),
        Ending::Failed => ("tried to retrieve", " This failed for a technical reason."),
        Ending::TimedOut => ("tried to retrieve", " There was no answer."),
        Ending::Withdrawn => ("tried to retrieve", " The request was withdrawn."),
        Ending::Open | Ending::Erased => ("asks for", " The result is still to come."),
    };
    let whose = match record.role {
        SubjectRole::DataSubject => "your document",
        SubjectRole::Representative | SubjectRole::ThirdPerson => "the document",
    };
    phrase
        .quote(&record.consumer.name)
        .say(&format!(" {verb} {whose} “"))
        .quote(&record.evidence.title)
        .say("” from ")
        .quote(&record.provider.name)
        .say(&format!(".{end}"))
        .say(decided(record, Lang::En));
    if record.role == SubjectRole::ThirdPerson {
        phrase.say(" You appear in it as a third person.");
    }
    phrase.say(acted(record, Lang::En));
}

fn easy(phrase: &mut Phrase, exchange: &Exchange) {
    let record = &exchange.record;
    let whose = match record.role {
        SubjectRole::DataSubject => "nach Ihren Daten gefragt.",
        SubjectRole::Representative => "nach Daten gefragt.",
        SubjectRole::ThirdPerson => "nach Daten gefragt. Sie kommen in den Daten vor.",
    };
    let answer = match Ending::of_exchange(exchange) {
        Ending::Delivered => "Die Antwort war: Ja. Die Daten sind dort.",
        Ending::Nothing => "Es gab keine Daten.",
        Ending::Refused => "Die Antwort war: Nein. Keine Daten sind dort.",
        Ending::Failed => "Die Technik ging nicht.",
        Ending::TimedOut => "Es kam keine Antwort.",
        Ending::Withdrawn => "Das Amt wollte keine Antwort mehr.",
        Ending::Open | Ending::Erased => "Die Antwort ist noch nicht da.",
    };
    phrase
        .quote(&capitalised(&record.consumer.subject))
        .say(" hat ")
        .quote(&record.provider.at)
        .say(&format!(" {whose} Es geht um: „"))
        .quote(&record.evidence.title)
        .say(&format!("“. {answer}"))
        .say(decided(record, Lang::Leicht))
        .say(acted(record, Lang::Leicht));
}

/// What was decided at the preview of delivered evidence. Empty without one.
fn decided(record: &ExchangeRecord, lang: Lang) -> &'static str {
    let Some(preview) = &record.preview else {
        return "";
    };
    match (lang, preview.decision) {
        (Lang::De, PreviewDecision::Accepted) => " In der Vorschau wurde zugestimmt.",
        (Lang::De, PreviewDecision::Rejected) => {
            " In der Vorschau wurde abgelehnt: Die Behörde darf sie nicht verwenden."
        }
        (Lang::De, PreviewDecision::Cancelled) => {
            " Die Vorschau wurde abgebrochen: Die Behörde darf sie nicht verwenden."
        }
        (Lang::De, PreviewDecision::NotMade) => {
            " In der Vorschau wurde nichts entschieden: Die Behörde darf sie nicht verwenden."
        }
        (Lang::En, PreviewDecision::Accepted) => " At the preview the use was agreed to.",
        (Lang::En, PreviewDecision::Rejected) => " At the preview it was refused: the authority may not use it.",
        (Lang::En, PreviewDecision::Cancelled) => " The preview was broken off: the authority may not use it.",
        (Lang::En, PreviewDecision::NotMade) => " At the preview nothing was decided: the authority may not use it.",
        (Lang::Leicht, PreviewDecision::Accepted) if record.representation.is_some() => {
            " Das Amt darf die Daten benutzen."
        }
        (Lang::Leicht, _) if record.representation.is_some() => " Das Amt darf die Daten nicht benutzen.",
        (Lang::Leicht, PreviewDecision::Accepted) => " Sie haben gesagt: Ja, das Amt darf die Daten benutzen.",
        (Lang::Leicht, PreviewDecision::Rejected) => " Sie haben gesagt: Nein. Das Amt darf die Daten nicht benutzen.",
        (Lang::Leicht, PreviewDecision::Cancelled | PreviewDecision::NotMade) => {
            " Sie haben nicht Ja gesagt. Das Amt darf die Daten nicht benutzen."
        }
    }
}

fn inspection(phrase: &mut Phrase, record: &InspectionRecord, lang: Lang) {
    if record.reason == OWN_LOGIN {
        phrase.say(match lang {
            Lang::De => "Sie haben Ihre Abrufe hier geöffnet.",
            Lang::En => "You opened your requests here.",
            Lang::Leicht => "Sie haben die Liste angeschaut.",
        });
        return;
    }
    let reason = codes::inspection_reason(without_stop(&record.reason), lang);
    let [before, middle] = match lang {
        Lang::De => ["„", "“ hat Ihre Abrufe geöffnet. Grund: "],
        Lang::En => ["“", "” opened your requests. Reason: "],
        Lang::Leicht => ["„", "“ hat Ihre Liste angeschaut. Der Grund: "],
    };
    phrase.say(before).quote(&record.reader).say(middle);
    phrase.append(reason).say(".");
}

/// The names of the released data.
pub(crate) fn released_data(record: &ReleaseRecord) -> Phrase {
    let mut data = Phrase::default();
    for datum in &record.data {
        if !data.0.is_empty() {
            data.say(", ");
        }
        data.quote(&datum.title);
    }
    data
}

fn expired(kind: Kind, stamp: EntryStamp, expiry: ExpiryDay, lang: Lang) -> String {
    // The record is kept until the end of its day of expiry.
    let (date, day) = (LocalTime::of(stamp.time).date, day(expiry.0.saturating_add(1)));
    match (lang, kind) {
        (Lang::De, Kind::Inspection) => format!(
            "Am {date} hat jemand Ihre Abrufe geöffnet, oder eine Behörde hat Ihre Identifikationsnummer bekommen. Wer das war, ist seit dem {day} gelöscht, wie das Gesetz es verlangt."
        ),
        (Lang::De, Kind::Void) => format!(
            "Am {date} wurde ein Abruf vorbereitet und nicht gemacht. Von wem, ist seit dem {day} gelöscht, wie das Gesetz es verlangt."
        ),
        (Lang::De, _) => format!(
            "Am {date} hat eine Behörde Daten über Sie angefragt. Welche und warum, ist seit dem {day} gelöscht, wie das Gesetz es verlangt."
        ),
        (Lang::En, Kind::Inspection) => {
            format!(
                "On {date}, your requests were opened, or an authority received your identification number. Who that was is erased since {day}, as the law demands."
            )
        }
        (Lang::En, Kind::Void) => {
            format!(
                "On {date}, a request was prepared and not made. By whom is erased since {day}, as the law demands."
            )
        }
        (Lang::En, _) => format!(
            "On {date}, an authority asked for data about you. Which one and why is erased since {day}, as the law demands."
        ),
        (Lang::Leicht, Kind::Inspection) => {
            "Jemand hat Ihre Liste angeschaut. Oder ein Amt hat Ihre Nummer bekommen. Das ist lange her. Darum ist es gelöscht."
                .to_owned()
        }
        (Lang::Leicht, _) => "Ein Amt hat etwas über Sie gefragt. Das ist lange her. Darum ist es gelöscht.".to_owned(),
    }
}

/// The text with a capital letter at its beginning, for the beginning of a sentence.
pub(crate) fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    rest.next()
        .map_or_else(String::new, |first| std::iter::once(upper(first)).chain(rest).collect())
}

/// Removes the full stop from a text of a record, because the sentence adds one.
pub(crate) fn without_stop(text: &str) -> &str {
    text.trim_end_matches(['.', ' '])
}

#[cfg(test)]
mod tests;
