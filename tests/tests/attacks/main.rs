//! The attacks of `docs/testing.md`, each tried against the released programs: who notices it, and what it gains (nothing).
//!
//! Everything is the real program, but for the one that lies: there somebody stands in between and changes what passes, with the
//! keys that the liar would have.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod broker;
mod citizen;
mod fork;
mod identity;
mod ledger;
mod login;
mod numbers;
mod outcome;
