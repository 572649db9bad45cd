//! Takes the XML document out of a PDF/A-3 file.
//!
//! A PDF file is a sequence of objects; an embedded file is a stream object whose dictionary says so:
//!
//! ```text
//! 12 0 obj << /Type /EmbeddedFile /Subtype /application#2Fxml /Length 345 /Filter /FlateDecode … >>
//! stream … endstream endobj
//! ```
//!
//! SPEC: ISO 32000-1, 7.3.8 and 7.11.4; ISO 19005-3, 6.8 (the subtype is there and names the media type, and nothing is
//! encrypted).
//!
//! The reader looks at each stream of the file once and takes the only one that is an embedded XML file. It follows no
//! reference but that to a length, and decodes no other stream. What a library for PDF decodes to find an object has no
//! limit, and the file comes from another authority. The reader refuses a file that was edited so that it has two
//! embedded XML files, because which of them counts depends on references.

use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

use super::DocumentError;
use crate::limits::MAX_EVIDENCE;

const STREAM: &[u8] = b"stream";
const END: &[u8] = b"endstream";
const OBJECT: &[u8] = b"obj";

/// The XML document in a PDF/A-3 file, byte for byte as its register has written it.
///
/// # Errors
/// [`DocumentError::Pdf`] if the file is larger than [`MAX_EVIDENCE`] or does not have exactly one XML document in it,
/// or if that is larger than [`MAX_EVIDENCE`] or compressed by another method than Flate.
pub fn xml_in_pdf(pdf: &[u8]) -> Result<Vec<u8>, DocumentError> {
    if pdf.len() > MAX_EVIDENCE {
        return Err(DocumentError::Pdf("larger than allowed"));
    }
    if !pdf.starts_with(b"%PDF-1.") {
        return Err(DocumentError::Pdf("not a PDF 1 file"));
    }
    let mut xml = None;
    let mut rest = pdf;
    while let Some(stream) = next_stream(pdf, rest) {
        rest = stream.rest;
        if !is_embedded_xml(stream.dictionary) {
            continue;
        }
        if xml.is_some() {
            return Err(DocumentError::Pdf("more than one XML document is embedded"));
        }
        xml = Some(decoded(stream.dictionary, stream.data)?);
    }
    xml.ok_or(DocumentError::Pdf("no XML document is embedded"))
}

/// A stream: its dictionary, its data, and what follows it in the file.
struct Stream<'a> {
    dictionary: &'a [u8],
    data: &'a [u8],
    rest: &'a [u8],
}

/// The next stream in `rest`, which is the end of `pdf`.
fn next_stream<'a>(pdf: &'a [u8], rest: &'a [u8]) -> Option<Stream<'a>> {
    let at = find(rest, STREAM)?;
    let (head, body) = (&rest[..at], &rest[at + STREAM.len()..]);
    let data = body.strip_prefix(b"\r\n").or_else(|| body.strip_prefix(b"\n"));
    let Some(data) = data else {
        // The word is in a text.
        return Some(Stream {
            dictionary: &[],
            data: &[],
            rest: body,
        });
    };
    let begin = rfind(head, OBJECT).map_or(0, |at| at + OBJECT.len());
    let dictionary = &head[begin..];
    let length = length(pdf, dictionary).and_then(|length| Some((data.get(..length)?, data.get(length..)?)));
    let (data, next) = match length.filter(|(_, after)| without_line_end(after).starts_with(END)) {
        Some(found) => found,
        // Without a length that fits, the data end where the word is.
        None => {
            let end = find(data, END)?;
            (line_end_removed(&data[..end]), &data[end..])
        }
    };
    let rest = find(next, END).map_or(next, |at| &next[at + END.len()..]);
    Some(Stream { dictionary, data, rest })
}

/// The length of a stream. It can be a reference to an object (`7 0 R`), which is looked up only where it matters: the
/// data of other streams are only skipped.
fn length(pdf: &[u8], dictionary: &[u8]) -> Option<usize> {
    let mut tokens = Tokens(dictionary);
    tokens.find(|token| *token == b"/Length")?;
    let (first, second, third) = (tokens.next()?, tokens.next(), tokens.next());
    let number = |token: &[u8]| std::str::from_utf8(token).ok()?.parse::<usize>().ok();
    if (second, third) != (Some(b"0"), Some(b"R")) {
        return number(first);
    }
    if !is_embedded_xml(dictionary) {
        return None;
    }
    let object = [b"\n", first, b" 0 obj"].concat();
    let at = find(pdf, &object)? + object.len();
    number(Tokens(&pdf[at..]).next()?)
}

fn is_embedded_xml(dictionary: &[u8]) -> bool {
    let is = |key: &[u8], wanted: &[&[u8]]| {
        let name = value(dictionary, key).and_then(|name| name.strip_prefix(b"/"));
        name.is_some_and(|name| wanted.contains(&unescaped(name).as_slice()))
    };
    is(b"Type", &[b"EmbeddedFile"]) && is(b"Subtype", &[b"application/xml", b"text/xml"])
}

fn decoded(dictionary: &[u8], data: &[u8]) -> Result<Vec<u8>, DocumentError> {
    if value(dictionary, b"DecodeParms").is_some() {
        return Err(DocumentError::Pdf("the XML document has parameters of a filter"));
    }
    match value(dictionary, b"Filter") {
        None => Ok(data.to_vec()),
        Some(b"/FlateDecode") => decompress_to_vec_zlib_with_limit(data, MAX_EVIDENCE)
            .map_err(|_| DocumentError::Pdf("the XML document cannot be decompressed, or is larger than allowed")),
        Some(_) => Err(DocumentError::Pdf("the XML document has another filter than Flate")),
    }
}

/// The value of a key of a dictionary, if it is a name or a number; an array of one name counts as the name.
fn value<'a>(dictionary: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let mut tokens = Tokens(dictionary);
    while let Some(token) = tokens.next() {
        if token.strip_prefix(b"/") == Some(key) {
            return tokens.next();
        }
    }
    None
}

/// The names, numbers and words of a dictionary. Brackets and white space only separate them.
struct Tokens<'a>(&'a [u8]);

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let begin = self.0.iter().position(|byte| !is_space(*byte) && !is_bracket(*byte))?;
        let rest = &self.0[begin..];
        let ends = |byte: &u8| is_space(*byte) || is_bracket(*byte) || *byte == b'/';
        let length = rest.iter().skip(1).position(ends).map_or(rest.len(), |at| at + 1);
        let (token, rest) = rest.split_at(length);
        self.0 = rest;
        Some(token)
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 0xc | b'\r' | b' ')
}

fn is_bracket(byte: u8) -> bool {
    matches!(byte, b'<' | b'>' | b'[' | b']' | b'(' | b')')
}

/// A name with its escapes (`#2F`) resolved.
fn unescaped(name: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(name.len());
    let mut rest = name;
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).filter(|_| *first == b'#');
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                result.push(byte);
                rest = &after[2..];
            }
            None => {
                result.push(*first);
                rest = after;
            }
        }
    }
    result
}

fn without_line_end(data: &[u8]) -> &[u8] {
    let data = data.strip_prefix(b"\r").unwrap_or(data);
    data.strip_prefix(b"\n").unwrap_or(data)
}

fn line_end_removed(data: &[u8]) -> &[u8] {
    let data = data.strip_suffix(b"\n").unwrap_or(data);
    data.strip_suffix(b"\r").unwrap_or(data)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn rfind(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).rposition(|window| window == wanted)
}
