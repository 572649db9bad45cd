//! What all processes have in common.
//!
//! This crate is independent of the domain. A compartment is `run(config, listener, shutdown)`; this crate provides
//!
//! * [`config`] – its configuration file (JSON, unknown fields refused),
//! * [`telemetry`] – its log on standard error,
//! * [`program`] – its command line,
//! * [`listen`] – its HTTP server: limits on what clients may use, graceful shutdown,
//! * [`health`], [`operations`] – its health, and the listener for its operator,
//! * [`coarse`] – its counters that must not be joined with the public log,
//! * [`problem`] – its error responses (RFC 9457),
//! * [`secret`] – its key files and bearer credentials,
//! * [`durable`] – its small durable files,
//! * [`clock`] – its clock, which tests can replace,
//! * [`http`] – its calls to other compartments,
//! * [`tls`] – mutual TLS between processes,
//! * [`backoff`] – the pauses between calls that fail,
//! * [`cached`] – what it fetches from others and keeps for a while,
//! * [`sealed`] – what it hands out instead of storing it,
//! * `openid` (feature) – the provider of logins, for portal and identity,
//! * [`rows`] – its report of faulty rows in files,
//! * [`text_file`] – its text files, which may be damaged,
//! * [`failpoints`] – where tests kill it,
//! * [`nonces`] – signed requests that it accepts once,
//! * [`retry_after`] – how long a server asks it to wait,
//! * [`workers`] – how many files it makes at the same time,
//! * [`shutdown`] – its shutdown.

pub mod backoff;
pub mod cached;
pub mod clock;
pub mod coarse;
pub mod config;
pub mod durable;
pub mod failpoints;
pub mod health;
pub mod http;
pub mod listen;
pub mod nonces;
#[cfg(feature = "openid")]
pub mod openid;
pub mod operations;
pub mod problem;
pub mod program;
mod retry_after;
pub mod rows;
pub mod sealed;
pub mod secret;
pub mod shutdown;
pub mod telemetry;
pub mod text_file;
pub mod tls;
pub mod workers;

pub use backoff::Backoff;
pub use clock::{CheckedClock, Clock, ManualClock, SystemClock};
pub use health::{Health, Impairment};
pub use listen::Listener;
pub use problem::Problem;
pub use retry_after::{retry_after, retry_after_seconds};
pub use shutdown::Shutdown;
