//! The form that searches the list. It sends a query, so it works without a script and the result has an address.

use std::collections::BTreeMap;

use super::filter::{ListQuery, Sort, at, exchanges, law, who};
use super::frame::Frame;
use super::parts::link;
use crate::markup::{Element, el};
use crate::proof::access::{Access, Ending};

/// One option of a field: value, text, and whether it is chosen.
type Choice = (String, String, bool);

/// Makes the form.
pub(super) fn filter_form(frame: &Frame, accesses: &[Access], query: &ListQuery) -> Element {
    let text = &frame.lang.citizen().filter;
    let exchanges = exchanges(accesses);
    let all = (text.all)(exchanges.len());
    let named = |value: fn(&Access) -> &str, chosen: &Option<String>| {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for value in exchanges
            .iter()
            .map(|access| value(access))
            .filter(|value| !value.is_empty())
        {
            *counts.entry(value).or_default() += 1;
        }
        let choice = |(value, count): (&str, usize)| {
            let is = chosen.as_deref() == Some(value);
            (value.to_owned(), format!("{value} ({count})"), is)
        };
        counts.into_iter().map(choice).collect::<Vec<Choice>>()
    };
    let words = input(frame, "q", "search", text.words, query.words.as_deref());
    let submit = el("button").class("kern-btn kern-btn--primary").attr("type", "submit");
    let submit = submit.child(el("span").class("kern-label").text(text.submit));
    let first = el("div")
        .class("ec-fields")
        .child(words)
        .child(select("wer", text.who, Some(&all), named(who, &query.who)))
        .child(select(
            "ergebnis",
            text.result,
            Some(&all),
            endings(frame, &exchanges, query),
        ))
        .child(submit);
    let more = el("div")
        .class("ec-fields")
        .child(select("bei", text.at, Some(&all), named(at, &query.at)))
        .child(select("recht", text.law, Some(&all), named(law, &query.law)))
        .child(input(frame, "von", "date", text.from, query.from.as_deref()))
        .child(input(frame, "bis", "date", text.until, query.until.as_deref()))
        .child(select("sort", text.sort, None, orders(frame, query)));
    let summary = el("summary").text(text.more);
    let more = el("details")
        .class("ec-more")
        .flag("open", query.has_more())
        .child(summary)
        .child(more);
    let reset = link(frame.href("/abrufe"), text.reset);
    let form = el("form")
        .attr("id", "auswahl")
        .class("ec-filter")
        .attr("role", "search");
    let form = form.attr("aria-label", text.title).attr("method", "get");
    form.attr("action", frame.href("/abrufe"))
        .child(first)
        .child(more)
        .children(query.restricts().then(|| el("p").class("ec-reset").child(reset)))
}

/// The endings that occur, with their numbers.
fn endings(frame: &Frame, exchanges: &[&Access], query: &ListQuery) -> Vec<Choice> {
    let text = &frame.lang.citizen().result;
    let choice = |ending: Ending| {
        let count = exchanges.iter().filter(|access| Ending::of(access) == ending).count();
        let chosen = query.ending == Some(ending);
        let name = format!("{} ({count})", text.name(ending));
        (count > 0 || chosen).then(|| (ending.code().to_owned(), name, chosen))
    };
    Ending::ALL.into_iter().filter_map(choice).collect()
}

fn orders(frame: &Frame, query: &ListQuery) -> Vec<Choice> {
    let text = &frame.lang.citizen().filter;
    let choice = |sort: Sort| {
        let name = match sort {
            Sort::Newest => text.newest,
            Sort::Oldest => text.oldest,
            Sort::Authority => text.by_authority,
        };
        (sort.code().to_owned(), name.to_owned(), query.sort == sort)
    };
    Sort::ALL.into_iter().map(choice).collect()
}

fn input(frame: &Frame, name: &'static str, kind: &'static str, label: &str, value: Option<&str>) -> Element {
    let input = el("input").class("kern-form-input__input").attr("id", name);
    let mut input = input.attr("name", name).attr("type", kind);
    if let Some(value) = value {
        input = input.attr("value", value);
    }
    if kind == "search" {
        input = input.attr("dir", "auto").attr("lang", frame.lang.tag());
    }
    el("div")
        .class("kern-form-input ec-field")
        .child(el("label").class("kern-label").attr("for", name).text(label))
        .child(input)
}

fn select(name: &'static str, label: &str, all: Option<&str>, options: Vec<Choice>) -> Element {
    let options = options.into_iter().map(|(value, text, chosen)| {
        let option = el("option").attr("value", value).attr("dir", "auto");
        option.flag("selected", chosen).text(&text)
    });
    let select = el("select")
        .class("kern-form-input__select")
        .attr("id", name)
        .attr("name", name);
    let all = all.map(|all| el("option").attr("value", "").text(all));
    el("div")
        .class("kern-form-input ec-field")
        .child(el("label").class("kern-label").attr("for", name).text(label))
        .child(
            el("div")
                .class("kern-form-input__select-wrapper")
                .child(select.children(all).children(options)),
        )
}
