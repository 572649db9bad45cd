//! The history in an export: each checkpoint that the log has published must belong to the tree of the newest one.
//!
//! `checkpoints/<size>` is checked like the newest checkpoint, and its root is compared with the root that the tiles
//! give at that size. This finds a log that once published another tree, provided that the export contains that
//! checkpoint. A checkpoint that is missing from the export cannot be noticed here; only the witnesses remember it.
//!
//! Old checkpoints need no quorum, because the log does not record which witnesses counted at the time. An auditor's
//! policy keeps retired log keys, and retired witnesses outside of all groups: signatures of other keys are not
//! checked.
//!
//! A ledger serves its history one size at a time, so the audit of a URL does not read it.

use std::path::Path;

use super::finding::Findings;
use super::head::{self, Head};
use super::layout::{self, TILE};
use super::options::Options;
use super::source::Source;
use super::source_error::SourceError;
use super::tree::{self, Skeleton};

/// Checks the history of an export. Returns the sizes of its checkpoints in ascending order, or `None` for a URL.
///
/// # Errors
/// If the export cannot be read. Wrong content is a finding, not an error.
pub(super) async fn check(
    source: &Source,
    skeleton: &Skeleton,
    head: &Head,
    options: &Options,
    findings: &mut Findings,
) -> Result<Option<Vec<u64>>, SourceError> {
    let Some(root) = source.root() else { return Ok(None) };
    let sizes = list(root, head.size)?;
    let mut leaves = (u64::MAX, None);
    for size in &sizes {
        if findings.overflow() {
            break;
        }
        let place = layout::checkpoint_path(*size);
        let Some(bytes) = source.checkpoint(&place).await? else {
            findings.file(place, "not a checkpoint");
            continue;
        };
        let Some(verdict) = head::verify(&place, &bytes, options, findings) else {
            continue;
        };
        let checkpoint = verdict.checkpoint();
        if checkpoint.size.get() != *size || checkpoint.origin.to_string() != head.origin {
            let what = format!("it is of {} at size {}", checkpoint.origin, checkpoint.size);
            findings.file(place, what);
            continue;
        }
        if leaves.0 != *size / TILE {
            leaves = (
                *size / TILE,
                read_leaves(source, skeleton, head.size, *size / TILE).await?,
            );
        }
        let computed = leaves.1.as_ref().and_then(|leaves| skeleton.root_at(*size, leaves));
        if let Some(computed) = computed
            && computed != checkpoint.root.0
        {
            let computed = hex::encode(computed);
            findings.file(
                place,
                format!("its root is {}, the tree's at this size {computed}", checkpoint.root),
            );
        }
    }
    Ok(Some(sizes))
}

/// The canonical sizes up to `newest` that have a file, ascending. [`layout::Inventory`] reports all other files.
fn list(root: &Path, newest: u64) -> Result<Vec<u64>, SourceError> {
    let folder = root.join(layout::CHECKPOINTS);
    let unreadable = |error| SourceError::unreadable(&folder, &error);
    let files = match std::fs::read_dir(&folder) {
        Ok(files) => files,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut sizes = Vec::new();
    for file in files {
        let name = file.map_err(unreadable)?.file_name();
        let size = name.to_str().and_then(layout::decimal);
        sizes.extend(size.filter(|size| *size <= newest));
    }
    sizes.sort_unstable();
    Ok(sizes)
}

/// The hashes of a leaf tile; empty at the end of a tree of full tiles. `None` if the tile does not belong to the tree,
/// which the check of the entries reports.
async fn read_leaves(
    source: &Source,
    skeleton: &Skeleton,
    size: u64,
    number: u64,
) -> Result<Option<Vec<[u8; 32]>>, SourceError> {
    let width = layout::tile_width(size, 0, number);
    if width == 0 {
        return Ok(Some(Vec::new()));
    }
    let bytes = source.tile(size, 0, number).await?;
    let hashes = bytes.and_then(|bytes| tree::split(&bytes, width));
    Ok(hashes.filter(|hashes| skeleton.check_leaves(number, hashes).is_ok()))
}
