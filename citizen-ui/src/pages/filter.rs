//! What the reader can choose of the list.

/// What kind of access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessKind {
    /// Evidence was asked for.
    Exchange,
    /// Records were opened.
    Inspection,
    /// A number was not used.
    Unused,
}

impl AccessKind {
    /// All, in the order of the selection.
    pub const ALL: [Self; 3] = [Self::Exchange, Self::Inspection, Self::Unused];

    /// The value of the parameter `art`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Exchange => "abruf",
            Self::Inspection => "einsicht",
            Self::Unused => "unbenutzt",
        }
    }

    /// The kind of a parameter value.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// What the reader has chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListFilter {
    /// `jahr`
    pub year: Option<i16>,
    /// `behoerde`: a name of a consumer or provider.
    pub authority: Option<String>,
    /// `art`
    pub kind: Option<AccessKind>,
}
