//! `ledger publish`: copies the log's static files to object storage, from which a web server or a CDN serves readers.
//!
//! The objects have the names and bytes of the files of `ledger export` without records: tiles, bundles, documents,
//! published checkpoints, and last of all `checkpoint`. So a reader who has `checkpoint` finds everything that it
//! names. The bucket is trusted for nothing: its readers verify it, and the ledger never reads from it what it
//! could read from its store.
//!
//! Each object but `checkpoint` is immutable and is written once. A publication begins where the bucket's `checkpoint`
//! ends, and skips objects that are there already, as after an interrupted publication. It needs no conditional writes,
//! which many servers get wrong: of several publications at the same time, all write the same bytes.
//!
//! A bucket whose checkpoint is larger than the log, or has another root, is refused: then the store is an old copy, or
//! the bucket is of another log.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use object_store::aws::AmazonS3Builder;
use object_store::client::{ClientConfigKey, ClientOptions, HttpClient, HttpConnector};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{Attribute, Attributes, ObjectStore, ObjectStoreExt as _, PutOptions};
use tlog::Hash;
use tlog::checkpoint::CheckpointError;
use tokio::sync::mpsc;

use crate::engine::rows::Rows;
use crate::export::{ExportError, Files, LogFiles, newest_checkpoint, parse_checkpoint, root_at};
use crate::server::find_store;
use crate::store::postgres::{PostgresConfig, PostgresStore};
use crate::store::rocks::RocksStore;

const CHECKPOINT: &str = "checkpoint";
/// How many objects are written at the same time.
const MAX_UPLOADS: usize = 16;
const MAX_ATTEMPTS: u32 = 3;
/// How long a request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// Why the log was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The address cannot be used.
    #[error("`{0}` is not an address like s3://bucket/folder or file:///folder")]
    Address(String),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ExportError),
    /// The object storage failed.
    #[error("the object storage failed: {0}")]
    Storage(#[from] object_store::Error),
    /// The bucket's checkpoint cannot be read.
    #[error("the bucket's `checkpoint` cannot be read: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The bucket has a larger log.
    #[error(
        "the bucket has a checkpoint of {bucket} entries, and the store's newest has {store}: the store is an old copy, or the bucket is of another log"
    )]
    Behind {
        /// The entries of the bucket's checkpoint.
        bucket: u64,
        /// The entries of the store's newest checkpoint.
        store: u64,
    },
    /// The bucket has another log.
    #[error("the bucket's checkpoint of {0} entries is not of this log")]
    Foreign(u64),
    /// An object is not what was published.
    #[error("the object `{0}` has another length than the log's: the bucket is damaged or of another log")]
    Differs(String),
    /// The directory cannot be created.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// What was published.
#[derive(Clone, Copy, Debug)]
pub struct Published {
    /// Number of entries.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
    /// Number of objects that were written.
    pub written: u64,
    /// Number of objects that were there already.
    pub present: u64,
}

/// The object storage at an address, `s3://BUCKET/FOLDER` or `file:///FOLDER`. Access to S3 is configured with the
/// usual environment variables, for example `AWS_ENDPOINT`, `AWS_REGION`, `AWS_ACCESS_KEY_ID` and
/// `AWS_SECRET_ACCESS_KEY`.
pub struct Bucket {
    objects: Arc<dyn ObjectStore>,
    /// Whether objects can have headers.
    headers: bool,
}

impl Bucket {
    /// Opens the storage at this address; creates a directory.
    ///
    /// # Errors
    /// [`PublishError::Address`], [`PublishError::Io`], or [`PublishError::Storage`] for settings that cannot be used.
    pub fn open(address: &str) -> Result<Self, PublishError> {
        Self::open_with(address, AmazonS3Builder::from_env())
    }

    fn open_with(address: &str, s3: AmazonS3Builder) -> Result<Self, PublishError> {
        let refused = || PublishError::Address(address.into());
        if let Some(folder) = address.strip_prefix("file://").filter(|folder| folder.starts_with('/')) {
            std::fs::create_dir_all(folder)?;
            return Ok(Self {
                objects: Arc::new(LocalFileSystem::new_with_prefix(folder)?),
                headers: false,
            });
        }
        let place = address.strip_prefix("s3://").ok_or_else(refused)?;
        let (bucket, folder) = place.split_once('/').unwrap_or((place, ""));
        if bucket.is_empty() {
            return Err(refused());
        }
        let objects = s3.with_bucket_name(bucket).with_http_connector(Connector).build()?;
        let folder = Path::parse(folder.trim_end_matches('/')).map_err(|_| refused())?;
        Ok(Self {
            objects: Arc::new(PrefixStore::new(objects, folder)),
            headers: true,
        })
    }

