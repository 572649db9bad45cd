#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use std::sync::Arc;

use super::*;
use crate::engine::opening::open;
use crate::engine::signer::Signer;
use crate::rules::testing::{BROKER, TimedWriter, World, intent, log_key, raw, submit};
use crate::store::memory::{MemoryStore, WriteFault};
use crate::store::{Batch, Store};

struct Stores {
    from: Arc<MemoryStore>,
    to: Arc<MemoryStore>,
    sides: (Side, Side),
}

impl Stores {
    async fn new() -> Self {
        let stores = Self::empty();
        let (shared, _) = World::new().started(stores.from.clone()).await;
        let mut broker = TimedWriter::new(BROKER);
        for label in 1..20 {
            let entry = raw(&broker.write(intent(label)), label);
            submit(&shared, vec![entry]).await.remove(0).unwrap();
        }
        shared.log.end();
        stores
    }

    fn empty() -> Self {
        let (from, to) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
        let side = |name: &str, store: &Arc<MemoryStore>| Side {
            name: name.into(),
            rows: Rows::new(store.clone()),
            embedded: true,
        };
        let sides = (side("the old store", &from), side("the new store", &to));
        Self { from, to, sides }
    }

    fn migrate(&self) -> Result<TreeHead, MigrateError> {
        move_log(&self.sides.0, &self.sides.1, &mut |_, _| ())
    }

    fn undo(&self) -> Result<TreeHead, MigrateError> {
        move_back(&self.sides.0, &self.sides.1, &mut |_, _| ())
    }

    /// Whether a ledger would serve the source, and the target.
    fn served(&self) -> (bool, bool) {
        let signer = Signer::new(log_key()).unwrap();
        let (from, to) = &self.sides;
        let served = |side: &Side| side.mark().unwrap().is_some() || side.rows.head().unwrap().is_some();
        (
            served(from) && open(&from.rows, &signer).is_ok(),
            served(to) && open(&to.rows, &signer).is_ok(),
        )
    }

    /// The same log in a new store, with an empty one beside it.
    fn again(&self) -> Self {
        let again = Self::empty();
        let (source, target) = (&self.sides.0.rows, &again.sides.0.rows);
        for column in Column::ALL {
            let (source, target) = (source.store().as_ref(), target.store().as_ref());
            copy_column(source, target, column, None, Durability::Synced).unwrap();
        }
        again
    }

    /// Calls `act` on the log after `prepare`. The write number 0, 1, … of one of the stores fails, with or without
    /// effect, and what was not synced is lost. Never may both stores be served. Repeating `act` must have `result`.
    fn interrupt(&self, prepare: impl Fn(&Self), act: impl Fn(&Self) -> bool, result: (bool, bool)) -> u32 {
        let mut interruptions = 0;
        for (from_fails, applied) in [(true, true), (true, false), (false, true), (false, false)] {
            for after in 0.. {
                let stores = self.again();
                prepare(&stores);
                let failing = if from_fails { &stores.from } else { &stores.to };
                failing.set_fault(Some(WriteFault {
                    after,
                    applied,
                    unknown: false,
                }));
                let done = act(&stores);
                failing.set_fault(None);
                stores.from.crash();
                stores.to.crash();
                assert_ne!(stores.served(), (true, true), "FORK: {after} {applied} {from_fails}");
                act(&stores);
                assert_eq!(stores.served(), result, "{after} {applied} {from_fails}");
                if done {
                    break;
                }
                interruptions += 1;
            }
        }
        interruptions
    }
}

fn row(store: &MemoryStore, column: Column, key: &[u8], value: &[u8]) {
    let mut batch = Batch::default();
    batch.put(column, key, value);
    store.write(&batch, Durability::Synced).unwrap();
}

#[tokio::test]
async fn a_log_is_moved_and_served_from_its_new_store_alone() {
    let stores = Stores::new().await;
    let head = stores.sides.0.head().unwrap();
    assert_eq!(stores.served(), (true, false));
    assert_eq!(stores.migrate().unwrap(), head);
    assert_eq!(stores.served(), (false, true));
    assert_eq!(stores.sides.1.head().unwrap(), head);
    assert_eq!(stores.migrate().unwrap(), head, "a repeated call changes nothing");
    let refused = open(&stores.sides.0.rows, &Signer::new(log_key()).unwrap())
        .err()
        .unwrap();
    assert!(refused.to_string().contains("the new store"), "{refused}");
}

#[tokio::test]
async fn an_interrupted_move_never_leaves_two_logs_and_can_be_repeated() {
    let stores = Stores::new().await;
    let there = stores.interrupt(|_| (), |stores| stores.migrate().is_ok(), (false, true));
    let prepare = |stores: &Stores| assert!(stores.migrate().is_ok());
    let back = stores.interrupt(prepare, |stores| stores.undo().is_ok(), (true, false));
    assert!(there >= 20 && back >= 4, "{there} {back}");
}

#[tokio::test]
async fn a_move_back_needs_a_log_without_new_entries() {
    let stores = Stores::new().await;
    assert!(matches!(stores.undo(), Err(MigrateError::NotMoved(..))));
    stores.migrate().unwrap();
    row(&stores.to, Column::Meta, b"later", b"value");
    stores.undo().unwrap();
    assert_eq!(stores.served(), (true, false));
    assert_eq!(
        stores.from.get(Column::Meta, b"later").unwrap().as_deref(),
        Some(&b"value"[..])
    );
    assert!(matches!(stores.undo(), Err(MigrateError::NotMoved(..))));
    assert!(matches!(stores.migrate(), Err(MigrateError::Occupied(_))));

    let stores = Stores::new().await;
    stores.migrate().unwrap();
    row(&stores.to, Column::Meta, b"head", &[0; 40]);
    assert!(matches!(stores.undo(), Err(MigrateError::Grown(_))));
}

#[tokio::test]
async fn a_move_refuses_other_rows_an_incomplete_source_and_a_damaged_one() {
    let stores = Stores::new().await;
    row(&stores.to, Column::Sets, b"key", b"value");
    assert!(matches!(stores.migrate(), Err(MigrateError::Occupied(_))));

    let stores = Stores::new().await;
    Mark::set(&stores.sides.0.rows, Some(&Mark::Arriving("0a".into()))).unwrap();
    assert!(matches!(stores.migrate(), Err(MigrateError::Incomplete(_))));

    let stores = Stores::new().await;
    stores.migrate().unwrap();
    let elsewhere = Stores::new().await;
    let again = move_log(&stores.sides.0, &elsewhere.sides.1, &mut |_, _| ());
    assert!(matches!(again, Err(MigrateError::Moved(..))));

    let stores = Stores::new().await;
    row(&stores.from, Column::Records, &5u64.to_be_bytes(), b"another record");
    assert!(matches!(stores.migrate(), Err(MigrateError::Damaged { .. })));
    assert_eq!(stores.served(), (true, false));
}
