//! The conformance test that every store must pass.
//!
//! A store in memory calls [`check`] with an empty store. A store on disk calls [`check_reopening`], which closes and
//! reopens the store between all parts, so that the checks also cover its recovery.

#![allow(clippy::unwrap_used)]

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Batch, Column, Durability, END, Store, StoreError};

/// A part of the test: a function that changes the store, and a function that checks the result.
type Part = (fn(&dyn Store), fn(&dyn Store));

const PARTS: [Part; 8] = [
    (write_columns, columns_are_apart),
    (write_a_contradictory_batch, later_rows_of_a_batch_win),
    (write_unordered_keys, ranges_are_ordered_and_half_open),
    (write_large_and_empty, large_values_and_empty_ones),
    (write_many, many_rows_are_all_there),
    (overwrite_and_delete_many, later_batches_win),
    (write_lazily_then_synced, a_synced_batch_takes_lazy_ones_along),
    (swap_rows, swaps_take_effect),
];

/// Runs all checks on an empty store.
pub(super) fn check(store: &dyn Store) {
    for (change, verify) in PARTS {
        change(store);
        verify(store);
    }
    batches_are_seen_whole(store);
    refuse_swaps(store);
    swaps_take_effect(store);
}

/// Runs all checks, each also after reopening the store.
pub(super) fn check_reopening<S: Store>(open: impl Fn() -> S) {
    for (change, verify) in PARTS {
        let store = open();
        change(&store);
        verify(&store);
        drop(store);
        verify(&open());
    }
    batches_are_seen_whole(&open());
    refuse_swaps(&open());
    swaps_take_effect(&open());
}

fn write(store: &dyn Store, fill: impl FnOnce(&mut Batch)) {
    let mut batch = Batch::default();
    fill(&mut batch);
    store.write(&batch, Durability::Synced).unwrap();
}

fn write_columns(store: &dyn Store) {
    write(store, |batch| {
        for column in Column::ALL {
            batch.put(column, b"same key", column.name().as_bytes());
        }
    });
}

fn columns_are_apart(store: &dyn Store) {
    for column in Column::ALL {
        assert_eq!(
            store.get(column, b"same key").unwrap().unwrap(),
            column.name().as_bytes()
        );
        assert_eq!(store.get(column, b"other key").unwrap(), None);
    }
}

fn write_a_contradictory_batch(store: &dyn Store) {
    write(store, |batch| batch.put(Column::Labels, b"c", b"1"));
    write(store, |batch| {
        batch.put(Column::Labels, b"a", b"1");
        batch.delete(Column::Labels, b"a");
        batch.put(Column::Labels, b"a", b"2");
        batch.put(Column::Labels, b"b", b"1");
        batch.delete(Column::Labels, b"b");
        batch.delete(Column::Labels, b"c");
        batch.delete(Column::Labels, b"never there");
    });
}

