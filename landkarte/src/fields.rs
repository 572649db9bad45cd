//! The values of one row, by their fields.

use core::str::FromStr;

use registerlandkarte::Table;
use registerlandkarte::{Ars, ArsError};

use crate::file::raw::{Cell, RawRow, RawValue};
use crate::finding::{FileError, Span};
use crate::schema::{Kind, fields};

/// The word for the area of the Federation, whose key has no digit.
pub const FEDERATION: &str = "bund";

/// Reads values of a row and collects everything that is wrong with them.
pub struct Fields<'a> {
    row: &'a RawRow,
    errors: Vec<(Span, FileError)>,
}

impl<'a> Fields<'a> {
    /// The values of a row. Fields that its table does not have are wrong.
    #[must_use]
    pub fn of(row: &'a RawRow) -> Self {
        let known = fields(row.table);
        let mut errors = Vec::new();
        for cell in &row.cells {
            if !known.iter().any(|field| field.name == cell.name) {
                let error = FileError::UnknownField(row.table.name(), cell.name.clone());
                errors.push((cell.name_span.clone(), error));
            }
        }
        for field in known.iter().filter(|field| field.required) {
            if !row.cells.iter().any(|cell| cell.name == field.name) {
                errors.push((row.span.clone(), FileError::MissingField(field.name)));
            }
        }
        Self { row, errors }
    }

    /// Ends reading.
    ///
    /// # Errors
    /// What was wrong with the values.
    pub fn finish(self) -> Result<(), Vec<(Span, FileError)>> {
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(self.errors)
        }
    }

    /// Reports an error of the whole row.
    pub fn report(&mut self, error: FileError) {
        self.errors.push((self.row.span.clone(), error));
    }

    /// Whether the row has the field.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        self.row.cells.iter().any(|cell| cell.name == field)
    }

    fn cell(&self, field: &str) -> Option<&'a Cell> {
        self.row.cells.iter().find(|cell| cell.name == field)
    }

    /// A value that is a text.
    pub fn parse<T: FromStr>(&mut self, field: &'static str) -> Option<T>
    where
        FileError: From<T::Err>,
    {
        self.parse_as(field, |text| text.parse().map_err(FileError::from))
    }

    /// A value that is a text, read by a function.
    pub fn parse_as<T>(&mut self, field: &'static str, read: impl Fn(&str) -> Result<T, FileError>) -> Option<T> {
        let cell = self.cell(field)?;
        let read = match &cell.value {
            RawValue::Text(text) | RawValue::Untyped(text) => read(text),
            RawValue::Time(text) if kind_of(self.row.table, field) == Some(Kind::Time) => read(text),
            other => Err(FileError::Type {
                expected: "text",
                found: other.type_name(),
            }),
        };
        self.keep(cell.span.clone(), read)
    }

    /// A number.
    pub fn number(&mut self, field: &'static str) -> Option<u32> {
        let cell = self.cell(field)?;
        let read = match &cell.value {
            RawValue::Integer(text) | RawValue::Untyped(text) => text.parse().map_err(|_| FileError::Number),
            other => Err(FileError::Type {
                expected: "a number",
                found: other.type_name(),
            }),
        };
        self.keep(cell.span.clone(), read)
    }

    /// Yes or no.
    pub fn flag(&mut self, field: &'static str) -> Option<bool> {
        let cell = self.cell(field)?;
        let read = match &cell.value {
            RawValue::Flag(flag) => Ok(*flag),
            RawValue::Untyped(text) => text.parse().map_err(|_| FileError::Word("true, false".to_owned())),
            other => Err(FileError::Type {
                expected: "true or false",
                found: other.type_name(),
            }),
        };
        self.keep(cell.span.clone(), read)
    }

    /// One of some words.
    pub fn word<T: Copy>(&mut self, field: &'static str, all: &[T], name: fn(T) -> &'static str) -> Option<T> {
        self.parse_as(field, |text| {
            let found = all.iter().copied().find(|word| name(*word) == text);
            let names: Vec<&str> = all.iter().copied().map(name).collect();
            found.ok_or_else(|| FileError::Word(names.join(", ")))
        })
    }

    /// A list of names or areas, or of texts. In a CSV file, spaces separate names and areas, and semicolons texts.
    pub fn list<T>(&mut self, field: &'static str, read: impl Fn(&str) -> Result<T, FileError>) -> Vec<(T, Span)> {
        let Some(cell) = self.cell(field) else {
            return Vec::new();
        };
        let items = match &cell.value {
            RawValue::List(items) => items.clone(),
            RawValue::Untyped(text) if kind_of(self.row.table, field) == Some(Kind::Lines) => {
                parts(text, ';', &cell.span)
            }
            RawValue::Untyped(text) => parts(text, ' ', &cell.span),
            other => {
                let error = FileError::Type {
                    expected: "a list",
                    found: other.type_name(),
                };
                self.errors.push((cell.span.clone(), error));
                return Vec::new();
            }
        };
        let mut values = Vec::new();
        for (item, span) in items {
            let value = match &item {
                RawValue::Text(text) | RawValue::Untyped(text) => read(text),
                other => Err(FileError::Type {
                    expected: "text",
                    found: other.type_name(),
                }),
            };
            if let Some(value) = self.keep(span.clone(), value) {
                values.push((value, span));
            }
        }
        values
    }

    /// A list without order: a value that is there twice is wrong.
    pub fn set<T: Ord>(&mut self, field: &'static str, read: impl Fn(&str) -> Result<T, FileError>) -> Vec<(T, Span)> {
        let mut values = self.list(field, read);
        values.sort_by(|a, b| a.0.cmp(&b.0));
        let twice = values
            .windows(2)
            .filter(|pair| pair[0].0 == pair[1].0)
            .map(|pair| pair[1].1.clone());
        self.errors.extend(twice.map(|span| (span, FileError::Repeated)));
        values.dedup_by(|a, b| a.0 == b.0);
        values
    }

    fn keep<T>(&mut self, span: Span, read: Result<T, FileError>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(error) => {
                self.errors.push((span, error));
                None
            }
        }
    }
}

fn kind_of(table: Table, name: &str) -> Option<Kind> {
    fields(table)
        .iter()
        .find(|field| field.name == name)
        .map(|field| field.kind)
}

/// The parts of a value of a CSV file, with their places. A quoted value may have escapes, so its parts have the place
/// of the value.
fn parts(text: &str, separator: char, span: &Span) -> Vec<(RawValue, Span)> {
    let is_quoted = span.len() > text.len() + 1;
    let mut at = span.start;
    let mut found = Vec::new();
    for part in text.split(separator) {
        let begins = at + part.len() - part.trim_start().len();
        let place = if is_quoted {
            span.clone()
        } else {
            begins..at + part.len()
        };
        if !part.trim().is_empty() {
            found.push((RawValue::Untyped(part.trim().to_owned()), place));
        }
        at += part.len() + separator.len_utf8();
    }
    found
}

/// Reads an area.
///
/// # Errors
/// [`FileError::Area`]
pub fn area(text: &str) -> Result<Ars, FileError> {
    match text {
        FEDERATION => Ok(Ars::federation()),
        "" => Err(ArsError::Form.into()),
        text => Ok(text.parse::<Ars>()?),
    }
}
