//! The list of permissions, with the search.

use record::{LegalDay, Timestamp};
use registerlandkarte::{Consumer, Provider, Rule};

use super::content::{Landkarte, Source};
use super::query::{LandkarteQuery, PERMISSIONS_PER_PAGE};
use super::sentence::sentence;
use super::text::Words;
use crate::language::lang::Lang;
use crate::language::local_time::LocalTime;
use crate::markup::{Element, el};
use crate::pages::blocks::{
    Choice, Tone, accordion, code, facts, field, file, form, german, heading, lead, link, notice, page, pages,
    paragraph, section, select, small, span, submit,
};
use crate::pages::frame::Frame;
use crate::pages::phrase::Phrased as _;

/// Renders the list as of an instant.
pub fn list(frame: &Frame, map: &Landkarte, query: &LandkarteQuery, at: Timestamp) -> String {
    let words = Words::of(frame.lang);
    let found = map.found(query, at);
    let all = map.in_force(at).count();
    let count = found.len().div_ceil(PERMISSIONS_PER_PAGE).max(1);
    let number = query.page.clamp(1, count);
    let skip = (number - 1) * PERMISSIONS_PER_PAGE;
    let shown = found.iter().skip(skip).take(PERMISSIONS_PER_PAGE);
    let items = shown.map(|rule| item(frame, map, rule, query));
    let list = el("ol")
        .class("ec-results")
        .attr("id", "erlaubnisse")
        .attr("start", (skip + 1).to_string());
    let summary = (words.count)(found.len(), all, &day_of(at));
    let results = if found.is_empty() {
        paragraph(words.none).attr("id", "leer")
    } else {
        list.children(items)
    };
    let path = |number| format!("/registerlandkarte{}", query.to_address(number));
    let content = [
        heading(words.title),
        lead(words.lead),
        search_form(frame, map, query),
        el("h2")
            .class("kern-heading-medium")
            .attr("id", "anzahl")
            .text(&summary),
        results,
    ];
    let after = [take(frame, query), source(frame, &map.source), reading(frame)];
    page(
        frame,
        words.title,
        content
            .into_iter()
            .chain(pages(frame, number, count, path))
            .chain(after),
    )
}

/// Renders the page for a day before the first version.
pub fn not_yet(frame: &Frame, first: Option<Timestamp>) -> String {
    let words = Words::of(frame.lang);
    let text = first.map(|first| paragraph(&(words.not_yet)(&day_of(first))));
    let back = paragraph("").child(link(frame, "/registerlandkarte", words.to_list));
    let body = text.into_iter().chain([back]);
    page(
        frame,
        words.title,
        [
            heading(words.title),
            notice("noch-nicht", Tone::Info, words.not_yet_title, body),
        ],
    )
}

/// The day of an instant, as people write it.
pub(super) fn day_of(at: Timestamp) -> String {
    LocalTime::of(LegalDay::of(at).begin().0).date
}

/// The path of a permission, as of the day that the query names.
pub(super) fn permission_path(rule: &Rule, query: &LandkarteQuery) -> String {
    format!(
        "/registerlandkarte/erlaubnis/{}{}",
        rule.reference(),
        query.day_address()
    )
}

/// A permission in a list.
pub(super) fn item(frame: &Frame, map: &Landkarte, rule: &Rule, query: &LandkarteQuery) -> Element {
    let words = Words::of(frame.lang);
    let link = el("a")
        .class("kern-link")
        .attr("href", frame.href(&permission_path(rule, query)));
    let said = el("p").class("kern-body ec-sentence");
    let said = said.child(link.phrase(&sentence(map, rule, frame.lang), frame.lang));
    let categories = map.evidence_of(rule).map(|evidence| {
        let categories: Vec<String> = evidence.categories.iter().map(ToString::to_string).collect();
        labelled(words.data, &categories.join(", "), frame.lang)
    });
    let norms: Vec<String> = map.norms_of(rule).iter().map(|norm| norm.citation()).collect();
    el("li")
        .attr("data-permission", rule.reference())
        .child(said)
        .children(categories)
        .child(labelled(words.laws, &norms.join(", "), frame.lang))
}

fn labelled(label: &str, text: &str, lang: Lang) -> Element {
    small("").text(&format!("{label}: ")).child(german(text, lang))
}

