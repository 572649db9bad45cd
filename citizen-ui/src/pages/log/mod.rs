//! The public log: its state and numbers, its witnesses, one entry, what was erased, and contradictions.
//!
//! Nothing on these pages is about a person, and none needs a login.
//!
//! | Module | |
//! | --- | --- |
//! | [`state`] | what the pages show, as the server has read and checked it |
//! | [`overview`] | the state, the numbers, the ways to the other pages |
//! | [`chart`] | entries per day, as a picture and as a table |
//! | [`entry`] | one entry |
//! | [`lists`] | witnesses, erasures, contradictions |
//! | [`text`], [`kinds`] | the words |

mod chart;
mod entry;
mod kinds;
mod lists;
mod overview;
mod state;
mod text;

pub use entry::{EntryPage, Lookup, entry, lookup};
pub use lists::{contradictions, erasures, witnesses};
pub use overview::log;
pub use state::{Compared, Contradiction, Day, Erased, LogCounts, LogState, LogView, Witness};

#[cfg(test)]
mod tests;
