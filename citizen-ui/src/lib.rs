//! The pages of the Datenschutzcockpit.
//!
//! A page shows only what is proved. An [`proof::access::Access`] is made from opened entries alone, and
//! [`language::sentence`] and [`language::facts`] turn it into words. The server calls these functions to make a page.
//! The browser's program calls the same functions on the entries that it has verified itself, and compares the whole
//! page with the one that the browser shows ([`pages::proved`]).
//!
//! | Module | In the browser | On the server |
//! | --- | --- | --- |
//! | [`proof`], [`language`], [`markup`], [`islands`] | yes | yes |
//! | [`pages`] | those of a citizen | all (feature `ssr`) |
//! | `paper` | no | what a citizen takes home (feature `ssr`) |
//!
//! There is no I/O here. The server (`citizen-ui-server`) handles login, sessions and fetching; the browser's program
//! (`citizen-ui-browser`) reads and writes the page and makes the one request.

pub mod islands;
pub mod language;
pub mod markup;
pub mod pages;
#[cfg(feature = "ssr")]
pub mod paper;
pub mod proof;
mod sorted;

#[cfg(test)]
mod samples;
