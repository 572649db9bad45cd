//! Evidence types and media types.

use tlog::Hash;
use uuid::Uuid;

use super::code_list::CodeList;
use super::error::XmlError;
use super::namespace::Namespace;
use super::parse::{Children, Element};
use super::values::{read_multilingual, uuid, write_multilingual};
use super::write::XmlWriter;
use crate::digest::sha256_of;

const CLASSIFICATION: &str = "https://sr.oots.tech.ec.europa.eu/evidencetypeclassifications/ec/";

/// An evidence type of the Registerlandkarte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceType {
    /// Its id, which is the end of the classification URI.
    pub id: String,
    /// Its title in German.
    pub title: String,
}

impl EvidenceType {
    /// The `Identifier` that the schema requires beside the classification: a UUID (version 8, RFC 9562) made from
    /// SHA-256 of the classification URI.
    fn identifier(&self) -> Uuid {
        let Hash(digest) = sha256_of(&[CLASSIFICATION.as_bytes(), self.id.as_bytes()]);
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }

    /// Writes classification and title: the type `ConformantToType`.
    pub(crate) fn write_conformant(&self, writer: &mut XmlWriter) {
        writer.text(
            Namespace::Bk,
            "EvidenceTypeClassification",
            &format!("{CLASSIFICATION}{}", self.id),
        );
        write_multilingual(writer, "Title", &self.title);
    }

    pub(crate) fn read_conformant(children: &mut Children<'_>) -> Result<Self, XmlError> {
        let classification = children.text(Namespace::Bk, "EvidenceTypeClassification")?;
        let id = classification
            .strip_prefix(CLASSIFICATION)
            .ok_or(XmlError::Value("EvidenceTypeClassification"))?;
        let title = read_multilingual(children.one(Namespace::Bk, "Title")?, "Title")?;
        Ok(Self {
            id: id.to_owned(),
            title,
        })
    }

    /// Writes classification, title, identifier and format: the type `EvidenceType.DataServiceType`.
    pub(crate) fn write_requested(&self, writer: &mut XmlWriter, media_type: &str) {
        writer.element(Namespace::Bk, "RequestedEvidenceType", &[], |writer| {
            self.write_conformant(writer);
            writer.text(Namespace::Bk, "Identifier", &self.identifier().to_string());
            writer.element(Namespace::Bk, "DistributedAs", &[], |writer| {
                write_format(writer, media_type)
            });
        });
    }

    pub(crate) fn read_requested(element: Element<'_>) -> Result<(Self, String), XmlError> {
        let mut children = element.only_children("RequestedEvidenceType")?;
        let evidence_type = Self::read_conformant(&mut children)?;
        if uuid(&children.text(Namespace::Bk, "Identifier")?, "Identifier")? != evidence_type.identifier() {
            return Err(XmlError::Value("Identifier"));
        }
        let distributed = children.one(Namespace::Bk, "DistributedAs")?;
        children.end()?;
        let mut formats = distributed.only_children("DistributedAs")?;
        let format = read_format(&mut formats)?;
        formats.end()?;
        Ok((evidence_type, format))
    }
}

pub(crate) fn write_format(writer: &mut XmlWriter, media_type: &str) {
    writer.code(Namespace::Bk, "Format", CodeList::MEDIA_TYPE, media_type);
}

pub(crate) fn read_format(children: &mut Children<'_>) -> Result<String, XmlError> {
    CodeList::MEDIA_TYPE.read(children.one(Namespace::Bk, "Format")?, "Format")
}
