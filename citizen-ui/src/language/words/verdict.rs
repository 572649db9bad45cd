//! The table of texts for the verdict about a page.

use crate::language::local_time::LocalTime;
use crate::proof::complete::Claim;

/// The texts of the verdict.
#[derive(Debug)]
#[allow(missing_docs)] // the name of a field says which text it is
pub struct VerdictWords {
    // Nothing checked
    pub unchecked: &'static str,
    pub unchecked_hint: &'static str,
    pub server_complete: fn(claim: &Claim) -> String,
    pub server_unwitnessed: &'static str,
    pub server_failed: fn(reason: &str) -> String,
    pub pending: &'static str,
    pub pending_hint: &'static str,

    // Proved
    /// Opens what else there is to know.
    pub more: &'static str,
    pub proved_list: fn(claim: &Claim) -> String,
    pub proved_access: &'static str,
    pub proved_by: fn(at: &LocalTime, ending: &str) -> String,
    pub counted: fn(claim: &Claim, witnesses: usize) -> String,
    pub since: &'static str,
    pub later: fn(accesses: usize) -> String,
    pub not_counted: &'static str,
    pub first: &'static str,
    pub grown: fn(seen: &LocalTime) -> String,

    // Proved, with a caution
    pub other_person: &'static str,
    pub other_person_hint: fn(ending: &str) -> String,
    pub old: fn(minutes: u64) -> String,
    pub old_hint: &'static str,
    pub clock: &'static str,
    pub clock_hint: &'static str,
    pub unwitnessed: &'static str,
    pub unwitnessed_hint: &'static str,
    pub unlinked: &'static str,
    pub unlinked_hint: fn(seen: &LocalTime) -> String,

    // Not checked
    pub unable: &'static str,
    pub unable_load: &'static str,
    pub unable_unwitnessed: &'static str,
    pub unable_too_long: &'static str,

    // Refused
    pub failed: &'static str,
    pub failed_proof: fn(reason: &str) -> String,
    pub shown: &'static str,
    pub shown_below: &'static str,
    pub altered: &'static str,
    pub too_old: fn(as_of: &LocalTime) -> String,
    pub other_log: &'static str,
    pub other_policy: &'static str,
    pub older: fn(seen: &LocalTime) -> String,
    pub rewritten: fn(seen: &LocalTime) -> String,
    pub what_to_do: &'static str,
    pub forget_hint: &'static str,
    /// Before the title of the document.
    pub alert: &'static str,

    // Differences
    pub row: fn(index: u64, when: Option<&LocalTime>) -> String,
    pub fact: fn(label: &str) -> String,
    pub page: &'static str,
    pub text: fn(shown: &str, proved: &str) -> String,
    pub missing: fn(proved: &str) -> String,
    pub added: fn(shown: &str) -> String,
    pub added_unseen: &'static str,
    pub order: &'static str,
    pub target: fn(shown: &str, proved: &str) -> String,
    pub look: &'static str,

    // Links and buttons
    pub verify: &'static str,
    pub login: &'static str,
    pub confirm: &'static str,
    pub forget: &'static str,
}
