//! The tree as clients see it: recomputed, after a restart, and exported.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use fixtures::{rfc_6962_leaf, rfc_6962_root};
use record::Receipt;
use tlog::Hash;

use super::testing::*;
use crate::rules::testing::*;
use crate::store::Store;
use crate::store::rocks::RocksStore;

fn entries_of(mut bundle: &[u8]) -> Vec<Vec<u8>> {
    let mut entries = Vec::new();
    while let Some((length, rest)) = bundle.split_first_chunk() {
        let (entry, rest) = rest.split_at(usize::from(u16::from_be_bytes(*length)));
        entries.push(entry.to_vec());
        bundle = rest;
    }
    entries
}

#[tokio::test]
async fn every_tile_bundle_and_root_equals_what_rs_merkle_computes() {
    let (server, _, _) = Server::started().await;
    let mut broker = TimedWriter::new(BROKER);
    let mut written = 4u64;
    for batch in [1u64, 1, 250, 1, 37, 300] {
        let raws: Vec<_> = (0..batch)
            .map(|_| {
                let denial = record::Body::Denial {
                    commitment: record::Commitment(Hash::of(&record(7))),
                };
                raw(&broker.write(denial), 7)
            })
            .collect();
        assert!(answers(&server.post(&raws).await.body).iter().all(Result::is_ok));
        written += batch;
        let checkpoint = server.checkpoint("/checkpoint").await;
        assert_eq!(checkpoint.size.get(), written);
        let mut leaves = Vec::new();
        for bundle in 0..written.div_ceil(256) {
            let width = (written - bundle * 256).min(256);
            let suffix = if width < 256 {
                format!(".p/{width}")
            } else {
                String::new()
            };
            let entries = entries_of(&server.get(&format!("/tile/entries/{bundle:03}{suffix}")).await.body);
            let hashes: Vec<[u8; 32]> = entries.iter().map(|entry| rfc_6962_leaf(entry)).collect();
            assert_eq!(
                server.get(&format!("/tile/0/{bundle:03}{suffix}")).await.body,
                hashes.concat()
            );
            leaves.extend(hashes);
        }
        assert_eq!(rfc_6962_root(&leaves).unwrap(), checkpoint.root.0);
        let full: Vec<[u8; 32]> = leaves.chunks_exact(256).filter_map(rfc_6962_root).collect();
        if !full.is_empty() {
            assert_eq!(
                server.get(&format!("/tile/1/000.p/{}", full.len())).await.body,
                full.concat()
            );
        }
        assert_eq!(
            server.get(&format!("/tile/1/000.p/{}", full.len() + 1)).await.status,
            404
        );
    }
    for index in [0, 3, 4, 255, 256, 511, 512, written - 1] {
        let receipt = server.get(&format!("/entries/{index}/receipt")).await.body;
        assert_eq!(
            Receipt::parse(&receipt)
                .unwrap()
                .verify(&policy())
                .unwrap()
                .index()
                .get(),
            index
        );
    }
}

#[tokio::test]
async fn a_restart_on_rocksdb_keeps_everything_and_a_concurrent_export_is_complete() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = || -> Arc<dyn Store> { Arc::new(RocksStore::open(&path).unwrap()) };
    let world = World::new();
    let (shared, _) = world.started(store()).await;
    let server = Server::of(shared).await;
    let mut broker = TimedWriter::new(BROKER);
    let first: Vec<_> = (0..255).map(|label| raw(&broker.write(intent(label)), label)).collect();
    assert!(answers(&server.post(&first).await.body).iter().all(Result::is_ok));
    let (head, receipt) = (
        server.get("/head").await.body,
        server.get("/entries/9/receipt").await.body,
    );
    server.end().await;

    let server = Server::of(world.start(store())).await;
    assert_eq!(
        (
            server.get("/head").await.body,
            server.get("/entries/9/receipt").await.body
        ),
        (head, receipt)
    );
    let got = server
        .post(&[
            first[7].clone(),
            raw(&broker.draft(intent(3)), 3),
            raw(&broker.write(intent(255)), 255),
        ])
        .await;
    assert_eq!(
        answers(&got.body),
        [Ok(11), Err(("label-used".into(), 409, Some(7))), Ok(259)]
    );

    // Two published checkpoints within the exported size, and one beyond it.
    let rows = server.shared.log.rows();
    for (size, note) in [(3, "three"), (260, "now"), (261, "later")] {
        rows.store_published(size, note).unwrap();
    }
    let to = directory.path().join("export");
    let exported = crate::export::export(directory.path(), &to, true).unwrap();
    assert_eq!((exported.size, exported.documents, exported.records), (260, 5, 256));
    assert_eq!(exported.checkpoints, 2);
    assert_eq!(exported.root, server.checkpoint("/checkpoint").await.root);
    let mut files = Vec::new();
    list(&to, "", &mut files);
    let in_tree = |name: &&String| name.starts_with("tile/") || name.as_str() == "checkpoint";
    let tree: Vec<_> = files.iter().filter(in_tree).collect();
    assert_eq!(
        tree,
        [
            "checkpoint",
            "tile/0/000",
            "tile/0/001.p/4",
            "tile/1/000.p/1",
            "tile/entries/000",
            "tile/entries/001.p/4"
        ]
    );
    for name in tree {
        assert_eq!(
            std::fs::read(to.join(name)).unwrap(),
            server.get(&format!("/{name}")).await.body,
            "{name}"
        );
    }
    assert_eq!(files.iter().filter(|name| name.starts_with("documents/")).count(), 5);
    assert_eq!(std::fs::read(to.join("records/259")).unwrap(), record(255));
    for (size, note) in [(3, "three"), (260, "now")] {
        let history = std::fs::read_to_string(to.join(format!("checkpoints/{size}")));
        assert_eq!(history.unwrap(), note);
    }
    assert_eq!(files.len(), 6 + 5 + 256 + 2);
    assert!(matches!(
        crate::export::export(directory.path(), &to, true),
        Err(crate::export::ExportError::Target(_))
    ));
    assert_eq!(
        std::fs::read_dir(directory.path()).unwrap().count(),
        2,
        "no temporary files remain"
    );
    server.end().await;
}

fn list(directory: &std::path::Path, prefix: &str, files: &mut Vec<String>) {
    let mut entries: Vec<_> = std::fs::read_dir(directory).unwrap().map(Result::unwrap).collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        match entry.file_type().unwrap().is_dir() {
            true => list(&entry.path(), &format!("{name}/"), files),
            false => files.push(name),
        }
    }
}
