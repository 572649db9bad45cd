//! What the portal proves: single accesses, whole lists, and the verdict about a page.
//!
//! This code returns data and knows no language; [`crate::language`] turns its results into text.

pub mod access;
pub mod complete;
pub mod device;
pub mod statement;
pub mod verdict;
pub mod verify;
