//! Tests the crate against published vectors, a second implementation and damaged input. `testdata/generate.py` writes
//! the vectors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod authenticated_tiles;
mod checkpoints;
mod damage;
mod map;
mod merkle;
mod notes;
mod receipts;
mod requirements;
mod vectors;
mod witness;
