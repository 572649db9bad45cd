//! The XML schema (XSD 1.0) of a register's evidence, by which others check its documents without this program.
//!
//! `cargo run -p register --example xml-schema -- SCHEMA` prints it for a register's schema file. Each type of evidence
//! is an element with its fields in their order. Titles are the documentation of their elements.

use std::path::Path;

use messages::document::NAMESPACE;
use text::class::marker;
use text::content::Class;

use crate::data::{self, DataError, EvidenceType};

/// The schema of the evidence that a schema file describes.
///
/// # Errors
/// See [`DataError`].
pub fn of_file(schema: &Path) -> Result<String, DataError> {
    let (name, types) = data::read_schema(schema)?;
    let types: String = types.values().map(evidence_type).collect();
    Ok(format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="{NAMESPACE}" targetNamespace="{NAMESPACE}"
    elementFormDefault="qualified">
  {}
  <xs:simpleType name="value">
    <xs:restriction base="xs:string">
      <xs:maxLength value="{}"/>
    </xs:restriction>
  </xs:simpleType>
{types}</xs:schema>
"#,
        documentation(&name),
        marker::FieldValue::MAX,
    ))
}

fn evidence_type(of: &EvidenceType) -> String {
    let fields = of.fields.iter().map(|field| {
        format!(
            "        <xs:element name=\"{}\" type=\"value\">{}</xs:element>\n",
            field.name,
            documentation(&field.title)
        )
    });
    let fields: String = fields.collect();
    format!(
        r#"  <xs:element name="{}">
    {}
    <xs:complexType>
      <xs:sequence>
{fields}      </xs:sequence>
      <xs:attribute name="title" type="xs:string" use="required" fixed="{}"/>
      <xs:attribute name="issued-at" type="xs:dateTime" use="required"/>
    </xs:complexType>
  </xs:element>
"#,
        of.id,
        documentation(&of.title),
        escaped(&of.title),
    )
}

fn documentation(text: &str) -> String {
    format!(
        "<xs:annotation><xs:documentation xml:lang=\"de\">{}</xs:documentation></xs:annotation>",
        escaped(text)
    )
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    // Titles are free text, whose characters XML can have.
    let _ = messages::document::escape(&mut out, text);
    out
}
