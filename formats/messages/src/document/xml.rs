//! The XML document of evidence: written deterministically, read strictly.

use std::collections::BTreeSet;

use roxmltree::Node;

use super::{DocumentError, EvidenceDocument};
use crate::limits::MAX_EVIDENCE;
use crate::xnachweis::XmlError;
use crate::xnachweis::parse::{Element, parse_of};
use crate::xnachweis::write::escape;

/// The namespace of all elements. It changes when a reader of this one could no longer read the document.
pub const NAMESPACE: &str = "urn:einsicht:nachweis:1";
/// The greatest length of a name, in characters.
const MAX_NAME: usize = 200;
const TITLE: &str = "title";
const ISSUED_AT: &str = "issued-at";

/// Whether the text can be the name of an element: an ASCII letter or `_`, then letters, digits, `.`, `-` and `_`.
#[must_use]
pub fn is_element_name(text: &str) -> bool {
    let mut letters = text.chars();
    let begins = letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    begins && text.len() <= MAX_NAME && letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

impl EvidenceDocument {
    /// Writes the document. The same evidence has the same bytes.
    ///
    /// # Errors
    /// [`XmlError::Value`] when a name is not that of an element or is there twice, [`XmlError::TooLarge`] when the
    /// document exceeds [`MAX_EVIDENCE`].
    pub fn to_xml(&self) -> Result<Vec<u8>, XmlError> {
        let mut names = BTreeSet::new();
        let fields = self.fields.iter().map(|(name, _)| name);
        for name in fields.clone().chain([&self.evidence_type]) {
            if !is_element_name(name) {
                return Err(XmlError::Value("the name of a field or an evidence type"));
            }
        }
        if !fields.clone().all(|name| names.insert(name)) {
            return Err(XmlError::Unexpected("the evidence"));
        }
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let mut allowed = true;
        out.push_str(&format!("<{} xmlns=\"{NAMESPACE}\"", self.evidence_type));
        for (name, value) in [(TITLE, &*self.title), (ISSUED_AT, &*self.issued_at)] {
            out.push_str(&format!(" {name}=\""));
            allowed &= escape(&mut out, value);
            out.push('"');
        }
        out.push_str(">\n");
        for (name, value) in &self.fields {
            out.push_str(&format!("<{name}>"));
            allowed &= escape(&mut out, value);
            out.push_str(&format!("</{name}>\n"));
        }
        out.push_str(&format!("</{}>\n", self.evidence_type));
        match allowed {
            false => Err(XmlError::Value("a field")),
            true if out.len() > MAX_EVIDENCE => Err(XmlError::TooLarge),
            true => Ok(out.into_bytes()),
        }
    }

    /// Reads a document that a register has written.
    ///
    /// # Errors
    /// [`XmlError`] for anything that is not of the form above.
    pub fn from_xml(xml: &[u8]) -> Result<Self, DocumentError> {
        if xml.len() > MAX_EVIDENCE {
            return Err(XmlError::TooLarge.into());
        }
        let document = parse_of(xml, &|namespace| namespace == NAMESPACE)?;
        let root = document.root_element();
        let evidence_type = name(root)?;
        let element = Element::root(&document);
        element.only(&[TITLE, ISSUED_AT], "the evidence")?;
        // Refuses text beside the fields.
        element.children("the evidence")?;
        let attribute = |name: &'static str| element.attribute(name).ok_or(XmlError::Missing(name));
        let title = attribute(TITLE)?.parse().map_err(|_| XmlError::Value(TITLE))?;
        let issued_at = attribute(ISSUED_AT)?.parse().map_err(|_| XmlError::Value(ISSUED_AT))?;
        let mut names = BTreeSet::new();
        let mut fields = Vec::new();
        for field in root.children().filter(Node::is_element) {
            let name = name(field)?;
            if !names.insert(name.clone()) {
                return Err(XmlError::Unexpected("the evidence").into());
            }
            let field = Element::of(field);
            field.only(&[], "a field")?;
            let value = field.text("a field")?.parse().map_err(|_| XmlError::Value("a field"))?;
            fields.push((name, value));
        }
        Ok(Self {
            evidence_type,
            title,
            issued_at,
            fields,
        })
    }
}

/// The name of an element of the namespace.
fn name(node: Node<'_, '_>) -> Result<String, XmlError> {
    let tag = node.tag_name();
    if tag.namespace() == Some(NAMESPACE) && is_element_name(tag.name()) {
        Ok(tag.name().to_owned())
    } else {
        Err(XmlError::Unexpected("the evidence"))
    }
}
