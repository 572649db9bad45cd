//! Words in the documents' own fonts.
//!
//! Each weight has two fonts: Latin, and further Latin letters. A character that neither has is written as its number
//! (`[U+0416]`), so that nothing is silently left out.

use std::ops::Range;
use std::sync::OnceLock;

use harfrust::{FontRef, ShapeOptions, ShaperData, UnicodeBuffer};
use icu_normalizer::ComposingNormalizerBorrowed;
use krilla::Data;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::MetadataProvider;
use skrifa::charmap::Charmap;

use crate::error::PdfError;
use crate::fonts;

/// A weight of a document's fonts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    Regular,
    Bold,
}

impl Weight {
    const ALL: [Self; 2] = [Self::Regular, Self::Bold];

    /// The files: Latin, and further Latin letters.
    fn files(self) -> [&'static [u8]; 2] {
        match self {
            Self::Regular => fonts::REGULAR,
            Self::Bold => fonts::BOLD,
        }
    }
}

/// One font.
struct Face {
    font: Font,
    parsed: FontRef<'static>,
    shaper: ShaperData,
    letters: Charmap<'static>,
    per_em: f32,
}

impl Face {
    fn read(file: &[u8]) -> Option<Self> {
        // The fonts are decoded once and needed as long as the process runs.
        let plain: &'static [u8] = Vec::leak(wuff::decompress_woff2(file).ok()?);
        let font = Font::new(Data::from(plain), 0)?;
        let parsed = FontRef::new(plain).ok()?;
        Some(Self {
            per_em: font.units_per_em(),
            font,
            shaper: ShaperData::new(&parsed),
            letters: parsed.charmap(),
            parsed,
        })
    }

    fn has(&self, letter: char) -> bool {
        self.letters.map(letter).is_some_and(|glyph| glyph.to_u32() != 0)
    }
}

/// The fonts of all weights.
pub(super) struct Fonts([[Face; 2]; Weight::ALL.len()]);

impl Fonts {
    /// The fonts, which the first call decodes.
    pub(super) fn get() -> Result<&'static Self, PdfError> {
        static FONTS: OnceLock<Option<Fonts>> = OnceLock::new();
        FONTS.get_or_init(Self::read).as_ref().ok_or(PdfError::Font)
    }

    fn read() -> Option<Self> {
        let [regular, bold] = Weight::ALL.map(|weight| {
            let [latin, further] = weight.files().map(Face::read);
            Some([latin?, further?])
        });
        Some(Self([regular?, bold?]))
    }

    fn face(&self, weight: Weight, at: usize) -> &Face {
        &self.0[weight as usize][at]
    }

    /// The text as it can be printed: composed, without control characters, each character in one of the two fonts.
    pub(super) fn printable(&self, text: &str) -> String {
        let nfc = ComposingNormalizerBorrowed::new_nfc();
        let mut printable = String::with_capacity(text.len());
        let mut stands_alone = true;
        for letter in nfc.normalize_iter(text.chars()) {
            // A mark needs a letter before it. The fonts have marks of this block only.
            let mark = matches!(letter, '\u{300}'..='\u{36f}');
            match letter {
                '\u{ad}' => {}
                '\u{2011}' => printable.push('-'),
                letter if letter.is_whitespace() => printable.push(' '),
                letter if letter.is_control() => {}
                letter if self.has(letter) && !(mark && stands_alone) && !is_invisible(letter) => {
                    printable.push(letter)
                }
                letter => printable.push_str(&format!("[U+{:04X}]", u32::from(letter))),
            }
            stands_alone = !letter.is_alphabetic() && !mark;
        }
        printable
    }

    /// Whether every weight can write it.
    fn has(&self, letter: char) -> bool {
        self.0.iter().all(|faces| faces.iter().any(|face| face.has(letter)))
    }

    /// Shapes a printable text: parts, each in one font, one after the other.
    pub(super) fn shape(&self, text: &str, weight: Weight) -> Vec<Shaped> {
        let mut parts: Vec<(usize, Range<usize>)> = Vec::new();
        for (at, letter) in text.char_indices() {
            let end = at + letter.len_utf8();
            match parts.last_mut() {
                Some((face, range)) if self.face(weight, *face).has(letter) => range.end = end,
                _ => {
                    let face = usize::from(!self.face(weight, 0).has(letter));
                    parts.push((face, at..end));
                }
            }
        }
        let parts = parts.into_iter();
        parts
            .map(|(face, range)| shape(self.face(weight, face), text.get(range).unwrap_or_default()))
            .collect()
    }

    /// The width of a printable text in units of its size.
    pub(super) fn width(&self, text: &str, weight: Weight) -> f32 {
        self.shape(text, weight).iter().map(|part| part.width).sum()
    }
}

