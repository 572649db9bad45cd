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
    /// XÖV Basisnachricht Behörde: the parts of reader and author.
    Behoerde,
    /// XÖV Basisnachricht Kommunikation: how an authority can be reached; read over, never written.
    Kommunikation,
    /// No namespace: `code`.
    None,
}

impl Namespace {
    /// The namespaces that every message declares.
    pub(crate) const DECLARED: [Self; 6] = [Self::De, Self::Bk, Self::Bdt, Self::Edm, Self::G2g, Self::Behoerde];

    /// Whether an element of this namespace may occur in a message.
    pub(crate) fn is_known(uri: &str) -> bool {
        let known = Self::DECLARED.iter().chain([&Self::Kommunikation]);
        known.filter_map(|known| known.uri()).any(|known| known == uri)
    }

    /// The prefix with which it is written.
    pub(crate) fn prefix(self) -> Option<&'static str> {
        match self {
            Self::De => Some("xn-de"),
            Self::Bk => Some("xn-bk"),
            Self::Bdt => Some("xn-bdt"),
            Self::Edm => Some("xn-eu-edm"),
            Self::G2g => Some("bn-g2g"),
            Self::Behoerde => Some("bn-beh"),
            Self::Kommunikation => Some("bn-kom"),
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
            Self::Behoerde => Some("http://xoev.de/schemata/basisnachricht/behoerde/1_1"),
            Self::Kommunikation => Some("http://xoev.de/schemata/basisnachricht/kommunikation/1_1"),
            Self::None => None,
        }
    }
}
