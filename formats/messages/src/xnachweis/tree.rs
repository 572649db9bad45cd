//! A bounded XML reader: bytes to a small tree, and strict access to it.
//!
//! What it refuses, it refuses before anything is looked at: size, depth, number of elements, DTD, entities beyond the
//! predefined, comments, CDATA, processing instructions, foreign namespaces, mixed content.

use quick_xml::NsReader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;

use super::error::XmlError;

/// Largest message in bytes.
pub const MAX_BYTES: usize = 1 << 20;
const MAX_DEPTH: usize = 24;
const MAX_ELEMENTS: usize = 4096;

/// The namespaces of XNachweis 1.2.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ns {
    /// `xnachweis-de-noots`: the messages.
    De,
    /// `xnachweis-baukasten`: the parts.
    Bk,
    /// `xnachweis-basisdatentypen`.
    Bdt,
    /// `xnachweis-eu-edm`.
    Edm,
    /// XÖV Basisnachricht G2G: reader and author.
    G2g,
    /// No namespace: `code`.
    None,
}

impl Ns {
    /// All that have a URI, with prefix and URI as they are written.
    pub(crate) const DECLARED: [(Ns, &'static str, &'static str); 5] = [
        (
            Ns::De,
            "xn-de",
            "urn:xoev-de:bva:standard:xnachweis:schema:xnachweis-de-noots",
        ),
        (
            Ns::Bk,
            "xn-bk",
            "urn:xoev-de:bva:standard:xnachweis:schema:xnachweis-baukasten",
        ),
        (
            Ns::Bdt,
            "xn-bdt",
            "urn:xoev-de:bva:standard:xnachweis:schema:xnachweis-basisdatentypen",
        ),
        (
            Ns::Edm,
            "xn-eu-edm",
            "urn:xoev-de:bva:standard:xnachweis:schema:xnachweis-eu-edm",
        ),
        (Ns::G2g, "bn-g2g", "http://xoev.de/schemata/basisnachricht/g2g/1_1"),
    ];

    fn of(resolved: &ResolveResult<'_>) -> Result<Self, XmlError> {
        match resolved {
            ResolveResult::Unbound => Ok(Ns::None),
            ResolveResult::Bound(namespace) => Self::DECLARED
                .iter()
                .find(|(_, _, uri)| *uri == namespace.0)
                .map(|(ns, _, _)| *ns)
                .ok_or(XmlError::Forbidden("a foreign namespace")),
            ResolveResult::Unknown(_) => Err(XmlError::NotWellFormed),
        }
    }
}

/// An element with all that stands in it.
pub(crate) struct Element {
    ns: Ns,
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Element>,
    text: String,
}

/// Reads a document.
pub(crate) fn parse(bytes: &[u8]) -> Result<Element, XmlError> {
    if bytes.len() > MAX_BYTES {
        return Err(XmlError::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| XmlError::NotWellFormed)?;
    let mut reader = NsReader::from_str(text);
    reader.config_mut().enable_all_checks(true);
    let mut builder = Builder::default();
    loop {
        let (resolved, event) = reader.read_resolved_event().map_err(|_| XmlError::NotWellFormed)?;
        match event {
            Event::Start(start) => {
                let element = element(Ns::of(&resolved)?, &start)?;
                builder.open(element)?;
            }
            Event::Empty(start) => {
                let element = element(Ns::of(&resolved)?, &start)?;
                builder.open(element)?;
                builder.close()?;
            }
            Event::End(_) => builder.close()?,
            Event::Text(text) => builder.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => builder.reference(&reference)?,
            Event::Decl(declaration) => builder.declaration(&declaration)?,
            Event::CData(_) => return Err(XmlError::Forbidden("CDATA")),
            Event::Comment(_) => return Err(XmlError::Forbidden("a comment")),
            Event::PI(_) => return Err(XmlError::Forbidden("a processing instruction")),
            Event::DocType(_) => return Err(XmlError::Forbidden("a DTD")),
            Event::Eof => return builder.finish(),
        }
    }
}

/// Whether XML 1.0 allows the character (production 2), and no carriage return, which a reader would change.
pub(crate) fn allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

fn element(ns: Ns, start: &BytesStart<'_>) -> Result<Element, XmlError> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| XmlError::NotWellFormed)?;
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let value = attribute
            .normalized_value(XmlVersion::Explicit1_0)
            .map_err(|_| XmlError::NotWellFormed)?;
        attributes.push((attribute.key.0.to_owned(), value.into_owned()));
    }
    let name = start.local_name().as_ref().to_owned();
    Ok(Element {
        ns,
        name,
        attributes,
        children: Vec::new(),
        text: String::new(),
    })
}

