//! All values of a version, for a follower that does not replay every set.
//!
//! ```text
//! head, value, value, …        a CBOR sequence (RFC 8742), the values ascending by key
//! ```
//!
//! A sequence is read value by value, so that reading needs little more memory than the values.
//!
//! A snapshot has no signature. It counts when its values lead to the root that the logged set of its version names;
//! then it can only be what replaying the sets gives. It does not show who signed these sets: a follower that starts
//! from it relies on the ledger, which admitted them, and on the auditors, who replay them.

use record::cbor::{self, CborError};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tlog::Hash;
use tlog::checkpoint::Origin;

use crate::header::origin;
use crate::key::Key;
use crate::kind::{TrustKind, Version};
use crate::limits::MAX_SNAPSHOT;
use crate::refused::SetProblem;
use crate::signed::SignedHeader;
use crate::trust_map::TrustMap;

/// The beginning of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotHead {
    /// What is versioned.
    pub kind: TrustKind,
    /// The log.
    #[serde(with = "origin")]
    pub origin: Origin,
    /// The version.
    pub version: Version,
    /// Number of values.
    pub values: u32,
}

/// A value as it travels.
#[derive(Serialize, Deserialize)]
struct Item(Key, Version, #[serde(with = "record::bytes")] Vec<u8>);

/// A snapshot that has been read but not compared with a logged root.
#[derive(Debug, Clone)]
pub struct Snapshot {
    head: SnapshotHead,
    map: TrustMap,
}

/// Why a snapshot is not accepted. Another source may have a sound one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SnapshotError {
    /// The snapshot is longer than [`MAX_SNAPSHOT`].
    #[error("the snapshot is too long")]
    TooLong,
    /// The bytes are not the deterministic CBOR of a snapshot.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// The number of values is not the one that the head names.
    #[error("the snapshot has {found} values, and its head says {said}")]
    Count {
        /// The number in the head.
        said: u32,
        /// The number of values, up to one more than the head says.
        found: u32,
    },
    /// The keys are not ascending.
    #[error("the value of {0} is out of order, or there are two")]
    Order(Key),
    /// No set of the snapshot's versions can have put a value.
    #[error("the value of {0} is of version 0, or of a later version than the snapshot")]
    NoSuchVersion(Key),
    /// The values contradict each other.
    #[error(transparent)]
    Values(#[from] SetProblem),
    /// The snapshot is of another kind, log or version than the set.
    #[error("the snapshot is not of the version that the set makes")]
    OtherVersion,
    /// The values do not lead to the root that the set names.
    #[error("the set names the root {named}, and the snapshot's values lead to {computed}")]
    Root {
        /// The root that the set names.
        named: Hash,
        /// The root of the snapshot's values.
        computed: Hash,
    },
}

impl TrustMap {
    /// Writes all values of this version.
    #[must_use]
    pub fn to_snapshot(&self, origin: &Origin) -> Vec<u8> {
        let mut bytes = cbor::to_vec(&SnapshotHead {
            kind: self.kind(),
            origin: origin.clone(),
            version: self.version(),
            values: u32::try_from(self.len()).unwrap_or(u32::MAX),
        });
        for (key, stored) in self.iter() {
            let item = Item(key.clone(), stored.version(), stored.value().to_bytes());
            bytes.extend(cbor::to_vec(&item));
        }
        bytes
    }
}

impl Snapshot {
    /// Reads a snapshot and checks each value as those of a set are checked.
    ///
    /// # Errors
    /// See [`SnapshotError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, SnapshotError> {
        if bytes.len() > MAX_SNAPSHOT {
            return Err(SnapshotError::TooLong);
        }
        let (head, mut rest) = bytes.split_at(cbor::item_len(bytes)?);
        let head: SnapshotHead = cbor::from_slice(head)?;
        let mut map = TrustMap::unfilled(head.kind, head.version);
        let mut last: Option<Key> = None;
        let mut found = 0;
        while !rest.is_empty() {
            found += 1;
            if found > head.values {
                break;
            }
            let (item, after) = rest.split_at(cbor::item_len(rest)?);
            rest = after;
            let Item(key, version, value) = cbor::from_slice(item)?;
            if last.is_some_and(|last| last >= key) {
                return Err(SnapshotError::Order(key));
            }
            if version == Version::EMPTY || version > head.version {
                return Err(SnapshotError::NoSuchVersion(key));
            }
            map.restore(key.clone(), version, &value)?;
            last = Some(key);
        }
        if found != head.values {
            let said = head.values;
            return Err(SnapshotError::Count { said, found });
        }
        Ok(Self { head, map })
    }

    /// The snapshot's head.
    #[must_use]
    pub const fn head(&self) -> &SnapshotHead {
        &self.head
    }

    /// The root to which the snapshot's values lead.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.map.root()
    }

    /// Accepts the snapshot if its values lead to the root that a set's header names. The caller must know that the
    /// header's entry is in the log, and that no later entry of its kind was left out.
    ///
    /// # Errors
    /// [`SnapshotError::OtherVersion`], [`SnapshotError::Root`], [`SnapshotError::Values`]
    pub fn accept(self, signed: &SignedHeader) -> Result<TrustMap, SnapshotError> {
        let (head, header) = (&self.head, signed.header());
        if (head.kind, &head.origin, head.version) != (header.kind, &header.origin, header.version) {
            return Err(SnapshotError::OtherVersion);
        }
        if self.root() != header.root {
            return Err(SnapshotError::Root {
                named: header.root,
                computed: self.root(),
            });
        }
        Ok(self.map.restored(header.valid_from)?.with_header(signed.digest()))
    }
}
