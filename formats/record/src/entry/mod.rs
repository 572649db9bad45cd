//! The entry: the public leaf of the log (design §4). `docs/entry.cddl` is the normative definition.
//!
//! A leaf is a COSE_Sign1 (`cose.rs` describes the frame) whose payload is a deterministic CBOR map with integer
//! keys. Numbers are big-endian byte strings of fixed width, so that all entries of a shape have one size. Every map
//! begins with 1 version, 2 kind, 3 time, 4 sequence, 5 previous:
//!
//! | shape ([`Body`]) | kinds | further fields | leaf, bytes |
//! | --- | --- | --- | --- |
//! | `Labelled` | intent, outcome, preview, void, inspection | 6 period, 7 label, 8 commitment, 9 refers | 259 |
//! | `Denial` | denial | 8 commitment | 208 |
//! | `Document` | genesis, directory, registry, erasure | 10 digest | 208 |
//! | `Period` | period | 6 period, 11 event, 12 value, 13 start | 227 |
//! | `Map` | map | 14 roots, 15 newest | 193 + 40 per root (1 more from 5 roots on, 2 from 24) |
//! | `Reference` | lost, hold, hold-release, rectification | 9 refers | 183 |
//!
//! All ones in `refers` of a labelled entry mean that it refers to nothing.
//!
//! An entry reveals no person, authority, evidence type or outcome. The ledger stores, hashes and serves its bytes as
//! it received them: [`SignedEntry`] keeps the bytes and never encodes them again.
//!
//! What goes wrong: with a lenient parser one signature has two leaf hashes. Each entry therefore has exactly one
//! encoding ([`SignedEntry::parse`] accepts only what [`SigningKey::sign`] writes), and Ed25519 signatures are
//! verified strictly.
//!
//! [`SigningKey::sign`]: crate::SigningKey::sign

mod signed;
mod wire;

use core::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use tlog::Hash;
use tlog::merkle::Index;

pub use crate::cose::CoseError;
use crate::id::{Commitment, Label, Period, Phase, Sequence, WriterId};
use crate::time::Timestamp;
pub use signed::{SignedEntry, Unsigned, verify_each};

/// The longest leaf, in bytes: the size of a `map` entry with [`MAX_ROOTS`] roots, rounded up.
pub const MAX_LEAF: usize = 4096;
/// The most roots of a `map` entry: map 0 and the open periods.
pub const MAX_ROOTS: usize = 64;
/// The most periods that are open at once, so that a `map` entry has room for all of their roots.
pub const MAX_OPEN_PERIODS: usize = MAX_ROOTS - 1;
/// The shortest time between the starts of two periods, seconds.
pub const MIN_PERIOD: u64 = 86_400;
/// How long before its start a period may be begun in the log, seconds: a day, and an hour for two clocks.
pub const MAX_PERIOD_LEAD: u64 = 90_000;
/// How long after its start a period may still be begun in the log, seconds.
pub const MAX_PERIOD_DELAY: u64 = 86_400;

/// The kind of an entry (design §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Entry 0: the authorities' keys and the first documents, by digest.
    Genesis,
    /// A version of the participants' directory.
    Directory,
    /// A version of the Registerlandkarte.
    Registry,
    /// A period begins, is final, or its secret is destroyed.
    Period,
    /// The roots of map 0 and of the open periods' maps, over all entries before this one.
    Map,
    /// The broker is about to forward an exchange.
    Intent,
    /// Closes exactly one intent.
    Outcome,
    /// The broker refused an exchange because no rule permits it.
    Denial,
    /// The person's decision at the preview.
    Preview,
    /// A label was reserved and not used.
    Void,
    /// An intent cannot be closed because its journal is lost.
    Lost,
    /// Records were opened.
    Inspection,
    /// A record is kept longer than its class prescribes.
    Hold,
    /// A hold is over.
    HoldRelease,
    /// An earlier entry is corrected.
    Rectification,
    /// Records that were due have been erased.
    Erasure,
}

impl Kind {
    /// All kinds, in the order of their codes.
    pub const ALL: [Self; 16] = [
        Self::Genesis,
        Self::Directory,
        Self::Registry,
        Self::Period,
        Self::Map,
        Self::Intent,
        Self::Outcome,
        Self::Denial,
        Self::Preview,
        Self::Void,
        Self::Lost,
        Self::Inspection,
        Self::Hold,
        Self::HoldRelease,
        Self::Rectification,
        Self::Erasure,
    ];

