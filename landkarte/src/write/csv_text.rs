//! A table as CSV.

use registerlandkarte::{Table, Tables};

use super::cells::{Value, rows};
use crate::schema::{Kind, fields};

/// A table as CSV, with a first line that names the columns.
///
/// # Errors
/// When the text cannot be written, which memory always can.
pub fn csv(table: Table, tables: &Tables) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(fields(table).iter().map(|field| field.name))?;
    for row in rows(table, tables) {
        let values = fields(table).iter().zip(row).map(|(field, (_, value))| match value {
            None => String::new(),
            Some(Value::Text(text)) => text,
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Flag(flag)) => flag.to_string(),
            Some(Value::List(items)) if field.kind == Kind::Lines => items.join("; "),
            Some(Value::List(items)) => items.join(" "),
        });
        writer.write_record(values)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
