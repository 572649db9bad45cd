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
mod ask;
#[cfg(feature = "ssr")]
mod blocks;
mod citizen;
mod content;
mod document;
#[cfg(feature = "ssr")]
mod easy;
mod filter;
mod form;
mod frame;
#[cfg(feature = "ssr")]
mod how_checked;
#[cfg(feature = "ssr")]
mod how_checked_text;
#[cfg(feature = "ssr")]
pub mod landkarte;
mod list;
#[cfg(feature = "ssr")]
mod log;
mod overview;
#[cfg(feature = "ssr")]
mod own_data;
mod parts;
mod phrase;
mod picture;
pub mod proved;
#[cfg(feature = "ssr")]
mod public;
mod question;
mod rows;
mod steps;
mod target;
mod verdict;
#[cfg(feature = "ssr")]
mod verify;
#[cfg(feature = "ssr")]
mod views;
mod visits;

#[cfg(feature = "ssr")]
pub use about::{Operator, help, imprint, privacy};
pub use ask::{COPIED, COPY, LETTER};
pub use citizen::citizen_page;
pub use content::{Content, DeviceView, Input};
#[cfg(feature = "ssr")]
pub use document::html;
pub use document::{FILES, script_path};
#[cfg(feature = "ssr")]
pub use easy::{easy_landkarte, easy_log};
pub use filter::{Chosen, Group, ListQuery, ROWS_PER_PAGE, Sort};
#[cfg(feature = "ssr")]
pub(crate) use filter::{at, law, who};
pub use frame::{Frame, SessionInfo};
#[cfg(feature = "ssr")]
pub use how_checked::how_checked;
#[cfg(feature = "ssr")]
pub use log::{
    Compared, Contradiction, Day, EntryPage, Erased, LogCounts, LogState, LogView, Lookup, Witness, contradictions,
    entry, erasures, log, lookup, witnesses,
};
#[cfg(feature = "ssr")]
pub use own_data::{
    OWN_ANSWERS, OWN_DATA, OwnAnswer, OwnAnswers, OwnCounts, OwnRegister, OwnRegisters, OwnSection, REGISTER, own_data,
};
#[cfg(feature = "ssr")]
pub use public::{ErrorPage, accessibility, design, error, logged_out, login_cancelled, recorded, start};
pub use question::Question;
pub use steps::{TRIED, WAY, field, way};
pub use target::Target;
pub use verdict::{CONFIRM, ERROR, FORGET, VERDICT, verdict_box};
#[cfg(feature = "ssr")]
pub use verify::{VerifierFile, VerifyPage, verify};

/// The citizen's page after the login: its path after the language.
pub const FIRST_PAGE: &str = "/uebersicht";

#[cfg(all(test, feature = "ssr"))]
mod tests;
#[cfg(all(test, feature = "ssr"))]
mod words_tests;
