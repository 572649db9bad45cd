//! Files with many rows. A faulty row is set aside and reported with its number and field; all other rows work.
//!
//! A file is a JSON array, whose elements are the rows, or a JSON object, whose members are the rows. A file that is no
//! such JSON has no rows that could be told apart, so it is refused as a whole.
//!
//! A byte that is no UTF-8 and a surrogate without its partner would make the whole file unreadable. Each makes only
//! its row faulty ([`crate::decoded`]).

use std::borrow::Cow;
use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::io::{BufReader, Read};

use serde::Deserializer as _;
use serde::de::{DeserializeOwned, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::decoded::Decoded;
use crate::json::{JsonError, Tree};

/// Why a row is faulty: its field and the reason. Neither quotes the row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct RowError {
    /// The field, or `row` if none is to blame.
    pub field: Cow<'static, str>,
    /// What is wrong with it.
    pub reason: Cow<'static, str>,
}

impl RowError {
    /// An error of one field. The name and the reason must not come from the row.
    pub fn new(field: impl Into<Cow<'static, str>>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            field: field.into(),
            reason: reason.into(),
        }
    }
}

/// A row that is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("row {row}, {error}")]
pub struct SetAside {
    /// Number of the row in the file, from 1.
    pub row: usize,
    /// Field and reason.
    pub error: RowError,
}

/// The rows of a file.
#[derive(Debug)]
pub struct Rows<T> {
    /// The sound rows, with their numbers from 1.
    pub sound: Vec<(usize, T)>,
    /// The faulty rows, in the order of the file.
    pub set_aside: Vec<SetAside>,
}

impl<T> Rows<T> {
    /// Reads a JSON array of objects, each by `read`.
    ///
    /// # Errors
    /// When the text is no JSON array.
    pub fn of_array(json: &[u8], mut read: impl FnMut(Fields) -> Result<T, RowError>) -> Result<Self, JsonError> {
        let mut result = Self::empty();
        let each = |number, row: Result<Fields, RowError>| -> Result<(), Infallible> {
            result.add(number, row.and_then(&mut read));
            Ok(())
        };
        match each_row(json, each) {
            Ok(()) => Ok(result),
            Err(EachRowError::Form(error)) => Err(error),
            Err(EachRowError::Stopped(never)) => match never {},
        }
    }

    /// Reads a JSON object whose members are the rows, each by `read`, which gets the key and the value. All rows with
    /// a duplicate key are faulty, because none of them is more right than another.
    ///
    /// # Errors
    /// When the text is no JSON object.
    pub fn of_object<V: DeserializeOwned>(
        json: &[u8],
        mut read: impl FnMut(String, V) -> Result<T, RowError>,
    ) -> Result<Self, JsonError> {
        let file: Tree = serde_json::from_slice(&decode(json)?).map_err(JsonError::Form)?;
        let Tree::Object(members) = file else {
            return Err(JsonError::Form(serde::de::Error::custom("not an object")));
        };
        let mut uses: HashMap<String, usize> = HashMap::with_capacity(members.len());
        for (key, _) in &members {
            *uses.entry(key.clone()).or_default() += 1;
        }
        let mut result = Self::empty();
        for (number, (key, row)) in (1..).zip(members) {
            let row = if uses.get(&key).is_some_and(|uses| *uses > 1) {
                Err(RowError::new("key", "another row has the same key"))
            } else {
                value(row).and_then(|value| read(key, value))
            };
            result.add(number, row);
        }
        Ok(result)
    }

    /// Sets aside all sound rows that share a key with another one. `key` gives the key of a row, if it has one.
    pub fn set_aside_doubles<K: std::hash::Hash + Eq>(&mut self, field: &'static str, key: impl Fn(&T) -> Option<K>) {
        let mut uses: HashMap<K, usize> = HashMap::with_capacity(self.sound.len());
        for (_, row) in &self.sound {
            if let Some(key) = key(row) {
                *uses.entry(key).or_default() += 1;
            }
        }
        let rows = std::mem::take(&mut self.sound);
        for (number, row) in rows {
            if key(&row).is_some_and(|key| uses.get(&key).is_some_and(|uses| *uses > 1)) {
                self.add(number, Err(RowError::new(field, "another row has the same")));
            } else {
                self.sound.push((number, row));
            }
        }
        self.set_aside.sort_by_key(|row| row.row);
    }

    fn empty() -> Self {
        Self {
            sound: Vec::new(),
            set_aside: Vec::new(),
        }
    }

