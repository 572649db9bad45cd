//! Publishing into a directory, and into a bucket of another project's S3 server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use std::collections::BTreeMap;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tempfile::TempDir;

use super::*;
use crate::export::export_rows;
use crate::rules::testing::{BROKER, TimedWriter, World, intent, raw, submit};
use crate::store::memory::MemoryStore;

type Contents = BTreeMap<String, Vec<u8>>;

/// A log of this many intents; its newest checkpoint is published.
async fn log(intents: u16) -> Rows {
    let store = Arc::new(MemoryStore::new());
    let (shared, _) = World::new().started(store.clone()).await;
    let mut broker = TimedWriter::new(BROKER);
    let entries: Vec<_> = (0..intents)
        .map(|label| label as u8)
        .map(|label| raw(&broker.write(intent(label)), label))
        .collect();
    for answer in submit(&shared, entries).await {
        answer.unwrap();
    }
    shared.log.end();
    let rows = Rows::new(store);
    let (size, note) = (rows.head().unwrap().unwrap().size, rows.checkpoint().unwrap().unwrap());
    rows.store_published(size, &note).unwrap();
    rows
}

/// The files of an export of the log.
fn exported(rows: &Rows) -> Contents {
    fn read(folder: &std::path::Path, name: &str, all: &mut Contents) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{name}{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                read(&entry.path(), &format!("{name}/"), all);
            } else {
                all.insert(name, std::fs::read(entry.path()).unwrap());
            }
        }
    }
    let directory = TempDir::new().unwrap();
    let to = directory.path().join("export");
    export_rows(rows, &to, false).unwrap();
    let mut all = Contents::new();
    read(&to, "", &mut all);
    all
}

impl Bucket {
    async fn contents(&self) -> Contents {
        let mut all = Contents::new();
        let listed: Vec<_> = self.objects.list(None).try_collect().await.unwrap();
        for object in listed {
            let name = object.location.to_string();
            let bytes = self.get(&name).await.unwrap().unwrap();
            all.insert(name, bytes);
        }
        all
    }

    async fn fill(&self, contents: impl Iterator<Item = (&String, &Vec<u8>)>) {
        for (name, bytes) in contents {
            self.put(name, bytes.clone(), "no-cache").await.unwrap();
        }
    }
}

/// A directory, and a folder in a bucket of an S3 server that demands signed requests.
struct Storage {
    directory: TempDir,
}

const KEY: &str = "access-key";
const SECRET: &str = "secret-key";

impl Storage {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        std::fs::create_dir_all(directory.path().join("s3/log")).unwrap();
        Self { directory }
    }

    fn directory(&self) -> Bucket {
        Bucket::open(&format!("file://{}/published", self.directory.path().display())).unwrap()
    }

    /// Starts a server, which ends with the test's runtime.
    async fn s3(&self, secret: &str) -> Bucket {
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(self.directory.path().join("s3")).unwrap());
        builder.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let service = builder.build();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    let server = auto::Builder::new(TokioExecutor::new());
                    let _ = server.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        let s3 = AmazonS3Builder::new()
            .with_endpoint(endpoint)
            .with_region("eu-central-1")
            .with_access_key_id(KEY)
            .with_secret_access_key(secret)
            .with_allow_http(true);
        Bucket::open_with("s3://log/public/2026/", s3).unwrap()
    }
}

async fn both(storage: &Storage) -> [Bucket; 2] {
    [storage.directory(), storage.s3(SECRET).await]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_equals_the_export_byte_for_byte_and_grows_with_the_log() {
    let storage = Storage::new();
    let (short, long) = (log(40).await, log(256).await);
    for bucket in both(&storage).await {
        let first = publish_rows(short.clone(), &bucket).await.unwrap();
        assert!(bucket.contents().await == exported(&short));
        assert_eq!((first.size, first.present), (44, 0));
        let again = publish_rows(short.clone(), &bucket).await.unwrap();
        assert_eq!((again.size, again.written), (44, 0));
        // Both logs begin with the same entries, so the longer one is the shorter one that has grown.
        publish_rows(long.clone(), &bucket).await.unwrap();
        let (contents, export) = (bucket.contents().await, exported(&long));
        assert!(
            export.keys().any(|name| name == "tile/0/000"),
            "there must be a full tile"
        );
        for (name, bytes) in &export {
            assert!(contents.get(name) == Some(bytes), "{name}");
        }
        // What is there besides are partial tiles and bundles of the earlier size, and its checkpoint.
        let more = contents.keys().filter(|name| !export.contains_key(*name));
        assert!(
            more.clone()
                .all(|name| name.contains(".p/") || name == "checkpoints/44"),
            "{more:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_publication_continues_and_rewrites_nothing() {
    let rows = log(256).await;
    let export = exported(&rows);
    let immutable = || export.iter().filter(|(name, _)| *name != CHECKPOINT);
    for there in [1, 3, export.len() - 2] {
        let storage = Storage::new();
        for bucket in both(&storage).await {
            bucket.fill(immutable().take(there)).await;
            // An object with other bytes of the same length stays as it is: it is not written again.
            let (name, bytes) = immutable().next().unwrap();
            let other = vec![0; bytes.len()];
            bucket.fill([(name, &other)].into_iter()).await;
            let published = publish_rows(rows.clone(), &bucket).await.unwrap();
            assert_eq!(published.present, there as u64);
            assert_eq!(published.written, (export.len() - 1 - there) as u64);
            let mut expected = export.clone();
            expected.insert(name.clone(), other);
            assert!(bucket.contents().await == expected);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_of_a_larger_or_another_log_is_refused_and_left_alone() {
    let storage = Storage::new();
    let (short, long) = (log(3).await, log(20).await);
    for bucket in both(&storage).await {
        publish_rows(long.clone(), &bucket).await.unwrap();
        let before = bucket.contents().await;
        let refused = publish_rows(short.clone(), &bucket).await;
        assert!(
            matches!(refused, Err(PublishError::Behind { bucket: 24, store: 7 })),
            "{refused:?}"
        );
        assert!(bucket.contents().await == before);

        let other = String::from_utf8(before[CHECKPOINT].clone()).unwrap();
        let lines: Vec<&str> = other.lines().collect();
        let other = other.replace(lines[2], "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        bucket
            .fill([(&CHECKPOINT.to_owned(), &other.into_bytes())].into_iter())
            .await;
        let refused = publish_rows(long.clone(), &bucket).await;
        assert!(matches!(refused, Err(PublishError::Foreign(24))), "{refused:?}");

        bucket.objects.delete(&Path::from(CHECKPOINT)).await.unwrap();
        let (name, mut bytes) = before
            .iter()
            .next_back()
            .map(|(name, bytes)| (name.clone(), bytes.clone()))
            .unwrap();
        bytes.push(0);
        bucket.fill([(&name, &bytes)].into_iter()).await;
        let refused = publish_rows(long.clone(), &bucket).await;
        assert!(
            matches!(&refused, Err(PublishError::Differs(differs)) if *differs == name),
            "{refused:?}"
        );
        assert!(bucket.get(CHECKPOINT).await.unwrap().is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_and_addresses_are_refused() {
    let storage = Storage::new();
    let refused = publish_rows(log(1).await, &storage.s3("wrong").await)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("object storage") && !refused.contains("wrong"),
        "{refused}"
    );
    for address in ["", "s3://", "file://relative", "https://bucket.example", "/folder"] {
        assert!(
            matches!(Bucket::open(address), Err(PublishError::Address(_))),
            "{address}"
        );
    }
}
