//! A document as a PDF file: PDF/A-3a (an archive can read it in fifty years, its structure too) and PDF/UA-1 (a screen
//! reader can read it).
//!
//! [`text`] shapes words with the portal's own fonts, [`layout`] breaks them into lines and pages, [`code`] makes the
//! QR code, and [`draw`] draws the pages and says what each part is. krilla refuses to write a file that breaks one of
//! the two standards.

mod code;
mod draw;
mod error;
mod layout;
mod text;

pub(super) use draw::{Attachment, draw};
