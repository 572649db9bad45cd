//! The pages of the Datenschutzcockpit.
//!
//! What is shown is what is proved: an [`proof::access::Access`] is made from opened entries only, [`language::sentence`] and
//! [`language::facts`] turn it into words, and both run unchanged on the server (to render) and in the browser (to compare with what was rendered).
//!
//! | Module | In the browser | On the server |
//! | --- | --- | --- |
//! | [`proof`], [`language`] | yes | yes |
//! | [`islands`] | alive | rendered |
//! | `pages` | no | feature `ssr` |
//!
//! The server (`citizen-ui-server`) does login, sessions and fetching; this crate has no I/O but the islands' own `fetch`.

pub mod islands;
pub mod language;
#[cfg(feature = "ssr")]
pub mod pages;
pub mod proof;

#[cfg(test)]
mod samples;
