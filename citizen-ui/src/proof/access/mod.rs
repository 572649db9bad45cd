//! One access, which the list shows as one row.
//!
//! An exchange has two entries: the intent, which is written before any data moves, and the outcome, which closes the
//! intent. Where the person decided about the evidence at a preview, it has a third. Together they are one access. An
//! inspection (a reader opened records), a release (identity gives an authority base data) and an unused number have
//! one entry each.
//!
//! The server and the browser make an [`Access`] in the same way, from opened entries that belong together, and
//! everything that a page shows comes from it. If unrelated entries could be combined, a page could show a false access
//! although each entry is proved.
//!
//! No key opens a record that has expired. The access is still shown, with its time alone. An outcome may expire a day
//! later than its intent; its record repeats everything in the intent's record.

mod ending;

pub use ending::{AccessKind, Ending};

use proof::opening::Proved;
use record::{
    CitizenPart, ExchangeRecord, ExpiryDay, InspectionRecord, Kind, LabelledKind, ReleaseRecord, SharedPart, VoidRecord,
};

/// An entry whose record has been opened.
#[derive(Clone, Debug)]
pub struct OpenedEntry {
    /// Index and time of the entry.
    pub stamp: EntryStamp,
    /// Kind of the entry.
    pub kind: Kind,
    /// Log index of the entry that it closes.
    pub refers: Option<u64>,
    /// The part of the record for both authorities, the citizen and supervision; `None` once the record has expired.
    pub shared: Option<SharedPart>,
    /// The part of the record for the citizen.
    pub citizen: Option<CitizenPart>,
    /// The record expires at the end of this day.
    pub expiry: ExpiryDay,
}

impl OpenedEntry {
    /// The entry of a verified opening.
    pub fn of(proved: Proved) -> Self {
        Self {
            stamp: EntryStamp {
                index: proved.index.get(),
                time: proved.time.seconds(),
            },
            kind: proved.kind,
            refers: proved.refers.map(|index| index.get()),
            shared: proved.shared,
            citizen: proved.citizen,
            expiry: proved.expiry,
        }
    }
}

/// Index and time of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryStamp {
    /// Log index.
    pub index: u64,
    /// POSIX seconds by the writer's clock.
    pub time: u64,
}

/// One access.
#[derive(Clone, Debug)]
pub enum Access {
    /// An authority requested evidence.
    Exchange(Box<Exchange>),
    /// A reader opened records.
    Inspection {
        /// The entry.
        stamp: EntryStamp,
        /// Its record.
        record: InspectionRecord,
    },
    /// Identity released base data to an authority.
    Release {
        /// The entry.
        stamp: EntryStamp,
        /// Its record.
        record: Box<ReleaseRecord>,
    },
    /// Identity issued a number for an exchange that never began.
    Unused {
        /// The entry.
        stamp: EntryStamp,
        /// Its record.
        record: VoidRecord,
    },
    /// An access whose record has expired and cannot be opened.
    Expired {
        /// `Intent`, `Inspection` or `Void`.
        kind: Kind,
        /// The entry.
        stamp: EntryStamp,
        /// The entry that closes it, if it is a closed intent.
        outcome: Option<EntryStamp>,
        /// The person's decision at the preview, if there was one.
        preview: Option<EntryStamp>,
        /// The record expired at the end of this day.
        expiry: ExpiryDay,
    },
}

/// An exchange: its intent, its outcome if there is one, and the decision at its preview if there was one.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The entry that was written before any data moved.
    pub intent: EntryStamp,
    /// The entry that closes it.
    pub outcome: Option<EntryStamp>,
    /// The person's decision at the preview.
    pub preview: Option<EntryStamp>,
    /// The newest entry's record: the preview's, the outcome's, or the intent's while there is no outcome.
    pub record: ExchangeRecord,
    /// The internal reason of the outcome, which the requester does not receive.
    pub internal_reason: Option<String>,
}

/// Why entries do not make one access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The kinds of entry and record differ, or the entries are not an intent and its outcome.
    #[error("entries of these kinds do not make one access")]
    Kinds,
    /// The outcome closes another intent.
    #[error("the outcome closes another entry")]
    Refers,
    /// The records of intent and outcome describe different exchanges.
    #[error("intent and outcome describe different exchanges")]
    Content,
}

impl Access {
    /// Makes an access of its entries: a single entry, or an intent, its outcome, and the preview of the outcome's
    /// evidence, in this order.
    ///
    /// # Errors
    /// A [`Mismatch`] if the entries do not belong together.
    pub fn of(opened: Vec<OpenedEntry>) -> Result<Self, Mismatch> {
        let mut opened = opened.into_iter();
        let first = opened.next().ok_or(Mismatch::Kinds)?;
        let later: Vec<OpenedEntry> = opened.collect();
        check_later(&first, &later)?;
        match (first.kind, &first.shared) {
            (Kind::Intent, Some(SharedPart::Exchange(_))) => Self::exchange(first, later),
            (Kind::Intent, None) if later.iter().any(|entry| entry.shared.is_some()) => Self::exchange(first, later),
            (Kind::Inspection, Some(SharedPart::Inspection(record))) => Ok(Self::Inspection {
                stamp: first.stamp,
                record: record.clone(),
            }),
            (Kind::Inspection, Some(SharedPart::Release(record))) => Ok(Self::Release {
                stamp: first.stamp,
                record: record.clone(),
            }),
            (Kind::Void, Some(SharedPart::Void(record))) => Ok(Self::Unused {
                stamp: first.stamp,
                record: record.clone(),
            }),
            (Kind::Intent | Kind::Inspection | Kind::Void, None) => Ok(Self::expired(&first, &later)),
            _ => Err(Mismatch::Kinds),
        }
    }

