//! A CSV file (RFC 4180): one table, whose name ends the file's name. The first line names the columns. An empty value
//! is a missing one.

use csv_core::{ReadFieldResult, Reader};
use registerlandkarte::Table;

use super::raw::{Cell, RawFile, RawRow, RawValue};
use crate::finding::{FileError, Span};
use crate::schema::fields;

/// A value with its place.
struct Value {
    text: String,
    span: Span,
}

/// Reads the rows of a CSV file. `stem` is its name without the ending.
#[must_use]
pub fn read(stem: &str, text: &str) -> RawFile {
    let mut file = RawFile::default();
    let last = stem.rsplit(['.', '/']).next().unwrap_or_default();
    let Some(table) = Table::ALL.into_iter().find(|table| table.name() == last) else {
        let names = Table::ALL.map(Table::name).join(".csv, ");
        file.errors.push((0..0, FileError::TableName(names)));
        return file;
    };
    let mut lines = lines(text, &mut file).into_iter();
    let Some(head) = lines.next() else { return file };
    let errors = head_errors(table, &head);
    if !errors.is_empty() {
        file.errors.extend(errors);
        return file;
    }
    for line in lines {
        let begin = line.first().map_or(0, |value| value.span.start);
        if line.len() != head.len() {
            let error = FileError::ValueCount {
                columns: head.len(),
                found: line.len(),
            };
            file.errors.push((begin..begin, error));
            continue;
        }
        let given = head.iter().zip(line).filter(|(_, value)| !value.text.is_empty());
        let cells = given.map(|(column, value)| Cell {
            name: column.text.clone(),
            name_span: column.span.clone(),
            value: RawValue::Untyped(value.text),
            span: value.span,
        });
        file.rows.push(RawRow {
            table,
            span: begin..begin,
            cells: cells.collect(),
        });
    }
    file
}

/// What is wrong with the first line.
fn head_errors(table: Table, head: &[Value]) -> Vec<(Span, FileError)> {
    let mut errors = Vec::new();
    for (position, column) in head.iter().enumerate() {
        if head[..position].iter().any(|earlier| earlier.text == column.text) {
            errors.push((column.span.clone(), FileError::ColumnTwice(column.text.clone())));
        } else if !fields(table).iter().any(|field| field.name == column.text) {
            let error = FileError::UnknownField(table.name(), column.text.clone());
            errors.push((column.span.clone(), error));
        }
    }
    for field in fields(table).iter().filter(|field| field.required) {
        if !head.iter().any(|column| column.text == field.name) {
            errors.push((0..0, FileError::MissingField(field.name)));
        }
    }
    errors
}

/// The lines that have a value, with their values.
fn lines(text: &str, file: &mut RawFile) -> Vec<Vec<Value>> {
    let mut reader = Reader::new();
    // No value is longer than the file.
    let mut buffer = vec![0; text.len() + 1];
    let (mut lines, mut line) = (Vec::new(), Vec::new());
    // `begin..at` are the bytes of the value, of which `filled` are in the buffer.
    let (mut begin, mut at, mut filled) = (0, 0, 0);
    loop {
        // At the end of the text the input is empty, which says so to the reader.
        let (result, read, written) = reader.read_field(&text.as_bytes()[at..], &mut buffer[filled..]);
        at += read;
        filled += written;
        match result {
            ReadFieldResult::InputEmpty => {}
            ReadFieldResult::Field { record_end } => {
                let raw = &text[begin..at];
                let begins = at - raw.trim_start_matches(['\r', '\n']).len();
                if !quotes_are_closed(&text[begins..at]) {
                    file.errors.push((begins..at, FileError::Quote));
                }
                line.push(Value {
                    text: String::from_utf8_lossy(&buffer[..filled]).into_owned(),
                    span: begins..at,
                });
                if record_end {
                    lines.push(core::mem::take(&mut line));
                }
                (begin, filled) = (at, 0);
            }
            // The buffer has room for all of the text.
            ReadFieldResult::End | ReadFieldResult::OutputFull => break,
        }
    }
    lines
}

/// Whether a value, as it is written, has no quotation mark, or begins and ends with one and has them in pairs.
fn quotes_are_closed(raw: &str) -> bool {
    let raw = raw.trim_end_matches(['\r', '\n']);
    let raw = raw
        .strip_suffix(',')
        .filter(|rest| !rest.starts_with('"') || rest.ends_with('"'))
        .unwrap_or(raw);
    let marks = raw.matches('"').count();
    marks == 0 || (raw.len() > 1 && raw.starts_with('"') && raw.ends_with('"') && marks.is_multiple_of(2))
}
