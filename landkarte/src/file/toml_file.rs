//! A TOML file: `schema = 1`, a notice if it has norms, and rows of any tables as `[[table]]`.

use registerlandkarte::Table;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::raw::{Cell, RawFile, RawRow, RawValue};
use crate::NOTICE;
use crate::finding::{FileError, Span};

/// Reads the rows of a TOML file.
#[must_use]
pub fn read(text: &str) -> RawFile {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut file = RawFile::default();
    for error in &errors {
        file.errors.push((
            error.span().unwrap_or(0..0),
            FileError::Toml(error.message().to_owned()),
        ));
    }
    // What was recovered from a broken file is not what its author wrote.
    if !errors.is_empty() {
        return file;
    }
    let document = document.get_ref();
    check_head(document, &mut file);
    for (name, value) in document {
        let known = Table::ALL
            .into_iter()
            .find(|table| table.name() == name.get_ref().as_ref());
        match (known, name.get_ref().as_ref()) {
            (Some(table), _) => read_rows(table, name.span(), value, &mut file),
            (None, "schema" | "notice") => {}
            (None, other) => file
                .errors
                .push((name.span(), FileError::UnknownTable(other.to_owned()))),
        }
    }
    file.rows.sort_by_key(|row| row.span.start);
    file
}

fn check_head(document: &DeTable<'_>, file: &mut RawFile) {
    match document
        .get("schema")
        .map(|schema| (schema.span(), schema.get_ref().as_integer()))
    {
        Some((_, Some(number))) if number.as_str() == "1" => {}
        Some((span, _)) => file.errors.push((span, FileError::OtherSchema)),
        None => file.errors.push((0..0, FileError::NoSchema)),
    }
    let notice = document.get("notice");
    let wrong = match notice {
        Some(notice) => (notice.get_ref().as_str() != Some(NOTICE)).then(|| notice.span()),
        None => document.contains_key(Table::Norm.name()).then_some(0..0),
    };
    if let Some(span) = wrong {
        file.errors.push((span, FileError::Notice));
    }
}

fn read_rows(table: Table, at: Span, value: &Spanned<DeValue<'_>>, file: &mut RawFile) {
    let Some(rows) = value.get_ref().as_array() else {
        file.errors.push((at, FileError::NotRows(table.name().to_owned())));
        return;
    };
    for row in rows {
        let Some(fields) = row.get_ref().as_table() else {
            file.errors
                .push((row.span(), FileError::NotRows(table.name().to_owned())));
            continue;
        };
        let cells = fields.iter().map(|(name, value)| Cell {
            name: name.get_ref().to_string(),
            name_span: name.span(),
            value: raw(value.get_ref()),
            span: value.span(),
        });
        file.rows.push(RawRow {
            table,
            span: row.span(),
            cells: cells.collect(),
        });
    }
}

fn raw(value: &DeValue<'_>) -> RawValue {
    match value {
        DeValue::String(text) => RawValue::Text(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => RawValue::Integer(number.as_str().to_owned()),
        DeValue::Integer(_) => RawValue::Other("a number that is not decimal"),
        DeValue::Float(_) => RawValue::Other("a number with decimals"),
        DeValue::Boolean(flag) => RawValue::Flag(*flag),
        DeValue::Datetime(time) => RawValue::Time(time.to_string()),
        DeValue::Array(items) => RawValue::List(items.iter().map(|item| (raw(item.get_ref()), item.span())).collect()),
        DeValue::Table(_) => RawValue::Other("a table"),
    }
}
