//! What a citizen takes home: the list that is shown, as a document or as data, and a letter as a document.
//!
//! [`list`] makes the rows of all pages that a query chooses, in its order, and the document of them. [`letter`] makes
//! the document of a letter. The functions here do no I/O; the server has a [`Paper`] drawn as a PDF file and writes a
//! [`list::ListExport`] as CSV or JSON.

pub mod letter;
pub mod list;
mod text;

use ::paper::Paper;

use crate::language::lang::Lang;
use crate::pages::Frame;

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
        banner: Some(frame.banner.clone().unwrap_or_else(|| text.banner.to_owned())),
        product: text.product.to_owned(),
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
