//! What the portal says: languages, texts, dates, and the sentences that are made from proved facts.

mod codes;
pub mod facts;
pub mod lang;
mod names;
pub mod phrase;
pub mod sentence;
pub mod text;
pub mod when;
pub mod words;