    fn expired(first: &OpenedEntry, later: &[OpenedEntry]) -> Self {
        let expiry = later.iter().map(|entry| entry.expiry).max();
        Self::Expired {
            kind: first.kind,
            stamp: first.stamp,
            outcome: stamp_of(later, Kind::Outcome),
            preview: stamp_of(later, Kind::Preview),
            expiry: expiry.map_or(first.expiry, |expiry| expiry.max(first.expiry)),
        }
    }

    /// An exchange with at least one open record. The newest record has everything; the others must agree with it.
    fn exchange(first: OpenedEntry, later: Vec<OpenedEntry>) -> Result<Self, Mismatch> {
        let intent = first.stamp;
        let (outcome, preview) = (stamp_of(&later, Kind::Outcome), stamp_of(&later, Kind::Preview));
        let (mut newest, mut internal_reason): (Option<ExchangeRecord>, Option<String>) = (None, None);
        for entry in std::iter::once(first).chain(later) {
            internal_reason = reason(entry.citizen).or(internal_reason);
            let record = match entry.shared {
                None if newest.is_none() => continue,
                Some(SharedPart::Exchange(record)) if fits(&record, entry.kind) => *record,
                _ => return Err(Mismatch::Kinds),
            };
            if newest.is_some_and(|earlier| !same_exchange(&earlier, &record)) {
                return Err(Mismatch::Content);
            }
            newest = Some(record);
        }
        Ok(Self::Exchange(Box::new(Exchange {
            intent,
            outcome,
            preview,
            record: newest.ok_or(Mismatch::Kinds)?,
            internal_reason,
        })))
    }

    /// The entry that identifies the access: intent, inspection or void.
    pub fn first(&self) -> EntryStamp {
        match self {
            Self::Exchange(exchange) => exchange.intent,
            Self::Inspection { stamp, .. }
            | Self::Release { stamp, .. }
            | Self::Unused { stamp, .. }
            | Self::Expired { stamp, .. } => *stamp,
        }
    }

    /// The log indices of all entries of the access, first entry first.
    pub fn indices(&self) -> Vec<u64> {
        self.stamps().iter().map(|stamp| stamp.index).collect()
    }

    /// All entries of the access, first entry first.
    pub fn stamps(&self) -> Vec<EntryStamp> {
        match self {
            Self::Exchange(exchange) => {
                let later = exchange.outcome.into_iter().chain(exchange.preview);
                std::iter::once(exchange.intent).chain(later).collect()
            }
            Self::Expired {
                stamp,
                outcome,
                preview,
                ..
            } => std::iter::once(*stamp).chain(*outcome).chain(*preview).collect(),
            Self::Inspection { stamp, .. } | Self::Release { stamp, .. } | Self::Unused { stamp, .. } => vec![*stamp],
        }
    }
}

/// Whether the later entries are an outcome, or an outcome and a preview, of the first, which is then an intent.
fn check_later(first: &OpenedEntry, later: &[OpenedEntry]) -> Result<(), Mismatch> {
    let kinds: Vec<Kind> = later.iter().map(|entry| entry.kind).collect();
    let fits = match kinds.as_slice() {
        [] => true,
        [Kind::Outcome] | [Kind::Preview] | [Kind::Outcome, Kind::Preview] => first.kind == Kind::Intent,
        _ => false,
    };
    if !fits {
        return Err(Mismatch::Kinds);
    }
    let refer = later.iter().all(|entry| entry.refers == Some(first.stamp.index));
    if refer { Ok(()) } else { Err(Mismatch::Refers) }
}

fn stamp_of(entries: &[OpenedEntry], kind: Kind) -> Option<EntryStamp> {
    entries.iter().find(|entry| entry.kind == kind).map(|entry| entry.stamp)
}

fn fits(record: &ExchangeRecord, kind: Kind) -> bool {
    match kind {
        Kind::Intent => record.fits(LabelledKind::Intent),
        Kind::Outcome => record.fits(LabelledKind::Outcome),
        Kind::Preview => record.fits(LabelledKind::Preview),
        _ => false,
    }
}

/// Whether a later record repeats an earlier one. Only the expiry, which may be another day, and what was not known
/// before can differ: the result of an intent, and the decision about an outcome.
fn same_exchange(intent: &ExchangeRecord, outcome: &ExchangeRecord) -> bool {
    intent.ids == outcome.ids
        && intent.consumer == outcome.consumer
        && intent.provider == outcome.provider
        && intent.evidence == outcome.evidence
        && intent.request_digest == outcome.request_digest
        && intent.why == outcome.why
        && intent.allowed_by == outcome.allowed_by
        && intent.role == outcome.role
        && intent.representation == outcome.representation
        && intent.idnr_used == outcome.idnr_used
        && intent.assurance == outcome.assurance
        && intent.consumer_signatures == outcome.consumer_signatures
        && (intent.result.is_none() || intent.result == outcome.result)
}

fn reason(part: Option<CitizenPart>) -> Option<String> {
    part.and_then(|part| part.internal_reason)
        .filter(|reason| !reason.is_empty())
}

#[cfg(test)]
mod tests;
