//! The encoding of byte fields in serde: `#[serde(with = "record::bytes")]`.
//!
//! serde writes `[u8; 32]` and `Vec<u8>` as arrays of numbers. With this module they are CBOR byte strings, and
//! lower-case hexadecimal text in JSON and other human-readable formats. It covers [`tlog::Hash`], `[u8; N]`,
//! `Vec<u8>`, and `Option` and `Vec` of each.
//!
//! ```
//! # use serde::{Deserialize, Serialize};
//! #[derive(Serialize, Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Message {
//!     #[serde(with = "record::bytes")]
//!     digest: tlog::Hash,
//!     #[serde(with = "record::bytes")]
//!     salt: Option<[u8; 32]>,
//! }
//! ```
//!
//! What goes wrong: serde buffers `untagged`, internally tagged and `flatten`ed types and then no longer knows that
//! the format is binary, so byte fields inside them cannot be read back. Use serde's default (externally tagged)
//! enums.

use core::fmt;
use core::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::ser::{Serialize, Serializer};
use tlog::Hash;

/// A type that is one byte string on the wire, or an `Option` or `Vec` of such types.
pub trait ByteForm: Sized {
    /// Writes the value.
    ///
    /// # Errors
    /// Returns the format's errors.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Reads what [`ByteForm::write`] wrote.
    ///
    /// # Errors
    /// Returns the format's errors, and an error for a wrong length.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// Called by `#[serde(with = "record::bytes")]`.
///
/// # Errors
/// Returns the format's errors.
pub fn serialize<T: ByteForm, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    value.write(serializer)
}

/// Called by `#[serde(with = "record::bytes")]`.
///
/// # Errors
/// Returns the format's errors, and an error for a wrong length.
pub fn deserialize<'de, T: ByteForm, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::read(deserializer)
}

/// Makes any [`ByteForm`] a serde type that can be used inside tuples and sequences.
pub struct Form<T>(pub T);

/// The same for a borrowed value, to be written.
pub(crate) struct FormRef<'a, T>(pub(crate) &'a T);

impl<T: ByteForm> Serialize for Form<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

impl<T: ByteForm> Serialize for FormRef<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

impl<'de, T: ByteForm> Deserialize<'de> for Form<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Self)
    }
}

fn write_slice<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        serializer.serialize_str(&hex::encode(bytes))
    } else {
        serializer.serialize_bytes(bytes)
    }
}

/// Reads a byte string (or hexadecimal text) and converts it with `convert`.
struct SliceVisitor<T, F> {
    convert: F,
    expecting: &'static str,
    result: PhantomData<T>,
}

impl<T, F: FnOnce(&[u8]) -> Option<T>> Visitor<'_> for SliceVisitor<T, F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<T, E> {
        (self.convert)(bytes).ok_or_else(|| E::invalid_length(bytes.len(), &self.expecting))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        let bytes = tlog::encoding::from_hex(text).map_err(|_| E::custom("expected lower-case hexadecimal text"))?;
        self.visit_bytes(&bytes)
    }
}

fn read_slice<'de, T, D: Deserializer<'de>>(
    deserializer: D,
    expecting: &'static str,
    convert: impl FnOnce(&[u8]) -> Option<T>,
) -> Result<T, D::Error> {
    let human_readable = deserializer.is_human_readable();
    let visitor = SliceVisitor {
        convert,
        expecting,
        result: PhantomData,
    };
    if human_readable {
        deserializer.deserialize_str(visitor)
    } else {
        deserializer.deserialize_byte_buf(visitor)
    }
}

impl<const N: usize> ByteForm for [u8; N] {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write_slice(self, serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_slice(deserializer, "a byte string of the field's length", |bytes| {
            bytes.try_into().ok()
        })
    }
}

impl ByteForm for Hash {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <[u8; 32]>::read(deserializer).map(Self)
    }
}

