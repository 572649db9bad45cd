//! All tables as JSON.

use registerlandkarte::{Table, Tables};
use serde_json::{Map, Value as Json, json};

use super::cells::{Value, rows};
use crate::NOTICE;

/// All tables as one JSON object, which fits the published schema.
#[must_use]
pub fn json(tables: &Tables) -> Json {
    let mut object = Map::new();
    object.insert("schema".into(), json!(1));
    object.insert("notice".into(), json!(NOTICE));
    for table in Table::ALL {
        let of_row = |row: super::cells::Row| -> Map<String, Json> {
            let given = row.into_iter().filter_map(|(name, value)| Some((name, value?)));
            given.map(|(name, value)| (name.to_owned(), of_value(value))).collect()
        };
        let rows: Vec<Map<String, Json>> = rows(table, tables).into_iter().map(of_row).collect();
        object.insert(table.name().into(), json!(rows));
    }
    Json::Object(object)
}

fn of_value(value: Value) -> Json {
    match value {
        Value::Text(text) => json!(text),
        Value::Number(number) => json!(number),
        Value::Flag(flag) => json!(flag),
        Value::List(items) => json!(items),
    }
}
