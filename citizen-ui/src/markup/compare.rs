//! Compares the page that was proved with the page that the browser shows.
//!
//! Everything counts: elements and their order, each attribute, each text. White space may differ within a text. A
//! difference names the row of the list, or the fact of the detail page, in which it is. One attribute is left out:
//! whether a `details` is open, which the reader changes.

use super::{Element, Node};

/// How many differences are reported at most.
const MAX_DIFFERENCES: usize = 6;
/// How many characters of a text are reported at most.
const MAX_CHARACTERS: usize = 160;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where it is.
    pub place: Place,
    /// What it is.
    pub change: Change,
}

/// Where a difference is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The row of the access with this log index.
    Row(u64),
    /// The fact with this label.
    Fact(String),
    /// Elsewhere on the page.
    Page,
}

/// What differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Another text is shown.
    Text {
        /// The text that is proved.
        proved: String,
        /// The text that is shown.
        shown: String,
    },
    /// Something with this text is not shown.
    Missing(String),
    /// Something with this text is shown that does not belong here.
    Added(String),
    /// The rows are in another order.
    Order,
    /// It leads elsewhere: a link, a form or a time in an attribute.
    Target {
        /// The value that is proved.
        proved: String,
        /// The value on the page.
        shown: String,
    },
    /// It is hidden, or looks different: the attribute of this name differs.
    Look(String),
}

/// Compares two elements. The result is empty if they are equal; otherwise it has the first few differences.
pub fn differences(proved: &Element, shown: &Element) -> Vec<Difference> {
    let mut comparison = Comparison::default();
    comparison.elements(proved, shown, &Place::Page);
    comparison.found
}

#[derive(Default)]
struct Comparison {
    found: Vec<Difference>,
}

/// What makes two nodes comparable.
#[derive(PartialEq, Eq)]
enum Key<'a> {
    Row(&'a str),
    Element(&'a str),
    Text,
    Foreign,
}

impl Comparison {
    fn add(&mut self, place: &Place, change: Change) {
        if self.found.len() < MAX_DIFFERENCES {
            let place = place.clone();
            self.found.push(Difference { place, change });
        }
    }

    fn elements(&mut self, proved: &Element, shown: &Element, around: &Place) {
        let place = &place_of(proved).unwrap_or_else(|| around.clone());
        if proved.name != shown.name {
            self.add(place, Change::Missing(short(&proved.spoken())));
            self.add(place, Change::Added(short(&shown.spoken())));
            return;
        }
        self.attributes(proved, shown, place);
        self.contents(proved, shown, place);
    }

    fn attributes(&mut self, proved: &Element, shown: &Element, place: &Place) {
        let names = proved.attributes.iter().map(|(name, _)| name.as_ref());
        let others = shown.attributes.iter().map(|(name, _)| name.as_ref());
        let others = others.filter(|name| proved.attribute(name).is_none());
        for name in names.chain(others) {
            let (one, other) = (proved.attribute(name), shown.attribute(name));
            if one == other || (name == "open" && proved.name == "details") {
                continue;
            }
            let value = |value: Option<&str>| short(value.unwrap_or_default());
            let change = match name {
                "href" | "action" | "value" | "datetime" | "name" | "download" | "method" => Change::Target {
                    proved: value(one),
                    shown: value(other),
                },
                _ => Change::Look(name.to_owned()),
            };
            self.add(place, change);
        }
    }

    fn contents(&mut self, proved: &Element, shown: &Element, place: &Place) {
        let (proved, shown) = (significant(&proved.children), significant(&shown.children));
        if proved.iter().chain(&shown).any(|node| matches!(key(node), Key::Row(_))) {
            return self.rows(&proved, &shown, place);
        }
        let same = |(one, other): &(&&Node, &&Node)| key(one) == key(other);
        let begin = proved.iter().zip(&shown).take_while(same).count();
        let rest = proved.len().min(shown.len()) - begin;
        let end = proved.iter().rev().zip(shown.iter().rev()).take(rest);
        let end = end.take_while(same).count();
        let (one, other) = (proved.len() - end, shown.len() - end);
        for node in &proved[begin..one] {
            self.add(place, Change::Missing(short(&node.spoken())));
        }
        for node in &shown[begin..other] {
            self.add(place, Change::Added(short(&node.spoken())));
        }
        let pairs = proved[..begin].iter().zip(&shown[..begin]);
        for (proved, shown) in pairs.chain(proved[one..].iter().zip(&shown[other..])) {
            self.nodes(proved, shown, place);
        }
    }

    fn nodes(&mut self, proved: &Node, shown: &Node, place: &Place) {
        match (proved, shown) {
            (Node::Element(proved), Node::Element(shown)) => self.elements(proved, shown, place),
            (Node::Text(proved), Node::Text(shown)) if collapse(proved) == collapse(shown) => {}
            (proved, shown) => {
                let (proved, shown) = (short(&proved.spoken()), short(&shown.spoken()));
                self.add(place, Change::Text { proved, shown });
            }
        }
    }

    /// Compares rows by the access that each is about, so that a row that is left out does not make all later ones
    /// differ.
    fn rows(&mut self, proved: &[&Node], shown: &[&Node], place: &Place) {
        let row = |node: &Node| match node {
            Node::Element(element) => place_of(element).unwrap_or_else(|| place.clone()),
            Node::Text(_) | Node::Html(_) => place.clone(),
        };
        for node in proved {
            let found: Vec<_> = shown.iter().filter(|other| key(other) == key(node)).collect();
            match found.first() {
                None => self.add(&row(node), Change::Missing(short(&node.spoken()))),
                Some(first) => self.nodes(node, first, place),
            }
            for again in found.iter().skip(1) {
                self.add(&row(node), Change::Added(short(&again.spoken())));
            }
        }
        for node in shown {
            if !proved.iter().any(|other| key(other) == key(node)) {
                self.add(&row(node), Change::Added(short(&node.spoken())));
            }
        }
        let moved = proved.iter().zip(shown).find(|(one, other)| key(one) != key(other));
        if let (Some((node, _)), true) = (moved, proved.len() == shown.len()) {
            self.add(&row(node), Change::Order);
        }
    }
}

/// The row or fact that an element is.
fn place_of(element: &Element) -> Option<Place> {
    if let Some(row) = element.attribute("data-row") {
        return row.parse().ok().map(Place::Row);
    }
    element.attribute("data-fact")?;
    let label = element.children.first().map(Node::spoken);
    label.map(|label| Place::Fact(short(&label)))
}

fn key(node: &Node) -> Key<'_> {
    match node {
        Node::Element(element) => match element.attribute("data-row") {
            Some(row) => Key::Row(row),
            None => Key::Element(&element.name),
        },
        Node::Text(_) => Key::Text,
        Node::Html(_) => Key::Foreign,
    }
}

