//! Items as bytes (RFC 8949 §3): their heads, and the scan that accepts the deterministic ones only.

use super::error::CborError;

/// The maximum nesting depth of arrays and maps.
pub const MAX_DEPTH: usize = 32;

/// The longest item that [`from_slice`](super::from_slice) reads, in bytes. The largest message is a batch of entries
/// with their records.
pub const MAX_LEN: usize = 64 * 1024 * 1024;

/// Major type of an unsigned integer (RFC 8949 §3.1).
pub(crate) const UINT: u8 = 0;
/// Major type of a negative integer.
pub(super) const NEGATIVE: u8 = 1;
/// Major type of a byte string.
pub(crate) const BYTES: u8 = 2;
/// Major type of a text string.
pub(crate) const TEXT: u8 = 3;
/// Major type of an array.
pub(crate) const ARRAY: u8 = 4;
/// Major type of a map.
pub(crate) const MAP: u8 = 5;
/// The whole items `false` and `true`.
pub(super) const FALSE: u8 = 0xf4;
pub(super) const TRUE: u8 = 0xf5;
/// The whole item `null`.
pub(crate) const NULL: u8 = 0xf6;

/// The length of the deterministic item at the beginning of `bytes`.
///
/// # Errors
/// See [`CborError`].
pub fn item_len(bytes: &[u8]) -> Result<usize, CborError> {
    let len = scan(bytes, 0)?;
    if len > MAX_LEN {
        return Err(CborError::TooLong(len));
    }
    Ok(len)
}

/// Reads the head of an item (RFC 8949 §3) and returns its major type, its argument and the length of the head in
/// bytes.
pub(crate) fn head(bytes: &[u8]) -> Result<(u8, u64, usize), CborError> {
    let (&first, rest) = bytes.split_first().ok_or(CborError::Truncated)?;
    let (major, additional) = (first >> 5, first & 0x1f);
    let width = match additional {
        0..=23 => return Ok((major, u64::from(additional), 1)),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        31 => return Err(CborError::NotDeterministic("indefinite length")),
        _ => return Err(CborError::NotDeterministic("reserved additional information")),
    };
    let argument = rest.get(..width).ok_or(CborError::Truncated)?;
    let argument = argument.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    let smallest = match width {
        1 => 24,
        2 => 1 << 8,
        4 => 1 << 16,
        _ => 1 << 32,
    };
    if argument < smallest && major != 7 {
        return Err(CborError::NotDeterministic("a number or length is not the shortest"));
    }
    Ok((major, argument, 1 + width))
}

fn scan(bytes: &[u8], depth: usize) -> Result<usize, CborError> {
    if depth > MAX_DEPTH {
        return Err(CborError::TooDeep);
    }
    let (major, argument, head_len) = head(bytes)?;
    match major {
        UINT | NEGATIVE => Ok(head_len),
        BYTES | TEXT => {
            let len = usize::try_from(argument).map_err(|_| CborError::Truncated)?;
            let end = head_len.checked_add(len).ok_or(CborError::Truncated)?;
            let content = bytes.get(head_len..end).ok_or(CborError::Truncated)?;
            if major == TEXT && core::str::from_utf8(content).is_err() {
                return Err(CborError::NotDeterministic("text is not UTF-8"));
            }
            Ok(end)
        }
        ARRAY => scan_items(bytes, head_len, argument, depth),
        MAP => scan_map(bytes, head_len, argument, depth),
        6 => Err(CborError::NotDeterministic("a tag")),
        _ if head_len == 1 && (20..=22).contains(&argument) => Ok(1),
        _ => Err(CborError::NotDeterministic("a float or an unknown simple value")),
    }
}

fn scan_items(bytes: &[u8], mut at: usize, count: u64, depth: usize) -> Result<usize, CborError> {
    for _ in 0..count {
        at += scan(bytes.get(at..).ok_or(CborError::Truncated)?, depth + 1)?;
    }
    Ok(at)
}

fn scan_map(bytes: &[u8], mut at: usize, count: u64, depth: usize) -> Result<usize, CborError> {
    let mut previous: Option<&[u8]> = None;
    for _ in 0..count {
        let rest = bytes.get(at..).ok_or(CborError::Truncated)?;
        let key_len = scan(rest, depth + 1)?;
        let (key, rest) = rest.split_at(key_len);
        if previous.is_some_and(|previous| previous >= key) {
            return Err(CborError::NotDeterministic("map keys are not sorted or not unique"));
        }
        previous = Some(key);
        at += key_len + scan(rest, depth + 1)?;
    }
    Ok(at)
}

/// Appends the shortest head of an item.
pub(crate) fn put_head(out: &mut Vec<u8>, major: u8, argument: u64) {
    let initial = major << 5;
    let bytes = argument.to_be_bytes();
    match argument {
        0..24 => out.push(initial | bytes[7]),
        24..0x100 => out.extend_from_slice(&[initial | 24, bytes[7]]),
        0x100..0x1_0000 => {
            out.push(initial | 25);
            out.extend_from_slice(&bytes[6..]);
        }
        0x1_0000..0x1_0000_0000 => {
            out.push(initial | 26);
            out.extend_from_slice(&bytes[4..]);
        }
        _ => {
            out.push(initial | 27);
            out.extend_from_slice(&bytes);
        }
    }
}

/// Appends a byte string.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_head(out, BYTES, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a text string.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_head(out, TEXT, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}
