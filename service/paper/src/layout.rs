//! Lines and pages: where everything is drawn, in points from the upper left corner of an A4 page.

use text::phrase::{Origin, Phrase};

use crate::model::{Block, Code, Paper, PaperField, PaperRow};
use crate::text::{Fonts, Weight};

pub(super) const PAGE: (f32, f32) = (595.28, 841.89);
pub(super) const LEFT: f32 = 62.0;
pub(super) const RIGHT: f32 = PAGE.0 - 56.0;
const TOP: f32 = 84.0;
const BOTTOM: f32 = PAGE.1 - 72.0;
/// Where the sentence of a row begins, after its time.
const SAID: f32 = LEFT + 108.0;
const CODE: f32 = 84.0;
/// Where the words beside a code begin.
const BESIDE: f32 = LEFT + CODE + 16.0;
/// A heading needs this much room, so that something follows it on its page.
const HEADING_ROOM: f32 = 90.0;

/// How a text looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) size: f32,
    pub(super) weight: Weight,
    pub(super) muted: bool,
    /// The distance between baselines.
    leading: f32,
    /// The room above the first line.
    before: f32,
}

const fn style(size: f32, weight: Weight, before: f32) -> Style {
    Style {
        size,
        weight,
        muted: false,
        leading: size * 1.4,
        before,
    }
}

const TITLE: Style = style(20.0, Weight::Bold, 4.0);
const HEADING: Style = style(13.0, Weight::Bold, 16.0);
const BODY: Style = style(10.5, Weight::Regular, 5.0);
const SMALL: Style = Style {
    muted: true,
    ..style(9.0, Weight::Regular, 3.0)
};

/// What a part of the document is.
#[derive(Clone, Debug)]
pub(super) enum Role {
    Title(String),
    Heading(String),
    Paragraph,
    /// A part of an access or a field; the first one begins it.
    RowPart {
        first: bool,
    },
    /// A code, with the words for readers who do not see it.
    Code(String),
    /// An address that can be followed.
    Address(String),
}

/// A piece of a line. A foreign one is German in a document that is not.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) foreign: bool,
}

/// What is drawn at one place. `role` is the position in [`Layout::roles`].
#[derive(Clone, Debug)]
pub(super) enum Drawn {
    Line {
        role: usize,
        x: f32,
        baseline: f32,
        style: Style,
        pieces: Vec<Piece>,
    },
    Code {
        role: usize,
        x: f32,
        y: f32,
        width: f32,
        url: String,
    },
    /// A line between rows, which means nothing.
    Rule { y: f32 },
}

/// The pages of a document.
pub(super) struct Layout {
    pub(super) pages: Vec<Vec<Drawn>>,
    pub(super) roles: Vec<Role>,
}

/// A text that is broken into lines and not yet placed.
struct Broken {
    role: Role,
    style: Style,
    x: f32,
    lines: Vec<Vec<Piece>>,
}

impl Broken {
    fn height(&self) -> f32 {
        let lines = self.lines.iter().map(|_| self.style.leading);
        self.style.before + lines.sum::<f32>()
    }
}

/// Breaks a document into lines and pages.
pub(super) fn layout(paper: &Paper, fonts: &Fonts) -> Layout {
    let mut builder = Builder {
        fonts,
        german: paper.lang == "de",
        layout: Layout {
            pages: vec![Vec::new()],
            roles: Vec::new(),
        },
        y: TOP,
    };
    for block in &paper.blocks {
        builder.block(block);
    }
    builder.layout
}

struct Builder<'a> {
    fonts: &'a Fonts,
    german: bool,
    layout: Layout,
    y: f32,
}

