//! The payload's bytes. Every field has one position, one head and one length, so the reader compares with what it
//! expects.

use tlog::Hash;
use tlog::merkle::Index;

use super::{
    Body, DocumentKind, Entry, EntryError, Kind, LabelledKind, MAX_ROOTS, NewestSets, PeriodEvent, ReferenceKind,
};
use crate::cbor::{put_bytes, put_head};
use crate::id::{Commitment, Label, Period, Sequence, WriterId};
use crate::time::Timestamp;

/// The only version.
const VERSION: u8 = 1;
/// `refers` of an entry that refers to nothing. It is not an index, because indices are below 2^63.
const NOTHING: [u8; 8] = [0xff; 8];
const ZERO: [u8; 32] = [0; 32];

/// Keys of the payload's map.
mod key {
    pub(super) const VERSION: u8 = 1;
    pub(super) const KIND: u8 = 2;
    pub(super) const TIME: u8 = 3;
    pub(super) const SEQUENCE: u8 = 4;
    pub(super) const PREVIOUS: u8 = 5;
    pub(super) const PERIOD: u8 = 6;
    pub(super) const LABEL: u8 = 7;
    pub(super) const COMMITMENT: u8 = 8;
    pub(super) const REFERS: u8 = 9;
    pub(super) const DIGEST: u8 = 10;
    pub(super) const EVENT: u8 = 11;
    pub(super) const VALUE: u8 = 12;
    pub(super) const START: u8 = 13;
    pub(super) const ROOTS: u8 = 14;
    pub(super) const NEWEST: u8 = 15;
}

