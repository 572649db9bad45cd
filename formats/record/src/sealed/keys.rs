//! The keys that a record hangs on: day key → record key → part keys.
//!
//! Whoever holds a key can open everything below it and nothing beside it. Destroying a day key makes all records of its
//! class and day unreadable, copies and backups included.

use core::fmt;

use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::bytes::serde_as_bytes;
use crate::id::Label;
use crate::kdf::hkdf;

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// 32 bytes, wiped when dropped, compared in constant time, not shown by `Debug`.
        #[derive(Clone, Zeroize, ZeroizeOnDrop)]
        pub struct $name(pub [u8; 32]);

        serde_as_bytes!($name, [u8; 32]);

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.ct_eq(&other.0).into()
            }
        }

        impl Eq for $name {}

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

secret!(
    /// The key of a retention class and an expiry day; identity holds it and destroys it after that day.
    DayKey
);

secret!(
    /// The key of one record: all its parts can be opened with it.
    RecordKey
);

secret!(
    /// The key of one part of one record.
    PartKey
);

impl DayKey {
    /// The key of a labelled entry's record: HKDF(day key, salt = label, "einsicht/record/v1").
    #[must_use]
    pub fn record_key(&self, label: &Label) -> RecordKey {
        self.record_key_at(label.as_bytes())
    }

    /// The key under which denials of this class and day are sealed: HKDF(day key, "denial"), itself used as a day key.
    #[must_use]
    pub fn denial_key(&self) -> Self {
        Self(hkdf(None, &self.0, &[b"denial"]))
    }

    /// The key of a denial's record, with the header's salt in place of the label. Called on [`DayKey::denial_key`].
    #[must_use]
    pub fn salted_record_key(&self, salt: &[u8; 32]) -> RecordKey {
        self.record_key_at(salt)
    }

    fn record_key_at(&self, address: &[u8; 32]) -> RecordKey {
        RecordKey(hkdf(Some(address), &self.0, &[b"einsicht/record/v1"]))
    }
}

impl RecordKey {
    /// The key of one part: HKDF(record key, part name).
    #[must_use]
    pub fn part(&self, name: PartName) -> PartKey {
        PartKey(hkdf(None, &self.0, &[name.as_str().as_bytes()]))
    }
}

impl PartKey {
    /// What a part shows of its key, so that a ciphertext cannot be opened under two keys to two texts.
    pub(super) fn commit_value(&self) -> [u8; 32] {
        hkdf(None, &self.0, &[b"commit"])
    }
}

/// The three parts of a record, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartName {
    /// For both parties, the citizen and supervision.
    Shared,
    /// For the citizen and supervision, not for the requester.
    Citizen,
    /// Inside, sealed once more to the supervision key (HPKE).
    Supervision,
}

impl PartName {
    /// All parts, in their order in the record.
    pub const ALL: [Self; 3] = [Self::Shared, Self::Citizen, Self::Supervision];

    /// The name that the part's key is derived with.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Citizen => "citizen",
            Self::Supervision => "supervision",
        }
    }
}
