//! A strict, bounded XML reader over `roxmltree`.
//!
//! [`parse`] refuses a document before anything of it is read, if it exceeds the limits of size, depth, or number of
//! elements or attributes, or contains a DTD, an entity beyond the predefined ones, a processing instruction or a
//! foreign namespace. [`Element`] and [`Children`] then refuse unknown attributes, unknown elements and mixed content.
//! Comments are skipped and CDATA is text. A text with a comment in it is read as the whole text.
//! The reasons are in the manual of [`super`].

use std::str::FromStr;

use roxmltree::{Document, Node, ParsingOptions};

use super::error::XmlError;
use super::namespace::Namespace;
use super::space::is_space;
use super::uri::Uri;
use crate::limits::MAX_XML;

/// Deepest nesting of elements.
const MAX_DEPTH: usize = 24;
/// Largest number of elements.
const MAX_ELEMENTS: usize = 4096;
/// Bounds the memory of the parser: the root, the elements, and texts and comments.
const MAX_NODES: u32 = 1 + 4 * 4096;
/// The most attributes and namespace declarations of an element. The time of the parser grows with their square.
const MAX_ATTRIBUTES: usize = 256;
/// The most namespaces that an element knows, its own and inherited ones. Each is checked for each element.
const MAX_NAMESPACES: usize = 32;
/// The most bytes of a namespace.
const MAX_NAMESPACE: usize = 256;
/// Attributes of this namespace tell a validator where schemas are.
const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Parses a document and refuses what XNachweis messages must not contain.
pub(crate) fn parse(bytes: &[u8]) -> Result<Document<'_>, XmlError> {
    parse_of(bytes, &Namespace::is_known)
}

/// The same with other namespaces than those of XNachweis.
pub(crate) fn parse_of<'a>(bytes: &'a [u8], is_known: &dyn Fn(&str) -> bool) -> Result<Document<'a>, XmlError> {
    if bytes.len() > MAX_XML {
        return Err(XmlError::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| XmlError::NotWellFormed)?;
    check_declaration(text)?;
    check_attributes(text)?;
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).map_err(|error| refusal(&error))?;
    check_nodes(&document, is_known)?;
    Ok(document)
}

fn refusal(error: &roxmltree::Error) -> XmlError {
    match error {
        roxmltree::Error::DtdDetected => XmlError::Forbidden("a DTD"),
        roxmltree::Error::UnknownEntityReference(..) => XmlError::Forbidden("an entity"),
        roxmltree::Error::NodesLimitReached => XmlError::TooLarge,
        _ => XmlError::NotWellFormed,
    }
}

/// Requires XML 1.0 in UTF-8. The parser checks only the syntax of the declaration, so its values are read as the
/// attributes of an element.
fn check_declaration(text: &str) -> Result<(), XmlError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let rest = text.strip_prefix("<?xml").filter(|rest| rest.starts_with(is_space));
    let Some(rest) = rest else {
        return Ok(());
    };
    let (values, _) = rest.split_once("?>").ok_or(XmlError::NotWellFormed)?;
    let element = format!("<declaration {values}/>");
    let declaration = Document::parse(&element).map_err(|_| XmlError::NotWellFormed)?;
    let declaration = declaration.root_element();
    let known = declaration
        .attributes()
        .all(|attribute| matches!(attribute.name(), "version" | "encoding" | "standalone"));
    let utf8 = declaration
        .attribute("encoding")
        .is_none_or(|encoding| encoding.eq_ignore_ascii_case("utf-8"));
    let standalone = declaration
        .attribute("standalone")
        .is_none_or(|standalone| matches!(standalone, "yes" | "no"));
    if known && utf8 && standalone && declaration.attribute("version") == Some("1.0") {
        Ok(())
    } else {
        Err(XmlError::NotWellFormed)
    }
}

/// Counts attributes before the parser sees them. Each has a `=`, and no `<` is in a tag, so between two `<` there is
/// at most one tag.
fn check_attributes(text: &str) -> Result<(), XmlError> {
    let mut parts = text.split('<').filter(|part| !part.starts_with('!'));
    if parts.all(|part| part.bytes().filter(|byte| *byte == b'=').count() <= MAX_ATTRIBUTES) {
        Ok(())
    } else {
        Err(XmlError::TooLarge)
    }
}

