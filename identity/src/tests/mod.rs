//! Tests of the whole compartment but its processes: a real tree with real signatures and proofs in place of the ledger, and a
//! real issuer of logins over loopback. What a consumer, a broker, a provider and a cockpit would do is done here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod canary;
mod disclosure;
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
