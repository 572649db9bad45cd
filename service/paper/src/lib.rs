//! Documents for paper and archives: [`Paper`] is what a document says, and [`draw`] makes the PDF file of it.
//!
//! A file is PDF/A-3a (an archive can read it in fifty years, its structure too) and PDF/UA-1 (a screen reader can
//! read it). It can have another file in it, which programs read ([`Attachment`]). krilla refuses to write a file that
//! breaks one of the two standards. The same document of the same time gives the same bytes.
//!
//! | Module | |
//! | --- | --- |
//! | [`model`] | what a document says |
//! | [`evidence`] | a register's evidence as a document, with its XML in it |
//! | [`fonts`] | the fonts, which web pages use, too |
//! | `text` | shapes words with these fonts |
//! | `layout` | breaks them into lines and pages |
//! | `code` | makes QR codes |
//! | `draw` | draws the pages and says what each part is |
//!
//! The portal makes a citizen's files with it, a register its evidence. There is no I/O here.

mod code;
mod draw;
mod error;
pub mod evidence;
pub mod fonts;
mod layout;
pub mod model;
mod text;

pub use draw::{Attachment, Relation, draw};
pub use error::PdfError;
pub use evidence::EvidencePaper;
pub use model::{Block, Code, Paper, PaperField, PaperRow};
