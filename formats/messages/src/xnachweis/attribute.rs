//! Attributes of one sector (`SectorSpecificAttribute`), and the one that says how much of a date of birth is known.

use jiff::civil::Date;
use text::PartialDate;
use text::class::DatatypeC;
use text::date::Precision;

use super::error::XmlError;
use super::namespace::Namespace;
use super::parse::Children;
use super::uri::Uri;
use super::write::XmlWriter;

const NAME: &str = "SectorSpecificAttribute";
/// Says which part of a partial date of birth is known. XNachweis has no partial dates; [`text::date`] has the mapping.
const PRECISION_NAME: &str = "DateOfBirthPrecision";
const PRECISION_URI: &str = "urn:einsicht:attribute:date-of-birth-precision";

/// A value that only one sector knows. `Debug` does not show the value.
#[derive(Clone, PartialEq, Eq)]
pub struct SectorAttribute {
    /// Its name.
    pub name: DatatypeC,
    /// The URI that defines it.
    pub uri: Uri,
    /// The value.
    pub value: DatatypeC,
}

impl std::fmt::Debug for SectorAttribute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SectorAttribute({}, value redacted)", self.uri)
    }
}

impl SectorAttribute {
    /// Whether this is, or could be taken for, the precision of a date of birth.
    fn is_precision(&self) -> bool {
        &*self.name == PRECISION_NAME || self.uri.as_str() == PRECISION_URI
    }
}

/// Writes the precision, if the date is a partial one, and the attributes.
pub(crate) fn write_attributes(writer: &mut XmlWriter, precision: Option<Precision>, attributes: &[SectorAttribute]) {
    if let Some(precision) = precision {
        write(writer, PRECISION_NAME, PRECISION_URI, precision.as_str());
    }
    for attribute in attributes {
        if attribute.is_precision() {
            writer.refuse(NAME);
        }
        write(writer, &attribute.name, attribute.uri.as_str(), &attribute.value);
    }
}

fn write(writer: &mut XmlWriter, name: &str, uri: &str, value: &str) {
    writer.element(Namespace::Bk, NAME, &[], |writer| {
        writer.text(Namespace::Bk, "AttributeName", name);
        writer.text(Namespace::Bk, "AttributeURI", uri);
        writer.text(Namespace::Bk, "AttributeValue", value);
    });
}

/// Takes all attributes. The precision may come only once, as the first one.
pub(crate) fn read_attributes(
    children: &mut Children<'_>,
) -> Result<(Option<Precision>, Vec<SectorAttribute>), XmlError> {
    let mut attributes = Vec::new();
    while let Some(element) = children.optional(Namespace::Bk, NAME) {
        let mut parts = element.only_children(NAME)?;
        attributes.push(SectorAttribute {
            name: parts.value(Namespace::Bk, "AttributeName")?,
            uri: parts.value(Namespace::Bk, "AttributeURI")?,
            value: parts.value(Namespace::Bk, "AttributeValue")?,
        });
        parts.end()?;
    }
    let precision = match attributes.first() {
        Some(first) if &*first.name == PRECISION_NAME && first.uri.as_str() == PRECISION_URI => {
            let precision = first.value.parse().map_err(|_| XmlError::Value("AttributeValue"))?;
            attributes.remove(0);
            Some(precision)
        }
        _ => None,
    };
    if attributes.iter().any(SectorAttribute::is_precision) {
        return Err(XmlError::Unexpected(NAME));
    }
    Ok((precision, attributes))
}

/// The date of birth with this first day and precision.
pub(crate) fn date_of_birth(first_day: Date, precision: Option<Precision>) -> Result<PartialDate, XmlError> {
    PartialDate::from_first_day(first_day, precision).map_err(|_| XmlError::Value("DateOfBirth"))
}
