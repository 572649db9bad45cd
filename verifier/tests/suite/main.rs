//! Tests of the verifier: audits of exports and servers, the witness, and the program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod audit;
mod auditing_witness;
mod command;
mod damaged;
mod remote;
mod witness;
