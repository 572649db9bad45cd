//! The filter of the list.

/// The kinds of access that the filter distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessKind {
    /// An authority requested evidence.
    Exchange,
    /// A reader opened records.
    Inspection,
    /// Identity issued a number that was not used.
    Unused,
}

impl AccessKind {
    /// All kinds, in the order of the form.
    pub const ALL: [Self; 3] = [Self::Exchange, Self::Inspection, Self::Unused];

    /// The value of the query parameter `art`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Exchange => "abruf",
            Self::Inspection => "einsicht",
            Self::Unused => "unbenutzt",
        }
    }

    /// The kind of a value of the query parameter `art`.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// The filter that the reader has chosen. `None` means no restriction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListFilter {
    /// Year of the access in German local time; query parameter `jahr`.
    pub year: Option<i16>,
    /// Name of the consumer or provider; query parameter `behoerde`.
    pub authority: Option<String>,
    /// Kind of the access; query parameter `art`.
    pub kind: Option<AccessKind>,
}
