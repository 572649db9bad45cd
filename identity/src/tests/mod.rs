//! Tests of the whole compartment in one process. A real tree with real signatures and proofs replaces the ledger, and
//! an issuer of logins runs on loopback. The tests play the consumer, the broker, the provider and the cockpit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod canary;
mod clocks;
mod disclosure;
mod fill;
mod issuer;
mod labels;
mod log;
mod outsider;
mod periods;
mod persons;
mod random;
mod restore;
mod routes;
mod world;
