//! Copies the rows of one store into another.
//!
//! A copy is a comparison: rows that the target has already are left alone, others are written, and rows that the
//! source does not have are removed. So a copy that was interrupted is repeated, and it does not matter how far it came
//! or whether the source has changed meanwhile. A copy reads both stores in parts of bounded size.

use std::ops::ControlFlow;

use super::{Batch, Column, Durability, END, KeyValue, Store, StoreError, write_or_settle};
use crate::failpoints::{Point, reach};

/// The approximate size of a part, in bytes, and the most rows that it has.
const PART_BYTES: usize = 4 << 20;
const PART_ROWS: usize = 8192;

/// The first rows of a column from a key on, and whether these are the last ones.
fn part(store: &dyn Store, column: Column, from: &[u8]) -> Result<(Vec<KeyValue>, bool), StoreError> {
    let (mut rows, mut bytes, mut whole) = (Vec::new(), 0, true);
    store.scan(column, from, &END, &mut |key, value| {
        if bytes >= PART_BYTES || rows.len() >= PART_ROWS {
            whole = false;
            return ControlFlow::Break(());
        }
        bytes += key.len() + value.len();
        rows.push((key.to_vec(), value.to_vec()));
        ControlFlow::Continue(())
    })?;
    Ok((rows, whole))
}

/// The smallest key that is greater than `key`.
fn after(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}

/// Makes a column of `to` equal to that of `from`, except for the row `ignored`. Nobody else may write to it meanwhile.
/// Returns the number of rows that the source has.
///
/// # Errors
/// As the stores. A part of the rows has been copied then.
pub(crate) fn copy_column(
    from: &dyn Store,
    to: &dyn Store,
    column: Column,
    ignored: Option<&[u8]>,
    durability: Durability,
) -> Result<u64, StoreError> {
    compare_column(from, to, column, ignored, &mut |batch| {
        if batch.size().1 > 0 {
            write_or_settle(to, batch, durability)?;
        }
        reach(Point::PartCopied);
        Ok(())
    })
}

/// The number of rows of a column that differ between two stores, except for the row `ignored`.
///
/// # Errors
/// As the stores.
pub(crate) fn count_differences(
    from: &dyn Store,
    to: &dyn Store,
    column: Column,
    ignored: Option<&[u8]>,
) -> Result<u64, StoreError> {
    let mut differences = 0;
    compare_column(from, to, column, ignored, &mut |batch| {
        differences += batch.size().1 as u64;
        Ok(())
    })?;
    Ok(differences)
}

/// Calls `each` with the changes that would make each part of `to` equal. Returns the number of rows in `from`.
fn compare_column(
    from: &dyn Store,
    to: &dyn Store,
    column: Column,
    ignored: Option<&[u8]>,
    each: &mut dyn FnMut(&Batch) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let (mut start, mut count) = (Vec::new(), 0);
    loop {
        let (rows, whole) = part(from, column, &start)?;
        let end = match rows.last() {
            Some((last, _)) if !whole => after(last),
            _ => END.to_vec(),
        };
        let mut batch = Batch::default();
        let cut = compare(to, column, (&start, &end), &rows, ignored, &mut batch)?;
        each(&batch)?;
        let compared =
            |(key, _): &&KeyValue| cut.as_ref().is_none_or(|cut| key < cut) && ignored != Some(key.as_slice());
        count += rows.iter().filter(compared).count() as u64;
        match cut {
            Some(cut) => start = cut,
            None if whole => return Ok(count),
            None => start = end,
        }
    }
}

/// Puts into `batch` what is missing in this range of `to`, or is too much. If that is more than a batch should have,
/// returns the key from which on nothing was compared.
fn compare(
    to: &dyn Store,
    column: Column,
    (start, end): (&[u8], &[u8]),
    rows: &[KeyValue],
    ignored: Option<&[u8]>,
    batch: &mut Batch,
) -> Result<Option<Vec<u8>>, StoreError> {
    let mut expected = rows
        .iter()
        .filter(|(key, _)| ignored != Some(key.as_slice()))
        .peekable();
    let mut cut = None;
    to.scan(column, start, end, &mut |key, value| {
        if ignored == Some(key) {
            return ControlFlow::Continue(());
        }
        while let Some((before, value)) = expected.next_if(|(before, _)| before.as_slice() < key) {
            batch.put(column, before, value);
        }
        match expected.next_if(|(same, _)| same == key) {
            Some((_, same)) if same == value => {}
            Some((_, other)) => batch.put(column, key, other),
            None => batch.delete(column, key),
        }
        if batch.size().1 < 2 * PART_ROWS {
            return ControlFlow::Continue(());
        }
        cut = Some(after(key));
        ControlFlow::Break(())
    })?;
    if cut.is_none() {
        for (key, value) in expected {
            batch.put(column, key, value);
        }
    }
    Ok(cut)
}

/// Whether the store has no row.
///
/// # Errors
/// As the store.
pub(crate) fn is_empty(store: &dyn Store) -> Result<bool, StoreError> {
    for column in Column::ALL {
        if store.last(column, &[], &END)?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::store::memory::MemoryStore;

    fn rows_of(store: &MemoryStore) -> Vec<KeyValue> {
        let mut rows = Vec::new();
        let mut visit = |key: &[u8], value: &[u8]| {
            rows.push((key.to_vec(), value.to_vec()));
            ControlFlow::Continue(())
        };
        store.scan(Column::Meta, &[], &END, &mut visit).unwrap();
        rows
    }

    fn put(store: &MemoryStore, keys: impl Iterator<Item = u32>, value: &[u8]) {
        let mut batch = Batch::default();
        for key in keys {
            batch.put(Column::Meta, &key.to_be_bytes(), value);
        }
        store.write(&batch, Durability::Synced).unwrap();
    }

    #[test]
    fn a_copy_is_equal_whatever_the_target_had() {
        let many = 3 * PART_ROWS as u32;
        let old = |store: &MemoryStore, keys: &mut dyn Iterator<Item = u32>| put(store, keys, b"old");
        let cases: [&dyn Fn(&MemoryStore); 5] = [
            &|_| {},
            &|target| old(target, &mut (0..many)),
            &|target| old(target, &mut (0..many).step_by(3)),
            &|target| old(target, &mut (many..many * 2)),
            &|target| old(target, &mut (1..many).step_by(2)),
        ];
        for source_rows in [0, 1, PART_ROWS as u32, many] {
            for fill in cases {
                let (source, target) = (MemoryStore::new(), MemoryStore::new());
                put(&source, (0..source_rows).map(|key| key * 2), b"new");
                fill(&target);
                put(&target, [7].into_iter(), b"ignored");
                let ignored = 7u32.to_be_bytes();
                let differ = || count_differences(&source, &target, Column::Meta, Some(&ignored)).unwrap();
                let before = differ();
                let copied = copy_column(&source, &target, Column::Meta, Some(&ignored), Durability::Synced);
                assert_eq!(copied.unwrap(), u64::from(source_rows));
                assert!(before >= u64::from(source_rows) && differ() == 0, "{before}");
                put(&source, [7].into_iter(), b"ignored");
                assert!(rows_of(&source) == rows_of(&target), "{source_rows}");
            }
        }
    }

    #[test]
    fn large_values_are_copied_in_several_parts() {
        let (source, target) = (MemoryStore::new(), MemoryStore::new());
        put(&source, 0..5, &vec![1; PART_BYTES]);
        assert!(!part(&source, Column::Meta, &[]).unwrap().1);
        copy_column(&source, &target, Column::Meta, None, Durability::Lazy).unwrap();
        assert!(rows_of(&source) == rows_of(&target));
    }
}
