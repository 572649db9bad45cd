//! The Registerlandkarte in sentences: who may retrieve what, from which register, and on which law.
//!
//! [`Landkarte`] is one version with the bodies of one version of the directory. A page shows it as of an instant,
//! which also decides which permissions are valid. It is a reading of the law and no legal advice, and every page says
//! so.
//!
//! | Module | |
//! | --- | --- |
//! | [`content`] | a version, prepared for search |
//! | [`query`] | what the reader searches for, as the address states it |
//! | [`search`] | plain words, compared with what a permission says |
//! | [`sentence`] | a permission in a sentence |
//! | [`list`], [`permission`], [`places`] | the pages |
//! | [`text`] | the words |

mod content;
mod list;
mod permission;
mod places;
mod query;
mod search;
mod sentence;
mod text;

pub use content::{Landkarte, Source};
pub use list::{list, not_yet};
pub use permission::{Event, PermissionPage, permission};
pub use places::{Place, place};
pub use query::{LandkarteQuery, PERMISSIONS_PER_PAGE};

#[cfg(test)]
mod tests;
