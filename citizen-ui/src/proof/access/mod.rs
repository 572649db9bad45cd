//! One access, which the list shows as one row.
//!
//! An exchange has two entries: the intent, which is written before any data moves, and the outcome, which closes the
//! intent. Together they are one access. An inspection (a reader opened records) and an unused number have one entry
//! each.
//!
//! The server and the browser make an [`Access`] in the same way, from opened entries that belong together, and
//! everything that a page shows comes from it. If unrelated entries could be combined, a page could show a false access
//! although each entry is proved.
//!
//! No key opens a record that has expired. The access is still shown, with its time alone. An outcome may expire a day
//! later than its intent; its record repeats everything in the intent's record.

use proof::opening::Proved;
use record::{CitizenPart, ExchangeRecord, ExpiryDay, InspectionRecord, Kind, SharedPart, VoidRecord};

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
        /// The record expired at the end of this day.
        expiry: ExpiryDay,
    },
}

/// An exchange: its intent, and its outcome if there is one.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The entry that was written before any data moved.
    pub intent: EntryStamp,
    /// The entry that closes it.
    pub outcome: Option<EntryStamp>,
    /// The outcome's record, or the intent's while there is no outcome.
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
    /// Makes an access of its entries: a single entry, or an intent and its outcome in this order.
    ///
    /// # Errors
    /// A [`Mismatch`] if the entries do not belong together.
    pub fn of(mut opened: Vec<OpenedEntry>) -> Result<Self, Mismatch> {
        let second = if opened.len() == 2 { opened.pop() } else { None };
        let (Some(first), true) = (opened.pop(), opened.is_empty()) else {
            return Err(Mismatch::Kinds);
        };
        match (first.kind, first.shared, second) {
            (Kind::Intent, Some(SharedPart::Exchange(intent)), None) if intent.result.is_none() => {
                Ok(Self::Exchange(Box::new(Exchange {
                    intent: first.stamp,
                    outcome: None,
                    record: *intent,
                    internal_reason: reason(first.citizen),
                })))
            }
            (Kind::Intent, Some(SharedPart::Exchange(intent)), Some(outcome)) if intent.result.is_none() => {
                Self::closed(first.stamp, Some(&intent), outcome)
            }
            (Kind::Intent, None, Some(outcome)) if outcome.shared.is_some() => Self::closed(first.stamp, None, outcome),
            (Kind::Inspection, Some(SharedPart::Inspection(record)), None) => Ok(Self::Inspection {
                stamp: first.stamp,
                record,
            }),
            (Kind::Void, Some(SharedPart::Void(record)), None) => Ok(Self::Unused {
                stamp: first.stamp,
                record,
            }),
            (kind, None, outcome) => Self::expired(kind, first.stamp, first.expiry, outcome),
            _ => Err(Mismatch::Kinds),
        }
    }

    fn expired(
        kind: Kind,
        stamp: EntryStamp,
        expiry: ExpiryDay,
        outcome: Option<OpenedEntry>,
    ) -> Result<Self, Mismatch> {
        match (kind, &outcome) {
            (Kind::Intent | Kind::Inspection | Kind::Void, None) => {}
            (Kind::Intent, Some(outcome)) if outcome.kind == Kind::Outcome => {
                if outcome.refers != Some(stamp.index) {
                    return Err(Mismatch::Refers);
                }
            }
            _ => return Err(Mismatch::Kinds),
        }
        Ok(Self::Expired {
            kind,
            stamp,
            expiry: outcome.as_ref().map_or(expiry, |outcome| outcome.expiry.max(expiry)),
            outcome: outcome.map(|outcome| outcome.stamp),
        })
    }

    fn closed(intent: EntryStamp, asked: Option<&ExchangeRecord>, outcome: OpenedEntry) -> Result<Self, Mismatch> {
        let (Kind::Outcome, Some(SharedPart::Exchange(told))) = (outcome.kind, outcome.shared) else {
            return Err(Mismatch::Kinds);
        };
        if told.result.is_none() {
            return Err(Mismatch::Kinds);
        }
        if outcome.refers != Some(intent.index) {
            return Err(Mismatch::Refers);
        }
        if asked.is_some_and(|asked| !same_exchange(asked, &told)) {
            return Err(Mismatch::Content);
        }
        Ok(Self::Exchange(Box::new(Exchange {
            intent,
            outcome: Some(outcome.stamp),
            record: *told,
            internal_reason: reason(outcome.citizen),
        })))
    }

    /// The entry that identifies the access: intent, inspection or void.
    pub fn first(&self) -> EntryStamp {
        match self {
            Self::Exchange(exchange) => exchange.intent,
            Self::Inspection { stamp, .. } | Self::Unused { stamp, .. } | Self::Expired { stamp, .. } => *stamp,
        }
    }

    /// The log indices of all entries of the access, first entry first.
    pub fn indices(&self) -> Vec<u64> {
        self.stamps().iter().map(|stamp| stamp.index).collect()
    }

    /// All entries of the access, first entry first.
    pub fn stamps(&self) -> Vec<EntryStamp> {
        match self {
            Self::Exchange(exchange) => std::iter::once(exchange.intent).chain(exchange.outcome).collect(),
            Self::Expired { stamp, outcome, .. } => std::iter::once(*stamp).chain(*outcome).collect(),
            Self::Inspection { stamp, .. } | Self::Unused { stamp, .. } => vec![*stamp],
        }
    }
}

/// Whether an outcome repeats its intent. Only the result and the expiry, which may be another day, can differ.
fn same_exchange(intent: &ExchangeRecord, outcome: &ExchangeRecord) -> bool {
    intent.ids == outcome.ids
        && intent.consumer == outcome.consumer
        && intent.provider == outcome.provider
        && intent.evidence == outcome.evidence
        && intent.request_digest == outcome.request_digest
        && intent.why == outcome.why
        && intent.allowed_by == outcome.allowed_by
        && intent.role == outcome.role
        && intent.idnr_used == outcome.idnr_used
        && intent.assurance == outcome.assurance
        && intent.consumer_signatures == outcome.consumer_signatures
}

fn reason(part: Option<CitizenPart>) -> Option<String> {
    part.and_then(|part| part.internal_reason)
        .filter(|reason| !reason.is_empty())
}

#[cfg(test)]
mod tests;
