//! What every process does alike.
//!
//! Nothing here knows the domain. A compartment is `run(config, listener, shutdown)`; this crate gives it
//!
//! * [`config`] – its configuration file (JSON, unknown fields refused),
//! * [`telemetry`] – its log on standard error,
//! * [`program`] – its command line,
//! * [`listen`] – its HTTP server: health, metrics, body limit, graceful end,
//! * [`problem`] – its way of saying no (RFC 9457),
//! * [`secret`] – its key files and bearer credentials,
//! * [`durable`] – its small durable files,
//! * [`table`] – its small durable tables,
//! * [`clock`] – its time, replaceable in tests,
//! * [`http`] – its calls to other compartments,
//! * [`shutdown`] – its end.

pub mod clock;
pub mod config;
pub mod durable;
pub mod http;
pub mod listen;
pub mod problem;
pub mod program;
pub mod secret;
pub mod shutdown;
pub mod table;
pub mod telemetry;

pub use clock::{Clock, ManualClock, SystemClock};
pub use problem::Problem;
pub use shutdown::Shutdown;
