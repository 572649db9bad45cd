//! Losing the primary under a writer. Everything that was acknowledged must be on the new primary.
//!
//! The writer is a small log: entry `n` is appended together with the head `n + 1`, by compare-and-swap. The same tests
//! run without synchronous replication and without a fence, and must then find the loss and the fork.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

const HEAD: &[u8] = b"head";

fn head(store: &dyn Store) -> u64 {
    let row = store.get(Column::Meta, HEAD).unwrap();
    row.map_or(0, |row| u64::from_be_bytes(row.try_into().unwrap()))
}

/// Appends entry `number`, after which the head is `number + 1`.
fn append(store: &dyn Store, number: u64, durability: Durability) -> Result<(), StoreError> {
    let (before, after) = (number.to_be_bytes(), (number + 1).to_be_bytes());
    let mut batch = Batch::default();
    batch.swap(Column::Meta, HEAD, (number > 0).then_some(&before), &after);
    batch.put(Column::Entries, &before, &after);
    write_or_settle(store, &batch, durability)
}

/// The entries up to `acknowledged` that the store does not have.
fn missing(store: &dyn Store, acknowledged: u64) -> usize {
    let has = |number: &u64| store.get(Column::Entries, &number.to_be_bytes()).unwrap().is_some();
    (0..acknowledged).filter(|number| !has(number)).count()
}

/// A writer is at work while the primary is lost as `lose` says, and continues on the new one. Nothing may be missing.
fn write_through(lose: impl FnOnce(&mut Cluster)) -> (Cluster, Arc<PostgresStore>) {
    let mut cluster = Cluster::replicated().unwrap();
    let store = Arc::new(open(&cluster));
    let ended = Arc::new(AtomicBool::new(false));
    let writing = thread::spawn({
        let (store, ended) = (store.clone(), ended.clone());
        move || {
            let mut acknowledged = 0;
            while !ended.load(Ordering::SeqCst) {
                append(store.as_ref(), acknowledged, Durability::Synced).unwrap();
                acknowledged += 1;
            }
            acknowledged
        }
    });
    thread::sleep(Duration::from_millis(300));
    let before = head(store.as_ref());
    lose(&mut cluster);
    cluster.fail_over().unwrap();
    let started = Instant::now();
    while head(store.as_ref()) < before + 20 {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "the writer does not continue"
        );
        thread::sleep(Duration::from_millis(20));
    }
    ended.store(true, Ordering::SeqCst);
    let acknowledged = writing.join().unwrap();
    assert!(before > 0, "nothing was written before the fail-over");
    assert_eq!(head(store.as_ref()), acknowledged);
    assert_eq!(missing(store.as_ref(), acknowledged), 0, "LOST");
    (cluster, store)
}

#[test]
fn a_writer_continues_on_the_new_primary_when_the_old_one_is_killed() {
    write_through(|cluster| cluster.kill(0).unwrap());
}

#[test]
fn a_frozen_primary_is_left_and_acknowledges_nothing_when_it_wakes() {
    let (cluster, store) = write_through(|cluster| cluster.freeze(0).unwrap());
    let size = head(store.as_ref());
    drop(store);
    cluster.thaw(0).unwrap();
    // Its standby has left, so no ledger can claim the log there.
    let mut stale = config(&cluster);
    stale.hosts.truncate(1);
    let refused = open_within(&stale, Duration::from_millis(1));
    assert!(
        matches!(refused, Err(StoreError::Unknown(_) | StoreError::InUse)),
        "a stale primary was claimed"
    );
    assert_eq!(head(&open(&cluster)), size);
}

/// Writes while the standby does not follow, then loses the primary. Returns the acknowledged commits, and how many of
/// them are missing on the new primary.
fn lose_an_unreplicated_primary(durability: Durability) -> (u64, usize) {
    let mut cluster = Cluster::replicated().unwrap();
    let store = Arc::new(open(&cluster));
    append(store.as_ref(), 0, Durability::Synced).unwrap();
    cluster.freeze(1).unwrap();
    let (sender, acknowledgements) = mpsc::channel();
    let writing = store.clone();
    thread::spawn(move || {
        for number in 1.. {
            if append(writing.as_ref(), number, durability).is_err() || sender.send(()).is_err() {
                return;
            }
        }
    });
    thread::sleep(Duration::from_millis(500));
    let acknowledged = 1 + acknowledgements.try_iter().count() as u64;
    drop(acknowledgements);
    cluster.kill(0).unwrap();
    cluster.thaw(1).unwrap();
    cluster.fail_over().unwrap();
    let missing = missing(&PostgresStore::open_read_only(&config(&cluster)).unwrap(), acknowledged);
    (acknowledged, missing)
}

#[test]
fn a_commit_without_a_standby_is_not_acknowledged_and_asynchronous_ones_are_lost() {
    assert_eq!(lose_an_unreplicated_primary(Durability::Synced), (1, 0));
    let (acknowledged, missing) = lose_an_unreplicated_primary(Durability::Lazy);
    assert!(missing > 0, "the control must lose some of {acknowledged} commits");
}

/// A sequencer that read the head at 1 and was frozen appends entry 1 after another one has done so.
#[test]
fn a_zombie_forks_nothing_and_without_a_fence_it_would() {
    let cluster = Cluster::replicated().unwrap();
    let zombie = open(&cluster);
    append(&zombie, 0, Durability::Synced).unwrap();
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ledger'";
    let other = loop {
        // The zombie's keeper competes for the log until the other ledger has it.
        cluster.sql(0, end).unwrap();
        if let Ok(other) = open_within(&config(&cluster), Duration::ZERO) {
            break other;
        }
    };
    append(&other, 1, Durability::Synced).unwrap();
    let refused = append(&zombie, 1, Durability::Synced);
    assert!(matches!(refused, Err(StoreError::Fenced(_))), "{refused:?}");
    let entry = |key: &str| format!("SELECT encode(v, 'hex') FROM entries WHERE k = '\\x{key}'");
    let key = "0000000000000001";
    let recorded = cluster.sql(0, &entry(key)).unwrap();
    assert_eq!(recorded, "0000000000000002");
    // The control: the same append without epoch and compare-and-swap is acknowledged, and replaces the entry.
    let unfenced = format!(
        "BEGIN; UPDATE meta SET v = '\\x0000000000000002' WHERE k = 'head'; \
         INSERT INTO entries VALUES ('\\x{key}', 'fork') ON CONFLICT (k) DO UPDATE SET v = EXCLUDED.v; COMMIT"
    );
    cluster.sql(0, &unfenced).unwrap();
    assert_ne!(cluster.sql(0, &entry(key)).unwrap(), recorded, "the control must fork");
}
