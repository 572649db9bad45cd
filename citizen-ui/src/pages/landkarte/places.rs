//! The pages of a register, of a class of bodies, and of a body.

use record::Timestamp;
use registerlandkarte::{BodyClass, Provider, RegisterType, Rule};
use trust::Body;

use super::content::Landkarte;
use super::list::{item, place_link, reading, source};
use super::permission::norm_box;
use super::query::LandkarteQuery;
use super::sentence::subjects;
use super::text::Words;
use crate::markup::{Element, el};
use crate::pages::blocks::{facts, german, lead, link, page, paragraph, section, small, span, table};
use crate::pages::frame::Frame;

/// The most bodies, and the most permissions, that such a page lists.
const MAX_LISTED: usize = 100;

/// What the page is about.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// A type of register.
    Register(&'a RegisterType),
    /// A class of bodies.
    Class(&'a BodyClass),
    /// A body.
    Body(&'a Body),
}

impl Place<'_> {
    fn name(&self) -> String {
        match self {
            Self::Register(register) => register.name.to_string(),
            Self::Class(class) => class.name.to_string(),
            Self::Body(body) => body.name.to_string(),
        }
    }
}

/// Renders the page as of an instant.
pub fn place(frame: &Frame, map: &Landkarte, place: Place, query: &LandkarteQuery, at: Timestamp) -> String {
    let words = Words::of(frame.lang);
    let name = place.name();
    let back = small("").child(link(
        frame,
        &format!("/registerlandkarte{}", query.day_address()),
        words.to_list,
    ));
    let heading = el("h1").class("kern-heading-x-large").child(german(&name, frame.lang));
    let (first, parts) = match place {
        Place::Register(register) => (words.register_lead, of_register(frame, map, register, query, at)),
        Place::Class(class) => (words.class_lead, of_class(frame, map, class, query, at)),
        Place::Body(body) => (words.body_lead, of_body(frame, map, body, query, at)),
    };
    let begin = [back, heading, lead(first)];
    let end = [source(frame, &map.source), reading(frame)];
    page(frame, &name, begin.into_iter().chain(parts).chain(end))
}

fn of_register(
    frame: &Frame,
    map: &Landkarte,
    register: &RegisterType,
    query: &LandkarteQuery,
    at: Timestamp,
) -> Vec<Element> {
    let (words, lang) = (Words::of(frame.lang), frame.lang);
    let mut items = vec![(words.about.to_owned(), span(subjects(register.subjects, lang)))];
    let lists = [register.idnrg.map(words.idnrg), register.vip.map(words.vip)];
    let lists: Vec<String> = lists.into_iter().flatten().collect();
    if !lists.is_empty() {
        items.push((words.numbers.to_owned(), span(&lists.join(", "))));
    }
    items.push((words.key.to_owned(), span(register.id.as_str())));
    let evidence = map
        .tables()
        .evidence
        .iter()
        .filter(|evidence| evidence.register == register.id);
    let rows = evidence.map(|evidence| {
        let categories: Vec<String> = evidence.categories.iter().map(ToString::to_string).collect();
        vec![
            german(evidence.title.as_str(), lang),
            german(&categories.join(", "), lang),
        ]
    });
    let holds = table(
        "unterlagen",
        register.name.as_str(),
        &[words.evidence, words.data],
        rows,
    );
    let norm = map
        .norm(&register.norm)
        .map(|norm| section(words.based_on, [norm_box(lang, norm)]));
    let of_register = |rule: &&Rule| match &rule.provider {
        Provider::Register(id) => *id == register.id,
        Provider::Component(_) => map
            .evidence_of(rule)
            .is_some_and(|evidence| evidence.register == register.id),
    };
    let rules: Vec<&Rule> = map.in_force(at).map(|(_, rule)| rule).filter(of_register).collect();
    let mut parts = vec![
        facts(items),
        section(words.holds, [holds]),
        permissions(frame, map, words.asked, &rules, query),
    ];
    parts.extend(norm);
    parts.extend(bodies(frame, words.serving, &map.serving(&register.id), query));
    parts
}

fn of_class(frame: &Frame, map: &Landkarte, class: &BodyClass, query: &LandkarteQuery, at: Timestamp) -> Vec<Element> {
    let words = Words::of(frame.lang);
    let rules = map
        .in_force(at)
        .map(|(_, rule)| rule)
        .filter(|rule| map.has_consumer(rule, class.id.as_str()));
    let mut parts = vec![
        facts([(words.key.to_owned(), span(class.id.as_str()))]),
        permissions(frame, map, words.may, &rules.collect::<Vec<_>>(), query),
    ];
    parts.extend(bodies(frame, words.members, &map.members(&class.id), query));
    parts
}

fn of_body(frame: &Frame, map: &Landkarte, body: &Body, query: &LandkarteQuery, at: Timestamp) -> Vec<Element> {
    let (words, lang) = (Words::of(frame.lang), frame.lang);
    let path = |folder: &str, id: &str| format!("/registerlandkarte/{folder}/{id}{}", query.day_address());
    let classes = body.classes.iter().filter_map(|id| map.class(id.as_str()));
    let classes = classes.map(|class| {
        el("li").child(place_link(
            frame,
            &path("behoerdenart", class.id.as_str()),
            class.name.as_str(),
        ))
    });
    let items = [
        (words.classes, el("ul").class("ec-plain").children(classes)),
        (words.contact, german(body.contact.as_str(), lang)),
        (words.data_protection, german(body.data_protection.as_str(), lang)),
        (words.key, span(body.id.as_str())),
    ];
    let rules = map
        .in_force(at)
        .map(|(_, rule)| rule)
        .filter(|rule| map.has_consumer(rule, body.id.as_str()));
    let mut parts = vec![
        facts(items.map(|(label, value)| (label.to_owned(), value))),
        permissions(frame, map, words.may, &rules.collect::<Vec<_>>(), query),
    ];
    let serves = map.served_by(&body.id);
    let serves = serves.iter().map(|register| {
        el("li").child(place_link(
            frame,
            &path("register", register.id.as_str()),
            register.name.as_str(),
        ))
    });
    let serves: Vec<Element> = serves.collect();
    if !serves.is_empty() {
        parts.push(section(
            words.serves,
            [el("ul").class("kern-list kern-list--bullet").children(serves)],
        ));
    }
    parts
}

fn permissions(frame: &Frame, map: &Landkarte, title: &str, rules: &[&Rule], query: &LandkarteQuery) -> Element {
    let words = Words::of(frame.lang);
    let items = rules.iter().take(MAX_LISTED).map(|rule| item(frame, map, rule, query));
    let list = el("ol").class("ec-results").attr("id", "erlaubnisse").children(items);
    let more = (rules.len() > MAX_LISTED).then(|| paragraph(&(words.more)(rules.len() - MAX_LISTED)));
    let content = if rules.is_empty() {
        paragraph(words.may_none)
    } else {
        list
    };
    section(title, [content].into_iter().chain(more))
}

fn bodies(frame: &Frame, title: &str, bodies: &[&Body], query: &LandkarteQuery) -> Option<Element> {
    let words = Words::of(frame.lang);
    let items = bodies.iter().take(MAX_LISTED).map(|body| {
        let path = format!("/registerlandkarte/behoerde/{}{}", body.id, query.day_address());
        el("li").child(place_link(frame, &path, body.name.as_str()))
    });
    let list = el("ul").class("kern-list kern-list--bullet").children(items);
    let more = (bodies.len() > MAX_LISTED).then(|| paragraph(&(words.more)(bodies.len() - MAX_LISTED)));
    (!bodies.is_empty()).then(|| section(title, [list].into_iter().chain(more)))
}
