//! Tests of the ledger's client, against a ledger in memory that fails and lies on request, and against the real one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod anchor;
mod checkpoints;
mod common;
mod follower;
mod full_disk;
mod live;
mod real_ledger;
mod several;
mod writer;
mod writer_properties;
