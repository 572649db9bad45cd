//! What the browser's program proves on public pages: a file that the visitor has, the state of the log that the
//! device remembers, and an invented list.
//!
//! The functions here do no I/O. The browser's program reads the file, the page and the device's memory, and shows what
//! they return ([`Told`]).
//!
//! The keys come from the page, so a lying server could name others. They count only if they are those that the build
//! and the device know ([`crate::proof::device::check_trust`]); a device that has seen no log before says so.

mod device;
mod example;
mod file;
mod words;

pub use device::{LogProof, compare};
pub use example::{example_path, example_told, prove_example};
pub use file::{MAX_FILE, check_file};
pub use words::{FileWords, Told, Tone, file_words};
