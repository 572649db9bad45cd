//! Evidence types.
//!
//! Version 1.2.0 allows only classifications that begin with `…/evidencetypeclassifications/ec/`. A type of the
//! Registerlandkarte is named by a code of its own or by the URI of a national type. The URI of each contains the
//! classifications' address once, and each has exactly one URI:
//!
//! | Type of the Registerlandkarte | Classification |
//! | --- | --- |
//! | `zb1` | `…/evidencetypeclassifications/ec/zb1` |
//! | `…/evidencetypeclassifications/DE/<code>` | `…/evidencetypeclassifications/ec/DE/<code>` |

use tlog::Hash;
use uuid::Uuid;

use super::error::XmlError;
use super::namespace::Namespace;
use super::parse::Children;
use super::uri::Uri;
use super::values::{read_multilingual, write_multilingual};
use super::write::XmlWriter;
use crate::digest::sha256_of;

const BASE: &str = "https://sr.oots.tech.ec.europa.eu/evidencetypeclassifications/";
const COMMON: &str = "https://sr.oots.tech.ec.europa.eu/evidencetypeclassifications/ec/";

/// An evidence type of the Registerlandkarte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceType {
    /// Its id in the Registerlandkarte.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What it says, in a sentence.
    pub description: Option<String>,
}

impl EvidenceType {
    /// Its classification, and nothing if XNachweis has none for it.
    fn classification(&self) -> Option<String> {
        let code = match self.id.strip_prefix(BASE) {
            Some(national) => Some(national).filter(|national| is_national(national)),
            None => Some(self.id.as_str()).filter(|code| !is_national(code)),
        }?;
        let uri = format!("{COMMON}{code}");
        (is_code(code) && uri.parse::<Uri>().is_ok()).then_some(uri)
    }

    /// The id of the type with this classification.
    fn id_of(classification: &str) -> Option<String> {
        let code = classification.strip_prefix(COMMON)?;
        let id = if is_national(code) {
            format!("{BASE}{code}")
        } else {
            code.to_owned()
        };
        (is_code(code) && classification.parse::<Uri>().is_ok()).then_some(id)
    }

    /// The `Identifier` that the schema requires beside the classification: a UUID (version 8, RFC 9562) made from
    /// SHA-256 of the classification URI.
    pub(crate) fn identifier(&self) -> Uuid {
        let classification = self.classification().unwrap_or_default();
        let Hash(digest) = sha256_of(&[classification.as_bytes()]);
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }

    /// Writes classification, title and description: the content of the type `ConformantToType`.
    pub(crate) fn write(&self, writer: &mut XmlWriter) {
        match self.classification() {
            Some(classification) => writer.text(Namespace::Bk, "EvidenceTypeClassification", &classification),
            None => writer.refuse("EvidenceTypeClassification"),
        }
        write_multilingual(writer, Namespace::Bk, "Title", &self.title);
        if let Some(description) = &self.description {
            write_multilingual(writer, Namespace::Bk, "Description", description);
        }
    }

    pub(crate) fn read(children: &mut Children<'_>) -> Result<Self, XmlError> {
        let classification = children.text(Namespace::Bk, "EvidenceTypeClassification")?;
        let id = Self::id_of(&classification).ok_or(XmlError::Value("EvidenceTypeClassification"))?;
        let title = read_multilingual(children.one(Namespace::Bk, "Title")?, "Title")?;
        let description = children.optional(Namespace::Bk, "Description");
        let description = description.map(|text| read_multilingual(text, "Description"));
        Ok(Self {
            id,
            title,
            description: description.transpose()?,
        })
    }
}

/// Whether a code begins with a country, as in `DE/…`.
fn is_national(code: &str) -> bool {
    let country = code.split_once('/').map(|(country, _)| country);
    country.is_some_and(|country| country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase()))
}

/// Whether a code is the end of a URI, and no URI itself.
fn is_code(code: &str) -> bool {
    !code.is_empty() && !code.contains("://") && !code.contains(char::is_whitespace)
}