/// The number of fields in the map of a kind.
const fn fields(kind: Kind) -> u64 {
    match kind {
        Kind::Intent | Kind::Outcome | Kind::Preview | Kind::Void | Kind::Inspection | Kind::Period => 9,
        Kind::Map => 7,
        _ => 6,
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn field(&mut self, key: u8, bytes: &[u8]) {
        put_head(&mut self.0, 0, u64::from(key));
        put_bytes(&mut self.0, bytes);
    }

    fn roots(&mut self, roots: &[(Period, Hash)]) {
        put_head(&mut self.0, 0, u64::from(key::ROOTS));
        put_head(&mut self.0, 4, roots.len() as u64);
        for (period, root) in roots {
            put_head(&mut self.0, 4, 2);
            put_bytes(&mut self.0, &period.0.to_be_bytes());
            put_bytes(&mut self.0, root.as_bytes());
        }
    }

    fn newest(&mut self, newest: NewestSets) {
        let NewestSets {
            directory,
            registerlandkarte,
        } = newest;
        let both = [directory, registerlandkarte].map(|index| index.get().to_be_bytes());
        self.field(key::NEWEST, both.as_flattened());
    }
}

/// The payload of an entry.
pub(super) fn payload(entry: &Entry) -> Vec<u8> {
    let kind = entry.body.kind();
    let mut out = Writer(Vec::with_capacity(160));
    put_head(&mut out.0, 5, fields(kind));
    out.field(key::VERSION, &[VERSION]);
    out.field(key::KIND, &[kind.code()]);
    out.field(key::TIME, &entry.time.0.to_be_bytes());
    out.field(key::SEQUENCE, &entry.sequence.0.to_be_bytes());
    out.field(key::PREVIOUS, entry.previous.as_bytes());
    match &entry.body {
        Body::Document { digest, .. } => out.field(key::DIGEST, digest.as_bytes()),
        Body::Period { period, event } => {
            let (value, start) = match event {
                PeriodEvent::Begin { vrf_key, start } => (vrf_key, start.0),
                PeriodEvent::Final { root } => (root.as_bytes(), 0),
                PeriodEvent::Destroyed => (&ZERO, 0),
            };
            out.field(key::PERIOD, &period.0.to_be_bytes());
            out.field(key::EVENT, &[event.code()]);
            out.field(key::VALUE, value);
            out.field(key::START, &start.to_be_bytes());
        }
        Body::Map { roots, newest } => {
            out.roots(roots);
            out.newest(*newest);
        }
        Body::Labelled {
            period,
            label,
            commitment,
            refers,
            ..
        } => {
            out.field(key::PERIOD, &period.0.to_be_bytes());
            out.field(key::LABEL, label.as_bytes());
            out.field(key::COMMITMENT, commitment.0.as_bytes());
            out.field(key::REFERS, &refers.map_or(NOTHING, |index| index.get().to_be_bytes()));
        }
        Body::Denial { commitment } => out.field(key::COMMITMENT, commitment.0.as_bytes()),
        Body::Reference { refers, .. } => out.field(key::REFERS, &refers.get().to_be_bytes()),
    }
    out.0
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    /// Reads exactly this head.
    fn head(&mut self, major: u8, argument: u64, name: &'static str) -> Result<(), EntryError> {
        let mut expected = Vec::with_capacity(9);
        put_head(&mut expected, major, argument);
        self.0 = self
            .0
            .strip_prefix(expected.as_slice())
            .ok_or(EntryError::Field(name))?;
        Ok(())
    }

    /// Reads a byte string of exactly `N` bytes.
    fn bytes<const N: usize>(&mut self, name: &'static str) -> Result<[u8; N], EntryError> {
        self.head(2, N as u64, name)?;
        let (bytes, rest) = self.0.split_first_chunk::<N>().ok_or(EntryError::Field(name))?;
        self.0 = rest;
        Ok(*bytes)
    }

    /// Reads exactly this key and a byte string of exactly `N` bytes.
    fn field<const N: usize>(&mut self, key: u8, name: &'static str) -> Result<[u8; N], EntryError> {
        self.head(0, u64::from(key), name)?;
        self.bytes(name)
    }

    fn hash(&mut self, key: u8, name: &'static str) -> Result<Hash, EntryError> {
        self.field(key, name).map(Hash)
    }

    fn number(&mut self, key: u8, name: &'static str) -> Result<u64, EntryError> {
        self.field(key, name).map(u64::from_be_bytes)
    }

    fn period(&mut self) -> Result<Period, EntryError> {
        self.field(key::PERIOD, "period")
            .map(|bytes| Period(u32::from_be_bytes(bytes)))
    }

    fn index(&mut self) -> Result<Index, EntryError> {
        Index::new(self.number(key::REFERS, "refers")?).map_err(|_| EntryError::Field("refers"))
    }

    fn roots(&mut self) -> Result<Vec<(Period, Hash)>, EntryError> {
        self.head(0, u64::from(key::ROOTS), "roots")?;
        let (major, count, head_len) = crate::cbor::head(self.0).map_err(|_| EntryError::Field("roots"))?;
        let count = usize::try_from(count).map_err(|_| EntryError::Roots)?;
        if major != 4 {
            return Err(EntryError::Field("roots"));
        }
        if count > MAX_ROOTS {
            return Err(EntryError::Roots);
        }
        self.0 = &self.0[head_len..];
        let mut roots = Vec::with_capacity(count);
        for _ in 0..count {
            self.head(4, 2, "roots")?;
            let period = Period(u32::from_be_bytes(self.bytes("roots")?));
            roots.push((period, Hash(self.bytes("roots")?)));
        }
        Ok(roots)
    }

    fn newest(&mut self) -> Result<NewestSets, EntryError> {
        let both: [u8; 16] = self.field(key::NEWEST, "newest")?;
        let index = |at: usize| {
            let (_, from) = both.split_at(at);
            let number = from.first_chunk().map(|bytes| u64::from_be_bytes(*bytes));
            number
                .and_then(|number| Index::new(number).ok())
                .ok_or(EntryError::Field("newest"))
        };
        Ok(NewestSets {
            directory: index(0)?,
            registerlandkarte: index(8)?,
        })
    }
}

/// Reads exactly what [`payload`] writes and refuses everything else.
pub(super) fn parse(writer: WriterId, payload: &[u8]) -> Result<Entry, EntryError> {
    let (first, rest) = payload.split_first().ok_or(EntryError::Field("map"))?;
    let mut reader = Reader(rest);
    let [version] = reader.field(key::VERSION, "version")?;
    if version != VERSION {
        return Err(EntryError::Version(version));
    }
    let [code] = reader.field(key::KIND, "kind")?;
    let kind = Kind::from_code(code).ok_or(EntryError::Kind(code))?;
    let mut expected_first = Vec::with_capacity(1);
    put_head(&mut expected_first, 5, fields(kind));
    if expected_first != [*first] {
        return Err(EntryError::Field("map"));
    }
    let time = Timestamp(reader.number(key::TIME, "time")?);
    let sequence = Sequence(reader.number(key::SEQUENCE, "sequence")?);
    let previous = reader.hash(key::PREVIOUS, "previous")?;
    let body = body(kind, &mut reader)?;
    if !reader.0.is_empty() {
        return Err(EntryError::Field("end"));
    }
    Ok(Entry {
        writer,
        sequence,
        previous,
        time,
        body,
    })
}

fn body(kind: Kind, reader: &mut Reader<'_>) -> Result<Body, EntryError> {
    match kind {
        Kind::Genesis => document(DocumentKind::Genesis, reader),
        Kind::Directory => document(DocumentKind::Directory, reader),
        Kind::Registry => document(DocumentKind::Registry, reader),
        Kind::Erasure => document(DocumentKind::Erasure, reader),
        Kind::Period => Ok(Body::Period {
            period: reader.period()?,
            event: event(reader)?,
        }),
        Kind::Map => Ok(Body::Map {
            roots: reader.roots()?,
            newest: reader.newest()?,
        }),
        Kind::Intent => labelled(LabelledKind::Intent, reader),
        Kind::Outcome => labelled(LabelledKind::Outcome, reader),
        Kind::Preview => labelled(LabelledKind::Preview, reader),
        Kind::Void => labelled(LabelledKind::Void, reader),
        Kind::Inspection => labelled(LabelledKind::Inspection, reader),
        Kind::Denial => Ok(Body::Denial {
            commitment: Commitment(reader.hash(key::COMMITMENT, "commitment")?),
        }),
        Kind::Lost => reference(ReferenceKind::Lost, reader),
        Kind::Hold => reference(ReferenceKind::Hold, reader),
        Kind::HoldRelease => reference(ReferenceKind::HoldRelease, reader),
        Kind::Rectification => reference(ReferenceKind::Rectification, reader),
    }
}

fn document(kind: DocumentKind, reader: &mut Reader<'_>) -> Result<Body, EntryError> {
    Ok(Body::Document {
        kind,
        digest: reader.hash(key::DIGEST, "digest")?,
    })
}

fn reference(kind: ReferenceKind, reader: &mut Reader<'_>) -> Result<Body, EntryError> {
    Ok(Body::Reference {
        kind,
        refers: reader.index()?,
    })
}

fn labelled(kind: LabelledKind, reader: &mut Reader<'_>) -> Result<Body, EntryError> {
    let period = reader.period()?;
    let label = Label(reader.field(key::LABEL, "label")?);
    let commitment = Commitment(reader.hash(key::COMMITMENT, "commitment")?);
    let refers = match reader.field(key::REFERS, "refers")? {
        NOTHING => None,
        bytes => Some(Index::new(u64::from_be_bytes(bytes)).map_err(|_| EntryError::Field("refers"))?),
    };
    Ok(Body::Labelled {
        kind,
        period,
        label,
        commitment,
        refers,
    })
}

fn event(reader: &mut Reader<'_>) -> Result<PeriodEvent, EntryError> {
    let [code] = reader.field(key::EVENT, "event")?;
    let value: [u8; 32] = reader.field(key::VALUE, "value")?;
    let start = reader.number(key::START, "start")?;
    match (code, start) {
        (0, _) => Ok(PeriodEvent::Begin {
            vrf_key: value,
            start: Timestamp(start),
        }),
        (1, 0) => Ok(PeriodEvent::Final { root: Hash(value) }),
        (2, 0) if value == ZERO => Ok(PeriodEvent::Destroyed),
        _ => Err(EntryError::Event),
    }
}
