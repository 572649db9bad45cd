//! The entry: the public leaf of the log (design §4). Normative form: `docs/entry.cddl`.
//!
//! A leaf is a COSE_Sign1 (see `cose.rs` for its frame) whose payload is a deterministic CBOR map with integer keys. Numbers
//! are byte strings of fixed width, big endian, so that every entry of a shape has one size:
//!
//! | shape ([`Body`]) | kinds | fields beside 1 version, 2 kind, 3 time, 4 sequence, 5 previous | leaf, bytes |
//! | --- | --- | --- | --- |
//! | `Labelled` | intent, outcome, preview, void, inspection | 6 period, 7 label, 8 commitment, 9 refers (all ones: none) | 259 |
//! | `Denial` | denial | 8 commitment | 208 |
//! | `Document` | genesis, directory, registry, erasure | 10 digest | 208 |
//! | `Period` | period | 6 period, 11 event, 12 value, 13 start | 227 |
//! | `Map` | map | 14 roots | 175 + 40 per root (1 more from 5 roots on, 2 from 24) |
//! | `Reference` | lost, hold, hold-release, rectification | 9 refers | 183 |
//!
//! An entry says nothing of persons, authorities, evidence types or outcomes. Its bytes are stored, hashed and served as they
//! came in: [`SignedEntry`] keeps them and never writes them again.
//!
//! What goes wrong elsewhere: a lenient parser gives one signature two leaf hashes. Here each entry has exactly one text
//! ([`SignedEntry::parse`] accepts only what [`SigningKey::sign`] writes), and Ed25519 is verified strictly.
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
use crate::id::{Commitment, Label, Period, Sequence, WriterId};
use crate::time::Timestamp;
pub use signed::{SignedEntry, Unsigned, verify_each};

/// The longest leaf, in bytes: what a `map` entry with [`MAX_ROOTS`] roots needs, rounded up.
pub const MAX_LEAF: usize = 4096;
/// How many roots a `map` entry can bind: map 0 and the open periods.
pub const MAX_ROOTS: usize = 64;

/// What an entry is about (design §4).
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
    /// Roots of map 0 and of the open periods' maps over all entries before this one.
    Map,
    /// An exchange is about to be forwarded.
    Intent,
    /// Closes exactly one intent.
    Outcome,
    /// The abstract permission was refused.
    Denial,
    /// The person's decision at the preview.
    Preview,
    /// A label was handed out and not used.
    Void,
    /// An intent cannot be closed, its journal is gone.
    Lost,
    /// Someone opened records.
    Inspection,
    /// A record is kept longer than its class says.
    Hold,
    /// A hold is over.
    HoldRelease,
    /// An earlier entry is corrected.
    Rectification,
    /// What was due has been erased.
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

    /// The kind of a byte.
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

    /// Whether a sealed record belongs to every entry of this kind.
    #[must_use]
    pub const fn has_record(self) -> bool {
        matches!(
            self,
            Self::Intent | Self::Outcome | Self::Denial | Self::Preview | Self::Void | Self::Inspection
        )
    }

    /// Whether a public document belongs to every entry of this kind.
    #[must_use]
    pub const fn has_document(self) -> bool {
        matches!(self, Self::Genesis | Self::Directory | Self::Registry | Self::Erasure)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Kinds of one shape, as a type, so that a [`Body`] cannot pair a kind with fields that it does not have.
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
        /// A report of what was erased.
        Erasure,
    }
);

kinds!(
    /// Kinds that concern a person: under a label, with a sealed record.
    LabelledKind {
        /// Refers to nothing.
        Intent,
        /// Refers to its intent.
        Outcome,
        /// The person's decision.
        Preview,
        /// Refers to nothing.
        Void,
        /// Refers to the entry that was opened, if it was a single one.
        Inspection,
    }
);

kinds!(
    /// Kinds that only refer to another entry.
    ReferenceKind {
        /// The intent that cannot be closed.
        Lost,
        /// The entry whose record is held.
        Hold,
        /// The hold that ends.
        HoldRelease,
        /// The entry that is corrected.
        Rectification,
    }
);

/// What happens to a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodEvent {
    /// It begins at `start`, under this VRF public key; logged a day ahead.
    Begin {
        /// Ristretto255 point, 32 bytes (see [`tlog::vrf`]).
        vrf_key: [u8; 32],
        /// When it becomes the current period.
        start: Timestamp,
    },
    /// No more labels: the root of its map for good.
    Final {
        /// The map's root.
        root: Hash,
    },
    /// Its secret is gone: no label can be computed any more.
    Destroyed,
}

impl PeriodEvent {
    /// Code of the begin.
    pub const BEGIN: u8 = 0;
    /// Code of the final root.
    pub const FINAL: u8 = 1;
    /// Code of the destruction.
    pub const DESTROYED: u8 = 2;

