//! Writes XML: escaped, in UTF-8, without white space between elements.

use text::din91379::Datatype;

use super::code_list::CodeList;
use super::error::XmlError;
use super::namespace::Namespace;
use super::parse::is_allowed;
use super::space::is_token;
use crate::limits::MAX_XML;

/// An XML document that is being written. Remembers an element whose value its type does not have; the document is
/// refused at the end, and also if it is longer than a reader accepts.
pub(crate) struct XmlWriter {
    out: String,
    invalid: Option<&'static str>,
}

impl XmlWriter {
    /// Writes a document with this root (namespace `xn-de`) and the content that `content` writes.
    pub(crate) fn root(
        name: &'static str,
        attributes: &[(&str, &str)],
        content: impl FnOnce(&mut XmlWriter),
    ) -> Result<Vec<u8>, XmlError> {
        let mut writer = XmlWriter {
            out: String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"),
            invalid: None,
        };
        let declarations: Vec<_> = Namespace::DECLARED
            .iter()
            .filter_map(|namespace| Some((format!("xmlns:{}", namespace.prefix()?), namespace.uri()?)))
            .collect();
        let mut all: Vec<(&str, &str)> = declarations.iter().map(|(key, uri)| (key.as_str(), *uri)).collect();
        all.extend_from_slice(attributes);
        writer.element(Namespace::De, name, &all, content);
        match writer.invalid {
            Some(what) => Err(XmlError::Value(what)),
            None if writer.out.len() > MAX_XML => Err(XmlError::TooLarge),
            None => Ok(writer.out.into_bytes()),
        }
    }

    /// Writes an element with attributes and content.
    pub(crate) fn element(
        &mut self,
        namespace: Namespace,
        name: &'static str,
        attributes: &[(&str, &str)],
        content: impl FnOnce(&mut XmlWriter),
    ) {
        let tag = namespace
            .prefix()
            .map_or_else(|| name.to_owned(), |prefix| format!("{prefix}:{name}"));
        self.out.push('<');
        self.out.push_str(&tag);
        for (key, value) in attributes {
            self.out.push_str(&format!(" {key}=\""));
            self.escaped(value, name);
            self.out.push('"');
        }
        self.out.push('>');
        content(self);
        self.out.push_str(&format!("</{tag}>"));
    }

    /// Writes an element that contains only text.
    pub(crate) fn text(&mut self, namespace: Namespace, name: &'static str, text: &str) {
        self.element(namespace, name, &[], |writer| writer.escaped(text, name));
    }

    /// Writes an element whose text must be of data type C of DIN 91379.
    pub(crate) fn datatype_c(&mut self, namespace: Namespace, name: &'static str, text: &str) {
        if Datatype::C.first_outside(text).is_some() {
            self.invalid.get_or_insert(name);
        }
        self.text(namespace, name, text);
    }

    /// Writes an element that contains only text, if there is one.
    pub(crate) fn optional_text(&mut self, namespace: Namespace, name: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(namespace, name, text);
        }
    }

    /// Refuses the document because of this element.
    pub(crate) fn refuse(&mut self, what: &'static str) {
        self.invalid.get_or_insert(what);
    }

    /// Writes an element with text and one attribute.
    pub(crate) fn text_with(&mut self, namespace: Namespace, name: &'static str, attribute: (&str, &str), text: &str) {
        self.element(namespace, name, &[attribute], |writer| writer.escaped(text, name));
    }

    /// Writes an entry of a code list: the list's URI and version as attributes, and `code` without a namespace.
    pub(crate) fn code(&mut self, namespace: Namespace, name: &'static str, list: CodeList, code: &str) {
        if !is_token(code) {
            self.invalid.get_or_insert(name);
        }
        self.element(
            namespace,
            name,
            &[("listURI", list.uri), ("listVersionID", list.version)],
            |writer| {
                writer.text(Namespace::None, "code", code);
            },
        );
    }

    fn escaped(&mut self, text: &str, what: &'static str) {
        if !escape(&mut self.out, text) {
            self.invalid.get_or_insert(what);
        }
    }
}

/// Adds a text to an element or an attribute. Returns whether XML can have all its characters.
#[must_use]
pub fn escape(out: &mut String, text: &str) -> bool {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\'' => out.push_str("&apos;"),
            '"' => out.push_str("&quot;"),
            // A reader turns a bare carriage return into a line feed.
            '\r' => out.push_str("&#13;"),
            _ => out.push(c),
        }
    }
    text.chars().all(is_allowed)
}
