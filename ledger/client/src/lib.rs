//! The client of the ledger for the other compartments: writes entries, follows the log, and checks every answer.
//!
//! | module | purpose |
//! | --- | --- |
//! | [`api`] | the ledger's HTTP interface: the trait [`LedgerApi`] and the client [`HttpLedger`] |
//! | [`trust`] | the trust root from outside the server: policy file and hash of the genesis entry |
//! | [`anchor`] | the genesis entry, and the change sets up to the newest published ones |
//! | [`live`] | [`LiveTrust`]: directory and Registerlandkarte in force, followed while the process runs |
//! | [`bootstrap`] | writes the first three entries, once per log |
//! | [`recorded`] | [`Recorded`]: the proof, as a type, that the log has an entry of a kind |
//! | [`writer`] | one writer's hash chain: journal, batches, retries, receipts |
//! | [`follower`] | reads the log to its newest head, checks every entry, finds labels |
//! | [`checkpoints`] | detects a fork after a minute at most: a quorum must cosign what the process relied upon |
//!
//! # Trust in the ledger
//!
//! The ledger is a process that may fail, forget, lie, or be restored from an old backup. The client accepts only an
//! entry with an inclusion proof under a checkpoint that the policy's log key has signed. It checks every other
//! answer (a writer's head, a refusal, a document) against such an entry, or uses it only where a wrong answer does
//! no more than delay.
//!
//! Errors are *retryable* (not reached, busy, not there yet) or *fatal* (contradicts what was proved before). After a
//! fatal error the part that has found it raises an alarm and stops permanently, because continuing would mean to
//! choose between two histories of the log.

pub mod anchor;
pub mod api;
pub mod bootstrap;
pub mod checkpoints;
pub mod follower;
pub mod live;
pub mod publish;
pub mod recorded;
mod set_page;
mod sets;
mod sets_error;
mod tiles;
pub mod trust;
pub mod writer;

pub use anchor::Anchored;
pub use api::{ApiError, HttpLedger, LedgerAddresses, LedgerApi};
pub use checkpoints::CheckpointWatch;
pub use follower::Follower;
pub use live::{LiveTrust, TrustNotReady};
pub use recorded::{EntryKind, Recorded, check};
pub use trust::Trust;
pub use writer::{AppendError, Draft, Writer, WriterConfig};
