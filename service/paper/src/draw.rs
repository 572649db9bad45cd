//! Draws the pages of a document and says what each part is.

use std::num::NonZeroU16;

use krilla::action::LinkAction;
use krilla::annotation::{Annotation, LinkAnnotation, Target};
use krilla::color::rgb;
use krilla::configure::{Accessibility, Archival, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::embed::{AssociationKind, EmbeddedFile, MimeType};
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, BBox, ContentTag, Identifier, ListNumbering, Node, SpanTag, Tag, TagGroup, TagTree,
};
use krilla::{Data, Document, SerializeSettings};
use record::Timestamp;

use crate::code;
use crate::error::PdfError;
use crate::layout::{Drawn, LEFT, Layout, PAGE, Piece, RIGHT, Role, Style, layout};
use crate::model::Paper;
use crate::text::{Fonts, Weight};

/// A file that the document has in it.
#[derive(Clone)]
#[allow(missing_debug_implementations)] // it would show the person
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media: &'static str,
    /// What it is.
    pub description: String,
    /// What it is to the document.
    pub relation: Relation,
    /// Its content, byte for byte.
    pub content: Vec<u8>,
}

/// What an attachment is to its document (PDF/A-3, `AFRelationship`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Data that belong to what the document says.
    Data,
    /// What the document was made from.
    Source,
}

impl From<Relation> for AssociationKind {
    fn from(relation: Relation) -> Self {
        match relation {
            Relation::Data => Self::Data,
            Relation::Source => Self::Source,
        }
    }
}

/// What is drawn of a role: its pieces, and where a code is.
#[derive(Default)]
struct Marked {
    pieces: Vec<Identifier>,
    link: Option<Identifier>,
    place: Option<BBox>,
}

/// Draws a document of the time `at`, in POSIX seconds. Takes a core for some milliseconds.
///
/// # Errors
/// [`PdfError`].
pub fn draw(paper: &Paper, attachment: Option<Attachment>, at: u64) -> Result<Vec<u8>, PdfError> {
    let fonts = Fonts::get()?;
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A3_A)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|_| PdfError::Settings)?;
    let mut document = Document::new_with(SerializeSettings {
        configuration,
        enable_tagging: true,
        ..SerializeSettings::default()
    });
    let layout = layout(paper, fonts);
    let pages = layout.pages.len();
    let mut drawing = Drawing {
        fonts,
        marked: layout.roles.iter().map(|_| Marked::default()).collect(),
        headings: Vec::new(),
    };
    for number in 0..pages {
        drawing.page(&mut document, paper, &layout, number)?;
    }
    document.set_outline(drawing.outline());
    document.set_tag_tree(drawing.tags(&layout.roles).with_lang(Some(paper.lang.to_owned())));
    let made = date(at);
    document.set_metadata(
        Metadata::new()
            .title(paper.title.clone())
            .language(paper.lang.to_owned())
            .creator(paper.product.clone())
            .creation_date(made),
    );
    if let Some(file) = attachment {
        document
            .embed_file(EmbeddedFile {
                path: file.name,
                mime_type: MimeType::new(file.media),
                description: Some(file.description),
                association_kind: file.relation.into(),
                data: Data::from(file.content),
                modification_date: Some(made),
                compress: None,
                location: None,
            })
            .ok_or(PdfError::Document)?;
    }
    document.finish().map_err(|_| PdfError::Document)
}

/// The time in UTC.
fn date(at: u64) -> DateTime {
    let text = Timestamp(at).to_string();
    let mut numbers = text
        .split(|letter: char| !letter.is_ascii_digit())
        .map(|number| number.parse::<u16>().unwrap_or_default());
    let mut next = || numbers.next().unwrap_or_default();
    let year = next();
    let [month, day, hour, minute, second] = std::array::from_fn(|_| u8::try_from(next()).unwrap_or_default());
    DateTime::new(year)
        .month(month)
        .day(day)
        .hour(hour)
        .minute(minute)
        .second(second)
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

struct Drawing<'a> {
    fonts: &'a Fonts,
    marked: Vec<Marked>,
    /// Level, text and place of each heading.
    headings: Vec<(u16, String, XyzDestination)>,
}

