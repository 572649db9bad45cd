//! A letter about one exchange as a document. It is German, because the authority is.

use paper::{Block, Code, Paper};
use text::phrase::Phrase;

use super::{Made, empty, name};
use crate::language::lang::Lang;
use crate::language::letter::{Act, letter};
use crate::language::local_time::LocalTime;
use crate::pages::Frame;
use crate::proof::access::Exchange;

/// The name of the receipt as an attachment.
pub fn receipt_file(index: u64) -> String {
    format!("eintrag-{index}.tlog-proof")
}

/// The document of the letter. `number` is the person's, if the letter shall have it.
pub fn paper(frame: &Frame, exchange: &Exchange, act: Act, number: Option<&str>, made: Made) -> Paper {
    let lang = Lang::De;
    let words = lang.paper();
    let index = exchange.intent.index;
    let when = LocalTime::of(made.at);
    let letter = letter(exchange, act, number, lang);
    let footer = (words.footer)(letter.subject, &when.full(lang));
    let mut paper = empty(frame, lang, letter.subject.to_owned(), footer);
    let to = match &letter.to {
        Some(to) => {
            let mut phrase = Phrase::said(lang.citizen().ask.to);
            phrase.quote(&letter.name).say(", ").cite(to);
            phrase
        }
        None => Phrase::said(words.to_supervision),
    };
    paper.blocks.extend([
        Block::Paragraph(Phrase::cited(name(frame))),
        Block::Small(Phrase::said(&when.date)),
        Block::Gap,
        Block::Paragraph(to),
        Block::Gap,
        Block::Title(letter.subject.to_owned()),
    ]);
    paper.blocks.extend(letter.body.lines().map(|line| match line {
        "" => Block::Gap,
        line => Block::Paragraph(Phrase::quoted(line)),
    }));
    paper.blocks.extend([
        Block::Paragraph(Phrase::cited(name(frame))),
        Block::Gap,
        Block::Code(Code {
            url: format!("{}/de/protokoll/eintrag/{index}", made.portal),
            alt: words.code_entry.to_owned(),
            words: vec![(words.receipt)(index, &receipt_file(index)), words.entry.to_owned()],
        }),
    ]);
    paper
}
