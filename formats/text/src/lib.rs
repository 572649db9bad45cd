//! What strangers write: names, free text, dates of birth, JSON. Each is parsed once, where it enters, into a type that
//! says what it may contain. The crate does no I/O, reads no clock and compiles to `wasm32-unknown-unknown`.
//!
//! | module | concept |
//! | --- | --- |
//! | [`din91379`] | the data types A to E of DIN 91379, and the search form of letters |
//! | [`class`] | the classes of text fields: what each may contain, and its greatest length in characters |
//! | [`content`] | what a class may contain |
//! | [`text`] | a text of one class |
//! | [`compare`] | when two names are the same |
//! | [`date`] | dates of birth of which only a part is known |
//! | [`json`] | JSON without duplicate keys |
//! | [`phrase`] | a text in parts, what a page says itself and what it quotes |
//! | [`rows`] | files with many rows, of which a faulty one is set aside |
//! | [`transfer`] | files that were changed on their way |
//! | [`unicode`] | questions to Unicode's tables |
//!
//! # Entrances and signed bytes
//!
//! The same text has several encodings in Unicode: `é` is one character or two. A text is brought into normalization
//! form C (NFC) where a person or a foreign program writes it, which is always JSON. CBOR is written by our own
//! programs and is often signed, so there a text that is not in its canonical form is refused, never changed.

pub mod class;
pub mod compare;
pub mod content;
pub mod date;
mod decoded;
pub mod din91379;
mod error;
mod field;
pub mod json;
pub mod phrase;
pub mod rows;
pub mod text;
pub mod transfer;
mod unicode;

pub use class::{FieldValue, Paragraph, PersonName, PlaceName, PostalCode, Reference, Title};
pub use compare::SearchForm;
pub use date::{DateError, PartialDate};
pub use error::TextError;
pub use field::FieldError;
pub use json::JsonError;
pub use rows::{EachRowError, Fields, RowError, Rows, SetAside, each_row};
pub use text::Text;
pub use transfer::Damage;