impl Drawing<'_> {
    fn page(&mut self, document: &mut Document, paper: &Paper, layout: &Layout, number: usize) -> Result<(), PdfError> {
        let settings = PageSettings::from_wh(PAGE.0, PAGE.1).ok_or(PdfError::Settings)?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        self.frame(&mut surface, paper, number, layout.pages.len());
        let mut links = Vec::new();
        for drawn in &layout.pages[number] {
            match drawn {
                Drawn::Line {
                    role,
                    x,
                    baseline,
                    style,
                    pieces,
                } => {
                    let width = self.line(&mut surface, *role, (*x, *baseline), style, pieces);
                    let top = baseline - style.size;
                    self.note(&layout.roles[*role], *role, (*x, top), number);
                    if let Role::Address(url) = &layout.roles[*role] {
                        let area = Rect::from_xywh(*x, top, width, style.size * 1.4);
                        links.extend(area.map(|area| (*role, url.clone(), area)));
                    }
                }
                Drawn::Code { role, x, y, width, url } => {
                    let path = code::path(url, *x, *y, *width)?;
                    surface.set_fill(Some(ink(false)));
                    let id = surface.start_tagged(ContentTag::Other);
                    surface.draw_path(&path);
                    surface.end_tagged();
                    let marked = &mut self.marked[*role];
                    marked.pieces.push(id);
                    marked.place = Rect::from_xywh(*x, *y, *width, *width).map(|area| BBox::new(number, area));
                }
                Drawn::Rule { y } => rectangle(&mut surface, (LEFT, *y), (RIGHT - LEFT, 0.5), (0xb0, 0xb4, 0xc3)),
            }
        }
        surface.finish();
        for (role, url, area) in links {
            let target = Target::Action(LinkAction::new(url.clone()).into());
            let link = Annotation::new_link(LinkAnnotation::new(area, target), Some(url));
            self.marked[role].link = Some(page.add_tagged_annotation(link));
        }
        page.finish();
        Ok(())
    }

    /// Remembers where a heading begins.
    fn note(&mut self, role: &Role, at: usize, (x, y): (f32, f32), page: usize) {
        let (level, text) = match role {
            Role::Title(text) => (1, text),
            Role::Heading(text) => (2, text),
            _ => return,
        };
        // Only the first line of a heading.
        if self.marked[at].place.is_none() {
            let place = XyzDestination::new(page, Point::from_xy(x, y));
            self.headings.push((level, text.clone(), place));
            self.marked[at].place = Rect::from_xywh(x, y, 1.0, 1.0).map(|area| BBox::new(page, area));
        }
    }

    /// What surrounds each page: that the data are invented, the product, the footer and the number.
    fn frame(&self, surface: &mut Surface, paper: &Paper, number: usize, pages: usize) {
        let small = |size| (size, Weight::Regular);
        if paper.banner.is_some() {
            rectangle(surface, (0.0, 0.0), (PAGE.0, 22.0), (0xff, 0xd4, 0x00));
        }
        let artifact = |kind| ContentTag::Artifact(Artifact::with_kind(kind));
        surface.start_tagged(artifact(ArtifactType::Header));
        surface.set_fill(Some(ink(false)));
        if let Some(banner) = &paper.banner {
            let banner = self.fonts.printable(banner);
            let left = (PAGE.0 - self.fonts.width(&banner, Weight::Bold) * 9.0) / 2.0;
            self.draw(surface, &banner, (left, 14.5), (9.0, Weight::Bold));
        }
        let product = self.fonts.printable(&paper.product);
        self.draw(surface, &product, (LEFT, 50.0), (12.0, Weight::Bold));
        surface.end_tagged();
        surface.start_tagged(artifact(ArtifactType::Footer));
        surface.set_fill(Some(ink(true)));
        let footer = self.fonts.printable(&paper.footer);
        let page = self.fonts.printable(&(paper.page)(number + 1, pages));
        let right = RIGHT - self.fonts.width(&page, Weight::Regular) * 8.5;
        self.draw(surface, &footer, (LEFT, PAGE.1 - 40.0), small(8.5));
        self.draw(surface, &page, (right, PAGE.1 - 40.0), small(8.5));
        surface.end_tagged();
    }

    /// Draws a line. Returns its width.
    fn line(
        &mut self,
        surface: &mut Surface,
        role: usize,
        (x, baseline): (f32, f32),
        style: &Style,
        pieces: &[Piece],
    ) -> f32 {
        surface.set_fill(Some(ink(style.muted)));
        let mut width = 0.0;
        for piece in pieces {
            let span = SpanTag::empty().with_lang(piece.foreign.then_some("de"));
            let id = surface.start_tagged(ContentTag::Span(span));
            width += self.draw(surface, &piece.text, (x + width, baseline), (style.size, style.weight));
            surface.end_tagged();
            self.marked[role].pieces.push(id);
        }
        width
    }

    /// Draws a printable text. Returns its width.
    fn draw(&self, surface: &mut Surface, text: &str, (x, y): (f32, f32), (size, weight): (f32, Weight)) -> f32 {
        let mut width = 0.0;
        for part in self.fonts.shape(text, weight) {
            let start = Point::from_xy(x + width, y);
            surface.draw_glyphs(start, &part.glyphs, part.font, &part.text, size, false);
            width += part.width * size;
        }
        width
    }

    /// The headings below the title.
    fn outline(&self) -> Outline {
        let mut outline = Outline::new();
        let mut nodes: Vec<OutlineNode> = Vec::new();
        for (level, text, place) in &self.headings {
            let node = OutlineNode::new(text.clone(), place.clone()).with_open(true);
            match nodes.last_mut() {
                Some(last) if *level > 1 => last.push_child(node),
                _ => nodes.push(node),
            }
        }
        nodes.into_iter().for_each(|node| outline.push_child(node));
        outline
    }

    /// The structure of the document.
    fn tags(self, roles: &[Role]) -> TagTree {
        let mut tree = TagTree::new();
        let mut rows: Vec<Vec<TagGroup>> = Vec::new();
        for (role, marked) in roles.iter().zip(self.marked) {
            if !matches!(role, Role::RowPart { .. }) && !rows.is_empty() {
                tree.push(list(std::mem::take(&mut rows)));
            }
            let leaves: Vec<Node> = marked.pieces.into_iter().map(Node::Leaf).collect();
            let paragraph = |leaves| TagGroup::with_children(Tag::P, leaves);
            match role {
                Role::Title(text) => tree.push(heading(1, text, leaves)),
                Role::Heading(text) => tree.push(heading(2, text, leaves)),
                Role::Paragraph => tree.push(paragraph(leaves)),
                Role::RowPart { first } => {
                    if *first || rows.is_empty() {
                        rows.push(Vec::new());
                    }
                    if let Some(row) = rows.last_mut() {
                        row.push(paragraph(leaves));
                    }
                }
                Role::Code(alt) => {
                    let figure = Tag::Figure(Some(alt.clone())).with_bbox(marked.place);
                    tree.push(TagGroup::with_children(figure, leaves));
                }
                Role::Address(_) => {
                    let link = leaves.into_iter().chain(marked.link.map(Node::Leaf));
                    let link = TagGroup::with_children(Tag::Link, link.collect());
                    tree.push(paragraph(vec![Node::Group(link)]));
                }
            }
        }
        if !rows.is_empty() {
            tree.push(list(rows));
        }
        tree
    }
}

