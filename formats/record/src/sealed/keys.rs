//! The keys of a record: day key → record key → part keys.
//!
//! The holder of a key can derive every key below it and no other. Destroying a day key makes all records of its
//! class and day unreadable, including copies and backups.

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
        /// It has 32 bytes, is wiped when dropped, is compared in constant time and is not printed by `Debug`.
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
    /// The key of a retention class and an expiry day. Identity holds it and destroys it after that day.
    DayKey
);

secret!(
    /// The key of one record. It opens all parts of the record.
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

    /// The key that denials of this class and day are sealed under: HKDF(day key, "denial"). It is used like a day key.
    #[must_use]
    pub fn denial_key(&self) -> Self {
        Self(hkdf(None, &self.0, &[b"denial"]))
    }

    /// The key of a denial's record, derived with the header's salt in place of the label. Call it on
    /// [`DayKey::denial_key`].
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
    /// The public commitment to the key in a part. It prevents a ciphertext from opening under two keys to two texts.
    pub(super) fn commit_value(&self) -> [u8; 32] {
        hkdf(None, &self.0, &[b"commit"])
    }
}

/// The three parts of a record, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartName {
    /// Readable by both parties, the citizen and supervision.
    Shared,
    /// Readable by the citizen and supervision, but not by the requester.
    Citizen,
    /// Readable by supervision only: the content is also sealed to the supervision key (HPKE).
    Supervision,
}

impl PartName {
    /// All parts, in the order of the record.
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
