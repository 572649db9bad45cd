//! Everything that the register has about one person, for the person's own eyes (§ 10 (2) OZG, "Bestandsdaten").
//!
//! The connector asks for it in an exchange that the person has caused (purpose code `eigene-auskunft`). The
//! person is in the body and not in the address, because addresses are written into logs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use service::Problem;
use uuid::Uuid;

use crate::data::{self, EvidenceType, RegisterData};

/// Query of the connector.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StockLookup {
    pub(crate) idnr: String,
    pub(crate) exchange: Option<Uuid>,
}

/// Everything about one person. `Debug` shows the title only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stock {
    /// Name of the register.
    pub title: String,
    /// Time of the answer, UTC.
    pub issued_at: String,
    /// One section for each evidence type that the register has of the person.
    pub sections: Vec<Section>,
}

impl std::fmt::Debug for Stock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stock({:?}, sections redacted)", self.title)
    }
}

/// The data of one evidence type.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Title of the evidence type.
    pub title: String,
    /// Its fields, in the order of the schema.
    pub fields: Vec<NamedValue>,
}

/// A field with its value.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedValue {
    /// Title of the field.
    pub title: String,
    /// The value; empty if the register has none.
    pub value: String,
}

impl StockLookup {
    /// Reads a query. No error quotes it.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Problem> {
        let lookup: Self =
            text::json::from_slice(body).map_err(|_| Problem::bad_request("stock", "the query is malformed"))?;
        if data::is_idnr(&lookup.idnr) {
            Ok(lookup)
        } else {
            Err(Problem::bad_request("stock", "name an idnr of eleven digits"))
        }
    }
}

impl Stock {
    /// What the register has about the person. `None` if that is nothing.
    pub(crate) fn of(data: &RegisterData, idnr: &str, issued_at: String) -> Option<Self> {
        let sections: Vec<Section> = data.stock(idnr).map(section).collect();
        (!sections.is_empty()).then(|| Self {
            title: data.name().to_string(),
            issued_at,
            sections,
        })
    }
}

fn section((schema, values): (&EvidenceType, &BTreeMap<String, String>)) -> Section {
    let fields = schema.fields.iter().map(|field| NamedValue {
        title: field.title.to_string(),
        value: values.get(field.name.as_str()).cloned().unwrap_or_default(),
    });
    Section {
        title: schema.title.to_string(),
        fields: fields.collect(),
    }
}
