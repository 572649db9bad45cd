//! A table as TOML.

use registerlandkarte::{Table, Tables};

use super::cells::{Value, rows};
use crate::NOTICE;

/// A table as a TOML file.
#[must_use]
pub fn toml(table: Table, tables: &Tables) -> String {
    let mut file = "schema = 1\n".to_owned();
    if table == Table::Norm {
        file.push_str(&format!("notice = {}\n", quoted(NOTICE)));
    }
    for row in rows(table, tables) {
        file.push_str(&format!("\n[[{}]]\n", table.name()));
        for (name, value) in row {
            let value = match value {
                None => continue,
                Some(Value::Text(text)) => quoted(&text),
                Some(Value::Number(number)) => number.to_string(),
                Some(Value::Flag(flag)) => flag.to_string(),
                Some(Value::List(items)) => {
                    let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
                    format!("[{}]", items.join(", "))
                }
            };
            file.push_str(&format!("{name} = {value}\n"));
        }
    }
    file
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
