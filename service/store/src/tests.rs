//! One suite for both engines, and what only one of them promises.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod database;

use std::path::Path;

use fixtures::postgres::{Cluster, DATABASE};
use tokio::sync::oneshot;

use crate::postgres::PostgresConfig;
use crate::{Encoding, Store, StoreConfig, Table, TableDefinition, TableError, Transaction};

const TEXT: Encoding<String> = Encoding {
    encode: |text| text.as_bytes().to_vec(),
    decode: |bytes| String::from_utf8(bytes.to_vec()).map_err(|error| error.to_string()),
};

fn text(text: &str) -> String {
    text.to_owned()
}

fn table(store: &Store, name: &'static str) -> Table<u64, String> {
    Table::open(store, name, TEXT).unwrap()
}

fn config(cluster: &Cluster) -> StoreConfig {
    StoreConfig::Postgres(PostgresConfig {
        hosts: cluster.hosts(),
        database: DATABASE.into(),
        user: DATABASE.into(),
        password_file: None,
        ca: None,
        certificate: None,
        key: None,
        failover_seconds: 60,
    })
}

/// Runs the suite on stores of this configuration.
async fn conforms(config: &StoreConfig, directory: &Path) {
    rows_are_in_the_order_of_their_keys_and_survive_a_restart(config, directory).await;
    rows_of_all_sizes_are_kept(config, directory).await;
    an_update_keeps_or_removes_a_row_and_creates_none(config, directory).await;
    leading_rows_are_removed_up_to_the_first_that_is_kept(config, directory).await;
    a_row_in_another_encoding_is_damaged(config, directory).await;
    a_transaction_sees_its_writes_and_others_do_not(config, directory).await;
    a_failed_change_commits_nothing(config, directory).await;
    a_table_is_opened_once_at_a_time(config, directory).await;
    concurrent_changes_are_made_one_after_another(config, directory).await;
    a_snapshot_does_not_change(config, directory).await;
    a_second_opening_is_refused(config, directory).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_conforms() {
    let directory = tempfile::tempdir().unwrap();
    conforms(&StoreConfig::Redb, directory.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_conforms() {
    let (cluster, directory) = (Cluster::replicated().unwrap(), tempfile::tempdir().unwrap());
    conforms(&config(&cluster), directory.path()).await;
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    drop(Store::open(&StoreConfig::Redb, directory.path(), "state").unwrap());
    let refused = Store::open(&config(&cluster), directory.path(), "state");
    assert!(
        matches!(refused, Err(TableError::LeftBehind(_))),
        "the rows of a file are not forgotten"
    );
}

async fn rows_are_in_the_order_of_their_keys_and_survive_a_restart(config: &StoreConfig, directory: &Path) {
    let store = Store::open(config, directory, "order").unwrap();
    let rows = table(&store, "rows-of-a-test");
    for key in [300, 2, 1, u64::MAX] {
        rows.put(key, &key.to_string()).await.unwrap();
    }
    rows.remove(1).await.unwrap();
    rows.remove(5).await.unwrap();
    assert_eq!(rows.count().await.unwrap(), 3);
    let keys = async |after, limit| {
        let rows = rows.page(after, limit).await.unwrap();
        rows.into_iter().map(|(key, _)| key).collect::<Vec<u64>>()
    };
    assert_eq!((keys(None, 0).await, keys(None, 1).await), (vec![], vec![2]));
    assert_eq!(keys(Some(2), 9).await, [300, u64::MAX]);
    assert_eq!(keys(Some(u64::MAX), 9).await, [0; 0]);
    drop((rows, store));
    let rows = table(&Store::open(config, directory, "order").unwrap(), "rows-of-a-test");
    assert_eq!(rows.get(1).await.unwrap(), None);
    let kept = [2, 300, u64::MAX].map(|key| (key, key.to_string()));
    assert_eq!(rows.all().await.unwrap(), kept);
}

async fn rows_of_all_sizes_are_kept(config: &StoreConfig, directory: &Path) {
    let store = Store::open(config, directory, "sizes").unwrap();
    let rows = table(&store, "rows");
    let long = "x".repeat(3 << 20);
    rows.put(1, &String::new()).await.unwrap();
    rows.put(2, &long).await.unwrap();
    assert_eq!(rows.get(1).await.unwrap().as_deref(), Some(""));
    assert_eq!(rows.get(2).await.unwrap(), Some(long));
    let definition = rows.definition();
    let many = move |transaction: &Transaction<'_>| {
        let mut rows = transaction.open(definition)?;
        (10..1500).try_for_each(|key| rows.put(&key, &text("many")))
    };
    store.commit(many).await.unwrap().unwrap();
    assert_eq!(rows.all().await.unwrap().len(), 1492);
    assert_eq!(rows.page(Some(9), 1000).await.unwrap().last().unwrap().0, 1009);
}

async fn an_update_keeps_or_removes_a_row_and_creates_none(config: &StoreConfig, directory: &Path) {
    let rows = table(&Store::open(config, directory, "updates").unwrap(), "rows");
    rows.update(1, |_| true).await.unwrap();
    assert_eq!(rows.get(1).await.unwrap(), None);
    rows.put(1, &text("a")).await.unwrap();
    let append = |text: &mut String| {
        text.push('b');
        true
    };
    rows.update(1, append).await.unwrap();
    assert_eq!(rows.get(1).await.unwrap().as_deref(), Some("ab"));
    rows.update(1, |_| false).await.unwrap();
    assert!(rows.all().await.unwrap().is_empty());
}

async fn leading_rows_are_removed_up_to_the_first_that_is_kept(config: &StoreConfig, directory: &Path) {
    let rows = table(&Store::open(config, directory, "leading").unwrap(), "rows");
    for (key, value) in [(1, "old"), (2, "old"), (3, "old"), (4, "new"), (5, "old")] {
        rows.put(key, &text(value)).await.unwrap();
    }
    let removed = |limit| rows.remove_leading(limit, |value| value == "old");
    assert_eq!(removed(0).await.unwrap(), 0);
    assert_eq!(removed(2).await.unwrap(), 2);
    assert_eq!(removed(10).await.unwrap(), 1);
    assert_eq!(removed(10).await.unwrap(), 0);
    let keys: Vec<u64> = rows.all().await.unwrap().into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, [4, 5]);
}

async fn a_row_in_another_encoding_is_damaged(config: &StoreConfig, directory: &Path) {
    let store = Store::open(config, directory, "encodings").unwrap();
    let bytes = Encoding {
        encode: Vec::clone,
        decode: |bytes| Ok(bytes.to_vec()),
    };
    let raw: Table<u64, Vec<u8>> = Table::open(&store, "sample", bytes).unwrap();
    raw.put(1, &vec![0xff]).await.unwrap();
    let damaged = |result| assert!(matches!(result, Err(TableError::Damaged { table: "sample", .. })));
    damaged(table(&store, "sample").get(1).await.map(drop));
    damaged(table(&store, "sample").update(1, |_| true).await);
    let keys: Table<[u8; 16], Vec<u8>> = Table::open(&store, "sample", bytes).unwrap();
    damaged(keys.all().await.map(drop));
}

async fn a_transaction_sees_its_writes_and_others_do_not(config: &StoreConfig, directory: &Path) {
    let store = Store::open(config, directory, "isolation").unwrap();
    let (one, two) = (table(&store, "one"), table(&store, "two"));
    for key in [10, 20, 30] {
        one.put(key, &text("before")).await.unwrap();
    }
    let (first, second, outside) = (one.definition(), two.definition(), store.clone());
    let seen = store.commit(move |transaction| {
        let (mut one, mut two) = (transaction.open(first)?, transaction.open(second)?);
        one.put(&5, &text("new"))?;
        one.put(&20, &text("changed"))?;
        one.remove(&30)?;
        one.put(&40, &text("new"))?;
        let inserted = [10, 25].map(|key| one.insert_if_absent(&key, &text("inserted")).unwrap());
        two.put(&1, &text("two"))?;
        assert_eq!(
            (one.count()?, one.get(&30)?, two.get(&1)?),
            (5, None, Some(text("two")))
        );
        assert_eq!(one.page(Some(&20), 1)?, [(25, text("inserted"))]);
        let snapshot = outside.snapshot()?;
        assert_eq!(snapshot.open(first)?.page(None, 9)?.len(), 3, "not committed yet");
        assert_eq!(snapshot.open(second)?.get(&1)?, None);
        Ok::<_, TableError>((inserted, one.page(None, 9)?))
    });
    let (inserted, rows) = seen.await.unwrap().unwrap();
    assert_eq!(inserted, [false, true]);
    let expected = [
        (5, "new"),
        (10, "before"),
        (20, "changed"),
        (25, "inserted"),
        (40, "new"),
    ];
    assert_eq!(rows, expected.map(|(key, value)| (key, text(value))));
    assert_eq!(one.all().await.unwrap(), rows);
    assert_eq!(two.count().await.unwrap(), 1);
}

async fn a_failed_change_commits_nothing(config: &StoreConfig, directory: &Path) {
    let store = Store::open(config, directory, "failures").unwrap();
    let rows = table(&store, "rows");
    let definition = rows.definition();
    let failed = store.commit(move |transaction| {
        transaction.open(definition)?.put(&1, &text("a"))?;
        Err::<(), _>(TableError::Ending)
    });
    assert!(matches!(failed.await, Ok(Err(TableError::Ending))));
    assert_eq!(rows.get(1).await.unwrap(), None);
    rows.put(2, &text("b")).await.unwrap();
    assert_eq!(rows.all().await.unwrap(), [(2, text("b"))]);
}

async fn a_table_is_opened_once_at_a_time(config: &StoreConfig, directory: &Path) {
    let store = Store::open(config, directory, "twice").unwrap();
    let definition = table(&store, "rows").definition();
    let opened = store.commit(move |transaction| {
        let first = transaction.open(definition)?;
        assert!(matches!(
            transaction.open(definition),
            Err(TableError::OpenedTwice("rows"))
        ));
        drop(first);
        transaction.open(definition).map(drop)
    });
    opened.await.unwrap().unwrap();
}

/// Increments the number in a row.
fn count(transaction: &Transaction<'_>, rows: TableDefinition<u64, String>) -> Result<u64, TableError> {
    let mut rows = transaction.open(rows)?;
    let number = rows.get(&0)?.map_or(0, |number| number.parse().unwrap()) + 1;
    rows.put(&0, &number.to_string())?;
    Ok(number)
}

async fn concurrent_changes_are_made_one_after_another(config: &StoreConfig, directory: &Path) {
    let store = Store::open(config, directory, "counters").unwrap();
    let rows = table(&store, "rows").definition();
    let counts = (0..100).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.commit(move |transaction| count(transaction, rows)).await })
    });
    let mut seen = Vec::new();
    for counted in counts.collect::<Vec<_>>() {
        seen.push(counted.await.unwrap().unwrap().unwrap());
    }
    seen.sort_unstable();
    assert_eq!(seen, (1..=100).collect::<Vec<_>>());
}

