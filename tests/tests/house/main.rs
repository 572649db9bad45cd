//! Rules for the structure of the workspace: which package may depend on which, and which module on which.
//!
//! The compartments of `docs/architecture.md` do not trust each other, and the verifier shares nothing but formats with
//! the log that it checks. [`layering`] keeps that true for packages, [`circles`] keeps the modules of each crate in an
//! order in which they can be read. Nothing is started here: the tests read `cargo metadata` ([`graph`]) and the
//! sources ([`source`]). [`documents`] keeps the names and links in the documents true.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod circles;
mod documents;
mod graph;
mod layering;
mod resolve;
mod source;
