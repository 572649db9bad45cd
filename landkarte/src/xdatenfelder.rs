//! Types of evidence from the data model of the federal information management (FIM): XDatenfelder 2 and 3.
//!
//! A data schema (Stammdatenschema) or a group of fields (Datenfeldgruppe) becomes one type of evidence. Its name is
//! the title, and each field with data is one category, called as the form that a person reads calls it. Where two
//! fields have one name, the group's name comes before it. Rules, code lists and everything else in the file are not
//! read.
//!
//! A file may come from anywhere: it has at most [`MAX_FILE`] bytes, [`MAX_NODES`] nodes, [`MAX_DEPTH`] groups in each
//! other and [`MAX_FIELDS`] fields, and a DTD is refused.

use std::collections::BTreeMap;

use registerlandkarte::{EvidenceType, EvidenceTypeId, RegisterTypeId};
use roxmltree::{Document, Node, ParsingOptions};
use text::Title;
use thiserror::Error;

/// The largest file, in bytes.
pub const MAX_FILE: usize = 16 * 1024 * 1024;
/// The most nodes of a file.
pub const MAX_NODES: u32 = 1_000_000;
/// The most groups in each other.
pub const MAX_DEPTH: usize = 32;
/// The most fields of a type of evidence.
pub const MAX_FIELDS: usize = 256;

/// The namespaces of the versions that are read.
const NAMESPACES: [&str; 2] = [
    "urn:xoev-de:fim:standard:xdatenfelder_2",
    "urn:xoev-de:fim:standard:xdatenfelder_3.0.0",
];
/// A field with this code shows a text and has no data (Feldart).
const LABEL: &str = "label";

/// Why a file is not a data schema that can be read. None of these goes away on a retry.
#[derive(Debug, Error)]
pub enum XdfError {
    /// The file is too long.
    #[error("the file is longer than {MAX_FILE} bytes")]
    TooLong,
    /// The file is not XML, has a DTD, or has too many nodes.
    #[error(transparent)]
    Xml(#[from] roxmltree::Error),
    /// The file's root is no data schema or group of fields of a known version.
    #[error("the root is not a Stammdatenschema or a Datenfeldgruppe of XDatenfelder 2 or 3.0.0")]
    Root,
    /// An element lacks another one.
    #[error("line {line}: {element} has no {wanted}")]
    Missing {
        /// The line.
        line: u32,
        /// The element.
        element: String,
        /// What it lacks.
        wanted: &'static str,
    },
    /// A name is too long or has characters that no name may have.
    #[error("line {line}: {reason}")]
    Name {
        /// The line.
        line: u32,
        /// What is wrong.
        reason: String,
    },
    /// Groups are in each other too deep.
    #[error("line {0}: more than {MAX_DEPTH} groups are in each other")]
    TooDeep(u32),
    /// There are too many fields.
    #[error("the file has more than {MAX_FIELDS} fields with data; import its groups one by one")]
    TooManyFields,
    /// There is no field.
    #[error("the file has no field with data")]
    NoField,
}

/// A field with the group in which it is.
struct Field<'a> {
    group: &'a str,
    name: &'a str,
    line: u32,
}

/// Reads a file as a type of evidence of a register.
///
/// # Errors
/// See [`XdfError`].
pub fn evidence(file: &str, id: EvidenceTypeId, register: RegisterTypeId) -> Result<EvidenceType, XdfError> {
    if file.len() > MAX_FILE {
        return Err(XdfError::TooLong);
    }
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(file, options)?;
    let root = document.root_element();
    let known = root
        .tag_name()
        .namespace()
        .is_some_and(|name| NAMESPACES.contains(&name));
    let model = ["stammdatenschema", "datenfeldgruppe"]
        .into_iter()
        .find_map(|name| child(root, name))
        .filter(|_| known)
        .ok_or(XdfError::Root)?;
    let title = text_of(model, "name").ok_or_else(|| missing(model, "name"))?;
    let mut fields = Vec::new();
    collect(model, title, 0, &mut fields)?;
    Ok(EvidenceType {
        id,
        uri: None,
        register,
        title: name(title, line(model))?,
        categories: categories(&fields)?,
    })
}

/// Adds the fields below a schema or group.
fn collect<'a>(model: Node<'a, '_>, group: &'a str, depth: usize, fields: &mut Vec<Field<'a>>) -> Result<(), XdfError> {
    if depth > MAX_DEPTH {
        return Err(XdfError::TooDeep(line(model)));
    }
    let structures = model.children().filter(|node| node.tag_name().name() == "struktur");
    for part in structures.filter_map(|structure| child(structure, "enthaelt")) {
        if let Some(inner) = child(part, "datenfeldgruppe") {
            collect(inner, label(inner)?, depth + 1, fields)?;
        } else if let Some(field) = child(part, "datenfeld").filter(|field| has_data(*field)) {
            if fields.len() == MAX_FIELDS {
                return Err(XdfError::TooManyFields);
            }
            fields.push(Field {
                group,
                name: label(field)?,
                line: line(field),
            });
        }
    }
    Ok(())
}

fn has_data(field: Node<'_, '_>) -> bool {
    let kind = child(field, "feldart").and_then(|kind| text_of(kind, "code"));
    kind != Some(LABEL)
}

