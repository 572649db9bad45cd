//! Questions to Unicode's tables.
//!
//! A browser's program has no tables, which would be a tenth of it. It reads texts of this crate only in what
//! authorities have signed and followers have checked (the reason of a change set, the name of an authority), and it
//! shows none of them. So there it takes every text as canonical, and only control characters as invisible.

/// What a character is in free text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Appearance {
    /// It is shown.
    Visible,
    /// It is shown on the character before.
    #[cfg_attr(
        target_family = "wasm",
        expect(dead_code, reason = "without tables no character is known as one")
    )]
    Mark,
    /// It is not shown, or changes how others are shown.
    Invisible,
}

#[cfg(not(target_family = "wasm"))]
mod tables {
    use icu_normalizer::ComposingNormalizerBorrowed;
    use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
    use icu_properties::{CodePointMapData, CodePointSetData};

    use super::Appearance;

    /// Normalization form C of a text.
    pub(crate) fn nfc(text: &str) -> String {
        ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned()
    }

    pub(crate) fn appearance(c: char) -> Appearance {
        let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c);
        match CodePointMapData::<GeneralCategory>::new().get(c) {
            GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::Surrogate
            | GeneralCategory::PrivateUse
            | GeneralCategory::Unassigned
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator => Appearance::Invisible,
            // U+FFFD is what remains of a text that could not be decoded.
            _ if ignorable || c == '\u{fffd}' => Appearance::Invisible,
            GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark | GeneralCategory::SpacingMark => {
                Appearance::Mark
            }
            _ => Appearance::Visible,
        }
    }
}

#[cfg(target_family = "wasm")]
mod tables {
    use super::Appearance;

    pub(crate) fn nfc(text: &str) -> String {
        text.to_owned()
    }

    pub(crate) fn appearance(c: char) -> Appearance {
        if c.is_control() {
            Appearance::Invisible
        } else {
            Appearance::Visible
        }
    }
}

pub(crate) use tables::{appearance, nfc};