fn check_nodes(document: &Document<'_>, is_known: &dyn Fn(&str) -> bool) -> Result<(), XmlError> {
    let mut elements = 0;
    for node in document.descendants() {
        if node.is_element() {
            elements += 1;
            // The ancestors include the element itself and the document.
            if elements > MAX_ELEMENTS || node.ancestors().count() - 1 > MAX_DEPTH {
                return Err(XmlError::TooLarge);
            }
            check_tag(node)?;
            let uri = namespace_of(node);
            if uri.is_some_and(|uri| !is_known(uri)) {
                return Err(XmlError::Forbidden("a foreign namespace"));
            }
        } else if node.is_pi() {
            return Err(XmlError::Forbidden("a processing instruction"));
        } else if node.is_text()
            && let Some(text) = node.text()
            && !text.chars().all(is_allowed)
        {
            return Err(XmlError::NotWellFormed);
        }
    }
    Ok(())
}

/// Refuses what the parser lets pass against the namespaces of XML 1.0: a default namespace that is declared twice, a
/// prefix that loses its namespace, the prefix `xmlns`, a namespace that is no URI, and a name that begins with a
/// colon. Refuses attributes with characters that no message may contain.
fn check_tag(node: Node<'_, '_>) -> Result<(), XmlError> {
    if node.namespaces().len() > MAX_NAMESPACES
        || node.namespaces().any(|declared| declared.uri().len() > MAX_NAMESPACE)
    {
        return Err(XmlError::TooLarge);
    }
    let text = node.document().input_text();
    let element = text.get(node.range()).unwrap_or_default();
    // The end tag is the last one in the element; an empty element has none.
    let end_tag = element.rfind("</").map_or(element, |at| &element[at + 1..]);
    let mut names = node
        .attributes()
        .filter_map(|attribute| text.get(attribute.range_qname()));
    let colon = names.any(|name| name.starts_with(':')) || element.starts_with("<:") || end_tag.starts_with("/:");
    let defaults = node.namespaces().filter(|declared| declared.name().is_none()).count();
    let mut namespaces = node.namespaces();
    let wrong = namespaces.any(|declared| match declared.uri() {
        "" => declared.name().is_some(),
        uri => declared.name() == Some("xmlns") || uri.parse::<Uri>().is_err(),
    });
    let mut values = node.attributes().flat_map(|attribute| attribute.value().chars());
    if colon || wrong || defaults > 1 || !values.all(is_allowed) {
        Err(XmlError::NotWellFormed)
    } else {
        Ok(())
    }
}

/// Whether a message may contain the character: XML 1.0 allows it (production 2), and it is not U+FFFD, into which the
/// parser turns a reference to a code point that is no character.
pub(crate) fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffc}' | '\u{10000}'..='\u{10ffff}')
}

fn namespace_of<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    node.tag_name().namespace().filter(|uri| !uri.is_empty())
}

/// An element of a parsed document.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a>(Node<'a, 'a>);

impl<'a> Element<'a> {
    /// The root element.
    pub(crate) fn root(document: &'a Document<'a>) -> Self {
        Self(document.root_element())
    }

    /// This element.
    pub(crate) fn of(node: Node<'a, 'a>) -> Self {
        Self(node)
    }

    /// Whether this is the element `name` of `namespace`.
    pub(crate) fn is(self, namespace: Namespace, name: &str) -> bool {
        self.0.tag_name().name() == name && namespace_of(self.0) == namespace.uri()
    }