fn search_form(frame: &Frame, map: &Landkarte, query: &LandkarteQuery) -> Element {
    let words = Words::of(frame.lang);
    let choices = |values: Vec<(String, String)>, chosen: &str| -> Vec<Choice> {
        let choice = |(name, id): (String, String)| {
            let is_chosen = id == chosen;
            (id, name, is_chosen)
        };
        values.into_iter().map(choice).collect()
    };
    let laws = map
        .laws()
        .into_iter()
        .map(|law| (law.to_owned(), law.to_owned(), law == query.law));
    let hint = small(words.search_example).attr("id", "q-beispiel");
    let mut search = field("q", words.search_words, "search", &query.words);
    if let Some(input) = search.first_mut("input") {
        *input = input
            .clone()
            .attr("aria-describedby", "q-beispiel")
            .attr("maxlength", "200");
    }
    let day = query.day.map(|day| day.to_string()).unwrap_or_default();
    let reset = link(frame, "/registerlandkarte", words.reset);
    let fields = [
        el("div").class("ec-wide").child(search.child(hint)),
        select("wer", words.who, words.all, choices(map.consumers(), &query.consumer)),
        select("bei", words.from, words.all, choices(map.providers(), &query.provider)),
        select("recht", words.law, words.all, laws),
        field("stand", words.day, "date", &day),
        el("div").class("ec-field").child(submit(words.submit)).child(reset),
    ];
    form(frame, "/registerlandkarte", words.search, fields)
        .attr("id", "suche")
        .attr("role", "search")
}

fn take(frame: &Frame, query: &LandkarteQuery) -> Element {
    let words = Words::of(frame.lang);
    let address = query.to_address(1);
    let files = [("csv", words.csv), ("json", words.json)];
    let files =
        files.map(|(ending, name)| el("li").child(file(frame, &format!("/registerlandkarte.{ending}{address}"), name)));
    section(
        words.take,
        [
            paragraph(words.take_text),
            el("ul").class("kern-list kern-list--bullet").children(files),
        ],
    )
}

/// Where a version comes from.
pub(super) fn source(frame: &Frame, source: &Source) -> Element {
    let words = Words::of(frame.lang);
    let published = (words.published_value)(source.entry, &LocalTime::of(source.published.0).full(frame.lang));
    let entry = link(frame, &format!("/protokoll/eintrag/{}", source.entry), &published);
    let digest = |id, hash: &tlog::Hash| code(id, &hash.to_string());
    let items = [
        (words.version.to_owned(), span(&source.version.to_string())),
        (words.published.to_owned(), entry),
    ];
    let digests = [
        small(words.header),
        digest("fassung", &source.header),
        small(words.root),
        digest("wurzel", &source.root),
    ];
    let technical = accordion(words.header, digests);
    section(words.source, [paragraph(words.source_text), facts(items), technical]).attr("id", "herkunft")
}

/// What every page with norms says.
pub(super) fn reading(frame: &Frame) -> Element {
    let words = Words::of(frame.lang);
    notice("lesart", Tone::Info, words.notice_title, [paragraph(words.notice)])
}

/// A link to who may retrieve.
pub(super) fn consumer_link(frame: &Frame, map: &Landkarte, rule: &Rule, query: &LandkarteQuery) -> Element {
    let (folder, id) = match &rule.consumer {
        Consumer::Class(class) => ("behoerdenart", class.to_string()),
        Consumer::Body(body) => ("behoerde", body.to_string()),
    };
    let path = format!("/registerlandkarte/{folder}/{id}{}", query.day_address());
    place_link(frame, &path, &map.consumer_name(&rule.consumer))
}

/// A link to who provides.
pub(super) fn provider_link(frame: &Frame, map: &Landkarte, rule: &Rule, query: &LandkarteQuery) -> Element {
    let (folder, id) = match (&rule.provider, map.provider_body(&rule.provider)) {
        (Provider::Register(register), _) => ("register", register.to_string()),
        (Provider::Component(_), Some(body)) => ("behoerde", body.id.to_string()),
        (Provider::Component(component), None) => return span(component.as_str()),
    };
    let path = format!("/registerlandkarte/{folder}/{id}{}", query.day_address());
    place_link(frame, &path, &map.provider_name(&rule.provider))
}

/// A link whose text is a German name.
pub(super) fn place_link(frame: &Frame, path: &str, name: &str) -> Element {
    link(frame, path, "").child(german(name, frame.lang))
}
