//! What must not be seen: whether a person is unknown, ambiguous or blocked, and who a person is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod canary;
mod kinds;
mod statistics;
