//! A register's evidence as a document: for people on its pages, and for programs as the XML document that it has in
//! it. German: the registers are those of German authorities.

use record::{GermanTime, Timestamp};
use text::phrase::Phrase;

use crate::draw::{Attachment, Relation, draw};
use crate::error::PdfError;
use crate::model::{Block, Paper, PaperField};

/// The name of the XML document in the PDF file.
pub const XML_FILE: &str = "nachweis.xml";
const XML_MEDIA_TYPE: &str = "application/xml";

/// Evidence for people.
#[derive(Clone, Copy)]
#[allow(missing_debug_implementations)] // it would show the person
pub struct EvidencePaper<'a> {
    /// Name of the register.
    pub register: &'a str,
    /// Title of the evidence.
    pub title: &'a str,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// What the bar at the top of each page says; without it there is none.
    pub banner: Option<&'a str>,
    /// Title and value of each field, in the register's order.
    pub fields: &'a [(&'a str, &'a str)],
}

impl EvidencePaper<'_> {
    /// The PDF/A-3 file with `xml` in it, byte for byte. Both say the same, so the XML document is the file's source.
    ///
    /// # Errors
    /// [`PdfError`].
    pub fn pdf(&self, xml: Vec<u8>) -> Result<Vec<u8>, PdfError> {
        let attachment = Attachment {
            name: XML_FILE.to_owned(),
            media: XML_MEDIA_TYPE,
            description: self.title.to_owned(),
            relation: Relation::Source,
            content: xml,
        };
        draw(&self.paper(), Some(attachment), self.issued_at.0)
    }

    fn paper(&self) -> Paper {
        let issued = german(self.issued_at);
        let mut blocks = vec![
            Block::Title(self.title.to_owned()),
            Block::Paragraph(Phrase::said(&format!(
                "Ausgestellt am {issued}. Register: {}.",
                self.register
            ))),
            Block::Gap,
        ];
        blocks.extend(self.fields.iter().map(|(name, value)| field(name, value)));
        let xml = format!("Dieses Dokument enthält die Datei {XML_FILE} mit denselben Angaben für Programme.");
        blocks.extend([Block::Gap, Block::Small(Phrase::said(&xml))]);
        Paper {
            lang: "de",
            banner: self.banner.map(str::to_owned),
            product: self.register.to_owned(),
            title: self.title.to_owned(),
            footer: format!("{}, ausgestellt am {issued}", self.title),
            page: |page, pages| format!("Seite {page} von {pages}"),
            blocks,
        }
    }
}

fn field(name: &str, value: &str) -> Block {
    let value = match value {
        "" => Phrase::said("keine Angabe"),
        value => Phrase::cited(value),
    };
    Block::Field(PaperField {
        name: Phrase::said(name),
        value,
    })
}

fn german(time: Timestamp) -> String {
    let local = GermanTime::of(time);
    let ((year, month, day), (hour, minute)) = (local.date(), local.time());
    format!("{day}.{month}.{year}, {hour}:{minute:02} Uhr")
}
