//! The pages of the Datenschutzcockpit.
//!
//! A page shows only what is proved. An [`proof::access::Access`] is made from opened entries alone, and
//! [`language::sentence`] and [`language::facts`] turn it into words. The server calls these functions to render a
//! page. The browser calls the same functions on the entries that it has verified itself, and compares the result with
//! the page.
//!
//! | Module | In the browser | On the server |
//! | --- | --- | --- |
//! | [`proof`], [`language`] | yes | yes |
//! | [`islands`] | hydrated | rendered |
//! | `pages` | no | feature `ssr` |
//!
//! The server (`citizen-ui-server`) handles login, sessions and fetching. The only I/O in this crate is the islands'
//! `fetch`.

pub mod islands;
pub mod language;
#[cfg(feature = "ssr")]
pub mod pages;
pub mod proof;

#[cfg(test)]
mod samples;
