#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use std::collections::{BTreeMap, HashMap};

use ciborium::Value;
use proptest::prelude::*;
use serde::Deserialize;

use super::*;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    long_name: u64,
    b: Option<i64>,
    a: String,
    list: Vec<Choice>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Choice {
    Nothing,
    Number(u32),
    Pair { x: bool },
}

fn sample() -> Sample {
    Sample {
        long_name: 500,
        b: None,
        a: "ä".into(),
        list: vec![Choice::Nothing, Choice::Number(24), Choice::Pair { x: true }],
    }
}

#[test]
fn keys_are_sorted_by_their_encoding() {
    let bytes = to_vec(&sample());
    assert_eq!(
        hex::encode(&bytes),
        concat!(
            "a4",
            "6161",
            "62c3a4",
            "6162",
            "f6",
            "646c697374",
            "83",
            "676e6f7468696e67",
            "a1666e756d6265721818",
            "a16470616972a16178f5",
            "696c6f6e675f6e616d65",
            "1901f4"
        )
    );
    assert_eq!(from_slice::<Sample>(&bytes).unwrap(), sample());
}

#[test]
fn the_order_of_a_map_does_not_change_its_encoding() {
    let map: HashMap<String, u32> = (0..200).map(|i| (format!("key {i}"), i)).collect();
    let other: HashMap<String, u32> = (0..200).rev().map(|i| (format!("key {i}"), i)).collect();
    assert_eq!(to_vec(&map), to_vec(&other));
    assert_eq!(from_slice::<HashMap<String, u32>>(&to_vec(&map)).unwrap(), map);
}

/// Each line breaks one rule. Most of the malformed items are from RFC 8949 appendix F.
#[test]
fn items_that_are_not_deterministic_are_refused() {
    use CborError::{NotDeterministic, Shape, TooDeep, TrailingBytes, Truncated};
    type Is = fn(&CborError) -> bool;
    let table: &[(&str, Is)] = &[
        ("", |e| *e == Truncated),
        ("1817", |e| matches!(e, NotDeterministic(_))),
        ("190018", |e| matches!(e, NotDeterministic(_))),
        ("1a0000ffff", |e| matches!(e, NotDeterministic(_))),
        ("1b00000000ffffffff", |e| matches!(e, NotDeterministic(_))),
        ("19ff", |e| *e == Truncated),
        ("1c", |e| matches!(e, NotDeterministic(_))),
        ("1f", |e| matches!(e, NotDeterministic(_))),
        ("0101", |e| *e == TrailingBytes),
        ("5f4101ff", |e| matches!(e, NotDeterministic(_))),
        ("9f01ff", |e| matches!(e, NotDeterministic(_))),
        ("bfff", |e| matches!(e, NotDeterministic(_))),
        ("5803", |e| matches!(e, NotDeterministic(_))),
        ("4301", |e| *e == Truncated),
        ("5bffffffffffffffff00", |e| *e == Truncated),
        ("9bffffffffffffffff00", |e| *e == Truncated),
        ("61ff", |e| matches!(e, NotDeterministic(_))),
        ("c101", |e| matches!(e, NotDeterministic(_))),
        ("f93c00", |e| matches!(e, NotDeterministic(_))),
        ("fb3ff0000000000000", |e| matches!(e, NotDeterministic(_))),
        ("f7", |e| matches!(e, NotDeterministic(_))),
        ("f820", |e| matches!(e, NotDeterministic(_))),
        ("f814", |e| matches!(e, NotDeterministic(_))),
        ("a201000100", |e| matches!(e, NotDeterministic(_))),
        ("a202000100", |e| matches!(e, NotDeterministic(_))),
        ("4101", |e| matches!(e, Shape(_))),
        ("20", |e| matches!(e, Shape(_))),
    ];
    for (input, expected) in table {
        let error = from_slice::<u64>(&hex::decode(input).unwrap()).unwrap_err();
        assert!(expected(&error), "{input}: {error}");
    }
    let deep = [vec![0x81; MAX_DEPTH + 1], vec![0]].concat();
    assert_eq!(item_len(&deep), Err(TooDeep));
    assert_eq!(item_len(&deep[1..]), Ok(MAX_DEPTH + 1));
}

