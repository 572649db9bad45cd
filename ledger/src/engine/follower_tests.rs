#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::engine::publication::QuorumLossPolicy;
use crate::rules::testing::*;
use crate::store::memory::MemoryStore;
use crate::store::{Batch, Column, Durability, Store};

fn follow(store: &Arc<MemoryStore>) -> LogFollower {
    let keys = vec![log_key().verifier_key().unwrap()];
    let rows = Rows::new(store.clone());
    LogFollower::open(rows, ORIGIN.parse().unwrap(), keys).unwrap().unwrap()
}

fn publication(follower: &LogFollower) -> Publication {
    let (rows, snapshot) = (follower.rows(), follower.snapshot());
    Publication::follow(None, QuorumLossPolicy::default(), rows, &snapshot).unwrap()
}

fn put(store: &MemoryStore, column: Column, key: &[u8], value: &[u8]) {
    let mut batch = Batch::default();
    batch.put(column, key, value);
    store.write(&batch, Durability::Synced).unwrap();
}

#[tokio::test]
async fn a_follower_shows_what_is_signed_and_never_less() {
    let store = Arc::new(MemoryStore::new());
    let (shared, _) = World::new().started(store.clone()).await;
    let follower = follow(&store);
    let publication = publication(&follower);
    assert_eq!(follower.snapshot().head, shared.log.snapshot().head);
    let earlier = follower.snapshot().note.clone();
    let mut broker = TimedWriter::new(BROKER);
    for label in 1..4 {
        let entry = broker.write(intent(label));
        assert!(submit_one(&shared, &entry, label).await.is_ok());
    }
    follower.advance(&publication).unwrap();
    let newest = shared.log.snapshot();
    assert_eq!(follower.snapshot().head, newest.head);
    assert_eq!(
        follower.snapshot().inclusion(5, 7).unwrap(),
        newest.inclusion(5, 7).unwrap()
    );
    // A head that is committed and not signed is not shown.
    shared.log.end();
    put(&store, Column::Meta, b"head", &[9; 40]);
    follower.advance(&publication).unwrap();
    assert_eq!(follower.snapshot().head, newest.head);
    // The newest checkpoint is stored without a sync. A fail-over may show an earlier one.
    put(&store, Column::Meta, b"checkpoint", earlier.as_bytes());
    follower.advance(&publication).unwrap();
    assert_eq!(follower.snapshot().head, newest.head);
}

#[tokio::test]
async fn a_follower_refuses_another_tree_and_another_key() {
    let store = Arc::new(MemoryStore::new());
    let (_shared, _) = World::new().started(store.clone()).await;
    let follower = follow(&store);
    let publication = publication(&follower);
    let head = follower.snapshot().head;
    let other = Arc::new(MemoryStore::new());
    let world = World::new();
    let shared = world.start(other.clone());
    assert!(submit(&shared, world.founding()).await.iter().all(Result::is_ok));
    let mut identity = TimedWriter::new(IDENTITY);
    identity.time += 1;
    let period = identity.write(begin(1, NOW - 86_400));
    assert_eq!(submit_one(&shared, &period, 0).await, Ok(3));
    // The other log has as many entries, with another root.
    for (column, key) in [(Column::Meta, &b"checkpoint"[..]), (Column::Tiles, &[0; 9])] {
        let row = other.get(column, key).unwrap().unwrap();
        put(&store, column, key, &row);
    }
    let refused = follower.advance(&publication).unwrap_err();
    assert!(
        matches!(refused, FollowError::Contradiction { shown: 4, new: 4 }),
        "{refused}"
    );
    put(&store, Column::Tiles, &[0; 9], &[7; 32 * 4]);
    let refused = follower.advance(&publication).unwrap_err();
    assert!(matches!(refused, FollowError::Tree(4)), "{refused}");
    put(&store, Column::Meta, b"checkpoint", b"log.example/other\n4\nAAAA\n\n");
    let refused = follower.advance(&publication).unwrap_err();
    assert!(matches!(refused, FollowError::Foreign(_)), "{refused}");
    assert_eq!(follower.snapshot().head, head);
}
