//! Values of elements and attributes: UUIDs, times, dates, binary contents and multilingual texts. Each is read in all
//! forms that its XSD type allows, and written in one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::civil::Date;
use record::Timestamp;
use text::din91379::Datatype;
use uuid::Uuid;

use super::code_list::CodeList;
use super::error::XmlError;
use super::namespace::Namespace;
use super::parse::Element;
use super::space::{is_space, normalized};
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

/// Writes an XSD `dateTime` in UTC, in whole seconds. Refuses a time after the year 9999.
pub(crate) fn write_time(writer: &mut XmlWriter, namespace: Namespace, name: &'static str, time: Timestamp) {
    let seconds = i64::try_from(time.0).ok();
    match seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok()) {
        Some(time) => writer.text(namespace, name, &time.to_string()),
        None => writer.refuse(name),
    }
}

/// Reads an XSD `dateTime`, which must have a zone: without one it is no point in time. White space around it is
/// refused, also in dates: XSD allows it, but not every validator does.
pub(crate) fn time(text: &str, what: &'static str) -> Result<Timestamp, XmlError> {
    read_time(text).ok_or(XmlError::Value(what))
}

fn read_time(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.split_once('T')?;
    let zone = rest.rfind(['Z', '+', '-'])?;
    let (clock, zone) = rest.split_at_checked(zone)?;
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let digits = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    // A leap second is no time of XSD.
    if !has_form(date, "0000-00-00")
        || !has_form(whole, "00:00:00")
        || !digits
        || !is_zone(zone)
        || whole.ends_with("60")
    {
        return None;
    }
    // XSD writes the end of a day also as 24:00:00. A fraction of a second is dropped, as everywhere in a record.
    let (clock, days) = match whole {
        "24:00:00" if fraction.bytes().all(|byte| byte == b'0') => ("00:00:00", 86_400),
        other => (other, 0),
    };
    let time: jiff::Timestamp = format!("{date}T{clock}{zone}").parse().ok()?;
    u64::try_from(time.as_second() + days).ok().map(Timestamp)
}

/// Whether the text is `form` with any digits in the place of zeros.
fn has_form(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            _ => byte == form,
        })
}

/// Whether this is a zone of XSD: `Z`, or an offset of at most 14 hours.
fn is_zone(text: &str) -> bool {
    let Some(offset) = text.strip_prefix(['+', '-']) else {
        return text == "Z";
    };
    let Some((Ok(hours), Ok(minutes))) = offset
        .split_once(':')
        .filter(|(hours, minutes)| hours.len() == 2 && minutes.len() == 2)
        .map(|(hours, minutes)| (hours.parse::<u8>(), minutes.parse::<u8>()))
    else {
        return false;
    };
    minutes < 60 && (hours < 14 || (hours == 14 && minutes == 0))
}

/// Reads an XSD `date`. A zone does not change which day of the calendar it is, so it is dropped.
pub(crate) fn date(text: &str, what: &'static str) -> Result<Date, XmlError> {
    let (date, zone) = text.split_at_checked(10).ok_or(XmlError::Value(what))?;
    let form = has_form(date, "0000-00-00") && (zone.is_empty() || is_zone(zone));
    // XSD 1.0 has no year 0.
    let date: Option<Date> = date.parse().ok().filter(|date: &Date| form && date.year() > 0);
    date.ok_or(XmlError::Value(what))
}

/// Writes an XSD `date`, which has no year before 1.
pub(crate) fn write_date(writer: &mut XmlWriter, name: &'static str, date: Date) {
    if date.year() < 1 {
        writer.refuse(name);
    }
    writer.text(Namespace::Bk, name, &date.to_string());
}

/// Reads an XSD `base64Binary`, which may have white space anywhere: others wrap lines after 64 or 76 characters.
pub(crate) fn binary(text: &str, what: &'static str) -> Result<Vec<u8>, XmlError> {
    let dense: String = text.chars().filter(|c| !is_space(*c)).collect();
    BASE64.decode(dense).map_err(|_| XmlError::Value(what))
}

/// Checks a text of data type C of DIN 91379, as it is: the schema does not know other forms of Unicode.
pub(crate) fn datatype_c(text: &str, what: &'static str) -> Result<(), XmlError> {
    match Datatype::C.first_outside(text) {
        None => Ok(()),
        Some(_) => Err(XmlError::Value(what)),
    }
}

/// Writes a German text in the form of `String.Multilingual`.
pub(crate) fn write_multilingual(writer: &mut XmlWriter, namespace: Namespace, name: &'static str, value: &str) {
    writer.element(namespace, name, &[], |writer| {
        writer.text(Namespace::Bdt, "value", value);
        writer.code(Namespace::Bdt, "lang", CodeList::LANGUAGE, "DE");
    });
}

/// Reads the text of a `String.Multilingual`, in any language.
pub(crate) fn read_multilingual(element: Element<'_>, what: &'static str) -> Result<String, XmlError> {
    let mut children = element.only_children(what)?;
    let value = children.text(Namespace::Bdt, "value")?;
    CodeList::LANGUAGE.read(children.one(Namespace::Bdt, "lang")?, "lang")?;
    children.end()?;
    Ok(normalized(&value))
}
