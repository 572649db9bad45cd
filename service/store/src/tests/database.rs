//! What a store in a database does when the connection, the standby or the primary is lost.

use std::time::{Duration, Instant};

use fixtures::postgres::Cluster;

use super::*;

const LIMIT: Duration = Duration::from_secs(30);

fn open(cluster: &Cluster) -> (Store, Table<u64, String>) {
    let store = Store::open(&config(cluster), Path::new(""), "state").unwrap();
    let rows = table(&store, "rows");
    (store, rows)
}

/// Ends sessions of the store on the server.
fn end_sessions(cluster: &Cluster, which: &str) {
    let sql =
        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'state' AND {which}");
    cluster.sql(0, &sql).unwrap();
}

fn stored(cluster: &Cluster, server: usize) -> String {
    let sql = "SELECT coalesce(string_agg(convert_from(v, 'UTF8'), ',' ORDER BY k), '') FROM state.rows";
    cluster.sql(server, sql).unwrap()
}

/// Waits until a commit waits for the standby.
fn wait_for_commit(cluster: &Cluster) {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    let started = Instant::now();
    while cluster.sql(0, waiting).unwrap() == "0" {
        assert!(started.elapsed() < LIMIT, "no commit waits for the standby");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_connection_breaks_is_settled() {
    let cluster = Cluster::replicated().unwrap();
    let (store, rows) = open(&cluster);
    // Each of these makes PostgreSQL commit, and the client not know it, or report it without the standby.
    for (number, function) in [(0, "pg_terminate_backend"), (1, "pg_cancel_backend")] {
        cluster.freeze(1).unwrap();
        let written = tokio::spawn({
            let store = store.clone();
            let definition = rows.definition();
            async move { store.commit(move |transaction| count(transaction, definition)).await }
        });
        wait_for_commit(&cluster);
        let sql = format!("SELECT {function}(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
        cluster.sql(0, &sql).unwrap();
        // The row is there, and still it is not acknowledged before the standby has it.
        let started = Instant::now();
        while stored(&cluster, 0) != (number + 1).to_string() {
            assert!(started.elapsed() < LIMIT, "PostgreSQL has not committed");
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(!written.is_finished(), "acknowledged without the standby");
        cluster.thaw(1).unwrap();
        assert_eq!(written.await.unwrap().unwrap().unwrap(), number + 1, "counted once");
        assert_eq!(stored(&cluster, 0), (number + 1).to_string());
    }
    the_client_alone_would_count_twice(&cluster).await;
}

/// The control: a client that takes the broken connection for a failure, and repeats the write, counts twice.
async fn the_client_alone_would_count_twice(cluster: &Cluster) {
    cluster.sql(0, "CREATE TABLE control AS SELECT 0 AS number").unwrap();
    let StoreConfig::Postgres(config) = config(cluster) else {
        unreachable!()
    };
    let connector = crate::postgres::Connector::new(&config, "control").unwrap();
    let connector = std::sync::Arc::new(connector);
    let add = async |connector: std::sync::Arc<crate::postgres::Connector>| {
        let connected = connector.primary("").await.unwrap();
        let added = connected
            .client
            .batch_execute("UPDATE control SET number = number + 1")
            .await;
        added.is_ok()
    };
    cluster.freeze(1).unwrap();
    let first = tokio::spawn(add(connector.clone()));
    wait_for_commit(cluster);
    end_waiting(cluster);
    assert!(!first.await.unwrap(), "the client is told that its connection broke");
    cluster.thaw(1).unwrap();
    assert!(add(connector).await);
    assert_eq!(cluster.sql(0, "SELECT number FROM control").unwrap(), "2");
}

fn end_waiting(cluster: &Cluster) {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    cluster.sql(0, sql).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_within_a_group_is_replaced() {
    let cluster = std::sync::Arc::new(Cluster::replicated().unwrap());
    let (store, rows) = open(&cluster);
    rows.put(1, &text("one")).await.unwrap();
    let (definition, breaking) = (rows.definition(), cluster.clone());
    let changed = store.commit(move |transaction| {
        let mut rows = transaction.open(definition)?;
        rows.put(&2, &text("two"))?;
        end_sessions(&breaking, "true");
        assert_eq!(rows.page(None, 9)?.len(), 2, "read on the next connection");
        end_sessions(&breaking, "true");
        rows.put(&3, &text("three"))
    });
    changed.await.unwrap().unwrap();
    assert_eq!(stored(&cluster, 0), "one,two,three");
    for _ in 0..3 {
        end_sessions(&cluster, "true");
        assert_eq!(rows.count().await.unwrap(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_acknowledged_without_replication() {
    let cluster = Cluster::replicated().unwrap();
    let (store, rows) = open(&cluster);
    cluster.set_synchronous(0, false).unwrap();
    let writing = rows.clone();
    let written = tokio::spawn(async move { writing.put(1, &text("one")).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!written.is_finished(), "acknowledged without replication");
    let refused = Store::open(&config(&cluster), Path::new(""), "another");
    assert!(refused.unwrap_err().to_string().contains("synchronous_standby_names"));
    cluster.set_synchronous(0, true).unwrap();
    written.await.unwrap().unwrap();
    assert_eq!(rows.get(1).await.unwrap(), Some(text("one")));
    drop(store);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_was_taken_over_writes_nothing() {
    let cluster = Cluster::replicated().unwrap();
    let (store, rows) = open(&cluster);
    let taken_over = store.taken_over();
    let second = loop {
        // The first one competes for its store until the second one has it.
        end_sessions(&cluster, "true");
        match Store::open(&config(&cluster), Path::new(""), "state") {
            Ok(second) => break table(&second, "rows"),
            Err(error) => assert!(matches!(error, TableError::InUse(_)), "{error}"),
        }
    };
    second.put(1, &text("second")).await.unwrap();
    assert!(matches!(rows.put(1, &text("first")).await, Err(TableError::Fenced(_))));
    assert!(matches!(rows.get(1).await, Err(TableError::Fenced(_))));
    let reason = tokio::time::timeout(LIMIT, taken_over).await.unwrap();
    assert!(matches!(reason, TableError::Fenced(_)));
    assert_eq!(stored(&cluster, 0), "second");
}

/// Counts while the primary is lost, and afterwards on the new one.
async fn count_through(lose: impl FnOnce(&mut Cluster)) -> (Cluster, Store) {
    let mut cluster = Cluster::replicated().unwrap();
    let (store, rows) = open(&cluster);
    let definition = rows.definition();
    let (ended, ends) = tokio::sync::watch::channel(false);
    let counting = tokio::spawn({
        let store = store.clone();
        async move {
            let mut acknowledged = Vec::new();
            while !*ends.borrow() {
                let counted = store.commit(move |transaction| count(transaction, definition)).await;
                acknowledged.push(counted.unwrap().unwrap());
            }
            acknowledged
        }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    tokio::task::block_in_place(|| {
        lose(&mut cluster);
        cluster.fail_over().unwrap();
    });
    let before: u64 = rows.get(0).await.unwrap().unwrap().parse().unwrap();
    let started = Instant::now();
    while rows.get(0).await.unwrap().unwrap().parse::<u64>().unwrap() < before + 20 {
        assert!(started.elapsed() < LIMIT, "the store does not continue");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ended.send(true).unwrap();
    let acknowledged = counting.await.unwrap();
    // Every change was made exactly once: none is lost, none is made twice.
    let once: Vec<u64> = (1..=acknowledged.len() as u64).collect();
    assert_eq!(acknowledged, once);
    assert_eq!(stored(&cluster, 1), acknowledged.len().to_string());
    (cluster, store)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_is_made_once_when_the_primary_is_killed() {
    count_through(|cluster| cluster.kill(0).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_is_made_once_when_the_primary_freezes() {
    count_through(|cluster| cluster.freeze(0).unwrap()).await;
}
