//! The pages of the Datenschutzcockpit.
//!
//! What is shown is what is proved: an [`access::Access`] is made from opened entries only, [`sentence`] and [`facts`] turn it
//! into words, and both run unchanged on the server (to render) and in the browser (to compare with what was rendered).
//!
//! | Module | In the browser | On the server |
//! | --- | --- | --- |
//! | [`access`], [`sentence`], [`facts`], [`prove`], [`complete`], [`words`] | yes | yes |
//! | [`islands`] | alive | rendered |
//! | `pages`, [`text`] | no | feature `ssr` |
//!
//! The server (`citizen-ui-server`) does login, sessions and fetching; this crate has no I/O but the islands' own `fetch`.

pub mod access;
#[cfg(target_arch = "wasm32")]
mod browser;
mod codes;
pub mod complete;
pub mod facts;
pub mod islands;
pub mod lang;
mod names;
#[cfg(feature = "ssr")]
pub mod pages;
pub mod phrase;
pub mod prove;
pub mod sentence;
pub mod state;
pub mod text;
pub mod when;
pub mod words;

#[cfg(test)]
mod samples;