impl ByteForm for Vec<u8> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write_slice(self, serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_slice(deserializer, "a byte string", |bytes| Some(bytes.to_vec()))
    }
}

impl<T: ByteForm> ByteForm for Option<T> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().map(FormRef).serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = Option::<Form<T>>::deserialize(deserializer)?;
        Ok(form.map(|form| form.0))
    }
}

impl<T: ByteForm> ByteForm for Vec<T> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(FormRef))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let forms = Vec::<Form<T>>::deserialize(deserializer)?;
        Ok(forms.into_iter().map(|form| form.0).collect())
    }
}

/// Implements serde for a newtype around a [`ByteForm`].
macro_rules! serde_as_bytes {
    ($name:ident, $inner:ty) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::bytes::ByteForm::write(&self.0, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <$inner as $crate::bytes::ByteForm>::read(deserializer).map(Self)
            }
        }
    };
}
pub(crate) use serde_as_bytes;

/// Encodes a [`tlog::merkle::Index`] as an unsigned integer: `#[serde(with = "record::bytes::index")]`.
pub mod index {
    use serde::{Deserialize as _, Deserializer, Serializer};
    use tlog::merkle::Index;

    use super::*;

    /// Writes the index as an unsigned integer.
    ///
    /// # Errors
    /// Returns the format's errors.
    pub fn serialize<S: Serializer>(index: &Index, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(index.get())
    }

    /// Reads an unsigned integer below 2^63.
    ///
    /// # Errors
    /// Returns the format's errors, and an error for a number that is not an index.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Index, D::Error> {
        Index::new(u64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::cbor;

    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct All {
        #[serde(with = "crate::bytes")]
        array: [u8; 2],
        #[serde(with = "crate::bytes")]
        hash: Hash,
        #[serde(with = "crate::bytes")]
        many: Vec<[u8; 1]>,
        #[serde(with = "crate::bytes")]
        none: Option<Hash>,
        #[serde(with = "crate::bytes")]
        rest: Vec<u8>,
    }

    fn all() -> All {
        All {
            array: [1, 2],
            hash: Hash([3; 32]),
            many: vec![[4], [5]],
            none: None,
            rest: vec![6],
        }
    }

    #[test]
    fn byte_fields_are_byte_strings() {
        let bytes = cbor::to_vec(&all());
        let expected = format!(
            "a5{}{}{}{}{}",
            format_args!("6468617368{}{}", "5820", "03".repeat(32)),
            "646d616e798241044105",
            "646e6f6e65f6",
            "64726573744106",
            "65617272617942 0102".replace(' ', "")
        );
        assert_eq!(hex::encode(&bytes), expected);
        assert_eq!(cbor::from_slice::<All>(&bytes).unwrap(), all());
    }

    #[test]
    fn byte_fields_are_hexadecimal_in_json() {
        let text = serde_json::to_string(&all()).unwrap();
        assert!(text.contains("\"array\":\"0102\""), "{text}");
        assert!(text.contains("\"many\":[\"04\",\"05\"]"), "{text}");
        assert_eq!(serde_json::from_str::<All>(&text).unwrap(), all());
        assert!(serde_json::from_str::<All>(&text.replace("0102", "01")).is_err());
        assert!(serde_json::from_str::<All>(&text.replace("0102", "0A02")).is_err());
    }

    #[test]
    fn wrong_lengths_and_arrays_of_numbers_are_refused() {
        let wrong_length = hex::decode("4101").unwrap();
        assert!(cbor::from_slice::<Form<[u8; 2]>>(&wrong_length).is_err());
        let numbers = hex::decode("820102").unwrap();
        assert!(cbor::from_slice::<Form<[u8; 2]>>(&numbers).is_err());
        let right = hex::decode("420102").unwrap();
        assert_eq!(cbor::from_slice::<Form<[u8; 2]>>(&right).unwrap().0, [1, 2]);
    }
}
