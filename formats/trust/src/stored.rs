//! A value of a version.

use tlog::Hash;
use tlog::merkle::Index;

use crate::kind::Version;
use crate::value::Value;

/// A value, and the version whose set put it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredValue {
    version: Version,
    digest: Hash,
    value: Value,
}

impl StoredValue {
    /// A value that the set of `version` has put, with its CBOR.
    pub(crate) fn new(version: Version, bytes: &[u8], value: Value) -> Self {
        Self {
            version,
            digest: Hash::of(bytes),
            value,
        }
    }

    /// The version whose set put the value.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// SHA-256 of the value's CBOR.
    #[must_use]
    pub const fn digest(&self) -> Hash {
        self.digest
    }

    /// The value.
    #[must_use]
    pub const fn value(&self) -> &Value {
        &self.value
    }

    /// What the authenticated map has for the value's key.
    pub(crate) fn in_map(&self) -> tlog::map::Value {
        in_map(self.version, self.digest)
    }
}

/// The authenticated map's value: `u64 version ‖ SHA-256(CBOR of the value)`.
pub(crate) fn in_map(version: Version, digest: Hash) -> tlog::map::Value {
    tlog::map::Value {
        index: Index::from(version.0),
        leaf: digest,
    }
}