#[test]
fn a_type_has_one_encoding() {
    // The field `b` is missing although it is null; a field is unknown; a struct is an array.
    let without = "a36161616a646c69737480696c6f6e675f6e616d6500";
    assert!(matches!(
        from_slice::<Sample>(&hex::decode(without).unwrap()),
        Err(CborError::NotDeterministic(_))
    ));
    let with = "a46161616a6162f6646c69737480696c6f6e675f6e616d6500";
    assert!(from_slice::<Sample>(&hex::decode(with).unwrap()).is_ok());
    let unknown = "a56161616a6162f6616300646c69737480696c6f6e675f6e616d6500";
    assert!(matches!(
        from_slice::<Sample>(&hex::decode(unknown).unwrap()),
        Err(CborError::Shape(_))
    ));
    assert!(from_slice::<Sample>(&hex::decode("8400f6616a80").unwrap()).is_err());
}

#[test]
fn sequences_are_cut_into_items() {
    let bytes = hex::decode("8101".to_owned() + "f6" + "420203" + "a10102").unwrap();
    let items = sequence(&bytes).unwrap();
    assert_eq!(items, [&bytes[..2], &bytes[2..3], &bytes[3..6], &bytes[6..]]);
    assert_eq!(sequence(&[]).unwrap().len(), 0);
    assert_eq!(sequence(&bytes[..bytes.len() - 1]), Err(CborError::Truncated));
}

#[test]
fn heads_are_the_shortest() {
    for (number, expected) in [
        (0, "00"),
        (23, "17"),
        (24, "1818"),
        (255, "18ff"),
        (256, "190100"),
        (65535, "19ffff"),
        (65536, "1a00010000"),
        (u64::from(u32::MAX), "1affffffff"),
        (1 << 32, "1b0000000100000000"),
        (u64::MAX, "1bffffffffffffffff"),
    ] {
        let mut out = Vec::new();
        put_head(&mut out, 0, number);
        assert_eq!(hex::encode(&out), expected);
        assert_eq!(to_vec(&number), out);
        assert_eq!(head(&out).unwrap(), (0, number, out.len()));
    }
}

proptest! {
    #[test]
    fn round_trip(long_name: u64, b: Option<i64>, a in ".*", numbers: Vec<u32>) {
        let value = Sample { long_name, b, a, list: numbers.into_iter().map(Choice::Number).collect() };
        let bytes = to_vec(&value);
        prop_assert_eq!(item_len(&bytes), Ok(bytes.len()));
        prop_assert_eq!(from_slice::<Sample>(&bytes).unwrap(), value);
    }

    /// The reader does not panic, and an accepted item is the encoding of its value.
    #[test]
    fn accepted_bytes_are_canonical(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(value) = from_slice::<Sample>(&bytes) {
            prop_assert_eq!(to_vec(&value), bytes);
        }
    }
}

/// Everything that serde's data model and this encoding have in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Everything {
    unit: (),
    marker: Marker,
    wrapped: Wrapped,
    tuple: (u8, i16, char),
    variants: Vec<Variety>,
    nested: Option<Option<Box<Everything>>>,
    by_number: BTreeMap<i32, bool>,
    by_text: HashMap<String, u64>,
    #[serde(with = "crate::bytes")]
    bytes: Vec<u8>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    absent: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Marker;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Wrapped(i64);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Variety {
    Unit,
    Newtype(Wrapped),
    Tuple(u16, String),
    Struct { later: i8, b: Option<u32> },
}

fn variety() -> impl Strategy<Value = Variety> {
    prop_oneof![
        Just(Variety::Unit),
        any::<i64>().prop_map(|number| Variety::Newtype(Wrapped(number))),
        (any::<u16>(), ".*").prop_map(|(number, text)| Variety::Tuple(number, text)),
        any::<(i8, Option<u32>)>().prop_map(|(later, b)| Variety::Struct { later, b }),
    ]
}