/// The categories, each once, in the order of the file.
fn categories(fields: &[Field<'_>]) -> Result<Vec<Title>, XdfError> {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for field in fields {
        let of_name = groups.entry(field.name).or_default();
        if !of_name.contains(&field.group) {
            of_name.push(field.group);
        }
    }
    let mut categories: Vec<Title> = Vec::new();
    for field in fields {
        let alone = groups.get(field.name).is_none_or(|groups| groups.len() == 1);
        let category = if alone {
            name(field.name, field.line)?
        } else {
            name(&format!("{}: {}", field.group, field.name), field.line)?
        };
        if !categories.contains(&category) {
            categories.push(category);
        }
    }
    if categories.is_empty() {
        return Err(XdfError::NoField);
    }
    Ok(categories)
}

/// What a form calls an element.
fn label<'a>(element: Node<'a, '_>) -> Result<&'a str, XdfError> {
    let names = ["bezeichnungAusgabe", "bezeichnungEingabe", "name"];
    let mut labels = names.into_iter().filter_map(|name| text_of(element, name));
    labels.next().ok_or_else(|| missing(element, "name"))
}

fn name(text: &str, line: u32) -> Result<Title, XdfError> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let title = words.join(" ").parse();
    title.map_err(|error: text::TextError| XdfError::Name {
        line,
        reason: error.to_string(),
    })
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.tag_name().name() == name)
}

/// The text of a child, if it is not empty.
fn text_of<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    let text = child(node, name)?.text()?.trim();
    (!text.is_empty()).then_some(text)
}

fn line(node: Node<'_, '_>) -> u32 {
    node.document().text_pos_at(node.range().start).row
}

fn missing(node: Node<'_, '_>, wanted: &'static str) -> XdfError {
    XdfError::Missing {
        line: line(node),
        element: node.tag_name().name().to_owned(),
        wanted,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn read(file: &str) -> Result<EvidenceType, XdfError> {
        evidence(file, "meldung".parse().unwrap(), "melderegister".parse().unwrap())
    }

    fn field(name: &str, kind: &str) -> String {
        format!(
            "<x:struktur><x:anzahl>1:1</x:anzahl><x:enthaelt><x:datenfeld><x:name>intern {name}</x:name>\
             <x:bezeichnungAusgabe>{name}</x:bezeichnungAusgabe><x:feldart><code>{kind}</code></x:feldart>\
             </x:datenfeld></x:enthaelt></x:struktur>"
        )
    }

    fn group(name: &str, content: &str) -> String {
        format!(
            "<x:struktur><x:enthaelt><x:datenfeldgruppe><x:name>{name}</x:name>{content}</x:datenfeldgruppe></x:enthaelt>\
             </x:struktur>"
        )
    }

    fn schema(version: &str, content: &str) -> String {
        format!(
            "<x:xdatenfelder.stammdatenschema.0102 xmlns:x=\"urn:xoev-de:fim:standard:xdatenfelder_{version}\">\n\
             <x:stammdatenschema><x:name>Anmeldung einer\n Wohnung</x:name>{content}</x:stammdatenschema>\
             </x:xdatenfelder.stammdatenschema.0102>"
        )
    }

    fn categories_of(file: &str) -> Vec<String> {
        let evidence = read(file).unwrap();
        evidence.categories.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn fields_become_categories_and_texts_do_not() {
        let content = [
            field("Familienname", "input"),
            group(
                "Anschrift",
                &[field("Ort", "input"), field("Hinweis", "label")].concat(),
            ),
        ];
        for version in ["2", "3.0.0"] {
            let file = schema(version, &content.concat());
            assert_eq!(read(&file).unwrap().title.as_str(), "Anmeldung einer Wohnung");
            assert_eq!(categories_of(&file), ["Familienname", "Ort"]);
        }
    }

    #[test]
    fn fields_of_one_name_have_their_groups_in_front() {
        let content = [
            group("Alte Wohnung", &field("Ort", "input")),
            group("Neue Wohnung", &field("Ort", "select")),
            group("Person", &field("Name", "input")),
        ];
        let expected = ["Alte Wohnung: Ort", "Neue Wohnung: Ort", "Name"];
        assert_eq!(categories_of(&schema("2", &content.concat())), expected);
    }

    #[test]
    fn other_files_are_refused() {
        let nested = (0..40).fold(field("Ort", "input"), |inner, _| group("Gruppe", &inner));
        let many: String = (0..300)
            .map(|number| field(&format!("Feld {number}"), "input"))
            .collect();
        let dtd = format!("<!DOCTYPE x [<!ENTITY a 'b'>]>{}", schema("2", &field("Ort", "input")));
        let cases = [
            (schema("4", &field("Ort", "input")), "the root is not"),
            ("<other/>".to_owned(), "the root is not"),
            (schema("2", ""), "no field with data"),
            (schema("2", &nested), "more than 32 groups"),
            (schema("2", &many), "more than 256 fields"),
            (
                schema("2", &field("", "input").replace("intern ", "")),
                "datenfeld has no name",
            ),
            (
                schema("2", &field(&"x".repeat(300), "input")),
                "line 3: has more than 200 characters",
            ),
            (dtd, "DTD"),
            ("<a".to_owned(), "root node"),
        ];
        for (file, expected) in cases {
            let error = read(&file).unwrap_err().to_string();
            assert!(error.contains(expected), "{expected}: {error}");
        }
    }
}
