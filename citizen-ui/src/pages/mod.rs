//! The pages, as functions from what they show to HTML.
//!
//! A page gets everything it shows; it fetches nothing. [`Frame`] is what stands around every page. The result is a whole valid
//! document: every page can be read and used without JavaScript, scripts and styles are external, nothing is inline.

mod access;
mod document;
mod filter;
mod frame;
mod list;
mod log;
mod parts;
mod public;

pub use access::{DetailPage, detail};
pub use filter::{AccessKind, ListFilter};
pub use frame::{Frame, SessionInfo};
pub use list::{ListPage, list};
pub use log::{LogState, Witness, log};
pub use public::{ErrorPage, accessibility, design, error, logged_out, recorded, start, verify};

#[cfg(test)]
mod tests;