    /// The byte on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The kind with this code; `None` if there is none.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The name in documents and on pages: `hold-release`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Genesis => "genesis",
            Self::Directory => "directory",
            Self::Registry => "registry",
            Self::Period => "period",
            Self::Map => "map",
            Self::Intent => "intent",
            Self::Outcome => "outcome",
            Self::Denial => "denial",
            Self::Preview => "preview",
            Self::Void => "void",
            Self::Lost => "lost",
            Self::Inspection => "inspection",
            Self::Hold => "hold",
            Self::HoldRelease => "hold-release",
            Self::Rectification => "rectification",
            Self::Erasure => "erasure",
        }
    }

    /// Whether entries of this kind have a sealed record.
    #[must_use]
    pub const fn has_record(self) -> bool {
        matches!(
            self,
            Self::Intent | Self::Outcome | Self::Denial | Self::Preview | Self::Void | Self::Inspection
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Defines the kinds of one shape as a type, so that a [`Body`] cannot pair a kind with the fields of another.
macro_rules! kinds {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl From<$name> for Kind {
            fn from(kind: $name) -> Self {
                match kind {
                    $($name::$variant => Self::$variant,)+
                }
            }
        }
    };
}

kinds!(
    /// Kinds that name a public document by its digest.
    DocumentKind {
        /// Entry 0.
        Genesis,
        /// A version of the directory.
        Directory,
        /// A version of the Registerlandkarte.
        Registry,
        /// A report of erased records.
        Erasure,
    }
);

kinds!(
    /// Kinds that concern a person. Their entries have a label and a sealed record.
    LabelledKind {
        /// Refers to nothing.
        Intent,
        /// Refers to its intent.
        Outcome,
        /// The person's decision. Refers to its intent.
        Preview,
        /// Refers to nothing.
        Void,
        /// Refers to the opened entry, if only one was opened.
        Inspection,
    }
);

impl LabelledKind {
    /// The phase of this kind's labels.
    #[must_use]
    pub const fn phase(self) -> Phase {
        match self {
            Self::Intent | Self::Void | Self::Inspection => Phase::Intent,
            Self::Outcome => Phase::Outcome,
            Self::Preview => Phase::Preview,
        }
    }
}

kinds!(
    /// Kinds that only refer to another entry.
    ReferenceKind {
        /// Refers to the intent that cannot be closed.
        Lost,
        /// Refers to the entry whose record is held.
        Hold,
        /// Refers to the hold that ends.
        HoldRelease,
        /// Refers to the entry that is corrected.
        Rectification,
    }
);

/// An event in the life of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodEvent {
    /// The period begins at `start` under this VRF public key. The entry is logged a day ahead.
    Begin {
        /// A Ristretto255 point, 32 bytes (see [`tlog::vrf`]).
        vrf_key: [u8; 32],
        /// When the period becomes the current one.
        start: Timestamp,
    },
    /// The period receives no more labels, so the root of its map is permanent.
    Final {
        /// The map's root.
        root: Hash,
    },
    /// The period's secret is destroyed, so its labels can no longer be computed.
    Destroyed,
}

impl PeriodEvent {
    /// The code of [`PeriodEvent::Begin`].
    pub const BEGIN: u8 = 0;
    /// The code of [`PeriodEvent::Final`].
    pub const FINAL: u8 = 1;
    /// The code of [`PeriodEvent::Destroyed`].
    pub const DESTROYED: u8 = 2;

    /// The event's code in map 0.
    #[must_use]
    pub const fn code(&self) -> u8 {
        match self {
            Self::Begin { .. } => Self::BEGIN,
            Self::Final { .. } => Self::FINAL,
            Self::Destroyed => Self::DESTROYED,
        }
    }
}

/// The key in map 0 of the entry that records the event with this code ([`PeriodEvent::code`]) of `period`.
#[must_use]
pub fn period_label(period: Period, event: u8) -> Label {
    let hash = Sha256::new()
        .chain_update(b"einsicht/period/v1")
        .chain_update(period.0.to_be_bytes())
        .chain_update([event]);
    Label(hash.finalize().into())
}

/// An entry without its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The writer that signed the entry (the `kid`).
    pub writer: WriterId,
    /// Number in the writer's chain.
    pub sequence: Sequence,
    /// The leaf hash of the writer's previous entry; zero for [`Sequence::FIRST`] and for no other.
    pub previous: Hash,
    /// The writer's clock.
    pub time: Timestamp,
    /// The content.
    pub body: Body,
}

/// The entries with the newest change sets before a `map` entry. A reader of one `map` entry so knows that no later
/// version was in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewestSets {
    /// The last `directory` entry.
    pub directory: Index,
    /// The last `registry` entry.
    pub registerlandkarte: Index,
}

/// The content of an entry, by shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Names a public document.
    Document {
        /// The kind of document.
        kind: DocumentKind,
        /// SHA-256 of the document's bytes.
        digest: Hash,
    },
    /// Records an event of a period.
    Period {
        /// The period, from 1.
        period: Period,
        /// The event.
        event: PeriodEvent,
    },
    /// Records the roots of the maps over all entries before this one, and which of them carry the newest change sets.
    Map {
        /// The roots, ascending by period, map 0 first, at most [`MAX_ROOTS`].
        roots: Vec<(Period, Hash)>,
        /// The versions of directory and Registerlandkarte in force.
        newest: NewestSets,
    },
    /// Concerns a person.
    Labelled {
        /// The kind of entry.
        kind: LabelledKind,
        /// The period, from 1.
        period: Period,
        /// The label, unique in its period.
        label: Label,
        /// The commitment to the sealed record.
        commitment: Commitment,
        /// `None` for an intent and a void; the intent for an outcome and a preview.
        refers: Option<Index>,
    },
    /// Records that the broker refused an exchange.
    Denial {
        /// The commitment to the sealed record.
        commitment: Commitment,
    },
    /// Refers to another entry.
    Reference {
        /// The kind of reference.
        kind: ReferenceKind,
        /// The other entry.
        refers: Index,
    },
}

