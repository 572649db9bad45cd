//! The deserializer: it reads values from bytes that [`item_len`] has accepted.
//!
//! The scan has checked everything that RFC 8949 §4.2.1 demands, also the depth. What is left to find here is an item
//! of another kind than the type expects. No length is trusted all the same: bytes that end early give an error.
//!
//! An error names what was expected and never what was found, because what was found may be a person's data.

use core::fmt;

use serde::de::{
    self, DeserializeSeed, EnumAccess, Expected, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};

use super::error::CborError;
use super::item::{ARRAY, BYTES, FALSE, MAP, NEGATIVE, NULL, TEXT, TRUE, UINT, head, item_len};

impl de::Error for CborError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Shape(message.to_string())
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Shape(format!("expected {expected}"))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self::Shape("unknown variant".to_owned())
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self::Shape("unknown field".to_owned())
    }
}

const NUMBER: &str = "an integer";

enum Integer {
    Natural(u64),
    Negative(i64),
}

/// The bytes from the next item on.
pub(super) struct Decoder<'de>(pub(super) &'de [u8]);

impl<'de> Decoder<'de> {
    /// Takes the head of the next item, which must have this major type; returns its argument.
    fn head(&mut self, expected: u8, name: &str) -> Result<u64, CborError> {
        let (major, argument, len) = head(self.0)?;
        if major != expected {
            return Err(CborError::Shape(format!("expected {name}")));
        }
        self.0 = &self.0[len..];
        Ok(argument)
    }

    fn integer(&mut self) -> Result<Integer, CborError> {
        if self.0.first().is_some_and(|first| first >> 5 == UINT) {
            return self.head(UINT, NUMBER).map(Integer::Natural);
        }
        // SPEC: RFC 8949 §3.1: the value is −1 minus the argument, which is its complement.
        let argument = self.head(NEGATIVE, NUMBER)?;
        let argument = i64::try_from(argument).map_err(|_| CborError::Shape("a number is too small".to_owned()))?;
        Ok(Integer::Negative(!argument))
    }

    /// Takes an item of one byte.
    fn byte(&mut self) -> Result<u8, CborError> {
        let (&byte, rest) = self.0.split_first().ok_or(CborError::Truncated)?;
        self.0 = rest;
        Ok(byte)
    }

    fn take(&mut self, len: u64) -> Result<&'de [u8], CborError> {
        let len = usize::try_from(len).map_err(|_| CborError::Truncated)?;
        let (taken, rest) = self.0.split_at_checked(len).ok_or(CborError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn bytes(&mut self) -> Result<&'de [u8], CborError> {
        let len = self.head(BYTES, "a byte string")?;
        self.take(len)
    }

    fn text(&mut self) -> Result<&'de str, CborError> {
        let len = self.head(TEXT, "text")?;
        core::str::from_utf8(self.take(len)?).map_err(|_| CborError::NotDeterministic("text is not UTF-8"))
    }

    fn items(&mut self, kind: u8, name: &str) -> Result<Items<'_, 'de>, CborError> {
        let left = self.head(kind, name)?;
        Ok(Items { of: self, left })
    }
}

impl<'de> de::Deserializer<'de> for &mut Decoder<'de> {
    type Error = CborError;

    fn is_human_readable(&self) -> bool {
        false
    }

    /// Only for types that do not say what they expect. Those that do have methods of their own below: serde compiles a
    /// method for every type, and this one is long.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        match head(self.0)?.0 {
            UINT | NEGATIVE => self.deserialize_i64(visitor),
            BYTES => self.deserialize_bytes(visitor),
            TEXT => self.deserialize_str(visitor),
            ARRAY => self.deserialize_seq(visitor),
            MAP => self.deserialize_map(visitor),
            _ if self.0.first() == Some(&NULL) => self.deserialize_unit(visitor),
            _ => self.deserialize_bool(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        match self.byte()? {
            FALSE => visitor.visit_bool(false),
            TRUE => visitor.visit_bool(true),
            _ => Err(CborError::Shape("expected a boolean".to_owned())),
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        match self.integer()? {
            Integer::Natural(value) => visitor.visit_u64(value),
            Integer::Negative(value) => visitor.visit_i64(value),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        visitor.visit_u64(self.head(UINT, NUMBER)?)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        visitor.visit_borrowed_bytes(self.bytes()?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        visitor.visit_borrowed_str(self.text()?)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        match self.byte()? {
            NULL => visitor.visit_unit(),
            _ => Err(CborError::Shape("expected null".to_owned())),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        let mut items = self.items(ARRAY, "an array")?;
        let value = visitor.visit_seq(&mut items)?;
        items.end().map(|()| value)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        let mut items = self.items(MAP, "a map")?;
        let value = visitor.visit_map(&mut items)?;
        items.end().map(|()| value)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        match self.0.split_first() {
            Some((&NULL, rest)) => {
                self.0 = rest;
                visitor.visit_none()
            }
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, CborError> {
        visitor.visit_newtype_struct(self)
    }

    /// A variant is its name, or a map from its name to its content.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CborError> {
        match head(self.0)? {
            (TEXT, ..) => visitor.visit_enum(Variant {
                of: self,
                has_content: false,
            }),
            (MAP, 1, len) => {
                self.0 = &self.0[len..];
                visitor.visit_enum(Variant {
                    of: self,
                    has_content: true,
                })
            }
            _ => Err(CborError::Shape("expected a variant".to_owned())),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        self.take(item_len(self.0)? as u64)?;
        visitor.visit_unit()
    }

    fn deserialize_i8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_i16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, CborError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, CborError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, CborError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CborError> {
        self.deserialize_map(visitor)
    }

    /// There are no floats in this encoding.
    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        self.deserialize_any(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        self.deserialize_any(visitor)
    }
}

/// What is left of an array or a map.
struct Items<'a, 'de> {
    of: &'a mut Decoder<'de>,
    left: u64,
}

impl<'de> Items<'_, 'de> {
    fn end(&self) -> Result<(), CborError> {
        match self.left {
            0 => Ok(()),
            _ => Err(CborError::Shape("fewer items were expected".to_owned())),
        }
    }

    fn next<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, CborError> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        seed.deserialize(&mut *self.of).map(Some)
    }
}

impl<'de> SeqAccess<'de> for &mut Items<'_, 'de> {
    type Error = CborError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, CborError> {
        self.next(seed)
    }
}

impl<'de> MapAccess<'de> for &mut Items<'_, 'de> {
    type Error = CborError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, CborError> {
        self.next(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, CborError> {
        seed.deserialize(&mut *self.of)
    }
}

/// A variant whose name is next.
struct Variant<'a, 'de> {
    of: &'a mut Decoder<'de>,
    has_content: bool,
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = CborError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), CborError> {
        Ok((seed.deserialize(&mut *self.of)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = CborError;

    fn unit_variant(self) -> Result<(), CborError> {
        if self.has_content {
            return Err(CborError::Shape("expected a variant without content".to_owned()));
        }
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, CborError> {
        seed.deserialize(self.content()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, CborError> {
        de::Deserializer::deserialize_seq(self.content()?, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, CborError> {
        de::Deserializer::deserialize_map(self.content()?, visitor)
    }
}

impl<'a, 'de> Variant<'a, 'de> {
    fn content(self) -> Result<&'a mut Decoder<'de>, CborError> {
        if self.has_content {
            return Ok(self.of);
        }
        Err(CborError::Shape("expected a variant with content".to_owned()))
    }
}
