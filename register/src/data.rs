//! Schema and data, which are read completely at start-up and checked against each other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use service::config::ConfigError;

/// A field of an evidence type.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Name in data and answers.
    pub name: String,
    /// Human-readable title.
    pub title: String,
    /// Category of data, with the name that Registerlandkarte and records use.
    pub category: String,
}

/// An evidence type of this register.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceType {
    /// Id, as in the Registerlandkarte.
    pub id: String,
    /// Human-readable title.
    pub title: String,
    /// Its fields.
    pub fields: Vec<Field>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Schema {
    /// Name of the register, for people.
    name: String,
    evidence_types: Vec<EvidenceType>,
}

type Fields = BTreeMap<String, String>;

/// Why schema or data cannot be used. Names types and fields, never persons or values.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file cannot be read or does not have its form.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// The data file does not have its form. Its content is not quoted.
    #[error("the data file is not of the form {{IDNr: {{evidence type: {{field: value}}}}}} (line {line})")]
    Data {
        /// Line of the error.
        line: usize,
    },
    /// An evidence type or field is named twice, or a type has no id or no fields.
    #[error("schema: {0} is named twice or empty")]
    Schema(String),
    /// A key of the data file is not a valid IDNr of a person.
    #[error("data: row {0} has no valid IDNr")]
    Idnr(usize),
    /// A row has an evidence type or fields that the schema does not have, or lacks some.
    #[error("data: row {row} does not have exactly the fields of {evidence_type}")]
    Fields {
        /// Number of the row, from 1, in order of IDNr.
        row: usize,
        /// The evidence type.
        evidence_type: String,
    },
}

/// The register's content. `Debug` shows no person and no value.
pub struct RegisterData {
    types: BTreeMap<String, EvidenceType>,
    rows: BTreeMap<String, BTreeMap<String, Fields>>,
}

impl std::fmt::Debug for RegisterData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RegisterData({} types, {} rows)", self.types.len(), self.rows.len())
    }
}

/// Whether the text has the form of an IDNr. The reserved number of nobody (design §5.5) has it too; no register has
/// an entry for it.
pub fn is_idnr(text: &str) -> bool {
    text.len() == 11 && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl RegisterData {
    /// Reads and checks both files.
    ///
    /// # Errors
    /// See [`DataError`].
    pub fn load(schema: &Path, data: &Path) -> Result<Self, DataError> {
        let schema: Schema = service::config::load(schema)?;
        let text = std::fs::read(data).map_err(|source| ConfigError::Read {
            path: data.into(),
            source,
        })?;
        let rows = serde_json::from_slice(&text).map_err(|error| DataError::Data { line: error.line() })?;
        tracing::info!(name = schema.name, "register loaded");
        Self::new(schema.evidence_types, rows)
    }

    fn new(types: Vec<EvidenceType>, rows: BTreeMap<String, BTreeMap<String, Fields>>) -> Result<Self, DataError> {
        let mut known = BTreeMap::new();
        for evidence_type in types {
            let id = evidence_type.id.clone();
            let names: BTreeSet<&str> = evidence_type.fields.iter().map(|field| field.name.as_str()).collect();
            if id.is_empty() || names.is_empty() || names.len() != evidence_type.fields.len() {
                return Err(DataError::Schema(id));
            }
            if known.insert(id.clone(), evidence_type).is_some() {
                return Err(DataError::Schema(id));
            }
        }
        for (number, (idnr, evidence)) in (1..).zip(&rows) {
            if !is_idnr(idnr) || idnr.bytes().all(|byte| byte == b'0') {
                return Err(DataError::Idnr(number));
            }
            for (evidence_type, fields) in evidence {
                let error = || DataError::Fields {
                    row: number,
                    evidence_type: evidence_type.clone(),
                };
                let schema = known.get(evidence_type).ok_or_else(error)?;
                let fits = schema.fields.iter().all(|field| fields.contains_key(&field.name));
                if !fits || fields.len() != schema.fields.len() {
                    return Err(error());
                }
            }
        }
        Ok(Self { types: known, rows })
    }

    /// The evidence type with this id.
    pub fn evidence_type(&self, id: &str) -> Option<&EvidenceType> {
        self.types.get(id)
    }

    /// The fields of a person's evidence of one type.
    pub fn fields(&self, idnr: &str, evidence_type: &str) -> Option<&BTreeMap<String, String>> {
        self.rows.get(idnr)?.get(evidence_type)
    }
}
