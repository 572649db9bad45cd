//! The ledger as seen from the other compartments: writing to it, following it, and believing none of it unchecked.
//!
//! | module | what it is for |
//! | --- | --- |
//! | [`api`] | the ledger's HTTP interface: the trait [`LedgerApi`] and the client [`HttpLedger`] |
//! | [`trust`] | what is trusted from outside the server: policy file and hash of the genesis entry |
//! | [`anchor`] | the first three entries and their documents: authority keys, directory, Registerlandkarte |
//! | [`bootstrap`] | writing those three, once in a log's life |
//! | [`recorded`] | [`Recorded`]: the proof, as a type, that an entry of a kind stands in the log |
//! | [`writer`] | one writer's hash chain: journal, batches, retries, receipts |
//! | [`follower`] | tails the log, checks every entry, finds labels |
//! | [`checkpoints`] | a fork lives for a minute at most: what was relied upon must get a quorum's signature |
//!
//! # What is believed
//!
//! The ledger is a process that may fail, forget, lie and be restored from an old backup. Of what it answers, only this counts:
//! an entry with an inclusion proof under a checkpoint that the policy's log key has signed. Everything else it says (a
//! writer's head, a refusal, a document) either is checked against such a thing or leads to nothing worse than waiting.
//!
//! Errors are *retryable* (not reached, busy, not there yet) or *fatal* (contradicts what was proved before). A fatal one stops
//! the part that saw it, for good and loudly: going on would mean choosing which of two histories to believe.

pub mod anchor;
pub mod api;
pub mod bootstrap;
pub mod checkpoints;
pub mod follower;
pub mod recorded;
mod tiles;
pub mod trust;
pub mod writer;

pub use anchor::Anchored;
pub use api::{ApiError, HttpLedger, LedgerApi};
pub use checkpoints::CheckpointWatch;
pub use follower::Follower;
pub use recorded::{EntryKind, Recorded, check};
pub use trust::Trust;
pub use writer::{AppendError, Draft, Writer, WriterConfig};
