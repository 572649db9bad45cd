//! JSON without duplicate keys.
//!
//! SPEC: RFC 8259 §4: the names within an object should be unique, and what a receiver does otherwise is not defined.
//! `serde_json` keeps the last value of a duplicate key in a map, so two readers of one file can see two persons' data
//! exchanged. Here an object with a duplicate key is refused, however deep it is, before anything is read from it.
//!
//! Every place in the workspace that reads JSON uses this module.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Why JSON is refused. The text states the position and the rule, and never quotes the content, which may be personal
/// data.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// The text is no JSON, or not of the expected form.
    #[error("{} at line {}, column {}", kind(.0), .0.line(), .0.column())]
    Form(serde_json::Error),
    /// An object has a key twice.
    #[error("an object has a key twice, at depth {depth}")]
    DuplicateKey {
        /// How many arrays and objects contain the object, which is 0 for the outermost.
        depth: usize,
    },
}

fn kind(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Io => "the text cannot be read",
        serde_json::error::Category::Syntax => "no JSON",
        serde_json::error::Category::Data => "a field is missing, unknown or not of its form",
        serde_json::error::Category::Eof => "the JSON ends too early",
    }
}

impl JsonError {
    /// What the parser says. It may quote the content, so it is for configuration files only, which have no personal
    /// data.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Form(error) => error.to_string(),
            Self::DuplicateKey { .. } => self.to_string(),
        }
    }
}

/// Reads a value from JSON.
///
/// # Errors
/// See [`JsonError`].
pub fn from_slice<T: DeserializeOwned>(json: &[u8]) -> Result<T, JsonError> {
    let tree: Tree = serde_json::from_slice(json).map_err(JsonError::Form)?;
    if let Some(depth) = tree.duplicate() {
        return Err(JsonError::DuplicateKey { depth });
    }
    drop(tree);
    serde_json::from_slice(json).map_err(JsonError::Form)
}

/// Reads a value from JSON text.
///
/// # Errors
/// See [`JsonError`].
pub fn from_str<T: DeserializeOwned>(json: &str) -> Result<T, JsonError> {
    from_slice(json.as_bytes())
}

/// JSON as it is written, with duplicate keys.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tree {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// The depth of the first object that has a key twice.
    fn duplicate(&self) -> Option<usize> {
        let inner = match self {
            Self::Array(items) => items.iter().find_map(Self::duplicate),
            Self::Object(members) => {
                let mut keys = HashSet::with_capacity(members.len());
                if !members.iter().all(|(key, _)| keys.insert(key)) {
                    return Some(0);
                }
                members.iter().find_map(|(_, value)| value.duplicate())
            }
            _ => None,
        };
        inner.map(|depth| depth + 1)
    }

    /// The value, unless an object in it has a key twice.
    pub(crate) fn into_value(self) -> Result<Value, JsonError> {
        match self.duplicate() {
            Some(depth) => Err(JsonError::DuplicateKey { depth }),
            None => Ok(self.value()),
        }
    }

    fn value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Number(value) => Value::Number(value),
            Self::Text(value) => Value::String(value),
            Self::Array(items) => Value::Array(items.into_iter().map(Self::value).collect()),
            Self::Object(members) => {
                let members: Map<_, _> = members.into_iter().map(|(key, value)| (key, value.value())).collect();
                Value::Object(members)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Tree, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("a number is too large"))?;
        Ok(Tree::Number(number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Tree, E> {
        Ok(Tree::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Tree::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(Tree::Object(object))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Nested {
        #[serde(flatten)]
        rest: BTreeMap<String, Value>,
    }

    fn depth<T: DeserializeOwned>(json: &str) -> Option<usize> {
        match from_str::<T>(json) {
            Err(JsonError::DuplicateKey { depth }) => Some(depth),
            _ => None,
        }
    }

    #[test]
    fn a_duplicate_key_is_refused_wherever_it_is() {
        for (json, expected) in [
            (r#"{"a":1,"a":1}"#, 0),
            (r#"{"a":1,"\u0061":2}"#, 0),
            (r#"{"b":{"a":1,"a":2}}"#, 1),
            (r#"[{"b":[{"a":1,"a":2}]}]"#, 3),
            (r#"{"a":{"x":1},"b":{"x":1,"y":{"z":{"":1,"":2}}}}"#, 3),
        ] {
            assert_eq!(depth::<Value>(json), Some(expected), "{json}");
            assert_eq!(depth::<serde::de::IgnoredAny>(json), Some(expected), "{json}");
        }
        assert_eq!(depth::<BTreeMap<String, String>>(r#"{"a":"x","a":"y"}"#), Some(0));
        assert_eq!(depth::<Nested>(r#"{"a":"x","a":"y"}"#), Some(0));
        assert_eq!(
            depth::<BTreeMap<String, BTreeMap<String, u8>>>(r#"{"a":{"b":1,"b":2}}"#),
            Some(1)
        );
        let sound: Nested = from_str(r#"{"a":{"a":{"a":[{"a":1},{"a":1}]}}}"#).unwrap();
        assert_eq!(sound.rest.len(), 1);
    }

    #[test]
    fn an_error_quotes_nothing() {
        for json in [
            r#"{"a":"Geheim"}"#,
            r#"{"Geheim":1,"Geheim":2}"#,
            r#"["Geheim""#,
            "Geheim",
            r#""\ud800Geheim""#,
        ] {
            let error = from_str::<BTreeMap<String, u8>>(json).unwrap_err();
            assert!(!error.to_string().contains("Geheim"), "{error}");
        }
    }

    #[test]
    fn very_deep_json_is_refused() {
        let json = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(matches!(from_str::<Value>(&json), Err(JsonError::Form(_))));
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_what_serde_json_reads(json in r#"[\[\]\{\},:"a0. ]{0,24}"#) {
            let plain = serde_json::from_str::<Value>(&json);
            match from_str::<Value>(&json) {
                Ok(value) => prop_assert_eq!(value, plain.unwrap()),
                Err(JsonError::DuplicateKey { .. }) => prop_assert!(plain.is_ok()),
                Err(JsonError::Form(_)) => prop_assert!(plain.is_err()),
            }
        }
    }
}