#[derive(Default)]
struct Builder {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
    begun: bool,
}

impl Builder {
    fn open(&mut self, element: Element) -> Result<(), XmlError> {
        self.elements += 1;
        if self.open.len() >= MAX_DEPTH || self.elements > MAX_ELEMENTS {
            return Err(XmlError::TooLarge);
        }
        if self.root.is_some() {
            return Err(XmlError::NotWellFormed);
        }
        self.begun = true;
        self.open.push(element);
        Ok(())
    }

    fn close(&mut self) -> Result<(), XmlError> {
        let element = self.open.pop().ok_or(XmlError::NotWellFormed)?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        match self.open.last_mut() {
            Some(element) if text.chars().all(allowed) => element.text.push_str(text),
            None if text.chars().all(char::is_whitespace) => self.begun = true,
            _ => return Err(XmlError::NotWellFormed),
        }
        Ok(())
    }

    fn reference(&mut self, reference: &quick_xml::events::BytesRef<'_>) -> Result<(), XmlError> {
        let character = match reference.resolve_char_ref().map_err(|_| XmlError::NotWellFormed)? {
            Some(character) if allowed(character) => character.to_string(),
            Some(_) => return Err(XmlError::NotWellFormed),
            None => quick_xml::escape::resolve_predefined_entity(reference)
                .ok_or(XmlError::Forbidden("an entity"))?
                .to_owned(),
        };
        match self.open.last_mut() {
            Some(element) => element.text.push_str(&character),
            None => return Err(XmlError::NotWellFormed),
        }
        Ok(())
    }

    fn declaration(&mut self, declaration: &quick_xml::events::BytesDecl<'_>) -> Result<(), XmlError> {
        let version = declaration.version().map_err(|_| XmlError::NotWellFormed)?;
        let utf8 = match declaration.encoding() {
            None => true,
            Some(Ok(encoding)) => encoding.eq_ignore_ascii_case("utf-8"),
            Some(Err(_)) => false,
        };
        if self.begun || version != "1.0" || !utf8 {
            return Err(XmlError::NotWellFormed);
        }
        self.begun = true;
        Ok(())
    }

    fn finish(self) -> Result<Element, XmlError> {
        if self.open.is_empty() {
            self.root.ok_or(XmlError::NotWellFormed)
        } else {
            Err(XmlError::NotWellFormed)
        }
    }
}

impl Element {
    /// Whether this is the element `name` of namespace `ns`.
    pub(crate) fn is(&self, ns: Ns, name: &str) -> bool {
        self.ns == ns && self.name == name
    }

    /// The value of an attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Refuses attributes other than these.
    pub(crate) fn only(&self, attributes: &[&str], what: &'static str) -> Result<(), XmlError> {
        let known = self
            .attributes
            .iter()
            .all(|(key, _)| attributes.contains(&key.as_str()));
        if known { Ok(()) } else { Err(XmlError::Unexpected(what)) }
    }

