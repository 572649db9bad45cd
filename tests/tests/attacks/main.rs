//! The attacks of `docs/testing.md`, each tried against the released programs: which party notices it, and what the
//! attacker gains (nothing).
//!
//! Every party is the real program except the liar. In its place the test changes the messages that pass, with the keys
//! that the liar would have.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod broker;
mod citizen;
mod fork;
mod identity;
mod ledger;
mod login;
mod numbers;
mod outcome;
mod presence;
mod representation;
mod witness;
