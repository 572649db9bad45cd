//! Tests the portal with a real OpenID provider and a small, real log: what a citizen sees, and what the portal does
//! when identity or the ledger is wrong.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod backend;
mod complete;
mod directory;
mod exports;
mod login;
mod pages;
mod proofs;
mod public;
mod world;

const HIGH: &str = test_login::ACR_HIGH;
