//! How an authority can be reached (`erreichbarkeit`). It is checked and dropped: the directory of participants decides
//! where an authority is.

use super::code_list::CodeList;
use super::error::XmlError;
use super::namespace::Namespace;
use super::parse::Element;
use super::values::datatype_c;

/// Checks one `erreichbarkeit`.
pub(crate) fn check(element: Element<'_>) -> Result<(), XmlError> {
    let mut children = element.only_children("erreichbarkeit")?;
    CodeList::CHANNEL.read(children.one(Namespace::Kommunikation, "kanal")?, "kanal")?;
    datatype_c(&children.text(Namespace::Kommunikation, "kennung")?, "kennung")?;
    let addition = children.optional_text(Namespace::Kommunikation, "zusatz")?;
    datatype_c(addition.as_deref().unwrap_or_default(), "zusatz")?;
    children.end()
}
