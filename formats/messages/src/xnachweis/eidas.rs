//! eIDAS identifiers: country of origin, country of destination, and an identifier between the two.

use std::fmt;
use std::str::FromStr;

use super::error::XmlError;
use super::namespace::Namespace;
use super::parse::Children;
use super::write::XmlWriter;

const SCHEME: &str = "eidas";

/// An eIDAS identifier, such as `DE/AT/1234`. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct EidasIdentifier(String);

impl EidasIdentifier {
    /// The most bytes of an identifier.
    pub const MAX: usize = 256;

    /// The identifier. It is personal data.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub(crate) fn write_optional(identifier: Option<&Self>, writer: &mut XmlWriter, name: &'static str) {
        if let Some(Self(identifier)) = identifier {
            writer.text_with(Namespace::Bk, name, ("schemeID", SCHEME), identifier);
        }
    }

    pub(crate) fn read_optional(children: &mut Children<'_>, name: &'static str) -> Result<Option<Self>, XmlError> {
        let Some(element) = children.optional(Namespace::Bk, name) else {
            return Ok(None);
        };
        element.only(&["schemeID"], name)?;
        if element.attribute("schemeID") != Some(SCHEME) {
            return Err(XmlError::Value("schemeID"));
        }
        let identifier = element.text(name)?.parse().map_err(|_| XmlError::Value(name))?;
        Ok(Some(identifier))
    }
}

impl fmt::Debug for EidasIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EidasIdentifier(redacted)")
    }
}

impl FromStr for EidasIdentifier {
    type Err = XmlError;

    fn from_str(text: &str) -> Result<Self, XmlError> {
        let mut parts = text.splitn(3, '/');
        let mut country = || {
            parts
                .next()
                .is_some_and(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_uppercase()))
        };
        let countries = country() && country();
        let identifier = parts.next().unwrap_or_default();
        let graphic = !identifier.is_empty() && identifier.bytes().all(|byte| byte.is_ascii_graphic());
        if countries && graphic && text.len() <= Self::MAX {
            Ok(Self(text.to_owned()))
        } else {
            Err(XmlError::Value("the eIDAS identifier"))
        }
    }
}
