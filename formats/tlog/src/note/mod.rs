//! Signed notes (c2sp.org/signed-note): a text with signature lines.
//!
//! ```text
//! note    = text LF 1*sigline            ; text ends in LF, so a blank line separates it from the signatures
//! text    = 1*line                       ; UTF-8, no byte below 0x20 but LF
//! sigline = "—" SP name SP base64 LF     ; U+2014
//! base64  = base64( u32 key id ‖ signature )
//! ```
//!
//! Rules (the tests use these names):
//!
//! * SN-1 the whole note is UTF-8 without control characters below 0x20 but LF.
//! * SN-2 the *last* LF LF separates text and signatures.
//! * SN-3 there is at least one signature line, and every line of the block parses.
//! * SN-4 a name has 1 to 255 bytes, no Unicode white space and no `+`.
//! * SN-5 name and id together identify a key and its algorithm; the reader ignores lines of unknown keys.
//! * SN-6 a line of a known key must verify, otherwise the reader refuses the whole note.
//! * SN-7 the reader refuses a note without a signature of a known key.
//! * SN-8 at most 100 signatures and 1 000 000 bytes.
//! * SN-9 a signer writes at most one line per key; a reader verifies repeated lines and counts the first.
//! * SN-10 the text means nothing until it is verified.
//!
//! ```
//! use tlog::note::{Note, VerifierKey};
//!
//! let key: VerifierKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k".parse()?;
//! let bytes = "This is an example message.\n\n— example.com/foo \
//!     Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
//! let note = Note::open(bytes.as_bytes(), &[&key])?;
//! assert_eq!(note.text(), "This is an example message.\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod key;
mod line;
mod name;
mod signed;
mod signing;
mod verifier;

pub use error::{LineError, NoteError};
pub use key::{Algorithm, KeyError, VerifierKey};
pub use line::SignatureLine;
pub use name::{KeyId, KeyName, NameError};
pub(crate) use signed::verify_line;
pub use signed::{Note, VerifiedNote, VerifiedSignature, sign};
pub use signing::SignerKey;
pub use verifier::Verifier;

/// The most bytes that a note may have (SN-8).
pub const MAX_BYTES: usize = 1_000_000;

/// The most signature lines that a note may have (SN-8).
pub const MAX_SIGNATURES: usize = 100;
