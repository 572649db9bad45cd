//! Writes XML: escaped, in UTF-8, without white space between elements.

use super::error::XmlError;
use super::tree::{Ns, allowed};

/// An XML document that is being written. Remembers the first element with a character that XML cannot carry; the
/// document is refused at the end.
pub(crate) struct Document {
    out: String,
    fault: Option<&'static str>,
}

impl Document {
    /// Writes a document with this root (namespace `xn-de`) and the content that `content` writes.
    pub(crate) fn root(
        name: &'static str,
        attributes: &[(&str, &str)],
        content: impl FnOnce(&mut Document),
    ) -> Result<Vec<u8>, XmlError> {
        let mut document = Document {
            out: String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"),
            fault: None,
        };
        let declarations: Vec<_> = Ns::DECLARED
            .iter()
            .map(|(_, prefix, uri)| (format!("xmlns:{prefix}"), *uri))
            .collect();
        let mut all: Vec<(&str, &str)> = declarations.iter().map(|(key, uri)| (key.as_str(), *uri)).collect();
        all.extend_from_slice(attributes);
        document.element(Ns::De, name, &all, content);
        match document.fault {
            Some(what) => Err(XmlError::Value(what)),
            None => Ok(document.out.into_bytes()),
        }
    }

    /// Writes an element with attributes and content.
    pub(crate) fn element(
        &mut self,
        ns: Ns,
        name: &'static str,
        attributes: &[(&str, &str)],
        content: impl FnOnce(&mut Document),
    ) {
        let prefix = Ns::DECLARED
            .iter()
            .find(|(declared, _, _)| *declared == ns)
            .map(|(_, prefix, _)| *prefix);
        let tag = prefix.map_or_else(|| name.to_owned(), |prefix| format!("{prefix}:{name}"));
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
    pub(crate) fn text(&mut self, ns: Ns, name: &'static str, text: &str) {
        self.element(ns, name, &[], |document| document.escaped(text, name));
    }

    /// Writes an element with text and one attribute.
    pub(crate) fn text_with(&mut self, ns: Ns, name: &'static str, attribute: (&str, &str), text: &str) {
        self.element(ns, name, &[attribute], |document| document.escaped(text, name));
    }

    /// Writes an entry of a code list: the list's URI and version as attributes, and `code` without a namespace.
    pub(crate) fn code(&mut self, ns: Ns, name: &'static str, (uri, version): (&str, &str), code: &str) {
        self.element(ns, name, &[("listURI", uri), ("listVersionID", version)], |document| {
            document.text(Ns::None, "code", code);
        });
    }

    fn escaped(&mut self, text: &str, what: &'static str) {
        if !text.chars().all(allowed) {
            self.fault = Some(what);
        }
        self.out.push_str(&quick_xml::escape::escape(text));
    }
}