fn flat() -> impl Strategy<Value = Everything> {
    let scalars = (
        any::<i64>(),
        any::<(u8, i16, char)>(),
        any::<Vec<u8>>(),
        any::<Option<u32>>(),
    );
    let maps = (any::<BTreeMap<i32, bool>>(), any::<HashMap<String, u64>>());
    let variants = proptest::collection::vec(variety(), 0..30);
    (scalars, maps, variants).prop_map(
        |((number, tuple, bytes, absent), (by_number, by_text), variants)| Everything {
            unit: (),
            marker: Marker,
            wrapped: Wrapped(number),
            tuple,
            variants,
            nested: None,
            by_number,
            by_text,
            bytes,
            absent,
        },
    )
}

fn everything() -> impl Strategy<Value = Everything> {
    (flat(), proptest::option::of(flat())).prop_map(|(mut outer, inner)| {
        outer.nested = inner.map(|inner| Some(Box::new(inner)));
        outer
    })
}

/// The encoding by way of `ciborium`'s tree of values.
fn by_tree<T: Serialize>(value: &T) -> Vec<u8> {
    fn sort(value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(sort),
            Value::Map(pairs) => {
                pairs.iter_mut().for_each(|(_, item)| sort(item));
                pairs.sort_by_cached_key(|(key, _)| written(key));
            }
            _ => {}
        }
    }
    fn written(value: &Value) -> Vec<u8> {
        let mut bytes = Vec::new();
        ciborium::into_writer(value, &mut bytes).unwrap();
        bytes
    }
    let mut tree = Value::serialized(value).unwrap();
    sort(&mut tree);
    written(&tree)
}

proptest! {
    #[test]
    fn every_kind_of_value_has_the_encoding_that_ciborium_gives_it(value in everything()) {
        let bytes = to_vec(&value);
        prop_assert_eq!(&bytes, &by_tree(&value));
        prop_assert_eq!(from_slice::<Everything>(&bytes).unwrap(), value);
    }

    #[test]
    fn changed_bytes_are_read_as_ciborium_reads_them(value in everything(), at: proptest::sample::Index, byte: u8) {
        let mut bytes = to_vec(&value);
        let place = at.index(bytes.len());
        bytes[place] = byte;
        let reference = (item_len(&bytes) == Ok(bytes.len()))
            .then(|| ciborium::from_reader::<Everything, _>(&bytes[..]).ok())
            .flatten()
            .filter(|value| by_tree(value) == bytes);
        prop_assert_eq!(from_slice::<Everything>(&bytes).ok(), reference);
    }
}

#[test]
fn an_error_names_what_was_expected_and_nothing_that_was_found() {
    // In the place of a number, a variant with content, a field's name and a list.
    let person = "Erika Mustermann";
    let errors = [
        from_slice::<u64>(&to_vec(person)).unwrap_err(),
        from_slice::<Choice>(&to_vec(person)).unwrap_err(),
        from_slice::<Choice>(&to_vec(&HashMap::from([(person, 1)]))).unwrap_err(),
        from_slice::<Sample>(&to_vec(&HashMap::from([(person, 1)]))).unwrap_err(),
        from_slice::<Vec<u8>>(&to_vec(person)).unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, CborError::Shape(_)), "{error}");
        assert!(!error.to_string().contains("Erika"), "{error}");
    }
    assert_eq!(
        from_slice::<u64>(&to_vec(person)).unwrap_err().to_string(),
        "CBOR item has the wrong shape: expected an integer"
    );
}

#[test]
fn an_array_with_more_items_than_the_type_has_is_refused() {
    let three = to_vec(&(1, 2, 3));
    assert!(matches!(from_slice::<(u8, u8)>(&three), Err(CborError::Shape(_))));
    assert!(from_slice::<(u8, u8, u8, u8)>(&three).is_err());
    assert_eq!(from_slice::<(u8, u8, u8)>(&three).unwrap(), (1, 2, 3));
}
