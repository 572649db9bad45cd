//! The list of exchanges: verdict, search, months, pages, the end of the list, and the file to take away.

use super::content::Content;
use super::document::document;
use super::filter::{Chosen, ListQuery};
use super::form::filter_form;
use super::frame::Frame;
use super::parts::{heading, link, pagination, title};
use super::rows::rows;
use crate::language::citizen::ListText;
use crate::language::local_time::LocalTime;
use crate::markup::{Element, Node, el};
use crate::proof::access::{Access, AccessKind};
use crate::proof::verify::Failure;

/// Makes the list. `verdict` is the box with the verdict.
pub(super) fn list(frame: &Frame, content: &Content, query: &ListQuery, verdict: Element) -> Element {
    let text = &frame.lang.citizen().list;
    let chosen = query.choose(content.accesses, frame.lang);
    let mut parts = vec![title(text.title), verdict];
    parts.extend(unopened(frame, content.unopened));
    parts.push(filter_form(frame, content.accesses, query));
    parts.push(count(frame, query, &chosen));
    parts.extend(own_visits(frame, content));
    parts.extend(chosen.groups.iter().map(|group| {
        let count = el("span").class("ec-small").text(&(text.group)(group.matching));
        let title = el("h2").class("kern-heading-small ec-month");
        let title = title.child(el("bdi").text(&group.title)).text(" ").child(count);
        el("section")
            .class("ec-group")
            .child(title)
            .child(rows(frame, group.rows.iter().copied()))
    }));
    parts.extend(pagination(frame, chosen.page, chosen.pages, |page| query.path(page)));
    if chosen.page == chosen.pages && !query.restricts() {
        parts.extend(end(frame, content));
    }
    parts.push(take(frame, content, query));
    document(frame, text.title, parts.into_iter().map(Node::Element))
}

fn count(frame: &Frame, query: &ListQuery, chosen: &Chosen) -> Element {
    let text = &frame.lang.citizen().list;
    let shown: usize = chosen.groups.iter().map(|group| group.rows.len()).sum();
    let last = chosen.first + shown - usize::from(shown > 0);
    let words = match (chosen.all, chosen.matching) {
        (0, _) => text.none.to_owned(),
        (_, 0) => text.none_matching.to_owned(),
        (all, matching) => {
            let range = (text.range)(chosen.first, last, matching);
            if query.restricts() {
                format!("{} {range}", (text.matching)(matching, all))
            } else {
                range
            }
        }
    };
    el("p").class("kern-body").attr("id", "anzahl").text(&words)
}

/// One line about what the citizen has done, which has a page of its own.
fn own_visits(frame: &Frame, content: &Content) -> Option<Element> {
    let text = &frame.lang.citizen().list;
    let words = text.own(content.accesses);
    let line = el("p").class("ec-small").attr("id", "besuche");
    let line = line.text(&format!("{words} "));
    (!words.is_empty()).then(|| line.child(link(frame.href("/besuche"), text.to_visits)))
}

impl ListText {
    /// What the list leaves out, because the citizen has done it. Empty if there is nothing.
    pub fn own(&self, accesses: &[Access]) -> String {
        let words = |kind, words: fn(usize) -> String| {
            let count = accesses.iter().filter(|access| AccessKind::of(access) == kind).count();
            (count > 0).then(|| words(count))
        };
        let visits = words(AccessKind::Inspection, self.own_visits);
        let requests = words(AccessKind::OwnRequest, self.own_requests);
        let words: Vec<String> = visits.into_iter().chain(requests).collect();
        words.join(" ")
    }
}

/// What lies before the oldest row.
fn end(frame: &Frame, content: &Content) -> Option<Element> {
    let text = &frame.lang.citizen().list;
    let (title, words) = match content.claim?.since {
        Some(since) => ((text.end_since)(&LocalTime::of(since).date), text.end_since_text),
        None => (text.end_beginning.to_owned(), text.end_beginning_text),
    };
    let section = el("section").class("ec-group").attr("id", "ende");
    let title = el("h2").class("kern-heading-small ec-month").text(&title);
    Some(section.child(title).child(el("p").class("ec-gone").text(words)))
}

/// What the citizen can take away: what this query chooses, and the proof of everything.
fn take(frame: &Frame, content: &Content, query: &ListQuery) -> Element {
    let text = &frame.lang.citizen().list;
    let lists = [("pdf", text.pdf), ("csv", text.csv), ("json", text.json)];
    let lists = lists.map(|(ending, words)| (query.file_path(ending), words));
    let bundle = content.bundle.then(|| ("/abrufe/buendel".to_owned(), text.bundle));
    let files = lists.into_iter().chain(bundle).map(|(path, words)| {
        let link = link(frame.href(&path), words);
        el("li").child(link.flag("download", true))
    });
    el("section")
        .class("ec-section ec-next")
        .attr("id", "mitnehmen")
        .child(heading(text.take))
        .child(el("ul").class("ec-acts").children(files))
        .child(el("p").class("ec-small").text(text.bundle_hint))
}

fn unopened(frame: &Frame, unopened: &[(Vec<u64>, Failure)]) -> Option<Element> {
    let text = &frame.lang.citizen().list;
    let words = frame.lang.words();
    let items = unopened.iter().map(|(indices, failure)| {
        let indices: Vec<String> = indices.iter().map(ToString::to_string).collect();
        el("li").text(&(text.unopened_entry)(&indices.join(", "), words.reason(*failure)))
    });
    let icon = el("span")
        .class("kern-icon kern-icon--danger")
        .attr("aria-hidden", "true");
    let header = el("div").class("kern-alert__header").child(icon);
    let header = header.child(el("span").class("kern-title").text(text.unopened));
    let body = el("div").class("kern-alert__body");
    let body = body.child(el("ul").class("kern-list kern-list--bullet").children(items));
    let alert = el("div")
        .class("kern-alert kern-alert--danger")
        .attr("id", "nicht-geoeffnet");
    (!unopened.is_empty()).then(|| alert.attr("role", "alert").child(header).child(body))
}
