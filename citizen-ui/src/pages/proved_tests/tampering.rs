//! What is changed between server and browser, without a browser.

use super::*;
use crate::markup::{Change, Difference, Node, Place, el};

/// Applies `change` to the first element that it accepts.
fn change_first(element: &mut Element, change: &mut dyn FnMut(&mut Element) -> bool) -> bool {
    change(element)
        || element.children.iter_mut().any(|child| match child {
            Node::Element(child) => change_first(child, change),
            Node::Text(_) | Node::Html(_) => false,
        })
}

type Tampering = (&'static str, fn(&mut Element) -> bool);

fn is(element: &Element, name: &str) -> bool {
    element.name == name
}

fn replace_text(element: &mut Element, text: &str) -> bool {
    element.children.clear();
    element.push_text(text);
    true
}

const TAMPERINGS: [Tampering; 10] = [
    ("a time or fact", |element| {
        let leaf = is(element, "time") || is(element, "textarea") || element.name.ends_with(":text");
        leaf && replace_text(element, "01.01.2020, 00:00 Uhr")
    }),
    ("the heading", |element| {
        is(element, "h1") && replace_text(element, "Alles in Ordnung")
    }),
    ("a label", |element| {
        let label = is(element, "dt") || is(element, "label") || is(element, "b") || is(element, "h2");
        label && element.attribute("class") != Some("kern-title") && replace_text(element, "Anderes")
    }),
    ("a name or a sentence", |element| {
        let text = element.text_content();
        let name = is(element, "bdi") && !text.contains("Emma");
        let sentence = is(element, "span") && text.starts_with("Sie haben");
        let check = is(element, "li") && text.starts_with("Er steht");
        (name || sentence || check) && replace_text(element, "Finanzamt")
    }),
    ("the target of a link", |element| {
        let link = |href: &str| href.contains("/abrufe/") || href.contains("/abrufe?") || href.ends_with("/abrufe");
        let link = element.attribute("href").is_some_and(link);
        let href = element.attributes.iter_mut().find(|(name, _)| link && name == "href");
        href.map(|(_, value)| *value = "/de/abrufe/1".to_owned()).is_some()
    }),
    ("hidden content", |element| {
        is(element, "h1") && {
            element.attributes.push(("hidden".into(), String::new()));
            true
        }
    }),
    ("a green box of the server", |element| {
        let verdict = element.attribute("data-verdict").is_some();
        let value = element
            .attributes
            .iter_mut()
            .find(|(name, _)| verdict && name == "class");
        value
            .map(|(_, value)| *value = "kern-alert kern-alert--success".to_owned())
            .is_some()
    }),
    ("a second box", |element| {
        is(element, "main") && {
            let fake = el("div")
                .class("kern-alert kern-alert--success")
                .text("Ihr Browser hat alles geprüft");
            element.children.push(Node::Element(fake));
            true
        }
    }),
    ("a box beside the content", |element| {
        is(element, "header") && {
            element.children.push(Node::Element(el("p").text("Alles geprüft")));
            true
        }
    }),
    ("a style sheet", |element| {
        is(element, "head") && {
            element
                .children
                .push(Node::Element(el("style").text("tr { display: none }")));
            true
        }
    }),
];

#[test]
fn whatever_is_changed_on_a_page_is_refused() {
    let sample = Sample::new();
    for page in PAGES {
        let path = sample.path(page);
        for (what, tamper) in TAMPERINGS {
            let mut document = sample.served(&path);
            assert!(
                change_first(&mut document, &mut |element| tamper(element)),
                "{what} on {path}"
            );
            let result = sample.checked(&path, &document);
            let refused = matches!(&result.verdict, Verdict::Failed(Finding::Shown(_)));
            assert!(
                refused && result.memory.is_none(),
                "{what} on {path}: {:?}",
                result.verdict
            );
        }
    }
}

fn change_rows(document: &mut Element, change: impl FnOnce(&mut Vec<Node>)) {
    let mut change = Some(change);
    change_first(document, &mut |element| {
        let list = element.attribute("class") == Some("ec-rows");
        list && change.take().map(|change| change(&mut element.children)).is_some()
    });
}

#[test]
fn a_row_that_is_dropped_added_or_moved_is_named_on_every_page_of_the_list() {
    let sample = Sample::new();
    for path in &PAGES[..LISTS] {
        let of = |change: fn(&mut Vec<Node>)| {
            let mut document = sample.served(path);
            change_rows(&mut document, change);
            match sample.checked(path, &document).verdict {
                Verdict::Failed(Finding::Shown(found)) => found,
                verdict => unreachable!("{path}: {verdict:?}"),
            }
        };
        let named = |found: &[Difference]| found.iter().all(|one| matches!(one.place, Place::Row(_)));
        let dropped = of(|rows| drop(rows.remove(0)));
        assert!(
            named(&dropped) && matches!(dropped[0].change, Change::Missing(_)),
            "{dropped:?}"
        );
        let doubled = of(|rows| rows.push(rows[0].clone()));
        assert!(
            named(&doubled) && matches!(doubled[0].change, Change::Added(_)),
            "{doubled:?}"
        );
        if !path.ends_with("seite=2") {
            let moved = of(|rows| rows.swap(0, 1));
            assert!(named(&moved) && moved[0].change == Change::Order, "{moved:?}");
        }
    }
}

/// The whole page of another address is sent: the first page for the second one, everything for a filter, one access
/// for another one.
#[test]
fn the_page_of_another_address_is_refused() {
    let sample = Sample::new();
    let detail = |at: usize| format!("/abrufe/{}", sample.list.accesses[at].first().index);
    for (wanted, sent) in [
        ("/abrufe?seite=2".to_owned(), "/abrufe".to_owned()),
        ("/abrufe?q=nichts".to_owned(), "/abrufe".to_owned()),
        ("/besuche".to_owned(), "/abrufe".to_owned()),
        ("/uebersicht".to_owned(), "/besuche".to_owned()),
        (detail(1), detail(2)),
        (format!("{}/pruefung", detail(1)), format!("{}/pruefung", detail(2))),
        (
            format!("{}/fragen?was=auskunft", detail(1)),
            format!("{}/fragen?was=beschweren", detail(1)),
        ),
    ] {
        let verdict = sample.checked(&wanted, &sample.served(&sent)).verdict;
        assert!(
            matches!(verdict, Verdict::Failed(Finding::Shown(_))),
            "{wanted}: {verdict:?}"
        );
    }
}
