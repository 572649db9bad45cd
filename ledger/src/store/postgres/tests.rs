//! The store on real servers: a primary, and a standby that its commits wait for.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use fixtures::postgres::{Cluster, DATABASE};

use super::*;
use crate::store::{conformance, write_or_settle};

fn config(cluster: &Cluster) -> PostgresConfig {
    PostgresConfig {
        hosts: cluster.hosts(),
        database: DATABASE.into(),
        user: DATABASE.into(),
        password_file: None,
        ca: None,
        certificate: None,
        key: None,
        failover_seconds: 60,
    }
}

fn open(cluster: &Cluster) -> PostgresStore {
    PostgresStore::open(&config(cluster)).unwrap()
}

fn open_within(config: &PostgresConfig, patience: Duration) -> Result<PostgresStore, StoreError> {
    PostgresStore::open_within(config, Addresses::default(), patience, patience)
}

fn batch(key: &[u8]) -> Batch {
    let mut batch = Batch::default();
    batch.put(Column::Meta, key, b"value");
    batch
}

fn has(store: &dyn Store, key: &[u8]) -> bool {
    store.get(Column::Meta, key).unwrap().is_some()
}

mod failover;
mod tls;

#[test]
fn the_postgres_store_conforms() {
    let cluster = Cluster::replicated().unwrap();
    conformance::check_reopening(|| open(&cluster));
    only_one_store_is_open_for_writing(&cluster);
    a_fenced_store_writes_nothing(&cluster);
    a_reading_store_shows_the_state_at_its_opening(&cluster);
    a_broken_connection_is_settled(&cluster);
    a_cancelled_wait_for_the_standby_is_not_acknowledged(&cluster);
    without_replication_nothing_is_acknowledged(&cluster);
}

fn only_one_store_is_open_for_writing(cluster: &Cluster) {
    let first = open(cluster);
    let second = open_within(&config(cluster), Duration::from_millis(300)).err().unwrap();
    assert!(second.to_string().contains("another ledger"), "{second}");
    first.write(&batch(b"first"), Durability::Synced).unwrap();
}

/// The claim is taken away in the database, as by another ledger after this one was frozen.
fn a_fenced_store_writes_nothing(cluster: &Cluster) {
    for durability in [Durability::Synced, Durability::Lazy] {
        let store = open(cluster);
        cluster
            .sql(0, "UPDATE claim SET epoch = epoch + 1, holder = 'another'")
            .unwrap();
        for _ in 0..2 {
            let refused = write_or_settle(&store, &batch(b"fenced"), durability);
            assert!(matches!(refused, Err(StoreError::Fenced(_))), "{refused:?}");
        }
        drop(store);
        assert!(!has(&open(cluster), b"fenced"));
    }
}

fn a_reading_store_shows_the_state_at_its_opening(cluster: &Cluster) {
    let store = open(cluster);
    store.write(&batch(b"earlier"), Durability::Synced).unwrap();
    let reading = PostgresStore::open_read_only(&config(cluster)).unwrap();
    store.write(&batch(b"later"), Durability::Synced).unwrap();
    let seen = |key: &[u8]| {
        let mut scanned = false;
        let end = [key, &[0]].concat();
        reading
            .scan(Column::Meta, key, &end, &mut |_, _| {
                scanned = true;
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(scanned, has(&reading, key));
        scanned
    };
    assert_eq!((seen(b"earlier"), seen(b"later")), (true, false));
    assert!(reading.write(&batch(b"refused"), Durability::Synced).is_err());
}

fn a_broken_connection_is_settled(cluster: &Cluster) {
    let store = open(cluster);
    for number in 0..5u8 {
        cluster
            .sql(
                0,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ledger'",
            )
            .unwrap();
        write_or_settle(&store, &batch(&[b's', number]), Durability::Synced).unwrap();
        assert!(has(&store, &[b's', number]));
    }
}

/// Freezes the standby, writes, calls `interfere` while the commit waits, and returns the result of the write.
fn interrupted(
    cluster: &Cluster,
    store: &Arc<PostgresStore>,
    key: &'static [u8],
    interfere: impl FnOnce(),
) -> Result<(), StoreError> {
    cluster.freeze(1).unwrap();
    let (sender, written) = mpsc::channel();
    let writing = store.clone();
    thread::spawn(move || sender.send(writing.write(&batch(key), Durability::Synced)));
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    let started = Instant::now();
    while cluster.sql(0, waiting).unwrap() == "0" {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "no commit waits for the standby"
        );
    }
    assert!(
        written.recv_timeout(Duration::from_millis(300)).is_err(),
        "acknowledged without the standby"
    );
    interfere();
    let written = written.recv_timeout(Duration::from_secs(20)).unwrap();
    cluster.thaw(1).unwrap();
    written
}

/// PostgreSQL reports success for this commit, with a warning.
fn a_cancelled_wait_for_the_standby_is_not_acknowledged(cluster: &Cluster) {
    let store = Arc::new(open(cluster));
    for (key, function) in [
        (&b"cancelled"[..], "pg_cancel_backend"),
        (b"terminated", "pg_terminate_backend"),
    ] {
        let written = interrupted(cluster, &store, key, || {
            let sql = format!("SELECT {function}(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
            cluster.sql(0, &sql).unwrap();
        });
        assert!(matches!(written, Err(StoreError::Unknown(_))), "{written:?}");
        // The next claim waits for the standby, and with it this commit.
        store.reclaim().unwrap();
        assert!(has(store.as_ref(), key));
    }
}

/// PostgreSQL reports success for this commit without any warning.
fn without_replication_nothing_is_acknowledged(cluster: &Cluster) {
    let store = Arc::new(open(cluster));
    let written = interrupted(cluster, &store, b"asynchronous", || {
        cluster.set_synchronous(0, false).unwrap()
    });
    assert!(matches!(written, Err(StoreError::NotReplicated(_))), "{written:?}");
    drop(store);
    let opened = PostgresStore::open(&config(cluster)).err().unwrap();
    assert!(matches!(opened, StoreError::NotReplicated(_)), "{opened}");
    cluster.set_synchronous(0, true).unwrap();
}
