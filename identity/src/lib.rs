//! Identity (IDA): finds the person, evaluates labels, keeps day keys, opens a citizen's own records to the cockpit.
//!
//! It is the one compartment that knows persons, and it knows nothing of what is exchanged: no evidence type, no purpose, no
//! record. What it does, each with the rule that it keeps:
//!
//! | Module | Does | Rule |
//! | --- | --- | --- |
//! | [`persons`] | finds exactly one person, or nobody | § 6 IDNrG: unknown and blocked cannot be told apart |
//! | [`periods`] | keeps the VRF keys, begins periods | no label under a key that does not stand in the log |
//! | [`reserve`] | takes the next number | never a gap, never twice (design §5.4) |
//! | `catch_up` | finds in the log what a restored state lacks | a number that stands in the log is never handed out again |
//! | [`labels`] | answers the broker | durable before answered; same S1, same bytes; nobody looks like anybody |
//! | [`disclosure`] | answers the cockpit | no key without an `inspection` in the log |
//! | `complete` | finds all of a person, and proves it | as of what the witnesses have cosigned |
//! | [`login`] | verifies the ID token | by identity itself, not by the cockpit |
//! | [`state`], [`day_keys`] | what must not be forgotten, and what must be | the second is never backed up; a passed day's key is destroyed |
//! | [`periods`], [`wrapping`] | one VRF key a month, and when it goes | its secret is stored wrapped, the wrapping key elsewhere |
//! | [`log`], [`followed_log`] | the log, followed and checked | the ledger is never asked about a label |
//!
//! Files in `data`: `state.redb`, `daykeys/`, `wrapping/`, and the writer's journal. All are readable for their owner only and hold
//! IDNrs or secrets; nothing of them ever appears in a log line, a metric, an error or an entry.

pub mod backup;
mod catch_up;
mod committer;
mod complete;
mod config;
pub mod day_keys;
pub mod disclosure;
mod error;
pub mod followed_log;
mod identity;
pub mod key_files;
pub mod labels;

mod locks;
pub mod log;
pub mod login;
pub mod periods;
pub mod persons;
pub mod reserve;
mod routes;
mod start;
pub mod state;
mod token;
pub mod wrapping;

#[cfg(test)]
mod tests;

pub use committer::StoreError;
pub use config::Config;
pub use error::Error;
pub use identity::{Identity, IdentityKeyPairs};
pub use login::LoginConfig;
pub use start::run;
