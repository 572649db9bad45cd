//! Tests of change sets: an honest sequence leads to the same state everywhere, and every other set is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod base_data;
mod decisions;
mod fixture;
mod history;
mod properties;
mod refusals;
mod snapshots;
mod values;
mod vectors;
