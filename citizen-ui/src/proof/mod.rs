//! What the portal proves: single entries, whole lists, and the states in which a proof can be.

pub mod access;
pub mod complete;
pub mod state;
pub mod verify;
