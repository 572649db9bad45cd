//! Identity (IDA): finds the person, evaluates labels, keeps day keys, opens a citizen's own records to the cockpit.
//!
//! Identity is the only compartment that knows persons. It learns nothing about the content of an exchange: no evidence
//! type, no purpose, no record. Each module keeps one rule:
//!
//! | Module | Task | Rule |
//! | --- | --- | --- |
//! | [`persons`] | sources of persons; finds exactly one, or nobody | § 6 IDNrG: unknown and blocked look the same |
//! | [`fill`] | finds the IDNr of a register's rows | held back until each person has an entry |
//! | [`base_data`] | what a receiver gets of a person | a permit and an entry in the log for everything |
//! | `release` | records a release in the person's series | no receipt, no IDNr |
//! | [`periods`] | keeps the VRF keys, begins and ends periods | no label under a key that is not in the log |
//! | [`reserve`] | reserves the next number | no gap, no number twice (design §5.4) |
//! | `catch_up` | finds in the log what a restored state lacks | a number in the log is never handed out again |
//! | [`labels`] | answers the broker | durable before answered; the same S1 gets the same bytes |
//! | [`disclosure`] | answers the cockpit | no key without an `inspection` in the log |
//! | `complete` | finds all entries of a person and proves it | as of the log that the witnesses have cosigned |
//! | [`login`] | verifies the ID token | identity verifies it itself and does not trust the cockpit |
//! | [`state`] | stores what must not be lost | backed up, with the secrets wrapped |
//! | [`day_keys`] | stores the keys that must be destroyed on time | replicated, never backed up |
//! | [`wrapping`] | encrypts each period's secret | the wrapping key is stored apart from the state |
//! | [`log`], [`followed_log`] | follow and check the log | identity never asks the ledger about a label |
//!
//! The population is a store of its own. The directory `data` holds `state.redb`, `daykeys/`, `wrapping/`, the orders
//! of first fills (`fills/`) and the writer's journal. Only their owner can read them. They hold IDNrs and secrets,
//! which must never appear in a log line, a metric, an error or an entry.

mod access;
pub mod backup;
pub mod base_data;
mod catch_up;
mod committer;
mod complete;
mod config;
pub mod day_keys;
pub mod disclosure;
mod error;
pub mod fill;
pub mod followed_log;
mod identity;
pub mod key_files;
pub mod labels;

mod locks;
pub mod log;
pub mod login;
mod metrics_help;
pub mod periods;
pub mod persons;
mod refused_voids;
mod release;
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
