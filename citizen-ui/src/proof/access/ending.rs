//! The kinds of access, and how an exchange ended.

use record::{Kind, Outcome};

use super::{Access, Exchange};

/// The internal reason of an exchange that the requester has withdrawn.
const WITHDRAWN: &str = "withdrawn";

/// The kinds of access that the pages distinguish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessKind {
    /// An authority requested evidence.
    Exchange,
    /// The citizen had a register show their own data, through the portal.
    OwnRequest,
    /// Identity released base data to an authority.
    Release,
    /// A reader opened records, or, of a record that has expired, identity released base data.
    Inspection,
    /// Identity issued a number that was not used.
    Unused,
}

impl AccessKind {
    /// The kind of an access.
    pub fn of(access: &Access) -> Self {
        match access {
            Access::Exchange(exchange) if exchange.record.why.is_own_request() => Self::OwnRequest,
            Access::Exchange(_) => Self::Exchange,
            Access::Inspection { .. } => Self::Inspection,
            Access::Release { .. } => Self::Release,
            Access::Unused { .. } => Self::Unused,
            Access::Expired { kind, .. } => match kind {
                Kind::Inspection => Self::Inspection,
                Kind::Void => Self::Unused,
                _ => Self::Exchange,
            },
        }
    }

    /// Whether an authority has caused the access, so that it is in the list.
    pub fn is_listed(self) -> bool {
        matches!(self, Self::Exchange | Self::Release)
    }
}

/// How an exchange ended, as far as a page can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// Data were sent.
    Delivered,
    /// Nothing was found.
    Nothing,
    /// It was refused.
    Refused,
    /// It failed for a technical reason.
    Failed,
    /// There was no answer.
    TimedOut,
    /// The authority has withdrawn its request before the evidence was ready.
    Withdrawn,
    /// There is no outcome yet.
    Open,
    /// The record has expired.
    Erased,
}

impl Ending {
    /// All endings, in the order of a form.
    pub const ALL: [Self; 8] = [
        Self::Delivered,
        Self::Nothing,
        Self::Refused,
        Self::Failed,
        Self::TimedOut,
        Self::Withdrawn,
        Self::Open,
        Self::Erased,
    ];

    /// How an exchange ended. A release is a delivery. [`Ending::Erased`] for everything else.
    pub fn of(access: &Access) -> Self {
        match access {
            Access::Exchange(exchange) => Self::of_exchange(exchange),
            Access::Release { .. } => Self::Delivered,
            _ => Self::Erased,
        }
    }

    /// The same for an exchange whose record is open.
    pub fn of_exchange(exchange: &Exchange) -> Self {
        match exchange.record.result.as_ref().map(|result| result.outcome) {
            Some(Outcome::Delivered) => Self::Delivered,
            Some(Outcome::NothingFound) => Self::Nothing,
            Some(Outcome::Refused) => Self::Refused,
            Some(Outcome::Failed) => Self::Failed,
            // The outcome has no kind of its own, because the requester knows that it has withdrawn.
            Some(Outcome::TimedOut) if exchange.internal_reason.as_deref() == Some(WITHDRAWN) => Self::Withdrawn,
            Some(Outcome::TimedOut) => Self::TimedOut,
            None => Self::Open,
        }
    }

    /// Its name in addresses.
    pub fn code(self) -> &'static str {
        match self {
            Self::Delivered => "uebermittelt",
            Self::Nothing => "nichts-gefunden",
            Self::Refused => "abgelehnt",
            Self::Failed => "gescheitert",
            Self::TimedOut => "keine-antwort",
            Self::Withdrawn => "zurueckgezogen",
            Self::Open => "offen",
            Self::Erased => "geloescht",
        }
    }

    /// The ending of that name.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ending| ending.code() == code)
    }
}
