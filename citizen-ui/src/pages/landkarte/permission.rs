//! The page of one permission: what it says, by which law, and how it has changed.

use record::{DisclosureClass, RetentionClass, Timestamp};
use registerlandkarte::{Interval, Norm, Rule};

use super::content::Landkarte;
use super::list::{consumer_link, day_of, permission_path, provider_link, reading, source};
use super::query::LandkarteQuery;
use super::sentence::{area, sentence, subjects};
use super::text::Words;
use crate::language::lang::Lang;
use crate::language::local_time::LocalTime;
use crate::markup::{Element, el};
use crate::pages::blocks::{Tone, facts, file, german, link, notice, page, paragraph, section, small, span, table};
use crate::pages::frame::Frame;
use crate::pages::phrase::Phrased as _;

/// A change set that has put or removed a permission.
#[derive(Clone, Debug)]
pub struct Event {
    /// The entry that carries the set.
    pub entry: u64,
    /// The time of the entry.
    pub time: Timestamp,
    /// Number of the version of the Registerlandkarte.
    pub version: u32,
    /// Number of the version of the permission.
    pub of_permission: u32,
    /// Whether the permission is in the Registerlandkarte since then.
    pub put: bool,
}

/// The content of the page.
#[derive(Clone, Debug)]
pub struct PermissionPage<'a> {
    /// The version of the Registerlandkarte.
    pub map: &'a Landkarte,
    /// The permission.
    pub rule: &'a Rule,
    /// Every change of the permission, in all its versions, oldest first.
    pub events: &'a [Event],
    /// The query, of which the day counts.
    pub query: &'a LandkarteQuery,
    /// The instant as of which the page is.
    pub at: Timestamp,
}

/// Renders the page.
pub fn permission(frame: &Frame, content: &PermissionPage) -> String {
    let words = Words::of(frame.lang);
    let rule = content.rule;
    let title = format!("{} {}", words.permission, rule.reference());
    let said = el("h1").class("kern-heading-large").attr("id", "satz");
    let said = said.phrase(&sentence(content.map, rule, frame.lang), frame.lang);
    let valid = rule.valid.contains(content.at) && rule.recorded.contains(content.at);
    let ended = (!valid).then(|| notice("gilt-nicht", Tone::Warning, words.ended, []));
    let json =
        permission_path(rule, content.query).replacen(&rule.reference(), &format!("{}.json", rule.reference()), 1);
    let parts = [
        facts(said_by(frame, content)).attr("id", "angaben"),
        law(frame, content.map, rule),
        history(frame, content.events),
        section(words.take, [paragraph("").child(file(frame, &json, words.json))]),
        source(frame, &content.map.source),
        reading(frame),
    ];
    let back = small("").child(link(
        frame,
        &format!("/registerlandkarte{}", content.query.day_address()),
        words.to_list,
    ));
    page(frame, &title, [back, said].into_iter().chain(ended).chain(parts))
}

fn said_by(frame: &Frame, content: &PermissionPage) -> Vec<(String, Element)> {
    let (words, lang) = (Words::of(frame.lang), frame.lang);
    let (map, rule) = (content.map, content.rule);
    let yes = |is: bool| span(if is { words.yes } else { words.no });
    let evidence = map.evidence_of(rule);
    let title = evidence.map_or_else(|| rule.evidence.to_string(), |evidence| evidence.title.to_string());
    let categories: Vec<String> = evidence
        .into_iter()
        .flat_map(|evidence| &evidence.categories)
        .map(ToString::to_string)
        .collect();
    let retention = match rule.retention {
        RetentionClass::IdnrG2y => words.retention_idnrg,
        RetentionClass::Eu12m => words.retention_eu,
    };
    let disclosure = match rule.disclosure {
        DisclosureClass::Immediate => words.disclosure_now,
        DisclosureClass::Delayed => words.disclosure_later,
    };
    let procedure = rule
        .procedure
        .as_ref()
        .map(|procedure| (words.procedure, span(procedure.as_str())));
    let items = [
        (words.who, consumer_link(frame, map, rule, content.query)),
        (words.from, provider_link(frame, map, rule, content.query)),
        (words.evidence, german(&title, lang)),
        (words.data, german(&categories.join(", "), lang)),
        (words.occasion, german(rule.occasion.as_str(), lang)),
        (words.purpose, span(rule.purpose.as_str())),
        (words.subjects, span(subjects(rule.subjects, lang))),
        (words.area, span(area(rule.area, lang))),
        (words.idnr, yes(rule.idnr)),
        (words.preview, yes(rule.preview)),
        (words.representation, yes(rule.representation)),
        (words.retention, span(retention)),
        (words.disclosure, span(disclosure)),
        (words.valid, span(&interval(words, rule.valid))),
        (words.key, span(&rule.reference())),
    ];
    items
        .into_iter()
        .chain(procedure)
        .map(|(label, value)| (label.to_owned(), value))
        .collect()
}

fn interval(words: &Words, interval: Interval) -> String {
    let from = day_of(interval.from);
    match interval.until {
        None => (words.since)(&from),
        Some(until) => (words.between)(&from, &day_of(until.before(1))),
    }
}

fn law(frame: &Frame, map: &Landkarte, rule: &Rule) -> Element {
    let words = Words::of(frame.lang);
    let norms = map.norms_of(rule).into_iter().map(|norm| norm_box(frame.lang, norm));
    section(words.law_title, norms)
}

/// A norm: citation, heading, our words, and where it was read.
pub(super) fn norm_box(lang: Lang, norm: &Norm) -> Element {
    let words = Words::of(lang);
    let heading = norm
        .heading
        .as_ref()
        .map(|heading| format!(" – {heading}"))
        .unwrap_or_default();
    let title = el("h3")
        .class("kern-heading-small")
        .child(german(&format!("{}{heading}", norm.citation()), lang));
    let permits = paragraph("")
        .text(&format!("{}: ", words.own_words))
        .child(german(norm.permits.as_str(), lang));
    let (source, commit) = (&norm.source, norm.source.commit.to_string());
    let short = commit.get(..12).unwrap_or(&commit);
    let read = (words.read_in)(
        source.path.as_str(),
        source.repository.as_str(),
        short,
        &source.read.to_string(),
    );
    el("div")
        .class("ec-norm")
        .child(title)
        .child(permits)
        .child(small(&read))
}

fn history(frame: &Frame, events: &[Event]) -> Element {
    let words = Words::of(frame.lang);
    let columns = [words.when, words.what, words.version, words.entry];
    let rows = events.iter().enumerate().map(|(at, event)| {
        let known = events[..at].iter().any(|before| before.put);
        let what = match (event.put, known) {
            (false, _) => words.removed,
            (true, false) => words.put,
            (true, true) => words.changed,
        };
        let what = format!("{} {} {what}", words.permission, event.of_permission);
        let when = LocalTime::of(event.time.0).full(frame.lang);
        vec![
            span(&when),
            span(&what),
            span(&event.version.to_string()),
            link(
                frame,
                &format!("/protokoll/eintrag/{}", event.entry),
                &event.entry.to_string(),
            ),
        ]
    });
    let table = table("geschichte", words.history_text, &columns, rows);
    section(words.history, [table])
}
