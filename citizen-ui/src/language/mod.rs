//! The language of the portal: texts, dates, and the sentences that are made from proved accesses.

pub mod answers;
pub mod case;
pub mod citizen;
mod codes;
pub mod facts;
pub mod lang;
pub mod letter;
pub mod local_time;
mod representation;
pub mod sentence;
pub mod text;
pub mod verdict;
pub mod words;