    fn add(&mut self, row: usize, read: Result<T, RowError>) {
        match read {
            Ok(value) => self.sound.push((row, value)),
            Err(error) => self.set_aside.push(SetAside { row, error }),
        }
    }
}

/// Why a file with rows was not read to its end.
#[derive(Debug, thiserror::Error)]
pub enum EachRowError<E> {
    /// The file cannot be read, or is no JSON array.
    #[error(transparent)]
    Form(#[from] JsonError),
    /// The caller has stopped.
    #[error("{0}")]
    Stopped(E),
}

/// Reads a JSON array of objects and gives each row with its number from 1 to `each`, before the next one is read. So
/// the memory does not depend on the number of rows.
///
/// # Errors
/// [`EachRowError`]. Rows before the error have been given to `each` by then.
pub fn each_row<E>(
    json: impl Read,
    each: impl FnMut(usize, Result<Fields, RowError>) -> Result<(), E>,
) -> Result<(), EachRowError<E>> {
    let mut rows = EachRow { each, stopped: None };
    let mut json = serde_json::Deserializer::from_reader(BufReader::new(Decoded::new(json)));
    let read = (&mut json).deserialize_seq(&mut rows).and_then(|()| json.end());
    match rows.stopped {
        Some(stopped) => Err(EachRowError::Stopped(stopped)),
        None => Ok(read.map_err(JsonError::Form)?),
    }
}

struct EachRow<E, F> {
    each: F,
    stopped: Option<E>,
}

impl<'de, E, F: FnMut(usize, Result<Fields, RowError>) -> Result<(), E>> Visitor<'de> for &mut EachRow<E, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        let mut number = 0;
        while let Some(row) = rows.next_element()? {
            number += 1;
            if let Err(stopped) = (self.each)(number, Fields::new(row)) {
                self.stopped = Some(stopped);
                return Err(serde::de::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

/// The whole text of a file.
fn decode(json: &[u8]) -> Result<Vec<u8>, JsonError> {
    let mut text = Vec::with_capacity(json.len());
    let read = Decoded::new(json).read_to_end(&mut text);
    read.map_err(|error| JsonError::Form(serde_json::Error::io(error)))?;
    Ok(text)
}

fn value<V: DeserializeOwned>(row: Tree) -> Result<V, RowError> {
    let value = row
        .into_value()
        .map_err(|_| RowError::new("row", "an object in it has a key twice"))?;
    serde_json::from_value(value).map_err(|_| RowError::new("row", "is not of the form of the file"))
}

/// The fields of a row that is an object, to be taken one by one. [`Fields::end`] refuses fields that were not taken.
#[derive(Debug)]
pub struct Fields(Map<String, Value>);

impl Fields {
    fn new(row: Tree) -> Result<Self, RowError> {
        match row {
            Tree::Object(_) => value(row).map(Self),
            _ => Err(RowError::new("row", "is not an object")),
        }
    }

    /// Takes a text field.
    ///
    /// # Errors
    /// When it is missing or no text.
    pub fn text(&mut self, field: &'static str) -> Result<String, RowError> {
        self.optional_text(field)?
            .ok_or_else(|| RowError::new(field, "is missing"))
    }

    /// Takes a text field that may be missing or `null`.
    ///
    /// # Errors
    /// When it is no text.
    pub fn optional_text(&mut self, field: &'static str) -> Result<Option<String>, RowError> {
        match self.0.remove(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(RowError::new(field, "is not a text")),
        }
    }

    /// Takes a text field and parses it. The error's text must not quote the field.
    ///
    /// # Errors
    /// When it is missing, no text, or not of its form.
    pub fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(&mut self, field: &'static str) -> Result<T, RowError> {
        self.parse_optional(field)?
            .ok_or_else(|| RowError::new(field, "is missing"))
    }

    /// Takes a text field that may be missing or `null`, and parses it. The error's text must not quote the field.
    ///
    /// # Errors
    /// When it is no text, or not of its form.
    pub fn parse_optional<T: std::str::FromStr<Err: std::fmt::Display>>(
        &mut self,
        field: &'static str,
    ) -> Result<Option<T>, RowError> {
        let text = self.optional_text(field)?;
        text.map(|text| {
            text.parse()
                .map_err(|error: T::Err| RowError::new(field, error.to_string()))
        })
        .transpose()
    }

    /// Takes a truth value, which is false if it is missing.
    ///
    /// # Errors
    /// When it is neither true nor false.
    pub fn flag(&mut self, field: &'static str) -> Result<bool, RowError> {
        match self.0.remove(field) {
            None => Ok(false),
            Some(Value::Bool(value)) => Ok(value),
            Some(_) => Err(RowError::new(field, "is neither true nor false")),
        }
    }

    /// Refuses fields that were not taken.
    ///
    /// # Errors
    /// When there are some.
    pub fn end(self) -> Result<(), RowError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(RowError::new("row", "has an unknown field"))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use super::*;
    use crate::class::PersonName;

    fn read(json: &str) -> (Vec<(usize, PersonName)>, Vec<String>) {
        let rows = Rows::of_array(json.as_bytes(), |mut fields| {
            let name = fields.parse("name")?;
            fields.flag("blocked")?;
            fields.end()?;
            Ok(name)
        });
        let rows = rows.unwrap();
        (rows.sound, rows.set_aside.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_faulty_row_is_set_aside_with_number_and_field_and_the_others_work() {
        let (sound, set_aside) = read(
            r#"[{"name":"A"},{"name":"Geheim\u0000"},{"nme":"Geheim"},{"name":"Geheim","x":1},{"name":7},
                {"name":"Geheim","name":"B"},{"name":"C","blocked":"Geheim"},["Geheim"],{"name":"Z","blocked":true}]"#,
        );
        assert_eq!(
            sound
                .iter()
                .map(|(row, name)| (*row, name.as_str()))
                .collect::<Vec<_>>(),
            [(1, "A"), (9, "Z")]
        );
        assert_eq!(
            set_aside,
            [
                "row 2, name: character 7 is not in data type A of DIN 91379",
                "row 3, name: is missing",
                "row 4, row: has an unknown field",
                "row 5, name: is not a text",
                "row 6, row: an object in it has a key twice",
                "row 7, blocked: is neither true nor false",
                "row 8, row: is not an object",
            ]
        );
    }

    #[test]
    fn all_rows_with_one_key_are_set_aside() {
        let json = r#"{"a":{"x":"1"},"b":{"x":"2"},"a":{"x":"3"},"c":{"x":"4","x":"5"},"d":{"x":6}}"#;
        let rows = Rows::of_object(json.as_bytes(), |key, value: BTreeMap<String, String>| Ok((key, value)));
        let rows = rows.unwrap();
        assert_eq!(rows.sound.len(), 1);
        assert_eq!(rows.sound[0].1.0, "b");
        assert_eq!(
            rows.set_aside.iter().map(|row| row.row).collect::<Vec<_>>(),
            [1, 3, 4, 5]
        );
    }

    #[test]
    fn rows_that_share_a_key_are_all_set_aside() {
        let json = r#"[{"name":"A"},{"name":"B"},{"name":"A"},{"name":""},{"name":""}]"#;
        let mut rows = Rows::of_array(json.as_bytes(), |mut fields| fields.text("name")).unwrap();
        rows.set_aside_doubles("name", |name| Some(name.clone()).filter(|name| !name.is_empty()));
        assert_eq!(rows.sound.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [2, 4, 5]);
        assert_eq!(rows.set_aside.iter().map(|row| row.row).collect::<Vec<_>>(), [1, 3]);
    }

    #[test]
    fn what_cannot_be_decoded_makes_one_row_faulty() {
        let mut json =
            br#"[{"name":"A\u00e4"},{"name":"B\ud800"},{"name":"C\udc00\ud800x"},{"name":"\\ud800"},"#.to_vec();
        json.extend_from_slice(b"{\"name\":\"M\xfcller\"},{\"name\":\"Z\"}]");
        for start in [&b""[..], b"\xef\xbb\xbf"] {
            let file = [start, &json].concat();
            let rows = Rows::of_array(&file, |mut fields| fields.parse::<PersonName>("name")).unwrap();
            assert_eq!(rows.sound.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [1, 6]);
        }
        let pair = r#"[{"name":"\ud83c\udfdb"}]"#;
        let rows = Rows::of_array(pair.as_bytes(), |mut fields| fields.text("name")).unwrap();
        assert_eq!(rows.sound, [(1, "🏛".to_owned())]);
    }

    #[test]
    fn a_file_without_rows_is_refused() {
        for json in ["", "{", "7", "{}", "[1"] {
            assert!(Rows::of_array(json.as_bytes(), |_| Ok(())).is_err(), "{json}");
        }
        for json in ["", "[]", "7", r#"{"a":1"#] {
            assert!(
                Rows::of_object(json.as_bytes(), |_, _: Value| Ok(())).is_err(),
                "{json}"
            );
        }
    }
}
