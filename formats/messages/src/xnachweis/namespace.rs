//! The namespaces of XNachweis 1.2.0.

/// A namespace, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Namespace {
    /// `xnachweis-de-noots`: the messages.
    De,
    /// `xnachweis-baukasten`: the parts.
    Bk,
    /// `xnachweis-basisdatentypen`.
    Bdt,
    /// `xnachweis-eu-edm`.
    Edm,
    /// XÖV Basisnachricht G2G: reader and author.
    G2g,
    /// No namespace: `code`.
    None,
}

impl Namespace {
    /// The namespaces that every message declares.
    pub(crate) const DECLARED: [Self; 5] = [Self::De, Self::Bk, Self::Bdt, Self::Edm, Self::G2g];

    /// The prefix with which it is written.
    pub(crate) fn prefix(self) -> Option<&'static str> {
        match self {
            Self::De => Some("xn-de"),
            Self::Bk => Some("xn-bk"),
            Self::Bdt => Some("xn-bdt"),
            Self::Edm => Some("xn-eu-edm"),
            Self::G2g => Some("bn-g2g"),
            Self::None => None,
        }
    }

    /// Its URI.
    pub(crate) fn uri(self) -> Option<&'static str> {
        match self {
            Self::De => Some("urn:xoev-de:bva:standard:xnachweis:schema:xnachweis-de-noots"),
            Self::Bk => Some("urn:xoev-de:bva:standard:xnachweis:schema:xnachweis-baukasten"),
            Self::Bdt => Some("urn:xoev-de:bva:standard:xnachweis:schema:xnachweis-basisdatentypen"),
            Self::Edm => Some("urn:xoev-de:bva:standard:xnachweis:schema:xnachweis-eu-edm"),
            Self::G2g => Some("http://xoev.de/schemata/basisnachricht/g2g/1_1"),
            Self::None => None,
        }
    }
}
