//! The level of assurance of a login.

use record::Assurance;

use super::code_list::CodeList;
use super::error::XmlError;
use super::namespace::Namespace;
use super::parse::Children;
use super::write::XmlWriter;

const NAME: &str = "LevelOfAssurance";

fn code(assurance: Assurance) -> &'static str {
    match assurance {
        Assurance::Low => "Low",
        Assurance::Substantial => "Substantial",
        Assurance::High => "High",
    }
}

pub(crate) fn write_assurance(writer: &mut XmlWriter, assurance: Assurance) {
    writer.code(Namespace::Bk, NAME, CodeList::ASSURANCE, code(assurance));
}

pub(crate) fn read_assurance(children: &mut Children<'_>) -> Result<Assurance, XmlError> {
    let read = CodeList::ASSURANCE.read(children.one(Namespace::Bk, NAME)?, NAME)?;
    [Assurance::Low, Assurance::Substantial, Assurance::High]
        .into_iter()
        .find(|assurance| code(*assurance) == read)
        .ok_or(XmlError::Value(NAME))
}
