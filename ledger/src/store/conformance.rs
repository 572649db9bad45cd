//! What every store must do; run on each of them.

#![allow(clippy::unwrap_used)]

use std::ops::ControlFlow;

use super::{Batch, Column, Durability, Store};

/// Runs all checks on an empty store.
pub(super) fn check(store: &dyn Store) {
    columns_are_apart(store);
    later_rows_of_a_batch_win(store);
    scans_are_ordered_and_half_open(store);
    large_values_and_empty_ones(store);
}

fn write(store: &dyn Store, fill: impl FnOnce(&mut Batch)) {
    let mut batch = Batch::default();
    fill(&mut batch);
    store.write(&batch, Durability::Synced).unwrap();
}

fn columns_are_apart(store: &dyn Store) {
    write(store, |batch| {
        for column in Column::ALL {
            batch.put(column, b"same key", column.name().as_bytes());
        }
    });
    for column in Column::ALL {
        assert_eq!(
            store.get(column, b"same key").unwrap().unwrap(),
            column.name().as_bytes()
        );
        assert_eq!(store.get(column, b"other key").unwrap(), None);
    }
}

fn later_rows_of_a_batch_win(store: &dyn Store) {
    write(store, |batch| {
        batch.put(Column::Labels, b"a", b"1");
        batch.delete(Column::Labels, b"a");
        batch.put(Column::Labels, b"a", b"2");
        batch.put(Column::Labels, b"b", b"1");
        batch.delete(Column::Labels, b"b");
        batch.delete(Column::Labels, b"never there");
    });
    assert_eq!(store.get(Column::Labels, b"a").unwrap().unwrap(), b"2");
    assert_eq!(store.get(Column::Labels, b"b").unwrap(), None);
    write(store, |batch| batch.delete(Column::Labels, b"a"));
    assert_eq!(store.get(Column::Labels, b"a").unwrap(), None);
}

fn keys(store: &dyn Store, from: &[u8], to: &[u8], limit: usize) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    store
        .scan(Column::Intents, from, to, &mut |key, value| {
            assert_eq!(key, value);
            keys.push(key.to_vec());
            if keys.len() == limit {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .unwrap();
    keys
}

fn scans_are_ordered_and_half_open(store: &dyn Store) {
    let all: [&[u8]; 6] = [b"\x01", b"\x01\x00", b"\x01\xff", b"\x02", b"\x80", b"\xff\xff"];
    write(store, |batch| {
        batch.delete(Column::Intents, b"same key");
        for key in [3, 0, 5, 1, 4, 2] {
            batch.put(Column::Intents, all[key], all[key]);
        }
    });
    assert_eq!(keys(store, b"", b"\xff\xff\xff", 99), all);
    assert_eq!(keys(store, b"\x01\x00", b"\x80", 99), all[1..4]);
    assert_eq!(keys(store, b"\x01", b"\x01\x00\x00", 99), all[..2]);
    assert_eq!(keys(store, b"\x80", b"\x80", 99), [] as [&[u8]; 0]);
    assert_eq!(keys(store, b"\x80", b"\x01", 99), [] as [&[u8]; 0]);
    assert_eq!(keys(store, b"", b"\xff\xff\xff", 2), all[..2]);
    write(store, |batch| batch.delete(Column::Intents, b"\x02"));
    assert_eq!(keys(store, b"\x01\xff", b"\xff", 99), [all[2], all[4]]);
}

fn large_values_and_empty_ones(store: &dyn Store) {
    let large: Vec<u8> = (0..3_000_000u32).map(|i| (i % 251) as u8).collect();
    write(store, |batch| {
        batch.put_parts(Column::Documents, b"large", &[&large[..1_000_000], &large[1_000_000..]]);
        batch.put(Column::Documents, b"", b"");
    });
    assert_eq!(store.get(Column::Documents, b"large").unwrap().unwrap(), large);
    assert_eq!(store.get(Column::Documents, b"").unwrap().unwrap(), b"");
}
