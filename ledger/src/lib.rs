//! The transparency service: sequencer, storage, HTTP interface.
//!
//! ```text
//! http     parses and checks requests, answers with receipts     handles entries and signatures
//! rules    decides which entries the log admits, in order        handles entries, chains, periods, labels
//! engine   a transparency log of arbitrary bytes                 handles leaves, tiles, checkpoints, witnesses
//! store    ordered key-value rows in atomic synced batches       handles bytes
//! ```
//!
//! Each layer uses only the layers below it. [`run`] with a [`Config`] is the whole process; each subcommand of
//! `ledger` has a module of its own, such as [`export::export`] for `ledger export`.
//!
//! An attacker who controls this process can refuse service, and can show a fork until connectors and witnesses compare
//! their checkpoints. The attacker cannot alter, drop or reorder recorded entries, or forge an entry of a writer,
//! without being noticed (design §2).

pub mod address;
pub mod backup;
pub mod check;
pub mod config;
pub mod engine;
pub mod export;
pub mod failpoints;
pub mod http;
mod metrics_help;
pub mod migrate;
#[cfg(feature = "pkcs11")]
pub mod pkcs11;
pub mod publish;
pub mod rules;
mod server;
pub mod store;
pub mod writing;

pub use config::{Config, ConfigError};
pub use server::{Error, run, run_at};