impl Builder<'_> {
    fn block(&mut self, block: &Block) {
        match block {
            Block::Title(text) => self.text(Role::Title(text.clone()), &Phrase::said(text), TITLE),
            Block::Heading(text) => {
                self.room(HEADING_ROOM);
                self.text(Role::Heading(text.clone()), &Phrase::said(text), HEADING);
            }
            Block::Paragraph(phrase) => self.text(Role::Paragraph, phrase, BODY),
            Block::Small(phrase) => self.text(Role::Paragraph, phrase, SMALL),
            Block::Row(row) => self.row(row),
            Block::Field(field) => self.field(field),
            Block::Code(code) => self.code(code),
            Block::Gap => self.y += BODY.leading,
        }
    }

    /// A text over the whole width. It may continue on the next page.
    fn text(&mut self, role: Role, phrase: &Phrase, style: Style) {
        let text = self.broken(role, phrase, style, LEFT, RIGHT);
        self.y += style.before;
        self.place(text);
    }

    fn row(&mut self, row: &PaperRow) {
        let part = |first| Role::RowPart { first };
        let when = self.broken(part(true), &Phrase::said(&row.when), SMALL, LEFT, SAID);
        let mut parts = vec![self.broken(part(false), &row.said, BODY, SAID, RIGHT)];
        if let Some(why) = &row.why {
            parts.push(self.broken(part(false), why, SMALL, SAID, RIGHT));
        }
        parts.push(self.broken(part(false), &Phrase::said(&row.result), SMALL, SAID, RIGHT));
        let height: f32 = parts.iter().map(Broken::height).sum();
        self.room(height + 10.0);
        self.y += 4.0;
        self.draw(Drawn::Rule { y: self.y });
        self.y += 1.0;
        let (begin, before) = (self.y, BODY.before);
        self.y += before;
        self.place(when);
        self.y = begin;
        for part in parts {
            self.y += part.style.before;
            self.place(part);
        }
        self.y += 4.0;
    }

    /// The name stays with the first line of its value.
    fn field(&mut self, field: &PaperField) {
        let part = |first| Role::RowPart { first };
        let name = self.broken(part(true), &field.name, SMALL, LEFT, RIGHT);
        let value = self.broken(part(false), &field.value, BODY, LEFT, RIGHT);
        self.room(name.height() + BODY.before + BODY.leading + 10.0);
        self.y += 4.0;
        self.draw(Drawn::Rule { y: self.y });
        self.y += 1.0 + SMALL.before;
        self.place(name);
        self.y += 1.0;
        self.place(value);
        self.y += 4.0;
    }

    fn code(&mut self, code: &Code) {
        let mut parts: Vec<Broken> = Vec::new();
        for words in &code.words {
            parts.push(self.broken(Role::Paragraph, &Phrase::said(words), SMALL, BESIDE, RIGHT));
        }
        parts.push(self.broken(
            Role::Address(code.url.clone()),
            &Phrase::cited(&code.url),
            SMALL,
            BESIDE,
            RIGHT,
        ));
        let words: f32 = parts.iter().map(Broken::height).sum();
        let height = words.max(CODE) + 20.0;
        self.room(height);
        let begin = self.y;
        let role = self.role(Role::Code(code.alt.clone()));
        self.draw(Drawn::Code {
            role,
            x: LEFT,
            y: begin + 12.0,
            width: CODE,
            url: code.url.clone(),
        });
        self.y += 6.0;
        for part in parts {
            self.y += part.style.before;
            self.place(part);
        }
        self.y = begin + height;
    }

    /// Begins a new page unless this one has so much room, or nothing.
    fn room(&mut self, height: f32) {
        let empty = self.layout.pages.last().is_none_or(Vec::is_empty);
        if self.y + height > BOTTOM && !empty {
            self.layout.pages.push(Vec::new());
            self.y = TOP;
        }
    }

    fn place(&mut self, text: Broken) {
        let Broken { role, style, x, lines } = text;
        let role = self.role(role);
        for pieces in lines {
            self.room(style.leading);
            self.y += style.leading;
            self.draw(Drawn::Line {
                role,
                x,
                baseline: self.y - style.size * 0.35,
                style,
                pieces,
            });
        }
    }

    fn role(&mut self, role: Role) -> usize {
        self.layout.roles.push(role);
        self.layout.roles.len() - 1
    }

    fn draw(&mut self, drawn: Drawn) {
        if let Some(page) = self.layout.pages.last_mut() {
            page.push(drawn);
        }
    }

    /// Breaks a text into lines between `x` and `right`.
    fn broken(&self, role: Role, phrase: &Phrase, style: Style, x: f32, right: f32) -> Broken {
        let width = (right - x) / style.size;
        let mut lines: Vec<Vec<Piece>> = vec![Vec::new()];
        let mut used = 0.0;
        for word in self.words(phrase, width, style.weight) {
            if used > 0.0 && used + word.width > width {
                lines.push(Vec::new());
                used = 0.0;
            }
            used += word.width + word.space;
            let Some(line) = lines.last_mut() else { continue };
            for piece in word.pieces {
                match line.last_mut() {
                    Some(last) if last.foreign == piece.foreign => last.text.push_str(&piece.text),
                    _ => line.push(piece),
                }
            }
        }
        Broken { role, style, x, lines }
    }

    /// The words of a phrase. One that is wider than the line is cut.
    fn words(&self, phrase: &Phrase, max: f32, weight: Weight) -> Vec<Word> {
        let mut words = vec![Word::default()];
        for part in &phrase.0 {
            let foreign = part.origin == Origin::German && !self.german;
            let text = self.fonts.printable(&part.text);
            for chunk in text.split_inclusive(' ') {
                let word = chunk.trim_end_matches(' ');
                let whole = self.fonts.width(word, weight);
                if whole <= max {
                    push(&mut words, word, foreign, whole);
                } else {
                    for letter in word.chars() {
                        let letter = letter.to_string();
                        let width = self.fonts.width(&letter, weight);
                        push(&mut words, &letter, foreign, width);
                        words.push(Word::default());
                    }
                }
                if word.len() < chunk.len() {
                    if let Some(word) = words.last_mut() {
                        word.end(foreign, self.fonts.width(" ", weight));
                    }
                    words.push(Word::default());
                }
            }
        }
        words
    }
}

/// What stays together on a line. A word can have pieces of different origin.
#[derive(Default)]
struct Word {
    pieces: Vec<Piece>,
    width: f32,
    /// The width of the space at its end.
    space: f32,
}

impl Word {
    fn end(&mut self, foreign: bool, space: f32) {
        self.space = space;
        match self.pieces.last_mut() {
            Some(last) => last.text.push(' '),
            None => self.pieces.push(Piece {
                text: " ".to_owned(),
                foreign,
            }),
        }
    }
}

fn push(words: &mut [Word], text: &str, foreign: bool, width: f32) {
    if let (Some(word), false) = (words.last_mut(), text.is_empty()) {
        word.width += width;
        word.pieces.push(Piece {
            text: text.to_owned(),
            foreign,
        });
    }
}
