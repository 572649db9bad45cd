//! The language of the portal: texts, dates, and the sentences that are made from proved accesses.

mod codes;
pub mod facts;
pub mod lang;
pub mod local_time;
mod names;
pub mod phrase;
pub mod sentence;
pub mod text;
pub mod verdict;
pub mod words;
