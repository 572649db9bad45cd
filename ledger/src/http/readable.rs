//! Values of the directory and the Registerlandkarte for people: JSON, and the text in which they are searched.
//!
//! The JSON form of a value is its CBOR with byte strings in lower-case hexadecimal, which is the form of all JSON in
//! this workspace (`record::bytes`). It is for reading: what is proved is the CBOR.

use ciborium::Value as Cbor;
use serde_json::{Map, Value as Json};

/// The JSON form of a value's CBOR; `null` if it cannot be read.
pub(super) fn json(bytes: &[u8]) -> Json {
    parse(bytes).map_or(Json::Null, to_json)
}

/// All texts of a value, folded as a search is ([`fold`]), one a line.
pub(super) fn searched_text(bytes: &[u8]) -> String {
    let mut text = String::new();
    if let Some(value) = parse(bytes) {
        collect(&value, &mut text);
    }
    text
}

/// The form in which texts are compared.
pub(super) fn fold(text: &str) -> String {
    text.to_lowercase()
}

fn parse(bytes: &[u8]) -> Option<Cbor> {
    ciborium::from_reader(bytes).ok()
}

fn to_json(value: Cbor) -> Json {
    match value {
        Cbor::Bool(bool) => bool.into(),
        Cbor::Integer(number) => match (u64::try_from(number), i64::try_from(number)) {
            (Ok(number), _) => number.into(),
            (_, Ok(number)) => number.into(),
            _ => Json::Null,
        },
        Cbor::Text(text) => text.into(),
        Cbor::Bytes(bytes) => hex::encode(bytes).into(),
        Cbor::Array(items) => items.into_iter().map(to_json).collect(),
        Cbor::Map(pairs) => {
            let pairs = pairs.into_iter().filter_map(|(key, value)| match key {
                Cbor::Text(key) => Some((key, to_json(value))),
                _ => None,
            });
            Json::Object(pairs.collect::<Map<_, _>>())
        }
        _ => Json::Null,
    }
}

/// Texts, not the names of fields.
fn collect(value: &Cbor, text: &mut String) {
    match value {
        Cbor::Text(part) => {
            text.push_str(&fold(part));
            text.push('\n');
        }
        Cbor::Array(items) => items.iter().for_each(|item| collect(item, text)),
        Cbor::Map(pairs) => pairs.iter().for_each(|(_, item)| collect(item, text)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn bytes_are_hexadecimal_and_texts_are_searched_without_the_names_of_fields() {
        let field = |name: &str, value: Cbor| (Cbor::Text(name.into()), value);
        let numbers = [Cbor::from(1), Cbor::from(-2), Cbor::from(true), Cbor::from("Zwei")];
        let value = Cbor::Map(vec![
            field("name", "Stadt KÖLN".into()),
            field("key", Cbor::Bytes(vec![0, 255])),
            field("until", Cbor::Null),
            field("numbers", Cbor::Array(numbers.into())),
        ]);
        let mut bytes = Vec::new();
        ciborium::into_writer(&value, &mut bytes).unwrap();
        let expected = serde_json::json!({
            "name": "Stadt KÖLN", "key": "00ff", "until": null, "numbers": [1, -2, true, "Zwei"],
        });
        assert_eq!(json(&bytes), expected);
        assert_eq!(searched_text(&bytes), "stadt köln\nzwei\n");
        assert_eq!(json(&[0xff]), Json::Null);
    }
}
