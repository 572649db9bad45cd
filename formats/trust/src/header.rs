//! The header of a change set: what authorities sign.
//!
//! It names the operations by their digest, so that a reader who needs the root alone, such as a citizen's browser with
//! one proved value, does not need the operations.

use record::Timestamp;
use record::cbor;
use serde::{Deserialize, Serialize};
use text::Paragraph;
use tlog::Hash;
use tlog::checkpoint::Origin;

use crate::error::SetParseError;
use crate::kind::{TrustKind, Version};

/// What a change set says, without the operations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetHeader {
    /// What is changed.
    pub kind: TrustKind,
    /// The log that the set is for.
    #[serde(with = "origin")]
    pub origin: Origin,
    /// The version that the set makes. It starts from the version before.
    pub version: Version,
    /// When the authorities mean the version to take effect. It is not before that of the version before, and a log
    /// admits the set no earlier. The version takes effect for the entries after the set's own.
    pub valid_from: Timestamp,
    /// Why the change is made.
    pub reason: Paragraph,
    /// The digest of the operations ([`crate::Operations::digest`]).
    #[serde(with = "record::bytes")]
    pub operations: Hash,
    /// The root of the authenticated map after the change.
    #[serde(with = "record::bytes")]
    pub root: Hash,
}

impl SetHeader {
    /// Reads a header.
    ///
    /// # Errors
    /// [`SetParseError::Cbor`], [`SetParseError::EmptyVersion`]
    pub fn parse(bytes: &[u8]) -> Result<Self, SetParseError> {
        let header: Self = cbor::from_slice(bytes)?;
        if header.version == Version::EMPTY {
            return Err(SetParseError::EmptyVersion);
        }
        Ok(header)
    }

    /// The deterministic CBOR, over which authorities sign.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::to_vec(self)
    }
}

/// The encoding of an origin as text.
pub(crate) mod origin {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};
    use tlog::checkpoint::Origin;

    pub(crate) fn serialize<S: Serializer>(origin: &Origin, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(origin.as_str())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Origin, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