    /// Its code in map 0.
    #[must_use]
    pub const fn code(&self) -> u8 {
        match self {
            Self::Begin { .. } => Self::BEGIN,
            Self::Final { .. } => Self::FINAL,
            Self::Destroyed => Self::DESTROYED,
        }
    }
}

/// The key in map 0 of the entry that says the event of this code ([`PeriodEvent::code`]) of `period`.
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
    /// Who signed: the `kid`.
    pub writer: WriterId,
    /// Number in the writer's chain.
    pub sequence: Sequence,
    /// Leaf hash of the writer's previous entry; zero for [`Sequence::FIRST`] and only there.
    pub previous: Hash,
    /// The writer's clock.
    pub time: Timestamp,
    /// What it says.
    pub body: Body,
}

/// What an entry says, by shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A public document.
    Document {
        /// Which.
        kind: DocumentKind,
        /// SHA-256 of the document's bytes.
        digest: Hash,
    },
    /// A period's life.
    Period {
        /// From 1.
        period: Period,
        /// What happens to it.
        event: PeriodEvent,
    },
    /// Roots of the maps over all entries before this one.
    Map {
        /// Ascending by period, map 0 first, at most [`MAX_ROOTS`].
        roots: Vec<(Period, Hash)>,
    },
    /// What concerns a person.
    Labelled {
        /// Which.
        kind: LabelledKind,
        /// From 1.
        period: Period,
        /// Unique in its period.
        label: Label,
        /// Of the sealed record.
        commitment: Commitment,
        /// None for intent and void, the intent for outcome.
        refers: Option<Index>,
    },
    /// A refused permission.
    Denial {
        /// Of the sealed record.
        commitment: Commitment,
    },
    /// Something about another entry.
    Reference {
        /// Which.
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

    /// The label: of a labelled entry, and that of a `period` entry in map 0.
    #[must_use]
    pub fn label(&self) -> Option<Label> {
        self.map_key().map(|(_, label)| label)
    }

    /// Under which key of which map the entry stands; none if in no map.
    #[must_use]
    pub fn map_key(&self) -> Option<(Period, Label)> {
        match self {
            Self::Labelled { period, label, .. } => Some((*period, *label)),
            Self::Period { period, event } => Some((Period::MAP0, period_label(*period, event.code()))),
            _ => None,
        }
    }

    /// The digest of the sealed record that belongs to the entry.
    #[must_use]
    pub const fn commitment(&self) -> Option<Commitment> {
        match self {
            Self::Labelled { commitment, .. } | Self::Denial { commitment } => Some(*commitment),
            _ => None,
        }
    }

    /// The digest of the public document that belongs to the entry.
    #[must_use]
    pub const fn document(&self) -> Option<Hash> {
        match self {
            Self::Document { digest, .. } => Some(*digest),
            _ => None,
        }
    }

    /// The entry that this one closes, corrects, holds or opens.
    #[must_use]
    pub const fn refers(&self) -> Option<Index> {
        match self {
            Self::Labelled { refers, .. } => *refers,
            Self::Reference { refers, .. } => Some(*refers),
            _ => None,
        }
    }
}

/// Why bytes are no entry, or an entry cannot be written. All of these are final: the writer must change the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EntryError {
    /// Longer than [`MAX_LEAF`].
    #[error("the entry is longer than {MAX_LEAF} bytes")]
    TooLong,
    /// The COSE frame is wrong.
    #[error(transparent)]
    Cose(#[from] CoseError),
    /// The payload is not the map of its kind: cut off, another field, order, length or encoding, or something behind it.
    #[error("the payload is not what its kind requires, at the field {0}")]
    Field(&'static str),
    /// A version that is not known here.
    #[error("unknown entry version {0}")]
    Version(u8),
    /// A kind that is not known here.
    #[error("unknown entry kind {0}")]
    Kind(u8),
    /// The first entry of a chain has no predecessor, every other one has.
    #[error("previous must be zero for the writer's first entry and only there")]
    Previous,
    /// Period 0 is map 0, no period.
    #[error("periods are numbered from 1")]
    Period,
    /// An intent or void refers to something, or an outcome to nothing.
    #[error("intent and void refer to nothing, an outcome to its intent")]
    Refers,
    /// An unknown event of a period, or a value or start that the event does not have.
    #[error("the period's event is unknown or has a value that does not belong to it")]
    Event,
    /// Roots not ascending from map 0, none, or too many.
    #[error("roots must be those of map 0 and then of at most 63 periods, ascending")]
    Roots,
}

impl Body {
    /// The rules that the types do not already enforce.
    fn check(&self) -> Result<(), EntryError> {
        match self {
            Self::Labelled {
                kind, period, refers, ..
            } => {
                let fits = match kind {
                    LabelledKind::Intent | LabelledKind::Void => refers.is_none(),
                    LabelledKind::Outcome => refers.is_some(),
                    LabelledKind::Preview | LabelledKind::Inspection => true,
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
            Self::Map { roots } => {
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
