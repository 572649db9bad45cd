//! One access: what the list shows as one row.
//!
//! An exchange has two entries, the intent, written before anything moves, and the outcome, which closes it. They are one access.
//! An inspection (somebody opened records) and an unused number are accesses of one entry. An [`Access`] is made only from
//! opened entries that fit together, by the server and by the browser alike; everything shown comes from here.
//!
//! A record that has expired opens for nobody any more. Its access is still told: that it was, and when. An outcome may live a day
//! longer than its intent; it says everything that the intent said.

use record::{CitizenPart, ExchangeRecord, ExpiryDay, InspectionRecord, Kind, SharedPart, VoidRecord};

/// An entry whose record has been opened.
#[derive(Clone, Debug)]
pub struct OpenedEntry {
    /// Where it stands in the log, and since when.
    pub stamp: EntryStamp,
    /// What it is.
    pub kind: Kind,
    /// The entry that it closes.
    pub refers: Option<u64>,
    /// The part for both authorities, the citizen and supervision; none once the record has expired.
    pub shared: Option<SharedPart>,
    /// The part for the citizen.
    pub citizen: Option<CitizenPart>,
    /// At the end of this day the record expires.
    pub expiry: ExpiryDay,
}

/// Place and time of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryStamp {
    /// Index in the log.
    pub index: u64,
    /// POSIX seconds, the writer's clock.
    pub time: u64,
}

/// One access.
#[derive(Clone, Debug)]
pub enum Access {
    /// Evidence was asked for.
    Exchange(Box<Exchange>),
    /// Records were opened.
    Inspection {
        /// The entry.
        stamp: EntryStamp,
        /// Its record.
        record: InspectionRecord,
    },
    /// A number was given out for an exchange that never began.
    Unused {
        /// The entry.
        stamp: EntryStamp,
        /// Its record.
        record: VoidRecord,
    },
    /// It happened; what was recorded of it has expired, and nobody can read it any more.
    Expired {
        /// Intent, inspection or void.
        kind: Kind,
        /// The entry.
        stamp: EntryStamp,
        /// The entry that closes it, if it is an intent.
        outcome: Option<EntryStamp>,
        /// At the end of this day the record expired.
        expiry: ExpiryDay,
    },
}

/// An exchange: intent, and outcome if there is one yet.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The entry written before anything moved.
    pub intent: EntryStamp,
    /// The entry that closes it.
    pub outcome: Option<EntryStamp>,
    /// The newest record: the outcome's, else the intent's.
    pub record: ExchangeRecord,
    /// What only the citizen is told.
    pub internal_reason: Option<String>,
}

/// Entries that do not make one access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Kind of entry and kind of record differ, or the entries are not an intent and its outcome.
    #[error("the entries are not of the kinds that make one access")]
    Kinds,
    /// The outcome closes another intent.
    #[error("the outcome closes another entry")]
    Refers,
    /// Intent and outcome tell different exchanges.
    #[error("intent and outcome tell different things")]
    Content,
}

impl Access {
    /// The access that these entries make: one entry, or intent and outcome in this order.
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

    /// The entry that the access is known by: intent, inspection or void.
    pub fn first(&self) -> EntryStamp {
        match self {
            Self::Exchange(exchange) => exchange.intent,
            Self::Inspection { stamp, .. } | Self::Unused { stamp, .. } | Self::Expired { stamp, .. } => *stamp,
        }
    }

    /// All its entries, first entry first.
    pub fn stamps(&self) -> Vec<EntryStamp> {
        match self {
            Self::Exchange(exchange) => std::iter::once(exchange.intent).chain(exchange.outcome).collect(),
            Self::Expired { stamp, outcome, .. } => std::iter::once(*stamp).chain(*outcome).collect(),
            Self::Inspection { stamp, .. } | Self::Unused { stamp, .. } => vec![*stamp],
        }
    }
}

/// What an outcome says again must be what its intent said; only result and expiry (of another day) may differ.
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
