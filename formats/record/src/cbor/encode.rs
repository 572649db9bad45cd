//! The serializer: it writes the deterministic encoding straight into a buffer.
//!
//! Invariant: the buffer always ends after a whole item. serde hands over the fields of a struct in the order of their
//! declaration and the keys of a map in any order, but RFC 8949 wants them sorted, and the head of a map or an array
//! states how many items follow. So [`Items`] notes where each key and each entry begins, and puts both right when the
//! last one has been written. Nothing is copied where the order and the number are right already.
//!
//! What goes wrong: a type that has floats or integers of more than 64 bits has no encoding here. [`NotEncodable`] says
//! so, and it is an error in the program.

use core::fmt;

use serde::{Serialize, ser};

use super::item::{ARRAY, FALSE, MAP, NEGATIVE, NULL, TRUE, UINT, put_bytes, put_head, put_text};

/// The longest head of an item, in bytes.
const MAX_HEAD: usize = 9;

/// Why a type cannot be encoded. Its text is for the author of the type.
#[derive(Debug)]
pub(super) struct NotEncodable(String);

impl fmt::Display for NotEncodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for NotEncodable {}

impl ser::Error for NotEncodable {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

type Written = Result<(), NotEncodable>;

/// Appends the items to a buffer.
pub(super) struct Encoder<'a>(pub(super) &'a mut Vec<u8>);

impl Encoder<'_> {
    /// Begins a map with one key, in which serde's data model puts the name of a variant that has content.
    fn variant(&mut self, name: &str) {
        put_head(self.0, MAP, 1);
        put_text(self.0, name);
    }

    fn items(&mut self, kind: u8, announced: Option<usize>) -> Items<'_> {
        let head_at = self.0.len();
        put_head(self.0, kind, announced.unwrap_or(0) as u64);
        Items {
            body_at: self.0.len(),
            out: self.0,
            kind,
            head_at,
            announced: announced.unwrap_or(0),
            count: 0,
            entries: Vec::new(),
        }
    }
}

/// An entry of a map: where its key and its value begin in the buffer.
#[derive(Clone, Copy)]
struct EntryAt {
    key: usize,
    value: usize,
}

/// An array or a map that is being written.
pub(super) struct Items<'a> {
    out: &'a mut Vec<u8>,
    kind: u8,
    head_at: usize,
    body_at: usize,
    announced: usize,
    count: usize,
    /// Of a map only.
    entries: Vec<EntryAt>,
}

impl Items<'_> {
    fn item<T: Serialize + ?Sized>(&mut self, item: &T) -> Written {
        self.count += 1;
        item.serialize(&mut Encoder(self.out))
    }

    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Written {
        let at = self.out.len();
        self.item(key)?;
        let value = self.out.len();
        self.entries.push(EntryAt { key: at, value });
        Ok(())
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        value.serialize(&mut Encoder(self.out))
    }

    /// Sorts the entries of a map and corrects the number in the head.
    fn finish(self) {
        if !self.is_sorted() {
            let sorted = self.sorted();
            self.out[self.body_at..].copy_from_slice(&sorted);
        }
        if self.count != self.announced {
            let mut head = Vec::with_capacity(MAX_HEAD);
            put_head(&mut head, self.kind, self.count as u64);
            self.out.splice(self.head_at..self.body_at, head);
        }
    }

    fn encoded_key(&self, entry: EntryAt) -> &[u8] {
        &self.out[entry.key..entry.value]
    }

    fn is_sorted(&self) -> bool {
        self.entries.is_sorted_by_key(|entry| self.encoded_key(*entry))
    }

    /// The entries in their order.
    ///
    /// SPEC: RFC 8949 §4.2.1: "The keys in every map MUST be sorted in the bytewise lexicographic order of their
    /// deterministic encodings."
    fn sorted(&self) -> Vec<u8> {
        let ends = self.entries.iter().skip(1).map(|next| next.key).chain([self.out.len()]);
        let mut entries: Vec<(EntryAt, usize)> = self.entries.iter().copied().zip(ends).collect();
        entries.sort_by_key(|(entry, _)| self.encoded_key(*entry));
        let mut sorted = Vec::with_capacity(self.out.len() - self.body_at);
        for (entry, end) in entries {
            sorted.extend_from_slice(&self.out[entry.key..end]);
        }
        sorted
    }
}