/// Whether the letter only changes how others are shown. Fonts have some of them.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A text in one font. Widths are in units of the size.
pub(super) struct Shaped {
    pub(super) font: Font,
    pub(super) text: String,
    pub(super) glyphs: Vec<KrillaGlyph>,
    pub(super) width: f32,
}

fn shape(face: &Face, text: &str) -> Shaped {
    let mut buffer = UnicodeBuffer::new();
    buffer.push_str(text);
    buffer.guess_segment_properties();
    let shaper = face.shaper.shaper(&face.parsed).build();
    let shaped = shaper.shape(buffer, ShapeOptions::new());
    let (infos, positions) = (shaped.glyph_infos(), shaped.glyph_positions());
    #[allow(clippy::cast_precision_loss, reason = "units of a font are below 65 536")]
    let units = |value: i32| value as f32 / face.per_em;
    let glyphs: Vec<KrillaGlyph> = infos
        .iter()
        .zip(positions)
        .enumerate()
        .map(|(at, (info, position))| {
            let begin = info.cluster as usize;
            let mut later = infos[at..].iter().map(|later| later.cluster as usize);
            let end = later.find(|cluster| *cluster > begin).unwrap_or(text.len());
            KrillaGlyph::new(
                GlyphId::new(info.glyph_id),
                units(position.x_advance),
                units(position.x_offset),
                units(position.y_offset),
                units(position.y_advance),
                begin..end,
                None,
            )
        })
        .collect();
    Shaped {
        font: face.font.clone(),
        text: text.to_owned(),
        width: glyphs.iter().map(|glyph| glyph.x_advance).sum(),
        glyphs,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_no_font_has_is_written_as_its_number_and_nothing_is_left_out() {
        let fonts = Fonts::get().unwrap();
        for (text, printed) in [
            ("Straße „Łódź“ – § 45", "Straße „Łódź“ – § 45"),
            ("a\u{308}", "ä"),
            ("Жанна", "[U+0416][U+0430][U+043D][U+043D][U+0430]"),
            ("\u{301}x", "[U+0301]x"),
            ("Kraft\u{ad}fahrt\u{2011}Amt\u{202f}1\n2\u{0}", "Kraftfahrt-Amt 1 2"),
            ("x\u{feff}y", "x[U+FEFF]y"),
        ] {
            assert_eq!(fonts.printable(text), printed, "{text:?}");
            for weight in Weight::ALL {
                let shaped = fonts.shape(printed, weight);
                let whole: String = shaped.iter().map(|part| part.text.as_str()).collect();
                assert_eq!(whole, printed);
                let glyphs = shaped.iter().flat_map(|part| &part.glyphs);
                assert!(
                    glyphs.clone().all(|glyph| glyph.glyph_id != GlyphId::new(0)),
                    "{printed}"
                );
                assert!(glyphs.count() > 0);
            }
        }
    }

    #[test]
    fn letters_of_both_fonts_have_a_width() {
        let fonts = Fonts::get().unwrap();
        let plain = fonts.width("Lodz", Weight::Regular);
        let polish = fonts.width("Łódź", Weight::Regular);
        assert!((plain - polish).abs() < 0.3 && plain > 1.0, "{plain} {polish}");
    }
}