fn later_rows_of_a_batch_win(store: &dyn Store) {
    assert_eq!(store.get(Column::Labels, b"a").unwrap().unwrap(), b"2");
    assert_eq!(store.get(Column::Labels, b"b").unwrap(), None);
    assert_eq!(store.get(Column::Labels, b"c").unwrap(), None);
    assert_eq!(store.get(Column::Labels, b"never there").unwrap(), None);
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

const KEYS: [&[u8]; 7] = [
    b"\x01",
    b"\x01\x00",
    b"\x01\xff",
    b"\x02",
    b"\x03",
    b"\x80",
    b"\xff\xff",
];

fn write_unordered_keys(store: &dyn Store) {
    write(store, |batch| {
        batch.delete(Column::Intents, b"same key");
        for key in [3, 0, 6, 4, 1, 5, 2] {
            batch.put(Column::Intents, KEYS[key], KEYS[key]);
        }
    });
    write(store, |batch| batch.delete(Column::Intents, b"\x03"));
}

fn ranges_are_ordered_and_half_open(store: &dyn Store) {
    scans_are_ordered_and_half_open(store);
    the_last_of_a_range(store);
}

fn scans_are_ordered_and_half_open(store: &dyn Store) {
    let all: Vec<&[u8]> = KEYS.into_iter().filter(|key| *key != b"\x03").collect();
    assert_eq!(keys(store, b"", b"\xff\xff\xff", 99), all);
    assert_eq!(keys(store, b"\x01\x00", b"\x80", 99), all[1..4]);
    assert_eq!(keys(store, b"\x01", b"\x01\x00\x00", 99), all[..2]);
    assert_eq!(keys(store, b"\x80", b"\x80", 99), [] as [&[u8]; 0]);
    assert_eq!(keys(store, b"\x80", b"\x01", 99), [] as [&[u8]; 0]);
    assert_eq!(keys(store, b"", b"\xff\xff\xff", 2), all[..2]);
    assert_eq!(keys(store, b"\x02", b"\x80", 99), all[3..4]);
}

fn the_last_of_a_range(store: &dyn Store) {
    let last = |from: &[u8], to: &[u8]| {
        let row = store.last(Column::Intents, from, to).unwrap();
        row.map(|(key, value)| {
            assert_eq!(key, value);
            key
        })
    };
    assert_eq!(last(b"", b"\xff\xff\xff").unwrap(), b"\xff\xff");
    assert_eq!(last(b"", b"\xff\xff").unwrap(), b"\x80");
    assert_eq!(last(b"\x01", b"\x01\x00\x00").unwrap(), b"\x01\x00");
    assert_eq!(
        last(b"\x02", b"\x80").unwrap(),
        b"\x02",
        "a removed row is not returned"
    );
    assert_eq!(last(b"\x03", b"\x80"), None);
    assert_eq!(last(b"\x80", b"\x80"), None);
    assert_eq!(last(b"\x80", b"\x01"), None);
}

fn large() -> Vec<u8> {
    (0..3_000_000u32).map(|i| (i % 251) as u8).collect()
}

fn write_large_and_empty(store: &dyn Store) {
    let large = large();
    write(store, |batch| {
        batch.put_parts(Column::Documents, b"large", &[&large[..1_000_000], &large[1_000_000..]]);
        batch.put(Column::Documents, b"empty", b"");
    });
}

fn large_values_and_empty_ones(store: &dyn Store) {
    assert_eq!(store.get(Column::Documents, b"large").unwrap().unwrap(), large());
    assert_eq!(store.get(Column::Documents, b"empty").unwrap().unwrap(), b"");
}

const MANY: u64 = 21_000;

/// A key whose order differs from the order of `i`.
fn scattered(i: u64) -> [u8; 8] {
    (i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_be_bytes()
}

fn write_many(store: &dyn Store) {
    write(store, |batch| batch.delete(Column::Chains, b"same key"));
    for first in (0..MANY).step_by(1000) {
        write(store, |batch| {
            for i in first..first + 1000 {
                batch.put(Column::Chains, &scattered(i), &i.to_be_bytes());
            }
        });
    }
}

fn many_rows_are_all_there(store: &dyn Store) {
    let (mut count, mut last) = (0, Vec::new());
    let visited = store.scan(Column::Chains, &[], &END, &mut |key, value| {
        let i = u64::from_be_bytes(value.try_into().unwrap());
        assert_eq!(key, scattered(i));
        assert!(count == 0 || last < key.to_vec());
        (count, last) = (count + 1, key.to_vec());
        ControlFlow::Continue(())
    });
    visited.unwrap();
    assert_eq!(count, MANY);
}

fn overwrite_and_delete_many(store: &dyn Store) {
    write(store, |batch| {
        for i in 0..MANY {
            match i % 3 {
                0 => batch.delete(Column::Chains, &scattered(i)),
                1 => batch.put(Column::Chains, &scattered(i), b"new"),
                _ => {}
            }
        }
    });
}

fn later_batches_win(store: &dyn Store) {
    let mut counts = [0u64; 3];
    let visited = store.scan(Column::Chains, &[], &END, &mut |key, value| {
        counts[usize::from(value != b"new") + 1] += 1;
        assert!(value == b"new" || scattered(u64::from_be_bytes(value.try_into().unwrap())) == key);
        ControlFlow::Continue(())
    });
    visited.unwrap();
    assert_eq!(counts, [0, MANY / 3, MANY / 3]);
}

fn write_lazily_then_synced(store: &dyn Store) {
    for (key, durability) in [("lazy", Durability::Lazy), ("synced", Durability::Synced)] {
        let mut batch = Batch::default();
        batch.put(Column::Meta, key.as_bytes(), key.as_bytes());
        store.write(&batch, durability).unwrap();
    }
}

fn a_synced_batch_takes_lazy_ones_along(store: &dyn Store) {
    for key in ["lazy", "synced"] {
        assert_eq!(
            store.get(Column::Meta, key.as_bytes()).unwrap().unwrap(),
            key.as_bytes()
        );
    }
}

fn swap(store: &dyn Store, before: Option<&[u8]>, after: &[u8], with: &[u8]) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    batch.swap(Column::Meta, b"swapped", before, after);
    batch.put(Column::Tiles, b"with the swap", with);
    store.write(&batch, Durability::Synced)
}

fn swap_rows(store: &dyn Store) {
    swap(store, None, b"1", b"first").unwrap();
    swap(store, Some(b"1"), b"2", b"second").unwrap();
}

fn swaps_take_effect(store: &dyn Store) {
    assert_eq!(store.get(Column::Meta, b"swapped").unwrap().unwrap(), b"2");
    assert_eq!(store.get(Column::Tiles, b"with the swap").unwrap().unwrap(), b"second");
}

/// After a refused swap, a store may refuse everything until it is opened again.
fn refuse_swaps(store: &dyn Store) {
    for before in [None, Some(&b"1"[..]), Some(b"")] {
        let refused = swap(store, before, b"3", b"third");
        assert!(matches!(refused, Err(StoreError::Fenced(_))), "{refused:?}");
    }
}

/// A scan sees each batch completely or not at all while another thread writes.
fn batches_are_seen_whole(store: &dyn Store) {
    const ROWS: u8 = 50;
    let ended = AtomicBool::new(false);
    let round = |number: u64| {
        write(store, |batch| {
            for row in 0..ROWS {
                batch.put(Column::Records, &[0, row], &number.to_be_bytes());
            }
        });
    };
    round(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1..100 {
                round(number);
            }
            ended.store(true, Ordering::SeqCst);
        });
        while !ended.load(Ordering::SeqCst) {
            let mut seen = Vec::new();
            let visited = store.scan(Column::Records, &[0], &[1], &mut |_, value| {
                seen.push(value.to_vec());
                ControlFlow::Continue(())
            });
            visited.unwrap();
            assert_eq!(seen.len(), usize::from(ROWS));
            assert!(seen.iter().all(|value| *value == seen[0]), "a scan saw half of a batch");
        }
    });
}