    /// The value of an attribute.
    pub(crate) fn attribute(self, name: &str) -> Option<&'a str> {
        self.0
            .attributes()
            .find(|attribute| attribute.namespace().is_none() && attribute.name() == name)
            .map(|attribute| attribute.value())
    }

    /// Refuses attributes other than `known`. The places of schemas are skipped; `xsi:type` and `xsi:nil` are not,
    /// because they change what an element is.
    pub(crate) fn only(self, known: &[&str], what: &'static str) -> Result<(), XmlError> {
        let only = self.0.attributes().all(|attribute| match attribute.namespace() {
            None => known.contains(&attribute.name()),
            Some(SCHEMA_INSTANCE) => matches!(attribute.name(), "schemaLocation" | "noNamespaceSchemaLocation"),
            Some(_) => false,
        });
        if only { Ok(()) } else { Err(XmlError::Unexpected(what)) }
    }

    /// Its children, to be taken one by one. Refuses text beside them.
    pub(crate) fn children(self, what: &'static str) -> Result<Children<'a>, XmlError> {
        let mut texts = self
            .0
            .children()
            .filter_map(|child| child.text().filter(|_| child.is_text()));
        if !texts.all(|text| text.chars().all(is_space)) {
            return Err(XmlError::Unexpected(what));
        }
        Ok(Children {
            next: self.0.first_element_child(),
            what,
        })
    }

    /// Its children, if it has no attributes.
    pub(crate) fn only_children(self, what: &'static str) -> Result<Children<'a>, XmlError> {
        self.only(&[], what)?;
        self.children(what)
    }

    /// Its whole text, of which comments are no part. Refuses children.
    pub(crate) fn text(self, what: &'static str) -> Result<String, XmlError> {
        if self.0.first_element_child().is_some() {
            return Err(XmlError::Unexpected(what));
        }
        let texts = self.0.children().filter(Node::is_text);
        Ok(texts.filter_map(|text| text.text()).collect())
    }
}

/// The children of an element, in order. [`Children::end`] refuses children that were not taken.
pub(crate) struct Children<'a> {
    next: Option<Node<'a, 'a>>,
    what: &'static str,
}

