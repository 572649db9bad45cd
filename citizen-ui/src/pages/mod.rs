//! The pages, as functions from their content to HTML.
//!
//! A page receives everything it shows and fetches nothing. [`Frame`] holds what surrounds every page. The result is a
//! complete, valid document that can be read and used without JavaScript. Scripts and styles are external files; an
//! inline one would be blocked by the server's content security policy.

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
pub use public::{ErrorPage, accessibility, design, error, logged_out, login_cancelled, recorded, start, verify};

#[cfg(test)]
mod tests;
