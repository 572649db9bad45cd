//! Files that were changed on their way: by an editor, a mail program, a checkout, a redirection.
//!
//! A receipt whose line ends were converted proves nothing any more, but nobody has forged it. The three changes that
//! happen to whole files are recognised here, so that a program can tell the user what has happened instead of what no
//! longer fits. A file that is changed in another way, also one with a single surplus CR, is simply wrong.

/// What has happened to a file. It has to be fetched again, or changed back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// It begins with FF FE or FE FF.
    #[error("is in UTF-16, as some shells write redirected output: write it again as UTF-8 without a byte-order mark")]
    Utf16,
    /// It begins with EF BB BF.
    #[error("begins with a byte-order mark (EF BB BF): save it as UTF-8 without one")]
    ByteOrderMark,
    /// Each of its lines ends with CR LF.
    #[error("has line ends of the form CR LF: transfer it in binary mode, or convert its line ends to LF")]
    LineEnds,
}

impl Damage {
    /// The damage of a file in a format that allows CR LF, such as JSON.
    #[must_use]
    pub fn of_encoding(bytes: &[u8]) -> Option<Damage> {
        match bytes {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some(Damage::Utf16),
            [0xef, 0xbb, 0xbf, ..] => Some(Damage::ByteOrderMark),
            _ => None,
        }
    }

    /// The damage of a file in a format whose lines end with LF.
    #[must_use]
    pub fn of_lines(bytes: &[u8]) -> Option<Damage> {
        Damage::of_encoding(bytes).or_else(|| (line_ends(bytes)? > 0).then_some(Damage::LineEnds))
    }

    /// The damage of a file in a binary format, which has turned out not to be valid. It takes two converted line ends,
    /// because a CR before the only LF may be chance.
    #[must_use]
    pub fn of_binary(bytes: &[u8]) -> Option<Damage> {
        Damage::of_encoding(bytes).or_else(|| (line_ends(bytes)? > 1).then_some(Damage::LineEnds))
    }
}

/// How many LF the bytes have, if each of them follows a CR.
fn line_ends(bytes: &[u8]) -> Option<usize> {
    let mut before = 0;
    let mut count = 0;
    for byte in bytes {
        if *byte == b'\n' {
            if before != b'\r' {
                return None;
            }
            count += 1;
        }
        before = *byte;
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_changed_as_a_whole_is_recognised() {
        for (bytes, binary, lines) in [
            (&b""[..], None, None),
            (b"a", None, None),
            (b"a\nb\n", None, None),
            (b"a\r\nb\r\n", Some(Damage::LineEnds), Some(Damage::LineEnds)),
            (b"a\r\n", None, Some(Damage::LineEnds)),
            (b"a\rb\r", None, None),
            // One line end that was not converted: no conversion does that.
            (b"a\r\nb\nc\r\n", None, None),
            (
                b"\xef\xbb\xbfa\n",
                Some(Damage::ByteOrderMark),
                Some(Damage::ByteOrderMark),
            ),
            (b"a\xef\xbb\xbf\n", None, None),
            (b"\xff\xfea\0\n\0", Some(Damage::Utf16), Some(Damage::Utf16)),
            (b"\xfe\xff\0a\0\n", Some(Damage::Utf16), Some(Damage::Utf16)),
        ] {
            assert_eq!(Damage::of_binary(bytes), binary, "{bytes:?}");
            assert_eq!(Damage::of_lines(bytes), lines, "{bytes:?}");
        }
        assert_eq!(Damage::of_encoding(b"{\r\n}\r\n"), None);
    }
}
