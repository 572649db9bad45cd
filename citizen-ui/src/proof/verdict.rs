//! The verdict about a page: one for the whole page, and one place that decides it.
//!
//! ```text
//! Unchecked ─▶ Pending ─▶ Proved       green
//!                      ─▶ Caution      yellow: proved, but ask or come back
//!                      ─▶ Unable       yellow: this browser could not check
//!                      ─▶ Failed       red: what the page shows is not what the log has
//! ```
//!
//! The server renders [`Verdict::Unchecked`] and never another one: what it has checked itself is a statement inside
//! of it, and never green. Only the browser's program makes the others.

use serde::{Deserialize, Serialize};

use crate::markup::Difference;
use crate::proof::complete::Claim;
use crate::proof::device::{Contradiction, Past, Visit};
use crate::proof::statement::ProvedList;
use crate::proof::verify::Failure;

/// A list that is older than this many seconds is proved, but not green.
pub const OLD: u64 = 600;
/// A list that is older than this many seconds is refused.
pub const TOO_OLD: u64 = 86_400;
/// How many seconds the device's clock may be behind the witnesses'.
const MAX_CLOCK_LAG: u64 = 120;

/// What a page proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A page of the list.
    List,
    /// The page of one access.
    Access,
}

/// What the server says that it has checked. It has to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServerCheck {
    /// Nothing is missing.
    Complete(Claim),
    /// The witnesses have not cosigned a checkpoint yet.
    Unwitnessed,
    /// The check failed.
    Failed(Failure),
}

/// The verdict about a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This browser has checked nothing.
    Unchecked(ServerCheck),
    /// This browser is checking.
    Pending,
    /// Everything on the page is proved.
    Proved(Proved),
    /// Everything on the page is proved, but the citizen should know something first.
    Caution(Proved, Caution),
    /// This browser could not check.
    Unable(Unable),
    /// The page is refused.
    Failed(Finding),
}

/// What is proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proved {
    /// How many accesses there are, and up to which time there are no others.
    pub claim: Claim,
    /// The last three digits of the identification number to which all of them belong.
    pub ending: String,
    /// How many witnesses have cosigned.
    pub witnesses: usize,
    /// POSIX seconds, by the device's clock, of the check.
    pub at: u64,
    /// What the device knew before.
    pub past: Past,
    /// The last visit with this device, if there was one and the person is the same.
    pub last: Option<Visit>,
}

/// What the citizen should know about a page that is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caution {
    /// This device has proved lists of other persons only.
    OtherPerson,
    /// The list is this many seconds old.
    Old(u64),
    /// The device's clock is behind the witnesses' time.
    Clock,
    /// Witnesses have not cosigned the newest entries yet.
    Unwitnessed,
    /// It is not proved that the log has only grown since this device last saw it.
    Unlinked,
}

/// Why this browser could not check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unable {
    /// The proof did not arrive.
    Load,
    /// The witnesses have not cosigned yet, so there is no proof.
    Unwitnessed,
    /// The list is too long for one file.
    TooLong,
}

/// Why a page is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The proof does not hold.
    Proof(Failure),
    /// The page shows something else than what is proved.
    Shown(Vec<Difference>),
    /// The page has changed after it was proved.
    Altered(Vec<Difference>),
    /// The list is older than a day: it was complete as of this time.
    TooOld(u64),
    /// It contradicts what this device, or its program, knows.
    Device(Contradiction),
}

/// The verdict about a list that is proved and that the page shows.
pub fn judge(list: &ProvedList, past: Past, last: Option<Visit>, knows_person: bool, now: u64) -> Verdict {
    let as_of = list.claim.as_of;
    let age = now.saturating_sub(as_of);
    if age > TOO_OLD {
        return Verdict::Failed(Finding::TooOld(as_of));
    }
    let number = list.person.expose();
    let proved = Proved {
        claim: list.claim,
        ending: number[number.len().saturating_sub(3)..].to_owned(),
        witnesses: list.witnesses,
        at: now,
        past,
        last: last.filter(|_| knows_person),
    };
    let caution = if !knows_person {
        Some(Caution::OtherPerson)
    } else if matches!(past, Past::Unlinked(_)) {
        Some(Caution::Unlinked)
    } else if age > OLD {
        Some(Caution::Old(age))
    } else if as_of > now.saturating_add(MAX_CLOCK_LAG) {
        Some(Caution::Clock)
    } else if !list.quorum {
        Some(Caution::Unwitnessed)
    } else {
        None
    };
    match caution {
        Some(caution) => Verdict::Caution(proved, caution),
        None => Verdict::Proved(proved),
    }
}

impl Verdict {
    /// The value of `data-verdict`. Only the browser's program writes `proved`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unchecked(ServerCheck::Complete(_)) => "server",
            Self::Unchecked(ServerCheck::Unwitnessed) => "absent",
            Self::Unchecked(ServerCheck::Failed(_)) => "server-failed",
            Self::Pending => "pending",
            Self::Proved(_) => "proved",
            Self::Caution(..) => "caution",
            Self::Unable(_) => "unable",
            Self::Failed(_) => "failed",
        }
    }

    /// KERN's name of the colour and the icon.
    pub fn colour(&self) -> &'static str {
        match self {
            Self::Pending => "info",
            Self::Proved(_) => "success",
            Self::Unchecked(ServerCheck::Complete(_) | ServerCheck::Unwitnessed) => "warning",
            Self::Caution(..) | Self::Unable(_) => "warning",
            Self::Unchecked(ServerCheck::Failed(_)) | Self::Failed(_) => "danger",
        }
    }
}