    /// The bytes of an object; `None` if there is none.
    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, PublishError> {
        match self.objects.get(&Path::from(name)).await {
            Ok(object) => Ok(Some(object.bytes().await?.to_vec())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes an immutable object, unless it is there. Returns whether it was written.
    async fn put_once(&self, name: &str, bytes: Vec<u8>) -> Result<bool, PublishError> {
        match self.objects.head(&Path::from(name)).await {
            Ok(object) if object.size == bytes.len() as u64 => return Ok(false),
            Ok(_) => return Err(PublishError::Differs(name.into())),
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        self.put(name, bytes, "public, max-age=31536000, immutable").await?;
        Ok(true)
    }

    async fn put(&self, name: &str, bytes: Vec<u8>, caching: &'static str) -> Result<(), PublishError> {
        let mut attributes = Attributes::new();
        if self.headers {
            let text = name.starts_with(CHECKPOINT);
            let media_type = if text {
                "text/plain; charset=utf-8"
            } else {
                "application/octet-stream"
            };
            attributes.insert(Attribute::ContentType, media_type.into());
            attributes.insert(Attribute::CacheControl, caching.into());
        }
        let options = PutOptions::from(attributes);
        self.objects.put_opts(&Path::from(name), bytes.into(), options).await?;
        Ok(())
    }
}

/// Makes the HTTP clients of the storage, as every client of this workspace is made.
#[derive(Debug)]
struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let plain = options.get_config_value(&ClientConfigKey::AllowHttp);
        let encrypted = plain.as_deref() != Some("true");
        let client = service::http::client(|builder| builder.timeout(REQUEST_TIMEOUT).no_gzip().https_only(encrypted));
        let client = client.map_err(|error| object_store::Error::Generic {
            store: "S3",
            source: error.into(),
        })?;
        Ok(HttpClient::new(client))
    }
}

/// Hands files over to the task that writes them.
struct Channel(mpsc::Sender<(String, Vec<u8>)>);

impl Files for Channel {
    fn put(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), ExportError> {
        let sent = self.0.blocking_send((name.to_owned(), bytes));
        // The task has ended with an error of its own, which is the one that is reported.
        sent.map_err(|_| ExportError::Io(std::io::ErrorKind::BrokenPipe.into()))
    }
}

/// Publishes the log in the data directory `data`: the newest checkpoint that meets the witness policy, and all that
/// belongs to it.
///
/// # Errors
/// [`PublishError`]. Readers still find the earlier checkpoint then.
pub async fn publish(data: &std::path::Path, bucket: &Bucket) -> Result<Published, PublishError> {
    let directory = find_store(data).ok_or_else(|| ExportError::NoStore(data.to_path_buf()))?;
    // As for an export: the reader may see a mixed state while files are replaced, and the next attempt a newer one.
    let mut attempt = 1;
    loop {
        let store = RocksStore::open_read_only(&directory).map_err(ExportError::from)?;
        match publish_rows(Rows::new(Arc::new(store)), bucket).await {
            Err(PublishError::Log(ExportError::Damaged(_) | ExportError::Store(_))) if attempt < MAX_ATTEMPTS => {
                attempt += 1;
            }
            done => return done,
        }
    }
}

/// Publishes the log in a database, as it was when the database was opened.
///
/// # Errors
/// As [`publish`].
pub async fn publish_database(config: &PostgresConfig, bucket: &Bucket) -> Result<Published, PublishError> {
    let store = PostgresStore::open_read_only(config).map_err(ExportError::from)?;
    publish_rows(Rows::new(Arc::new(store)), bucket).await
}

async fn publish_rows(rows: Rows, bucket: &Bucket) -> Result<Published, PublishError> {
    let (note, checkpoint) = newest_checkpoint(&rows)?;
    let from = published_before(&rows, bucket, checkpoint.size.get()).await?;
    let (sender, files) = mpsc::channel(MAX_UPLOADS);
    let size = checkpoint.size;
    let reading =
        tokio::task::spawn_blocking(move || LogFiles::new(&rows, &mut Channel(sender), false).write(from, size));
    let files = stream::unfold(files, async |mut files| files.recv().await.map(|file| (file, files)));
    let (mut written, mut present) = (0, 0);
    files
        .map(|(name, bytes)| async move { bucket.put_once(&name, bytes).await })
        .buffer_unordered(MAX_UPLOADS)
        .try_for_each(|new| {
            if new {
                written += 1;
            } else {
                present += 1;
            }
            std::future::ready(Ok(()))
        })
        .await?;
    reading.await.map_err(std::io::Error::other)??;
    bucket.put(CHECKPOINT, note.into_bytes(), "no-cache").await?;
    Ok(Published {
        size: size.get(),
        root: checkpoint.root,
        written,
        present,
    })
}

/// The size up to which the bucket has the log. Refuses a bucket with another or a larger log.
async fn published_before(rows: &Rows, bucket: &Bucket, newest: u64) -> Result<u64, PublishError> {
    let Some(note) = bucket.get(CHECKPOINT).await? else {
        return Ok(0);
    };
    let before = parse_checkpoint(&note)?;
    let size = before.size.get();
    if size > newest {
        return Err(PublishError::Behind {
            bucket: size,
            store: newest,
        });
    }
    let root = root_at(rows, before.size).map_err(ExportError::from)?;
    (root == before.root).then_some(size).ok_or(PublishError::Foreign(size))
}

#[cfg(test)]
#[path = "publish_tests.rs"]
mod tests;