/// The nodes without texts that are white space alone.
fn significant(nodes: &[Node]) -> Vec<&Node> {
    let blank = |node: &&Node| matches!(node, Node::Text(text) if text.trim().is_empty());
    nodes.iter().filter(|node| !blank(node)).collect()
}

/// One space for each run of white space, since HTML breaks lines elsewhere.
fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn short(text: &str) -> String {
    let text = collapse(text);
    match text.char_indices().nth(MAX_CHARACTERS) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markup::el;

    fn row(index: u64, text: &str) -> Element {
        el("tr")
            .attr("data-row", index.to_string())
            .child(el("th").text("21.11.2026"))
            .child(el("td").child(el("a").attr("href", format!("/{index}")).text(text)))
    }

    fn page(rows: impl IntoIterator<Item = Element>) -> Element {
        el("main")
            .child(el("p").text("3 Einträge"))
            .child(el("table").children(rows))
    }

    fn sound() -> Element {
        page([row(3, "drei"), row(2, "zwei"), row(1, "eins")])
    }

    fn only(shown: &Element) -> (Place, Change) {
        let found = differences(&sound(), shown);
        assert_eq!(found.len(), 1, "{found:?}");
        let Difference { place, change } = found.into_iter().next().unwrap_or_else(|| unreachable!());
        (place, change)
    }

    #[test]
    fn equal_pages_have_no_difference_and_white_space_may_differ() {
        assert_eq!(differences(&sound(), &sound()), []);
        let mut broken = sound();
        broken.children.insert(1, Node::Text("\n  ".into()));
        assert_eq!(differences(&sound(), &broken), []);
    }

    #[test]
    fn rows_that_are_missing_added_doubled_or_moved_are_named() {
        let missing = only(&page([row(3, "drei"), row(1, "eins")]));
        assert_eq!(missing, (Place::Row(2), Change::Missing("21.11.2026 zwei".into())));
        let added = only(&page([row(3, "drei"), row(2, "zwei"), row(9, "neun"), row(1, "eins")]));
        assert_eq!(added, (Place::Row(9), Change::Added("21.11.2026 neun".into())));
        let doubled = only(&page([row(3, "drei"), row(2, "zwei"), row(2, "zwei"), row(1, "eins")]));
        assert_eq!(doubled, (Place::Row(2), Change::Added("21.11.2026 zwei".into())));
        let moved = only(&page([row(2, "zwei"), row(3, "drei"), row(1, "eins")]));
        assert_eq!(moved, (Place::Row(3), Change::Order));
    }

    #[test]
    fn a_changed_text_link_or_attribute_of_a_row_is_named() {
        let (place, change) = only(&page([row(3, "drei"), row(2, "vier"), row(1, "eins")]));
        let (proved, shown) = ("zwei".to_owned(), "vier".to_owned());
        assert_eq!((place, change), (Place::Row(2), Change::Text { proved, shown }));
        let hidden = row(2, "zwei").attr("style", "display:none");
        let look = only(&page([row(3, "drei"), hidden, row(1, "eins")]));
        assert_eq!(look, (Place::Row(2), Change::Look("style".into())));
        let mut other = row(2, "zwei");
        other.children[1] = Node::Element(el("td").child(el("a").attr("href", "/7").text("zwei")));
        let (proved, shown) = ("/2".to_owned(), "/7".to_owned());
        let link = only(&page([row(3, "drei"), other, row(1, "eins")]));
        assert_eq!(link, (Place::Row(2), Change::Target { proved, shown }));
    }

    #[test]
    fn what_is_added_or_missing_elsewhere_is_found() {
        let added = sound().child(el("div").text("Alles geprüft"));
        assert_eq!(only(&added), (Place::Page, Change::Added("Alles geprüft".into())));
        let mut missing = sound();
        missing.children.remove(0);
        assert_eq!(only(&missing), (Place::Page, Change::Missing("3 Einträge".into())));
        let mut foreign = sound();
        foreign.children[0] = Node::Html("<p>3 Einträge</p>".into());
        assert_eq!(differences(&sound(), &foreign).len(), 2);
    }

    #[test]
    fn a_changed_fact_is_named_by_its_label() {
        let fact = |value: &str| {
            let item = el("div").attr("data-fact", "");
            el("dl").child(item.child(el("dt").text("Zweck")).child(el("dd").text(value)))
        };
        let found = differences(&fact("eins"), &fact("zwei"));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place, Place::Fact("Zweck".into()));
    }
}