impl<'a> Children<'a> {
    /// Takes the next child, which must be this one.
    pub(crate) fn one(&mut self, namespace: Namespace, name: &'static str) -> Result<Element<'a>, XmlError> {
        self.optional(namespace, name).ok_or(XmlError::Missing(name))
    }

    /// Takes the next child, if it is this one.
    pub(crate) fn optional(&mut self, namespace: Namespace, name: &'static str) -> Option<Element<'a>> {
        let element = self.next.map(Element).filter(|element| element.is(namespace, name))?;
        self.next = element.0.next_sibling_element();
        Some(element)
    }

    /// Takes the text of the next child, which must be this one and have no attributes.
    pub(crate) fn text(&mut self, namespace: Namespace, name: &'static str) -> Result<String, XmlError> {
        let element = self.one(namespace, name)?;
        element.only(&[], name)?;
        element.text(name)
    }

    /// Takes the text of the next child, if it is this one.
    pub(crate) fn optional_text(
        &mut self,
        namespace: Namespace,
        name: &'static str,
    ) -> Result<Option<String>, XmlError> {
        let Some(element) = self.optional(namespace, name) else {
            return Ok(None);
        };
        element.only(&[], name)?;
        element.text(name).map(Some)
    }

    /// Takes the value of the next child, which must be this one. A foreign program may write another form of Unicode.
    pub(crate) fn value<T: FromStr>(&mut self, namespace: Namespace, name: &'static str) -> Result<T, XmlError> {
        self.text(namespace, name)?.parse().map_err(|_| XmlError::Value(name))
    }

    /// Takes the value of the next child, if it is this one.
    pub(crate) fn optional_value<T: FromStr>(
        &mut self,
        namespace: Namespace,
        name: &'static str,
    ) -> Result<Option<T>, XmlError> {
        let text = self.optional_text(namespace, name)?;
        text.map(|text| text.parse().map_err(|_| XmlError::Value(name)))
            .transpose()
    }

    /// Refuses children that are left.
    pub(crate) fn end(self) -> Result<(), XmlError> {
        match self.next {
            None => Ok(()),
            Some(_) => Err(XmlError::Unexpected(self.what)),
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
    fn text_and_predefined_entities_are_read() {
        let document =
            parse(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a x='1 &lt; 2'>a &amp; b &#228;</a>\n").unwrap();
        let root = Element::root(&document);
        assert_eq!(root.text("a").unwrap(), "a & b ä");
        assert_eq!(root.attribute("x"), Some("1 < 2"));
    }

    /// A reader that took the first part only would let a comment cut a name.
    #[test]
    fn comments_and_cdata_do_not_change_a_text() {
        let document = parse(b"<!-- a = b < c --><a>x<!-- y -->z<![CDATA[ & <b/>]]><!-- c --></a>").unwrap();
        let root = Element::root(&document);
        assert_eq!(root.text("a").unwrap(), "xz & <b/>");
        assert!(root.children("a").is_err(), "text beside children");
    }

    #[test]
    fn attributes_are_counted_before_the_document_is_parsed() {
        let with = |declaration: &dyn Fn(usize) -> String, count: usize| {
            let all: Vec<_> = (0..count).map(declaration).collect();
            format!("<a {}/>", all.join(" "))
        };
        let declaration = |n: usize| format!("xmlns:n{n}='urn:{n}'");
        let attribute = |n: usize| format!("n{n}='>'");
        let kinds: [(&dyn Fn(usize) -> String, usize); 2] =
            [(&declaration, MAX_NAMESPACES), (&attribute, MAX_ATTRIBUTES)];
        for (kind, most) in kinds {
            assert!(parse(with(kind, most).as_bytes()).is_ok());
            assert_eq!(error(&with(kind, most + 1)), XmlError::TooLarge);
            assert_eq!(error(&with(kind, 40_000)), XmlError::TooLarge);
        }
        let long = "a".repeat(MAX_NAMESPACE);
        assert_eq!(error(&format!("<a xmlns:a='urn:{long}'/>")), XmlError::TooLarge);
    }

    #[test]
    fn forbidden_constructs_are_refused() {
        assert_eq!(
            error("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"),
            XmlError::Forbidden("a DTD")
        );
        assert_eq!(error("<a>&x;</a>"), XmlError::Forbidden("an entity"));
        assert_eq!(error("<a><?p i?></a>"), XmlError::Forbidden("a processing instruction"));
        assert_eq!(
            error("<a xmlns='urn:other'/>"),
            XmlError::Forbidden("a foreign namespace")
        );
    }

    #[test]
    fn malformed_documents_are_refused() {
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
            "<a xmlns='' xmlns=''/>",
            "<a xmlns:p=''/>",
            "<a xmlns:p='urn\u{feff}a'/>",
            "<a xmlns:='urn:x'/>",
            "<a xmlns:xml='urn:x'/>",
            "<a xmlns:xmlns='urn:x'/>",
            "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>",
            "<a xmlns:p='urn:x' p:b:c='1'/>",
            "<a xmlns:p='urn:x' p:='1'/>",
            "<:a/>",
            "<a></:a>",
            "<a><b/></:a>",
            "<a xmlns:p='urn:x'></p:a>",
            "<a:/>",
            "<a :x='1'/>",
            "<a x:='1'/>",
            "<a x='<'/>",
            "<a x=1/>",
            "<a x='1'y='2'/>",
            "<a>]]></a>",
            "<a><!-- -- --></a>",
            "<a>&#xD800;</a>",
            "<a x='&#xD800;'/>",
            "<a x='&#1;'/>",
            "<a>&#+65;</a>",
            "<a>&#x110000;</a>",
            "<1a/>",
            "<a\u{a0}/>",
            " <?xml version='1.0'?><a/>",
            "<?xml version='1.0' standalone='maybe'?><a/>",
            "<a>&#0;</a>",
            "<a>&</a>",
            "<a/><?xml version=\"1.0\"?>",
            "<?xml version=\"1.1\"?><a/>",
            "<?xml version=\"1.0\" encoding=\"latin1\"?><a/>",
            "<?xml\nversion=\"1.0\" encoding=\"latin1\"?><a/>",
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
        assert_eq!(error(&format!("<a>{}</a>", " ".repeat(MAX_XML))), XmlError::TooLarge);
    }
}
