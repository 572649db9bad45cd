//! Receives the body of `POST /entries`.
//!
//! Anybody can connect, so memory is given to writers first. A body is read without conditions up to [`UNCHECKED`]
//! bytes. The rest is read if the request begins with a new entry of a known writer, because only the writer can sign
//! one; the leaf comes first in the body. Everything else may be an entry that was copied from the public log, and is
//! read with a slot for strangers: a few of [`SMALL`] bytes, one of any size, and 429 beyond. A writer that repeats its
//! request after a lost answer uses such a slot, too.

use axum::body::{Body, Bytes};
use futures_util::StreamExt as _;
use record::entry::MAX_LEAF;
use service::Problem;
use tokio::sync::OwnedSemaphorePermit;

use super::shared::Shared;
use super::strangers::{SMALL, StrangerSlots};

/// Bytes of a body that are read without conditions.
const UNCHECKED: usize = 24 << 10;
/// The largest allowed request, in bytes: enough for a large document, or for thousands of entries with their records.
pub(super) const MAX_REQUEST: usize = 24 << 20;

/// A received body. Its slots are kept until the request is answered.
pub(super) struct Received {
    pub(super) body: Bytes,
    _slots: Vec<OwnedSemaphorePermit>,
}

/// How much of a body is read.
enum Standing {
    /// Not decided yet.
    Unchecked,
    /// The first entry is a new one of a known writer.
    Writer,
    /// It is not.
    Stranger,
}

/// Reads a body.
///
/// # Errors
/// 413 for a larger body than [`MAX_REQUEST`], 429 when no slot is free, 400 for a body that cannot be read.
pub(super) async fn receive(shared: &Shared, body: Body) -> Result<Received, Problem> {
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::new();
    let mut slots = Vec::new();
    let mut standing = Standing::Unchecked;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| Problem::bad_request("body", "the body cannot be read"))?;
        if bytes.len() + chunk.len() > MAX_REQUEST {
            return Err(Problem::too_large(format!("a request has at most {MAX_REQUEST} bytes")));
        }
        bytes.extend_from_slice(&chunk);
        if matches!(standing, Standing::Unchecked) && bytes.len() > UNCHECKED {
            let new = |leaf| shared.checker.is_new(shared.log.rows(), leaf);
            standing = if first_leaf(&bytes).is_some_and(new) {
                Standing::Writer
            } else {
                Standing::Stranger
            };
            if matches!(standing, Standing::Stranger) {
                slots.push(StrangerSlots::take(&shared.strangers.small)?);
            }
        }
        if matches!(standing, Standing::Stranger) && bytes.len() > SMALL && slots.len() == 1 {
            slots.push(StrangerSlots::take(&shared.strangers.large)?);
        }
    }
    Ok(Received {
        body: bytes.into(),
        _slots: slots,
    })
}

/// The leaf of the first submission, once all of it is there.
fn first_leaf(bytes: &[u8]) -> Option<Bytes> {
    // A leaf is below 64 KiB, so its length is in the head's first byte, or in the one or two bytes after it.
    let (head, rest) = bytes.strip_prefix(&[0x83])?.split_first()?;
    let (length, rest) = match head {
        0x40..=0x57 => (usize::from(head - 0x40), rest),
        0x58 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x59 => (usize::from(u16::from_be_bytes(*rest.first_chunk()?)), rest.get(2..)?),
        _ => return None,
    };
    (length <= MAX_LEAF).then(|| rest.get(..length).map(Bytes::copy_from_slice))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::Submitted;

    #[test]
    fn the_first_leaf_is_found_as_soon_as_it_is_complete() {
        for length in [0, 23, 24, 255, 256, MAX_LEAF] {
            let leaf = vec![7; length];
            let mut body = Vec::new();
            Submitted {
                leaf: &leaf,
                record: None,
                document: None,
            }
            .write(&mut body);
            let end = body.len() - 2;
            assert_eq!(first_leaf(&body[..end]).as_deref(), Some(leaf.as_slice()));
            assert!(first_leaf(&body[..end - 1]).is_none(), "{length}");
        }
        assert!(first_leaf(b"\x9f\x40").is_none());
    }
}
