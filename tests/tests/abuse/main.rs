//! Floods against the real processes. While one runs, honest exchanges must continue.
//!
//! A scenario is a module with a flood: a function that attacks until [`harness::Flood::continues`] returns false. The
//! harness starts the demonstration's processes, sends honest exchanges at a low rate, first alone and then beside the
//! flood, and afterwards expects:
//!
//! * every exchange has ended with its expected outcome, and both its entries are in the log;
//! * the audit is sound, and no intent is open;
//! * no process has used more memory than `docs/operating.md` states.
//!
//! Each scenario has two tests: one of some seconds for `cargo xtask test`, and one of a minute, which is ignored and
//! runs with `cargo xtask test --long`. Scenarios run one after another, so that they do not slow each other down.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// What was measured or not tested, for the person who runs the tests.
#![allow(clippy::print_stdout)]

mod half_sent;
mod harness;
mod honest;
mod login_pages;
mod memory;
mod provider_calls;
mod public_reads;
mod replayed_entries;
mod sustained;
mod witness_pushes;
