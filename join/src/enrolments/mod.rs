//! Enrolments: how a component comes into the directory.
//!
//! * [`store`] – keeps them, and takes their steps.
//! * [`http`] – the interface.

mod http;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use self::store::{Enrolments, StepError};
pub(crate) use http::{STEPS, cbor, problem, read, routes};