async fn a_snapshot_does_not_change(config: &StoreConfig, directory: &Path) {
    let store = Store::open(config, directory, "snapshots").unwrap();
    let rows = table(&store, "rows");
    rows.put(1, &text("before")).await.unwrap();
    let (definition, reading) = (rows.definition(), store.clone());
    let (reads, has_read) = oneshot::channel();
    let (writes, has_written) = std::sync::mpsc::channel();
    let reader = tokio::task::spawn_blocking(move || {
        let snapshot = reading.snapshot().unwrap();
        let rows = snapshot.open(definition).unwrap();
        let first = rows.get(&1).unwrap();
        reads.send(()).unwrap();
        has_written.recv().unwrap();
        (first, rows.page(None, 9).unwrap())
    });
    has_read.await.unwrap();
    rows.put(1, &text("after")).await.unwrap();
    rows.put(2, &text("after")).await.unwrap();
    writes.send(()).unwrap();
    let before = text("before");
    assert_eq!(reader.await.unwrap(), (Some(before.clone()), vec![(1, before)]));
    assert_eq!(rows.get(1).await.unwrap(), Some(text("after")));
}

async fn a_second_opening_is_refused(config: &StoreConfig, directory: &Path) {
    let first = Store::open(config, directory, "exclusive").unwrap();
    assert!(Store::open(config, directory, "exclusive").is_err());
    drop(first);
    Store::open(config, directory, "exclusive").unwrap();
}