impl<'a> ser::Serializer for &'a mut Encoder<'_> {
    type Ok = ();
    type Error = NotEncodable;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Items<'a>;
    type SerializeTupleStruct = Items<'a>;
    type SerializeTupleVariant = Items<'a>;
    type SerializeMap = Items<'a>;
    type SerializeStruct = Items<'a>;
    type SerializeStructVariant = Items<'a>;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, value: bool) -> Written {
        self.0.push(if value { TRUE } else { FALSE });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Written {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Written {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Written {
        self.serialize_i64(value.into())
    }

    /// SPEC: RFC 8949 §3.1: the argument of a negative integer is −1 minus its value, which is its complement.
    fn serialize_i64(self, value: i64) -> Written {
        match u64::try_from(value) {
            Ok(value) => put_head(self.0, UINT, value),
            Err(_) => put_head(self.0, NEGATIVE, (!value).cast_unsigned()),
        }
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Written {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Written {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Written {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Written {
        put_head(self.0, UINT, value);
        Ok(())
    }

    fn serialize_f32(self, _: f32) -> Written {
        Err(no_floats())
    }

    fn serialize_f64(self, _: f64) -> Written {
        Err(no_floats())
    }

    fn serialize_char(self, value: char) -> Written {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Written {
        put_text(self.0, value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Written {
        put_bytes(self.0, value);
        Ok(())
    }

    fn serialize_none(self) -> Written {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Written {
        self.0.push(NULL);
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Written {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Written {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Written {
        self.variant(variant);
        value.serialize(self)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Items<'a>, NotEncodable> {
        Ok(self.items(ARRAY, len))
    }

    fn serialize_tuple(self, len: usize) -> Result<Items<'a>, NotEncodable> {
        Ok(self.items(ARRAY, Some(len)))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Items<'a>, NotEncodable> {
        Ok(self.items(ARRAY, Some(len)))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Items<'a>, NotEncodable> {
        self.variant(variant);
        Ok(self.items(ARRAY, Some(len)))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Items<'a>, NotEncodable> {
        Ok(self.items(MAP, len))
    }

    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Items<'a>, NotEncodable> {
        Ok(self.items(MAP, Some(len)))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Items<'a>, NotEncodable> {
        self.variant(variant);
        Ok(self.items(MAP, Some(len)))
    }
}

fn no_floats() -> NotEncodable {
    NotEncodable("a float has no encoding here".to_owned())
}

/// The kinds of arrays of serde's data model, which differ in the name of one method.
macro_rules! array {
    ($($kind:ident $method:ident),*) => {$(
        impl ser::$kind for Items<'_> {
            type Ok = ();
            type Error = NotEncodable;

            fn $method<T: Serialize + ?Sized>(&mut self, item: &T) -> Written {
                self.item(item)
            }

            fn end(self) -> Written {
                self.finish();
                Ok(())
            }
        }
    )*};
}

array!(
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
);

/// The kinds of structs.
macro_rules! fields {
    ($($kind:ident),*) => {$(
        impl ser::$kind for Items<'_> {
            type Ok = ();
            type Error = NotEncodable;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Written {
                self.key(name)?;
                self.value(value)
            }

            fn end(self) -> Written {
                self.finish();
                Ok(())
            }
        }
    )*};
}

fields!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Items<'_> {
    type Ok = ();
    type Error = NotEncodable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Written {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        self.value(value)
    }

    fn end(self) -> Written {
        self.finish();
        Ok(())
    }
}
