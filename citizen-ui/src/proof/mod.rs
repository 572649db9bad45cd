//! What the portal proves: single accesses, whole lists, and the states of a proof.
//!
//! This code returns data and knows no language; [`crate::language`] turns its results into text.

pub mod access;
pub mod complete;
pub mod state;
pub mod verify;
