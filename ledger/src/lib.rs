//! The transparency service: sequencer, storage, HTTP interface.
//!
//! ```text
//! http     requests: parse, check, answer with receipts          knows entries, verifies signatures
//! rules    what this log admits, in order                        knows entries, chains, periods, labels
//! engine   a transparency log of any bytes                       knows leaves, tiles, checkpoints, witnesses
//! store    ordered key-value rows, atomic synced batches         knows bytes
//! ```
//!
//! Each layer uses only those below it. A process is [`run`] with a [`Config`]; `ledger export` is [`export::export`], and so on.
//!
//! What an attacker who owns this process can do: refuse service, and show a fork until connectors and witnesses compare. What it
//! cannot: alter, drop or reorder what was recorded, or invent an entry of a writer, unnoticed (design §2).

pub mod backup;
pub mod check;
pub mod config;
pub mod engine;
pub mod export;
pub mod failpoints;
pub mod http;
#[cfg(feature = "pkcs11")]
pub mod pkcs11;
pub mod rules;
mod server;
pub mod store;

pub use config::{Config, ConfigError};
pub use server::{Error, run};
