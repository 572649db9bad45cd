//! Values of elements and attributes: UUIDs, times, dates and multilingual texts.

use jiff::civil::Date;
use record::Timestamp;
use uuid::Uuid;

use super::code_list::CodeList;
use super::error::XmlError;
use super::namespace::Namespace;
use super::parse::Element;
use super::write::XmlWriter;

/// Reads a UUID in its hyphenated form.
pub(crate) fn uuid(text: &str, what: &'static str) -> Result<Uuid, XmlError> {
    let parsed = if text.len() == 36 {
        Uuid::try_parse(text).ok()
    } else {
        None
    };
    parsed.ok_or(XmlError::Value(what))
}

/// Reads a `urn:uuid:`.
pub(crate) fn urn(text: &str, what: &'static str) -> Result<Uuid, XmlError> {
    uuid(text.strip_prefix("urn:uuid:").ok_or(XmlError::Value(what))?, what)
}

/// Writes an XSD `dateTime` in UTC, in whole seconds.
pub(crate) fn time_text(time: Timestamp) -> String {
    let seconds = i64::try_from(time.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds)
        .unwrap_or(jiff::Timestamp::MAX)
        .to_string()
}

/// Reads an XSD `dateTime`.
pub(crate) fn time(text: &str, what: &'static str) -> Result<Timestamp, XmlError> {
    let time: jiff::Timestamp = text.parse().map_err(|_| XmlError::Value(what))?;
    Ok(Timestamp(
        u64::try_from(time.as_second()).map_err(|_| XmlError::Value(what))?,
    ))
}

/// Reads an XSD `date`.
pub(crate) fn date(text: &str, what: &'static str) -> Result<Date, XmlError> {
    let parsed = if text.len() == 10 { text.parse().ok() } else { None };
    parsed.ok_or(XmlError::Value(what))
}

/// Writes a German text in the form of `String.Multilingual`.
pub(crate) fn write_multilingual(writer: &mut XmlWriter, name: &'static str, value: &str) {
    writer.element(Namespace::Bk, name, &[], |writer| {
        writer.text(Namespace::Bdt, "value", value);
        writer.code(Namespace::Bdt, "lang", CodeList::LANGUAGE, "DE");
    });
}

/// Reads the text of a `String.Multilingual`.
pub(crate) fn read_multilingual(element: Element<'_>, what: &'static str) -> Result<String, XmlError> {
    let mut children = element.only_children(what)?;
    let value = children.text(Namespace::Bdt, "value")?;
    CodeList::LANGUAGE.read(children.one(Namespace::Bdt, "lang")?, "lang")?;
    children.end()?;
    Ok(value.to_owned())
}
