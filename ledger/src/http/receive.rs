//! Receives the body of `POST /entries`.
//!
//! Anybody can connect, so memory is given to writers first. A body is read without conditions up to [`UNCHECKED`]
//! bytes. The rest is read if the request begins with a new entry of a known writer, because only the writer can sign
//! one; the leaf comes first in the body. Everything else may be an entry that was copied from the public log, and is
//! read with a slot for strangers: a few of [`SMALL`] bytes, one of any size, and 429 beyond. A writer that repeats its
//! request after a lost answer uses such a slot, too.

use axum::body::{Body, Bytes};
use futures_util::StreamExt as _;
use record::Submitted;
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
            let first = Submitted::first_leaf(&bytes).filter(|leaf| leaf.len() <= MAX_LEAF);
            let is_new = |leaf| shared.checker.is_new(shared.log.rows(), Bytes::copy_from_slice(leaf));
            standing = if first.is_some_and(is_new) {
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
