//! Schema and data, which are read completely at start-up and checked against each other.
//!
//! The data file is a JSON object `{IDNr or EUID: {evidence type: {field: value}}}`; each member is a row. A row that
//! does not match the schema is set aside and reported, and the register answers from all others. All rows with one
//! IDNr are set aside, because none of them is more right than another: to keep the last would give one person
//! another's evidence.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use messages::document::is_element_name;
use serde::Deserialize;
use service::config::ConfigError;
use text::{FieldValue, JsonError, Reference, RowError, Rows, SetAside, Title};

/// A field of an evidence type.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Name in data and answers.
    pub name: Reference,
    /// Human-readable title.
    pub title: Title,
    /// Category of data, with the name that Registerlandkarte and records use.
    pub category: Title,
}

/// An evidence type of this register.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceType {
    /// Id, as in the Registerlandkarte.
    pub id: Reference,
    /// Human-readable title.
    pub title: Title,
    /// Its fields.
    pub fields: Vec<Field>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Schema {
    /// Name of the register, for people.
    name: Title,
    evidence_types: Vec<EvidenceType>,
}

/// What the access log has instead of an evidence type when everything about a person was looked up.
pub const STOCK: &str = "stock";

type Fields = BTreeMap<String, String>;

/// Evidence type → fields.
type Evidence = BTreeMap<String, Fields>;

/// Why schema or data cannot be used. Names types and fields, never persons or values.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file cannot be read or does not have its form.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// The data file does not have its form. Its content is not quoted.
    #[error("the data file is not of the form {{IDNr or EUID: {{evidence type: {{field: value}}}}}}: {0}")]
    Data(JsonError),
    /// An evidence type or field is named twice, a type has no fields, or its name is reserved or not that of an XML
    /// element.
    #[error("schema: {0} is named twice, empty, reserved, or has a name that is none of an XML element")]
    Schema(String),
}

/// The register's content. `Debug` shows no person and no value.
pub struct RegisterData {
    name: Title,
    types: BTreeMap<String, EvidenceType>,
    rows: BTreeMap<String, Evidence>,
    set_aside: Vec<SetAside>,
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

/// Whether the text is a European Unique Identifier, by which a register finds a legal person.
pub fn is_euid(text: &str) -> bool {
    text.parse::<messages::xnachweis::Euid>().is_ok()
}

impl RegisterData {
    /// Reads and checks both files.
    ///
    /// # Errors
    /// See [`DataError`].
    pub fn load(schema: &Path, data: &Path) -> Result<Self, DataError> {
        let (name, types) = read_schema(schema)?;
        let text = service::text_file::read(data).map_err(|source| ConfigError::Read {
            path: data.into(),
            source,
        })?;
        tracing::info!(%name, "register loaded");
        let rows = Rows::of_object(&text, |idnr, evidence: Evidence| {
            check_row(&types, &idnr, &evidence)?;
            Ok((idnr, canonical(evidence, &types)?))
        });
        let rows = rows.map_err(DataError::Data)?;
        Ok(Self {
            name,
            types,
            rows: rows.sound.into_iter().map(|(_, row)| row).collect(),
            set_aside: rows.set_aside,
        })
    }

    /// Name of the register, for people.
    pub fn name(&self) -> &Title {
        &self.name
    }

    /// The evidence types of which the subject has evidence, each with its fields.
    pub fn stock(&self, idnr: &str) -> impl Iterator<Item = (&EvidenceType, &BTreeMap<String, String>)> {
        let evidence = self.rows.get(idnr).into_iter().flatten();
        evidence.filter_map(|(id, fields)| Some((self.types.get(id)?, fields)))
    }

    /// The rows that are not used, in the order of the file.
    pub fn set_aside(&self) -> &[SetAside] {
        &self.set_aside
    }

    /// The evidence type with this id.
    pub fn evidence_type(&self, id: &str) -> Option<&EvidenceType> {
        self.types.get(id)
    }

    /// Number of a row, from 1, in order of the keys.
    pub fn row(&self, idnr: &str) -> usize {
        self.rows.keys().take_while(|row| row.as_str() <= idnr).count()
    }

    /// The fields of a subject's evidence of one type.
    pub fn fields(&self, idnr: &str, evidence_type: &str) -> Option<&BTreeMap<String, String>> {
        self.rows.get(idnr)?.get(evidence_type)
    }
}

/// Reads and checks a schema file: the name of the register, and its types of evidence by their ids.
pub(crate) fn read_schema(file: &Path) -> Result<(Title, BTreeMap<String, EvidenceType>), DataError> {
    let schema: Schema = service::config::load(file)?;
    Ok((schema.name, check_schema(schema.evidence_types)?))
}

fn check_schema(types: Vec<EvidenceType>) -> Result<BTreeMap<String, EvidenceType>, DataError> {
    let mut known = BTreeMap::new();
    for evidence_type in types {
        let id = evidence_type.id.to_string();
        let names: BTreeSet<&str> = evidence_type.fields.iter().map(|field| field.name.as_str()).collect();
        // In the access log the word means everything about a person.
        let reserved = id == STOCK;
        let named = names.iter().chain([&id.as_str()]).all(|name| is_element_name(name));
        if reserved || !named || names.is_empty() || names.len() != evidence_type.fields.len() {
            return Err(DataError::Schema(id));
        }
        if known.insert(id.clone(), evidence_type).is_some() {
            return Err(DataError::Schema(id));
        }
    }
    Ok(known)
}

/// Takes the values at the entrance: each is free text in canonical form.
fn canonical(evidence: Evidence, types: &BTreeMap<String, EvidenceType>) -> Result<Evidence, RowError> {
    let mut result = Evidence::new();
    for (evidence_type, mut fields) in evidence {
        // The names of the schema, because those of the row must not be reported.
        for field in types.get(&evidence_type).iter().flat_map(|schema| &schema.fields) {
            if let Some(value) = fields.get_mut(field.name.as_str()) {
                let text =
                    FieldValue::new(value).map_err(|error| RowError::new(field.name.to_string(), error.to_string()))?;
                *value = text.into();
            }
        }
        result.insert(evidence_type, fields);
    }
    Ok(result)
}

fn check_row(types: &BTreeMap<String, EvidenceType>, idnr: &str, evidence: &Evidence) -> Result<(), RowError> {
    if !(is_idnr(idnr) || is_euid(idnr)) || idnr.bytes().all(|byte| byte == b'0') {
        return Err(RowError::new("key", "is neither the IDNr of a person nor an EUID"));
    }
    for (evidence_type, fields) in evidence {
        let schema = types
            .get(evidence_type)
            .ok_or_else(|| RowError::new("row", "has an evidence type that is not in the schema"))?;
        if let Some(missing) = schema
            .fields
            .iter()
            .find(|field| !fields.contains_key(field.name.as_str()))
        {
            return Err(RowError::new(missing.name.to_string(), "is missing"));
        }
        if fields.len() != schema.fields.len() {
            return Err(RowError::new("row", "has a field that is not in the schema"));
        }
    }
    Ok(())
}
