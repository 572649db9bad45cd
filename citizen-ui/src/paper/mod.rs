//! What a citizen takes home: the list that is shown, as a document or as data, and a letter as a document.
//!
//! [`list`] makes the rows of all pages that a query chooses, in its order, and the document of them. [`letter`] makes
//! the document of a letter. The functions here do no I/O; the server draws a [`Paper`] as a PDF file and writes a
//! [`list::ListExport`] as CSV or JSON.

pub mod letter;
pub mod list;
mod text;

use crate::language::lang::Lang;
use crate::language::phrase::Phrase;
use crate::pages::Frame;

/// A document for paper and for archives.
#[derive(Clone)]
#[allow(missing_debug_implementations)] // it would show the person
pub struct Paper {
    /// Its language (BCP 47), as PDF knows languages: without the private tag of easy German.
    pub lang: &'static str,
    /// The words at the top of each page: that the data are invented.
    pub banner: String,
    /// The name of the portal, at the top of each page.
    pub product: &'static str,
    /// The title.
    pub title: String,
    /// The words at the bottom of each page.
    pub footer: String,
    /// The number of a page, in words.
    pub page: fn(page: usize, pages: usize) -> String,
    /// The content.
    pub blocks: Vec<Block>,
}

/// A part of a document.
#[derive(Clone, Debug)]
pub enum Block {
    /// The first heading.
    Title(String),
    /// A heading below it.
    Heading(String),
    /// A paragraph.
    Paragraph(Phrase),
    /// A paragraph in small letters.
    Small(Phrase),
    /// An access. Adjacent ones are a list.
    Row(PaperRow),
    /// A code for cameras, with words beside it.
    Code(Code),
    /// An empty line.
    Gap,
}

/// An access on paper.
#[derive(Clone, Debug)]
pub struct PaperRow {
    /// Date and time.
    pub when: String,
    /// The sentence.
    pub said: Phrase,
    /// The reason that the authority has given.
    pub why: Option<Phrase>,
    /// The result and the entries.
    pub result: String,
}

/// An address as a QR code.
#[derive(Clone, Debug)]
pub struct Code {
    /// The address.
    pub url: String,
    /// What the code is, for readers who do not see it.
    pub alt: String,
    /// The words beside it, above the address.
    pub words: Vec<String>,
}

/// Where and when a document is made.
#[derive(Clone, Copy, Debug)]
pub struct Made<'a> {
    /// POSIX seconds.
    pub at: u64,
    /// The portal's public URL.
    pub portal: &'a str,
}

/// A document without content.
fn empty(frame: &Frame, lang: Lang, title: String, footer: String) -> Paper {
    let text = lang.frame();
    Paper {
        lang: if lang.is_german() { "de" } else { "en" },
        banner: frame.banner.clone().unwrap_or_else(|| text.banner.to_owned()),
        product: text.product,
        title,
        footer,
        page: lang.paper().page,
        blocks: Vec::new(),
    }
}

/// The name of the citizen who is logged in.
fn name(frame: &Frame) -> &str {
    frame.session.as_ref().map_or("", |session| session.name.as_str())
}
