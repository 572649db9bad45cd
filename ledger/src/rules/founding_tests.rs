#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use record::DocumentKind;

use crate::rules::testing::*;
use crate::server::start;
use crate::store::memory::MemoryStore;

fn store() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new())
}

/// The operator of the configured genesis entry has signed another one.
#[tokio::test]
async fn another_genesis_entry_of_the_same_operator_is_refused() {
    let world = World::new();
    let shared = world.start(store());
    let mut operator = TimedWriter::new(OPERATOR);
    operator.time += 1;
    let other = World::document(&mut operator, DocumentKind::Genesis, &world.genesis.to_bytes());
    let mut both = vec![other];
    both.extend(world.founding());
    assert_eq!(submit(&shared, both).await, [refused("right"), Ok(0), Ok(1), Ok(2)]);
}

#[tokio::test]
async fn a_genesis_document_of_another_log_or_operator_is_refused() {
    let mut world = World::new();
    let mut setup = world.setup(store());
    setup.rules.origin = "log.example/other".into();
    let shared = start(setup).unwrap();
    let genesis = world.founding().swap_remove(0);
    assert_eq!(submit(&shared, vec![genesis]).await, [refused("document")]);

    // The entry is the broker's, and the document names the operator.
    let mut broker = TimedWriter::new(BROKER);
    let entry = broker.write(record::Body::Document {
        kind: DocumentKind::Genesis,
        digest: world.genesis.digest(),
    });
    world.founding[0].0 = entry;
    let shared = world.start(store());
    let genesis = world.founding().swap_remove(0);
    assert_eq!(submit(&shared, vec![genesis]).await, [refused("unknown-writer")]);
}

#[tokio::test]
async fn nothing_else_is_recorded_before_both_first_sets() {
    let world = World::new();
    let shared = world.start(store());
    let mut founding = world.founding();
    let registry = founding.split_off(2);
    assert_eq!(submit(&shared, founding).await, [Ok(0), Ok(1)]);
    let period = || TimedWriter::new(IDENTITY).draft(begin(1, NOW - 86_400));
    assert_eq!(submit_one(&shared, &period(), 0).await, refused("right"));
    assert_eq!(submit(&shared, registry).await, [Ok(2)]);
    assert_eq!(submit_one(&shared, &period(), 0).await, Ok(3));
}

#[tokio::test]
async fn a_store_of_another_genesis_is_not_opened() {
    let world = World::new();
    let store = store();
    let (shared, _) = world.started(store.clone()).await;
    shared.log.end();
    drop(shared);
    store.crash();
    let mut setup = world.setup(store);
    setup.rules.genesis = tlog::Hash([7; 32]);
    let error = start(setup).err().expect("the store is another log's").to_string();
    assert!(error.contains("genesis entry"), "{error}");
}
