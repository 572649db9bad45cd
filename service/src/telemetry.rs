//! The process's log on standard error: one line per event, level by `RUST_LOG` (default `info`), JSON with
//! `EINSICHT_LOG=json`.
//!
//! An event that cannot be written, because the disk is full or the reader of the pipe has ended, is lost. The process
//! continues.
//!
//! An event never has personal data: types with personal data have a `Debug` that hides it. A library that logs what it
//! is given says less than `RUST_LOG` asks for ([`CAPPED`]).

use std::io::IsTerminal;

use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The PostgreSQL driver logs the parameters of every statement at `debug`: labels and sealed records. A log keeps them
/// longer than the ledger does, which erases them.
const CAPPED: &[&str] = &["tokio_postgres"];

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
        log.json().finish().with(filter_fn(is_allowed)).try_init()
    } else {
        log.compact().finish().with(filter_fn(is_allowed)).try_init()
    };
}

/// Whether an event may be logged, whatever `RUST_LOG` asks for.
fn is_allowed(event: &Metadata<'_>) -> bool {
    *event.level() <= Level::INFO || !CAPPED.iter().any(|library| event.target().starts_with(library))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Logged(Arc<Mutex<Vec<u8>>>);

    impl Write for Logged {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_database_driver_logs_no_parameters_whatever_is_asked_for() {
        for wanted in ["trace", "tokio_postgres=trace", "tokio_postgres::query=debug,info"] {
            let logged = Logged::default();
            let writer = logged.clone();
            let log = tracing_subscriber::fmt()
                .with_env_filter(EnvFilter::new(wanted))
                .with_writer(move || writer.clone())
                .finish()
                .with(filter_fn(is_allowed));
            tracing::subscriber::with_default(log, || {
                tracing::debug!(target: "tokio_postgres::query", "parameters");
                tracing::error!(target: "tokio_postgres::connection", "an error");
            });
            let text = String::from_utf8(logged.0.lock().unwrap().clone()).unwrap();
            assert!(
                text.contains("an error") && !text.contains("parameters"),
                "{wanted}: {text}"
            );
        }
    }
}
