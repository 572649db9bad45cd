//! The pages, as functions from their content to HTML.
//!
//! A page receives everything it shows and fetches nothing. [`Frame`] holds what surrounds every page. The result is a
//! complete, valid document that can be read and used without JavaScript. Scripts and styles are external files; an
//! inline one would be blocked by the server's content security policy.
//!
//! The pages of a citizen are elements ([`crate::markup`]), which the browser's program makes too, to compare them with
//! what the browser shows ([`proved`]). The public pages exist on the server alone. Those with data are elements too;
//! those with text alone are views of Leptos.

#[cfg(feature = "ssr")]
mod about;
#[cfg(feature = "ssr")]
mod about_text;
mod access;
#[cfg(feature = "ssr")]
mod blocks;
mod document;
mod filter;
mod frame;
#[cfg(feature = "ssr")]
pub mod landkarte;
mod list;
#[cfg(feature = "ssr")]
mod log;
mod parts;
mod phrase;
pub mod proved;
#[cfg(feature = "ssr")]
mod public;
mod verdict;
#[cfg(feature = "ssr")]
mod verify;
#[cfg(feature = "ssr")]
mod views;

#[cfg(feature = "ssr")]
pub use about::{Operator, help, imprint, privacy};
pub use access::detail;
#[cfg(feature = "ssr")]
pub use document::html;
pub use filter::{AccessKind, Chosen, ListQuery, ROWS_PER_PAGE};
pub use frame::{Frame, SessionInfo};
pub use list::{ListPage, list};
#[cfg(feature = "ssr")]
pub use log::{
    Compared, Contradiction, Day, EntryPage, Erased, LogCounts, LogState, LogView, Lookup, Witness, contradictions,
    entry, erasures, log, lookup, witnesses,
};
#[cfg(feature = "ssr")]
pub use public::{ErrorPage, accessibility, design, error, logged_out, login_cancelled, recorded, start};
pub use verdict::{CONFIRM, ERROR, FORGET, VERDICT, verdict_box};
#[cfg(feature = "ssr")]
pub use verify::{VerifierFile, VerifyPage, verify};

#[cfg(all(test, feature = "ssr"))]
mod tests;