    /// Its children, to be taken one by one; refuses text beside them.
    pub(crate) fn children(&self, what: &'static str) -> Result<Children<'_>, XmlError> {
        if !self.text.chars().all(char::is_whitespace) {
            return Err(XmlError::Unexpected(what));
        }
        Ok(Children {
            rest: &self.children,
            what,
        })
    }

    /// Its text; refuses children.
    pub(crate) fn text(&self, what: &'static str) -> Result<&str, XmlError> {
        if self.children.is_empty() {
            Ok(&self.text)
        } else {
            Err(XmlError::Unexpected(what))
        }
    }
}

/// The children of an element, in order. What is not taken is an error at [`Children::end`].
pub(crate) struct Children<'a> {
    rest: &'a [Element],
    what: &'static str,
}

impl<'a> Children<'a> {
    /// The next child, which must be this one.
    pub(crate) fn one(&mut self, ns: Ns, name: &'static str) -> Result<&'a Element, XmlError> {
        self.optional(ns, name).ok_or(XmlError::Missing(name))
    }

    /// The next child, if it is this one.
    pub(crate) fn optional(&mut self, ns: Ns, name: &'static str) -> Option<&'a Element> {
        let (first, rest) = self.rest.split_first()?;
        if !first.is(ns, name) {
            return None;
        }
        self.rest = rest;
        Some(first)
    }

    /// The text of the next child, which must be this one and have no attributes.
    pub(crate) fn text(&mut self, ns: Ns, name: &'static str) -> Result<&'a str, XmlError> {
        let element = self.one(ns, name)?;
        element.only(&[], name)?;
        element.text(name)
    }

    /// Refuses whatever is left.
    pub(crate) fn end(self) -> Result<(), XmlError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(XmlError::Unexpected(self.what))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn error(xml: &str) -> XmlError {
        match parse(xml.as_bytes()) {
            Ok(_) => panic!("accepted: {xml}"),
            Err(error) => error,
        }
    }

    #[test]
    fn text_and_predefined_entities() {
        let root =
            parse(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a x='1 &lt; 2'>a &amp; b &#228;</a>\n").unwrap();
        assert_eq!(root.text("a").unwrap(), "a & b ä");
        assert_eq!(root.attribute("x"), Some("1 < 2"));
    }

    #[test]
    fn what_is_not_allowed_is_refused() {
        assert_eq!(
            error("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"),
            XmlError::Forbidden("a DTD")
        );
        assert_eq!(error("<a>&x;</a>"), XmlError::Forbidden("an entity"));
        assert_eq!(error("<a><!-- c --></a>"), XmlError::Forbidden("a comment"));
        assert_eq!(error("<a><![CDATA[x]]></a>"), XmlError::Forbidden("CDATA"));
        assert_eq!(error("<a><?p i?></a>"), XmlError::Forbidden("a processing instruction"));
        assert_eq!(
            error("<a xmlns='urn:other'/>"),
            XmlError::Forbidden("a foreign namespace")
        );
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for xml in [
            "",
            " ",
            "<a>",
            "</a>",
            "<a></b>",
            "<a/><b/>",
            "x<a/>",
            "<a/>x",
            "<p:a/>",
            "<a x='1' x='2'/>",
            "<a>&#0;</a>",
            "<a>&</a>",
            "<a/><?xml version=\"1.0\"?>",
            "<?xml version=\"1.1\"?><a/>",
            "<?xml version=\"1.0\" encoding=\"latin1\"?><a/>",
        ] {
            assert_eq!(error(xml), XmlError::NotWellFormed, "{xml}");
        }
        assert!(matches!(parse(b"<a>\xff</a>"), Err(XmlError::NotWellFormed)));
    }

    #[test]
    fn size_depth_and_number_are_bounded() {
        assert_eq!(
            error(&format!("{}{}", "<a>".repeat(25), "</a>".repeat(25))),
            XmlError::TooLarge
        );
        assert!(parse(format!("{}{}", "<a>".repeat(24), "</a>".repeat(24)).as_bytes()).is_ok());
        assert_eq!(error(&format!("<a>{}</a>", "<b/>".repeat(4096))), XmlError::TooLarge);
        assert_eq!(error(&format!("<a>{}</a>", " ".repeat(MAX_BYTES))), XmlError::TooLarge);
    }
}
