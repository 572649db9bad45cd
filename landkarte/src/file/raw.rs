//! Rows and values with their places.

use registerlandkarte::Table;

use crate::finding::{FileError, Span};

/// What was read of a file.
#[derive(Debug, Default)]
pub struct RawFile {
    /// The rows, in the order of the file.
    pub rows: Vec<RawRow>,
    /// What is wrong with the form of the file.
    pub errors: Vec<(Span, FileError)>,
}

/// A row.
#[derive(Debug, Clone)]
pub struct RawRow {
    /// Its table.
    pub table: Table,
    /// Where it begins.
    pub span: Span,
    /// Its values.
    pub cells: Vec<Cell>,
}

/// A value of a row.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The field.
    pub name: String,
    /// Where the field is named.
    pub name_span: Span,
    /// The value.
    pub value: RawValue,
    /// Where the value is.
    pub span: Span,
}

/// A value whose meaning depends on its field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RawValue {
    /// A text.
    Text(String),
    /// An integer, as it is written.
    Integer(String),
    /// Yes or no.
    Flag(bool),
    /// A time, as RFC 3339 writes it.
    Time(String),
    /// A list.
    List(Vec<(RawValue, Span)>),
    /// Something that no field has.
    Other(&'static str),
    /// A value of a CSV file, where everything is text.
    Untyped(String),
}

impl RawValue {
    /// The type in words.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Untyped(_) => "text",
            Self::Integer(_) => "a number",
            Self::Flag(_) => "true or false",
            Self::Time(_) => "a time",
            Self::List(_) => "a list",
            Self::Other(name) => name,
        }
    }
}
