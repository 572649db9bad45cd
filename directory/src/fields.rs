//! What changes in a value, field by field, for the authority that approves it.

use std::collections::BTreeSet;

use trust::Value;

use crate::changes::Readable;

/// The fields that differ, as `name: before → after`: all fields of a new value, and none of an ended one, which the
/// authority finds in the log. Keys are in hexadecimal, so two persons can compare them.
pub(crate) fn differences(before: Option<&Value>, after: Option<&Value>) -> Vec<String> {
    let Some(after) = after.map(fields) else {
        return Vec::new();
    };
    let before = before.map(fields).unwrap_or_default();
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let line = |name: &String| {
        let (old, new) = (before.get(name), after.get(name));
        if old == new {
            return None;
        }
        let text = |value: Option<&serde_json::Value>| match value {
            None => "nothing".to_owned(),
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
        };
        Some(if before.is_empty() {
            format!("{name}: {}", text(new))
        } else {
            format!("{name}: {} → {}", text(old), text(new))
        })
    };
    names.into_iter().filter_map(line).collect()
}

/// The fields of a value, without the name of its section.
fn fields(value: &Value) -> serde_json::Map<String, serde_json::Value> {
    let Ok(serde_json::Value::Object(section)) = serde_json::to_value(Readable::from(value)) else {
        return serde_json::Map::new();
    };
    match section.into_iter().next() {
        Some((_, serde_json::Value::Object(fields))) => fields,
        Some((name, value)) => serde_json::Map::from_iter([(name, value)]),
        None => serde_json::Map::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use fixtures::grant;
    use record::{Kind, SigningKey};

    use super::*;

    fn writer(seed: u8, kinds: &[Kind]) -> Value {
        Value::Writer(grant("broker", &SigningKey::from_seed([seed; 32]), kinds))
    }

    #[test]
    fn a_changed_key_is_shown_in_full_and_what_stays_is_not_shown() {
        let (old, new) = (writer(1, &[Kind::Intent]), writer(2, &[Kind::Intent]));
        let [first, second] = [1, 2].map(|seed| hex_of(&SigningKey::from_seed([seed; 32])));
        assert_eq!(
            differences(Some(&old), Some(&new)),
            [format!("key: {first} → {second}")]
        );
        assert!(differences(Some(&old), Some(&old)).is_empty());
        assert!(differences(Some(&old), None).is_empty());
        let all = differences(None, Some(&new)).join("\n");
        assert!(
            all.contains(&second) && all.contains("name: broker") && all.contains("kinds: [\"intent\"]"),
            "{all}"
        );
    }

    fn hex_of(key: &SigningKey) -> String {
        key.public()
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}
