//! The operations of a change set.

use record::cbor;
use serde::{Deserialize, Serialize};
use tlog::Hash;

use crate::error::SetParseError;
use crate::key::{InvalidKey, Key};
use crate::limits::{MAX_OPERATION_BYTES, MAX_OPERATIONS};
use crate::value::Value;

/// One change: puts a value, or ends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation(Key, #[serde(with = "record::bytes")] Option<Vec<u8>>);

impl Operation {
    /// Puts a value under its key, where it replaces an earlier one.
    ///
    /// # Errors
    /// [`InvalidKey`] when the name in the value cannot be part of a key.
    pub fn put(value: &Value) -> Result<Self, InvalidKey> {
        Ok(Self(value.key()?, Some(value.to_bytes())))
    }

    /// Puts bytes that have not been read as a value yet.
    #[must_use]
    pub const fn put_bytes(key: Key, value: Vec<u8>) -> Self {
        Self(key, Some(value))
    }

    /// Ends a value.
    #[must_use]
    pub const fn end(key: Key) -> Self {
        Self(key, None)
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &Key {
        &self.0
    }

    /// The value's bytes; `None` if the operation ends the value.
    #[must_use]
    pub fn value(&self) -> Option<&[u8]> {
        self.1.as_deref()
    }
}

/// The operations of a set, ascending by key, each key once. A set without operations makes a version that is equal to
/// the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operations {
    list: Vec<Operation>,
    bytes: Vec<u8>,
}

impl Operations {
    /// Sorts operations.
    ///
    /// # Errors
    /// [`SetParseError::OperationOrder`] when two have one key, [`SetParseError::TooManyOperations`],
    /// [`SetParseError::OperationsTooLong`].
    pub fn new(mut list: Vec<Operation>) -> Result<Self, SetParseError> {
        list.sort_by(|a, b| a.key().cmp(b.key()));
        let bytes = cbor::to_vec(&list);
        let operations = Self { list, bytes };
        operations.check()?;
        Ok(operations)
    }

    /// Reads the operations of a set. The values are read when the set is applied.
    ///
    /// # Errors
    /// See [`SetParseError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, SetParseError> {
        if bytes.len() > MAX_OPERATION_BYTES {
            return Err(SetParseError::OperationsTooLong);
        }
        let operations = Self {
            list: cbor::from_slice(bytes)?,
            bytes: bytes.to_vec(),
        };
        operations.check()?;
        Ok(operations)
    }

    fn check(&self) -> Result<(), SetParseError> {
        if self.bytes.len() > MAX_OPERATION_BYTES {
            return Err(SetParseError::OperationsTooLong);
        }
        if self.list.len() > MAX_OPERATIONS {
            return Err(SetParseError::TooManyOperations);
        }
        match self.list.windows(2).find(|pair| pair[0].key() >= pair[1].key()) {
            Some(pair) => Err(SetParseError::OperationOrder(pair[1].key().clone())),
            None => Ok(()),
        }
    }

    /// The operations.
    #[must_use]
    pub fn list(&self) -> &[Operation] {
        &self.list
    }

    /// The document's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the document's bytes, which the header carries.
    #[must_use]
    pub fn digest(&self) -> Hash {
        Hash::of(&self.bytes)
    }
}
