//! Entries of code lists.

use super::error::XmlError;
use super::namespace::Namespace;
use super::parse::Element;
use super::space::{collapsed, is_space};

/// A code list, as its entries name it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CodeList {
    pub(crate) uri: &'static str,
    pub(crate) version: &'static str,
    fixed: Fixed,
}

/// What of a list's name the schema fixes, so that an entry may leave it out.
#[derive(Debug, Clone, Copy)]
enum Fixed {
    Nothing,
    Uri,
    /// URI and version.
    Version,
}

impl CodeList {
    pub(crate) const LANGUAGE: Self =
        Self::new("urn:xoev-de:xnachweis:codeliste:sprachen-iso-639-1", "2.0", Fixed::Uri);
    pub(crate) const MESSAGE_TYPE: Self =
        Self::new("urn:xoev-de:xnachweis:codeliste:messagetypes", "1.2.0", Fixed::Version);
    pub(crate) const DIRECTORY: Self = Self::new("urn:xoev-de:kosit:codeliste:verzeichnisdienst", "3", Fixed::Uri);
    pub(crate) const AGENT: Self = Self::new("urn:xoev-de:xnachweis:codeliste:agentclassification", "1.0", Fixed::Uri);
    pub(crate) const ASSURANCE: Self = Self::new("urn:xoev-de:xnachweis:codeliste:loa", "1.0", Fixed::Uri);
    pub(crate) const MEDIA_TYPE: Self = Self::new("urn:xoev-de:xnachweis:codeliste:ootsmediatypes", "1.0", Fixed::Uri);
    pub(crate) const STATUS: Self = Self::new(
        "urn:xoev-de:xnachweis:codeliste:responsestatustype",
        "1.0",
        Fixed::Nothing,
    );
    pub(crate) const ERROR: Self = Self::new("urn:xoev-de:xnachweis:codeliste:nootserrorcodes", "1.0", Fixed::Uri);
    pub(crate) const COUNTRY: Self = Self::new("urn:xoev-de:kosit:codeliste:country-codes", "1.0", Fixed::Uri);
    pub(crate) const NUTS: Self = Self::new("urn:xoev-de:xnachweis:codeliste:nuts", "1.0", Fixed::Uri);
    pub(crate) const SCHEME: Self = Self::new("urn:xoev-de:xnachweis:codeliste:identifierschemes", "1.0", Fixed::Uri);
    pub(crate) const PROCEDURE: Self = Self::new("urn:xoev-de:xnachweis:codeliste:procedures", "1.0", Fixed::Uri);
    pub(crate) const CHANNEL: Self = Self::new("urn:de:xoev:codeliste:erreichbarkeit", "3", Fixed::Uri);

    const fn new(uri: &'static str, version: &'static str, fixed: Fixed) -> Self {
        Self { uri, version, fixed }
    }

    /// Reads the `code` of an entry. It must state the version of its list, and may leave out only what
    /// the schema fixes.
    pub(crate) fn read(self, element: Element<'_>, what: &'static str) -> Result<String, XmlError> {
        element.only(&["listURI", "listVersionID"], what)?;
        let uri = element.attribute("listURI").map(|uri| uri.trim_matches(is_space));
        let version = element.attribute("listVersionID");
        let stated = match self.fixed {
            Fixed::Nothing => uri.is_some() && version.is_some(),
            Fixed::Uri => version.is_some(),
            Fixed::Version => version.is_none_or(|version| version == self.version),
        };
        if !stated || uri.is_some_and(|uri| uri != self.uri) {
            return Err(XmlError::Value(what));
        }
        let mut children = element.children(what)?;
        let code = children.text(Namespace::None, "code")?;
        children.end()?;
        Ok(collapsed(&code))
    }
}
