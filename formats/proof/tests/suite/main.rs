//! Tests of openings and bundles: an honest one proves what it says, and every change is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod anchor;
mod bundle;
mod opening;
