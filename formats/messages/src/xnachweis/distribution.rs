//! The form in which evidence is requested or delivered.

use super::code_list::CodeList;
use super::error::XmlError;
use super::namespace::Namespace;
use super::parse::Children;
use super::uri::Uri;
use super::write::XmlWriter;

const SCHEMES: &str = "https://sr.oots.tech.ec.europa.eu/distributions/";

/// The form of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// Media type.
    pub media_type: String,
    /// The data model, below `https://sr.oots.tech.ec.europa.eu/distributions/`.
    pub conforms_to: Option<Uri>,
    /// The part of the data model that is wanted, below the same address.
    pub transformation: Option<Uri>,
}

impl Distribution {
    /// A form of which only the media type is known.
    #[must_use]
    pub fn of(media_type: &str) -> Self {
        Self {
            media_type: media_type.to_owned(),
            conforms_to: None,
            transformation: None,
        }
    }

    /// Writes the content of the type `DistributionType`.
    pub(crate) fn write(&self, writer: &mut XmlWriter) {
        writer.code(Namespace::Bk, "Format", CodeList::MEDIA_TYPE, &self.media_type);
        for (name, scheme) in [
            ("ConformsTo", &self.conforms_to),
            ("Transformation", &self.transformation),
        ] {
            if let Some(scheme) = scheme {
                if !scheme.as_str().starts_with(SCHEMES) {
                    writer.refuse(name);
                }
                writer.text(Namespace::Bk, name, scheme.as_str());
            }
        }
    }

    pub(crate) fn read(children: &mut Children<'_>) -> Result<Self, XmlError> {
        Ok(Self {
            media_type: CodeList::MEDIA_TYPE.read(children.one(Namespace::Bk, "Format")?, "Format")?,
            conforms_to: read_scheme(children, "ConformsTo")?,
            transformation: read_scheme(children, "Transformation")?,
        })
    }
}

fn read_scheme(children: &mut Children<'_>, name: &'static str) -> Result<Option<Uri>, XmlError> {
    let scheme: Option<Uri> = children.optional_value(Namespace::Bk, name)?;
    if scheme
        .as_ref()
        .is_none_or(|scheme| scheme.as_str().starts_with(SCHEMES))
    {
        Ok(scheme)
    } else {
        Err(XmlError::Value(name))
    }
}
