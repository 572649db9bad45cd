//! Entries of code lists.

use super::error::XmlError;
use super::namespace::Namespace;
use super::parse::{Element, is_space};

/// A code list, as its entries name it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CodeList {
    pub(crate) uri: &'static str,
    pub(crate) version: &'static str,
}

impl CodeList {
    pub(crate) const LANGUAGE: Self = Self::new("urn:xoev-de:xnachweis:codeliste:sprachen-iso-639-1", "2.0");
    pub(crate) const MESSAGE_TYPE: Self = Self::new("urn:xoev-de:xnachweis:codeliste:messagetypes", "1.2.0");
    pub(crate) const DIRECTORY: Self = Self::new("urn:xoev-de:kosit:codeliste:verzeichnisdienst", "3");
    pub(crate) const AGENT: Self = Self::new("urn:xoev-de:xnachweis:codeliste:agentclassification", "1.0");
    pub(crate) const ASSURANCE: Self = Self::new("urn:xoev-de:xnachweis:codeliste:loa", "1.0");
    pub(crate) const MEDIA_TYPE: Self = Self::new("urn:xoev-de:xnachweis:codeliste:ootsmediatypes", "1.0");
    pub(crate) const STATUS: Self = Self::new("urn:xoev-de:xnachweis:codeliste:responsestatustype", "1.0");
    pub(crate) const ERROR: Self = Self::new("urn:xoev-de:xnachweis:codeliste:nootserrorcodes", "1.0");

    const fn new(uri: &'static str, version: &'static str) -> Self {
        Self { uri, version }
    }

    /// Reads the `code` of an entry, which must be of this list or name none.
    pub(crate) fn read(self, element: Element<'_>, what: &'static str) -> Result<String, XmlError> {
        element.only(&["listURI", "listVersionID"], what)?;
        if element
            .attribute("listURI")
            .is_some_and(|uri| uri.trim_matches(is_space) != self.uri)
        {
            return Err(XmlError::Value(what));
        }
        let mut children = element.children(what)?;
        let code = children.text(Namespace::None, "code")?;
        children.end()?;
        Ok(code.trim_matches(is_space).to_owned())
    }
}
