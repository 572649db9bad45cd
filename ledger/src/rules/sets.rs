//! Rows that lead readers to the newest change sets and `map` entries.
//!
//! | Column | Key | Value |
//! | --- | --- | --- |
//! | `Sets` | u8 kind ([`code`]) ‖ u32 version | u64 index of the entry that carries the version's change set |
//! | `Maps` | u64 index of a `map` entry | empty |
//!
//! All numbers are big-endian.

use trust::{TrustKind, Version};

use crate::store::{Batch, Column, Store, StoreError};

/// The kind in keys.
const fn code(kind: TrustKind) -> u8 {
    match kind {
        TrustKind::Directory => 1,
        TrustKind::Registerlandkarte => 2,
    }
}

/// The key of a version's row.
pub(crate) fn key(kind: TrustKind, version: Version) -> [u8; 5] {
    let mut key = [code(kind); 5];
    key[1..].copy_from_slice(&version.0.to_be_bytes());
    key
}

/// The index of the entry with a version's change set; `None` if there is no such version.
pub(crate) fn entry_of(store: &dyn Store, kind: TrustKind, version: Version) -> Result<Option<u64>, StoreError> {
    let Some(row) = store.get(Column::Sets, &key(kind, version))? else {
        return Ok(None);
    };
    let index = row
        .try_into()
        .map_err(|_| StoreError::damaged("a row of a change set is damaged"))?;
    Ok(Some(u64::from_be_bytes(index)))
}

/// Stages the row of a version.
pub(super) fn put(batch: &mut Batch, kind: TrustKind, version: Version, index: u64) {
    batch.put(Column::Sets, &key(kind, version), &index.to_be_bytes());
}

/// The index of the newest `map` entry among the first `size` entries.
pub(crate) fn newest_map(store: &dyn Store, size: u64) -> Result<Option<u64>, StoreError> {
    let Some((key, _)) = store.last(Column::Maps, &[], &size.to_be_bytes())? else {
        return Ok(None);
    };
    let index = key
        .try_into()
        .map_err(|_| StoreError::damaged("a row of a map entry is damaged"))?;
    Ok(Some(u64::from_be_bytes(index)))
}

/// Stages the row of a `map` entry.
pub(super) fn put_map(batch: &mut Batch, index: u64) {
    batch.put(Column::Maps, &index.to_be_bytes(), &[]);
}
