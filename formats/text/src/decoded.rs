//! The text of a file that may have bytes which are no text, part by part.
//!
//! A byte that is no UTF-8 and an escape that is half of a surrogate pair would make a whole file of JSON unreadable.
//! Each is read as U+FFFD, which no class of texts contains, so only its row is faulty. A byte-order mark at the
//! beginning is left out.

use std::io::{self, Read};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();
/// The length of an escape of two code units, the longest that is decoded as one.
const PAIR: usize = 12;
/// How much is read at a time.
const PART: usize = 64 * 1024;

/// Reads the text of `from`, as UTF-8.
#[derive(Debug)]
pub(crate) struct Decoded<R> {
    from: R,
    /// What is read and not decoded yet.
    raw: Vec<u8>,
    text: Vec<u8>,
    /// How much of `text` has been taken.
    taken: usize,
    begun: bool,
    ended: bool,
}

impl<R: Read> Decoded<R> {
    pub(crate) fn new(from: R) -> Self {
        Self {
            from,
            raw: Vec::new(),
            text: Vec::new(),
            taken: 0,
            begun: false,
            ended: false,
        }
    }

    /// Decodes the next part.
    fn fill(&mut self) -> io::Result<()> {
        self.text.clear();
        self.taken = 0;
        while self.text.is_empty() && !(self.ended && self.raw.is_empty()) {
            let before = self.raw.len();
            let part = (&mut self.from).take(PART as u64).read_to_end(&mut self.raw)?;
            self.ended = part < PART;
            if !self.begun && before + part >= BYTE_ORDER_MARK.len() {
                self.begun = true;
                if self.raw.starts_with(BYTE_ORDER_MARK) {
                    self.raw.drain(..BYTE_ORDER_MARK.len());
                }
            }
            let used = decode(&self.raw, self.ended, &mut self.text);
            self.raw.drain(..used);
        }
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.text.len() {
            self.fill()?;
        }
        let mut left = self.text.get(self.taken..).unwrap_or_default();
        let read = left.read(buffer)?;
        self.taken += read;
        Ok(read)
    }
}

/// Decodes as much of the bytes as can be, and returns how many they were. What follows may change the meaning of the
/// end, unless these are the `last` bytes.
fn decode(bytes: &[u8], last: bool, text: &mut Vec<u8>) -> usize {
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let end = rest.iter().position(|byte| *byte == b'\\').unwrap_or(rest.len());
        if end > 0 {
            let ends_here = end == rest.len() && !last;
            let used = plain(&rest[..end], ends_here, text);
            at += used;
            if used < end {
                break;
            }
            continue;
        }
        if rest.len() < PAIR && !last {
            break;
        }
        at += escape(rest, text);
    }
    at
}

/// Decodes text without escapes. Leaves the beginning of a character at the end if the rest of it may follow.
fn plain(bytes: &[u8], may_follow: bool, text: &mut Vec<u8>) -> usize {
    let mut used = 0;
    for chunk in bytes.utf8_chunks() {
        text.extend_from_slice(chunk.valid().as_bytes());
        used += chunk.valid().len() + chunk.invalid().len();
        let begun = core::str::from_utf8(chunk.invalid()).is_err_and(|error| error.error_len().is_none());
        if may_follow && begun && used == bytes.len() {
            return used - chunk.invalid().len();
        }
        if !chunk.invalid().is_empty() {
            text.extend_from_slice(REPLACEMENT);
        }
    }
    used
}

/// Decodes the escape at the beginning, and returns its length. What follows an escape that is wrong is for the parser
/// of JSON to refuse.
fn escape(rest: &[u8], text: &mut Vec<u8>) -> usize {
    let length = match (code_unit(rest), rest.get(6..).and_then(code_unit)) {
        (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => PAIR,
        (Some(0xd800..=0xdfff), _) => {
            text.extend_from_slice(REPLACEMENT);
            return 6;
        }
        (Some(_), _) => 6,
        // Another escape: the backslash and one character, which is decoded as plain text unless it is ASCII.
        (None, _) => 1 + usize::from(rest.get(1).is_some_and(u8::is_ascii)),
    };
    text.extend_from_slice(&rest[..length]);
    length
}

/// The code unit of an escape `\uXXXX` at the beginning.
fn code_unit(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.strip_prefix(b"\\u")?.get(..4)?;
    let digits = core::str::from_utf8(digits).ok()?;
    let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u16::from_str_radix(digits, 16).ok().filter(|_| hex)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn whole(bytes: &[u8]) -> String {
        let mut text = String::new();
        Decoded::new(bytes).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn what_is_no_text_is_replaced_and_the_rest_is_kept() {
        for (bytes, text) in [
            (&b"\xef\xbb\xbf[\"A\"]"[..], "[\"A\"]"),
            (b"\xef", "\u{fffd}"),
            (b"M\xfcller \xc3\xa4 \xe2\x82", "M\u{fffd}ller \u{e4} \u{fffd}"),
            (
                b"\\ud800 \\udc00\\ud800x \\ud83c\\udfdb",
                "\u{fffd} \u{fffd}\u{fffd}x \\ud83c\\udfdb",
            ),
            (b"\\\\ud800 \\\xc3\xa4 \\\xff \\", "\\\\ud800 \\\u{e4} \\\u{fffd} \\"),
            (b"\xc3\\n", "\u{fffd}\\n"),
        ] {
            assert_eq!(whole(bytes), text, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn a_text_in_two_parts_is_the_same_text(
            pieces in proptest::collection::vec(
                proptest::sample::select(vec![
                    &b"\\ud83c"[..], b"\\udfdb", b"\\u00e4", b"\\n", b"\\", b"\xc3", b"\xa4", b"\xe2\x82", b"\xac", b"A", b"\xff",
                ]),
                0..12,
            ),
            at in 0..40_usize,
        ) {
            let bytes = pieces.concat();
            let (mut first, mut second) = (Vec::new(), Vec::new());
            let part = &bytes[..at.min(bytes.len())];
            let used = decode(part, false, &mut first);
            decode(&bytes[used..], true, &mut first);
            decode(&bytes, true, &mut second);
            prop_assert_eq!(first, second);
        }
    }
}
