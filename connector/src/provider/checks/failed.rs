//! The error of the checks.

use messages::CheckName;

/// A check that failed. `why` goes to the operator's log; it names no person and no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckFailed {
    /// Which check.
    pub check: CheckName,
    /// What was wrong.
    pub why: &'static str,
}

impl CheckFailed {
    /// Makes an error of `check` from what was wrong.
    pub(crate) fn of(check: CheckName) -> impl Fn(&'static str) -> Self {
        move |why| Self { check, why }
    }
}