fn heading(level: u16, text: &str, leaves: Vec<Node>) -> TagGroup {
    let level = NonZeroU16::new(level).unwrap_or(NonZeroU16::MIN);
    TagGroup::with_children(Tag::Hn(level, Some(text.to_owned())), leaves)
}

fn list(rows: Vec<Vec<TagGroup>>) -> TagGroup {
    let items = rows.into_iter().map(|parts| {
        let body = TagGroup::with_children(Tag::LBody, parts.into_iter().map(Node::Group).collect());
        Node::Group(TagGroup::with_children(Tag::LI, vec![Node::Group(body)]))
    });
    TagGroup::with_children(Tag::L(ListNumbering::None), items.collect())
}

fn ink(muted: bool) -> Fill {
    let [red, green, blue] = if muted { [0x4a, 0x4d, 0x61] } else { [0x13, 0x15, 0x25] };
    Fill {
        paint: rgb::Color::new(red, green, blue).into(),
        ..Fill::default()
    }
}

/// Draws a rectangle that means nothing.
fn rectangle(surface: &mut Surface, (x, y): (f32, f32), (width, height): (f32, f32), (red, green, blue): (u8, u8, u8)) {
    let mut path = PathBuilder::new();
    if let Some(area) = Rect::from_xywh(x, y, width, height) {
        path.push_rect(area);
    }
    let Some(path) = path.finish() else { return };
    surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)));
    surface.set_fill(Some(Fill {
        paint: rgb::Color::new(red, green, blue).into(),
        ..Fill::default()
    }));
    surface.draw_path(&path);
    surface.end_tagged();
}