impl Body {
    /// The kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Document { kind, .. } => (*kind).into(),
            Self::Period { .. } => Kind::Period,
            Self::Map { .. } => Kind::Map,
            Self::Labelled { kind, .. } => (*kind).into(),
            Self::Denial { .. } => Kind::Denial,
            Self::Reference { kind, .. } => (*kind).into(),
        }
    }

    /// The label of a labelled entry, or the key of a `period` entry in map 0.
    #[must_use]
    pub fn label(&self) -> Option<Label> {
        self.map_key().map(|(_, label)| label)
    }

    /// The map and the key that the entry is inserted under; `None` if no map contains it.
    #[must_use]
    pub fn map_key(&self) -> Option<(Period, Label)> {
        match self {
            Self::Labelled { period, label, .. } => Some((*period, *label)),
            Self::Period { period, event } => Some((Period::MAP0, period_label(*period, event.code()))),
            _ => None,
        }
    }

    /// The digest of the entry's sealed record, if it has one.
    #[must_use]
    pub const fn commitment(&self) -> Option<Commitment> {
        match self {
            Self::Labelled { commitment, .. } | Self::Denial { commitment } => Some(*commitment),
            _ => None,
        }
    }

    /// The digest of the entry's public document, if it has one.
    #[must_use]
    pub const fn document(&self) -> Option<Hash> {
        match self {
            Self::Document { digest, .. } => Some(*digest),
            _ => None,
        }
    }

    /// The entry that this one closes, corrects, holds or opens, if there is one.
    #[must_use]
    pub const fn refers(&self) -> Option<Index> {
        match self {
            Self::Labelled { refers, .. } => *refers,
            Self::Reference { refers, .. } => Some(*refers),
            _ => None,
        }
    }
}

/// Why bytes are not an entry, or why an entry cannot be written. None of these goes away on a retry: the writer must
/// change the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EntryError {
    /// Longer than [`MAX_LEAF`].
    #[error("the entry is longer than {MAX_LEAF} bytes")]
    TooLong,
    /// The COSE frame is wrong.
    #[error(transparent)]
    Cose(#[from] CoseError),
    /// The payload is not the map of its kind: it is cut off, has another field, order, length or encoding, or bytes
    /// follow it.
    #[error("the payload is not what its kind requires, at the field {0}")]
    Field(&'static str),
    /// The version is unknown.
    #[error("unknown entry version {0}")]
    Version(u8),
    /// The kind is unknown.
    #[error("unknown entry kind {0}")]
    Kind(u8),
    /// The first entry of a chain has no predecessor; every other entry has one.
    #[error("previous must be zero for the writer's first entry and only there")]
    Previous,
    /// Number 0 names map 0 and is not a period.
    #[error("periods are numbered from 1")]
    Period,
    /// An intent or void refers to an entry, or an outcome or preview refers to none.
    #[error("intent and void refer to nothing, outcome and preview to their intent")]
    Refers,
    /// The event of a period is unknown, or has a value or start that does not belong to it.
    #[error("the period's event is unknown or has a value that does not belong to it")]
    Event,
    /// The roots do not ascend from map 0, there are none, or there are too many.
    #[error("roots must be those of map 0 and then of at most 63 periods, ascending")]
    Roots,
}

impl Body {
    /// Checks the rules that the types do not enforce.
    fn check(&self) -> Result<(), EntryError> {
        match self {
            Self::Labelled {
                kind, period, refers, ..
            } => {
                let fits = match kind {
                    LabelledKind::Intent | LabelledKind::Void => refers.is_none(),
                    LabelledKind::Outcome | LabelledKind::Preview => refers.is_some(),
                    LabelledKind::Inspection => true,
                };
                if *period == Period::MAP0 {
                    Err(EntryError::Period)
                } else if fits {
                    Ok(())
                } else {
                    Err(EntryError::Refers)
                }
            }
            Self::Period {
                period: Period::MAP0, ..
            } => Err(EntryError::Period),
            Self::Map { roots, .. } => {
                let from_map0 = roots.first().is_some_and(|(period, _)| *period == Period::MAP0);
                let ascending = roots.windows(2).all(|pair| pair[0].0 < pair[1].0);
                if from_map0 && ascending && roots.len() <= MAX_ROOTS {
                    Ok(())
                } else {
                    Err(EntryError::Roots)
                }
            }
            _ => Ok(()),
        }
    }
}

impl Entry {
    fn check(&self) -> Result<(), EntryError> {
        if (self.sequence == Sequence::FIRST) != (self.previous == Hash([0; 32])) {
            return Err(EntryError::Previous);
        }
        self.body.check()
    }
}

#[cfg(test)]
mod tests;
