//! Tables as CSV files that a spreadsheet opens.
//!
//! Fields are separated by semicolons, and a byte order mark is at the beginning, as German spreadsheets expect. A
//! field that begins like a formula gets an apostrophe, so that no spreadsheet computes the text of another author.

use std::io;

use csv::WriterBuilder;

/// What a formula begins with.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Writes a table.
///
/// # Errors
/// When a row has another number of fields than the columns.
pub(crate) fn write<const N: usize>(
    columns: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> io::Result<Vec<u8>> {
    let mut writer = WriterBuilder::new()
        .delimiter(b';')
        .from_writer("\u{feff}".as_bytes().to_vec());
    writer.write_record(columns).map_err(io::Error::other)?;
    for row in rows {
        writer.write_record(row.map(harmless)).map_err(io::Error::other)?;
    }
    writer.into_inner().map_err(|error| io::Error::other(error.to_string()))
}

fn harmless(field: String) -> String {
    if field.starts_with(FORMULA) {
        format!("'{field}")
    } else {
        field
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn fields_are_quoted_and_never_formulas() {
        let rows = [
            ["=1+1".to_owned(), "a;\"b\"".to_owned()],
            ["§ 5".to_owned(), "x\ny".to_owned()],
        ];
        let file = String::from_utf8(write(["a", "b"], rows.into_iter()).unwrap()).unwrap();
        assert_eq!(file, "\u{feff}a;b\n'=1+1;\"a;\"\"b\"\"\"\n§ 5;\"x\ny\"\n");
    }
}
