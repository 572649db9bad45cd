//! The registers of the demonstration: their schemas and data.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Deserialize;

/// The registers' schemas and data, by the participant's short name.
pub(super) const REGISTERS: [(&str, &str, &str); 3] = [
    (
        "kba",
        include_str!("../../data/register-kba.schema.json"),
        include_str!("../../data/register-kba.data.json"),
    ),
    (
        "meldewesen",
        include_str!("../../data/register-meldewesen.schema.json"),
        include_str!("../../data/register-meldewesen.data.json"),
    ),
    (
        "handelsregister",
        include_str!("../../data/register-handelsregister.schema.json"),
        include_str!("../../data/register-handelsregister.data.json"),
    ),
];

/// A register's schema, as far as it says what its fields are called.
#[derive(Deserialize)]
struct Schema {
    evidence_types: Vec<SchemaType>,
}

#[derive(Deserialize)]
struct SchemaType {
    id: String,
    fields: Vec<SchemaField>,
}

#[derive(Deserialize)]
struct SchemaField {
    name: String,
    title: String,
}

/// What the registers of the demonstration call the fields of a type of evidence.
pub(super) fn labels(evidence_type: &str) -> Result<BTreeMap<String, String>> {
    let mut labels = BTreeMap::new();
    for (_, schema, _) in REGISTERS {
        let schema: Schema = text::json::from_str(schema)?;
        let of_type = schema
            .evidence_types
            .into_iter()
            .filter(|of_type| of_type.id == evidence_type);
        labels.extend(
            of_type
                .flat_map(|of_type| of_type.fields)
                .map(|field| (field.name, field.title)),
        );
    }
    Ok(labels)
}
