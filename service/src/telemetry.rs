//! The process's log on standard error: one line per event, level by `RUST_LOG` (default `info`), JSON with
//! `EINSICHT_LOG=json`.
//!
//! An event that cannot be written, because the disk is full or the reader of the pipe has ended, is lost. The process
//! continues.
//!
//! An event never has personal data: types with personal data have a `Debug` that hides it.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging. A second call (tests, the all-in-one binary) does nothing.
pub fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Otherwise an event that cannot be written is reported with `eprintln!`, which panics for the same reason.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal());
    let json = std::env::var("EINSICHT_LOG").is_ok_and(|form| form == "json");
    // An error means that a subscriber is installed already.
    let _ = if json {
        log.json().try_init()
    } else {
        log.compact().try_init()
    };
}
