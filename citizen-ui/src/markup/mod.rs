//! A piece of a page as data: elements, attributes and texts.
//!
//! The pages of a citizen are made of it, because three programs need the same page: the server writes it as HTML
//! ([`Element::to_html`]), and the browser's program compares it with what the browser shows ([`compare`]) and then
//! builds it. A view of a user-interface library could only be rendered.

mod compare;
mod html;

use std::borrow::Cow;

pub use compare::{Change, Difference, Place, differences};

/// An element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// The name, in lower case.
    pub name: Cow<'static, str>,
    /// Names and values of the attributes, in the order of the HTML.
    pub attributes: Vec<(Cow<'static, str>, String)>,
    /// The content.
    pub children: Vec<Node>,
}

/// A part of an element's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// An element.
    Element(Element),
    /// A text. Two texts are never neighbours.
    Text(String),
    /// HTML that another renderer has made. It is on no page that is proved, and equals nothing.
    Html(String),
}

/// Makes an element without attributes and content.
#[inline(never)]
pub fn el(name: &'static str) -> Element {
    Element::new(Cow::Borrowed(name))
}

/// The name space of pictures, which is part of the names of their elements.
pub const SVG: &str = "http://www.w3.org/2000/svg:";

/// Makes an element of a picture (SVG).
pub fn svg(name: &str) -> Element {
    Element::new(Cow::Owned(format!("{SVG}{name}")))
}

impl Element {
    /// Makes an element without attributes and content.
    pub fn new(name: Cow<'static, str>) -> Self {
        Self {
            name,
            attributes: Vec::new(),
            children: Vec::new(),
        }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attr<'a>(self, name: &'static str, value: impl Into<Cow<'a, str>>) -> Self {
        self.with(name, value.into())
    }

    // A page calls these functions hundreds of times. Inlined, they would be a third of the browser's program.
    #[inline(never)]
    fn with(mut self, name: &'static str, value: Cow<str>) -> Self {
        self.attributes.push((Cow::Borrowed(name), value.into_owned()));
        self
    }

    /// Adds the attribute `class`.
    #[must_use]
    #[inline(never)]
    pub fn class(self, value: &str) -> Self {
        self.attr("class", value)
    }

    /// Adds an attribute without a value, if `on`.
    #[must_use]
    #[inline(never)]
    pub fn flag(self, name: &'static str, on: bool) -> Self {
        if on { self.attr(name, "") } else { self }
    }

    /// Adds a text.
    #[must_use]
    #[inline(never)]
    pub fn text(mut self, text: &str) -> Self {
        self.push_text(text);
        self
    }

    /// Adds an element.
    #[must_use]
    #[inline(never)]
    pub fn child(mut self, child: Element) -> Self {
        self.children.push(Node::Element(child));
        self
    }

    /// Adds elements.
    #[must_use]
    pub fn children(mut self, children: impl IntoIterator<Item = Element>) -> Self {
        self.children.extend(children.into_iter().map(Node::Element));
        self
    }

    /// Adds a text; neighbouring texts become one, as in a browser.
    #[inline(never)]
    pub fn push_text(&mut self, text: &str) {
        match self.children.last_mut() {
            _ if text.is_empty() => {}
            Some(Node::Text(last)) => last.push_str(text),
            _ => self.children.push(Node::Text(text.to_owned())),
        }
    }

    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let attribute = self.attributes.iter().find(|(known, _)| known == name);
        attribute.map(|(_, value)| value.as_str())
    }

    /// The text of the element and of everything in it.
    pub fn text_content(&self) -> String {
        self.children.iter().map(Node::text_content).collect()
    }

    /// The same, with a space after each element that stands apart.
    pub fn spoken(&self) -> String {
        let text: String = self.children.iter().map(Node::spoken).collect();
        match self.name.as_ref() {
            "span" | "bdi" => text,
            _ => text + " ",
        }
    }

    /// The first element with this `id`, in the order of the document.
    pub fn by_id(&self, id: &str) -> Option<&Element> {
        if self.attribute("id") == Some(id) {
            return Some(self);
        }
        self.elements().find_map(|child| child.by_id(id))
    }

    /// The first element of this name, in the order of the document.
    pub fn first(&self, name: &str) -> Option<&Element> {
        if self.name == name {
            return Some(self);
        }
        self.elements().find_map(|child| child.first(name))
    }

    /// Replaces the first element with this `id` and returns whether there was one.
    pub fn replace_by_id(&mut self, id: &str, other: &Element) -> bool {
        if self.attribute("id") == Some(id) {
            *self = other.clone();
            return true;
        }
        self.children.iter_mut().any(|child| match child {
            Node::Element(child) => child.replace_by_id(id, other),
            Node::Text(_) | Node::Html(_) => false,
        })
    }

    /// The first element of this name, to change it.
    pub fn first_mut(&mut self, name: &str) -> Option<&mut Element> {
        if self.name == name {
            return Some(self);
        }
        self.children.iter_mut().find_map(|child| match child {
            Node::Element(child) => child.first_mut(name),
            Node::Text(_) | Node::Html(_) => None,
        })
    }

    /// The elements among the children.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|child| match child {
            Node::Element(child) => Some(child),
            Node::Text(_) | Node::Html(_) => None,
        })
    }
}

impl Node {
    /// The text, with a space after each element that stands apart.
    pub fn spoken(&self) -> String {
        match self {
            Self::Element(element) => element.spoken(),
            Self::Text(_) | Self::Html(_) => self.text_content(),
        }
    }

    /// The text.
    pub fn text_content(&self) -> String {
        match self {
            Self::Element(element) => element.text_content(),
            Self::Text(text) => text.clone(),
            Self::Html(_) => String::new(),
        }
    }
}
