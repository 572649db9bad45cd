//! Tests of the files, of the content, and of the program from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod command;
mod content;
mod errors;
mod misfits;
mod round_trip;
mod sample;
