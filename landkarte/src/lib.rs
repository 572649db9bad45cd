//! The files in which people write the Registerlandkarte: TOML and CSV, read with the place of every error.
//!
//! | module | concept |
//! | --- | --- |
//! | [`schema`] | the fields of each table, from which the published JSON Schema is made |
//! | [`file`] | one file: its rows and values with their places, still without meaning |
//! | [`fields`], [`rows`] | rows with meaning |
//! | [`finding`] | what is wrong, with file, line and column |
//! | [`content`] | all files together |
//! | [`shipped`] | the content that is part of the program |
//! | [`write`] | tables as TOML, CSV and JSON |
//! | [`xdatenfelder`] | a type of evidence from a data schema of FIM |
//! | [`sentences`] | what a change permits and forbids, for people |
//! | [`decisions`] | recorded decisions, decided again |
//!
//! `docs/landkarte.md` describes the formats and the command line. What the tables mean and how they fit each other is
//! in `registerlandkarte`.

pub mod content;
pub mod decisions;
pub mod fields;
pub mod file;
pub mod finding;
pub mod rows;
pub mod schema;
pub mod sentences;
pub mod shipped;
pub mod write;
pub mod xdatenfelder;

/// What everyone who shows norms must say, and what each file with norms begins with.
pub const NOTICE: &str = "Dies ist eine Lesart der Gesetze und keine Rechtsberatung.";
