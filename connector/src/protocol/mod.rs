//! The authority's own protocol of its transmissions (§ 9 IDNrG), which each connector keeps for two years.
//!
//! A consumer's connector writes an entry when it has accepted the outcome of an exchange, before it hands anything
//! out. A provider's connector writes one before its answer leaves, and another one with the outcome. An entry has the
//! receipts, the record, and what opens the sealed record of the log: so the authority can prove by itself, to a
//! supervisor or to a person, what it has asked or answered and that it was recorded. It has no evidence. It has the
//! IDNr if the authority used one, because the law demands that the protocol shows whose data were transmitted; the
//! person's name is never in it.
//!
//! * **Durable.** An entry is on disk before the transmission continues. If it cannot be written, nothing is
//!   transmitted.
//! * **Sealed.** Each line is sealed with a key of its own file, `protocol.key` ([`file`]).
//! * **Readable meanwhile.** Lines are only added, so `connector protocol` reads beside the running connector. A file
//!   of redb is locked by its process.
//! * **Destroyed.** A day's file is removed when the last of its entries may not be kept any more. That takes an
//!   [`AgreedTime`]: wall clock, steady clock and witnesses.

pub mod entry;
mod export;
mod file;
mod proof;
mod reader;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use record::LegalDay;
use service::clock::AgreedTime;
use service::secret::{self, SecretError};
use tokio::sync::{mpsc, oneshot};
use zeroize::Zeroizing;

use entry::ProtocolEntry;
use file::{FileName, LineCipher, OpenFile};

pub use export::Exported;
pub use reader::{Filter, ProtocolReader, ReadError};

/// The folder in the connector's directory.
const FOLDER: &str = "protocol";
/// The key's file in the connector's directory.
const KEY: &str = "protocol.key";
/// How many entries may wait for the disk.
const MAX_WAITING: usize = 1024;
/// How many entries are written with one sync.
const MAX_BATCH: usize = 256;

/// Why an entry cannot be written, or the protocol cannot be opened. Nothing may be transmitted meanwhile.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// The key file cannot be read or created.
    #[error("protocol: {0}")]
    Key(#[from] SecretError),
    /// A file cannot be opened, written or removed.
    #[error("protocol: {0}")]
    File(#[from] io::Error),
    /// The disk refused an entry. The reason is the operating system's.
    #[error("protocol: an entry cannot be written: {0}")]
    Write(String),
    /// The process is ending.
    #[error("protocol: the process is ending")]
    Ending,
}

type Waiting = (Box<ProtocolEntry>, oneshot::Sender<Result<(), String>>);

/// The protocol of a running connector.
#[derive(Debug)]
pub struct Protocol {
    queue: mpsc::Sender<Waiting>,
    folder: PathBuf,
    /// The day for which expired files were removed last.
    swept: Mutex<Option<LegalDay>>,
}

impl Protocol {
    /// Opens the protocol in the connector's directory, and creates it when there is none.
    ///
    /// # Errors
    /// See [`ProtocolError`].
    pub fn open(data: &Path) -> Result<Self, ProtocolError> {
        let folder = data.join(FOLDER);
        service::durable::private_directory(&folder)?;
        let cipher = LineCipher::new(&*key(data, true)?);
        let (queue, waiting) = mpsc::channel(MAX_WAITING);
        let writer = Writer {
            folder: folder.clone(),
            cipher,
            open: BTreeMap::new(),
        };
        std::thread::Builder::new()
            .name("protocol".into())
            .spawn(|| writer.run(waiting))?;
        Ok(Self {
            queue,
            folder,
            swept: Mutex::default(),
        })
    }

    /// Adds an entry; it is on disk on return.
    ///
    /// # Errors
    /// [`ProtocolError::Write`] and [`ProtocolError::Ending`]. The transmission must not continue.
    pub async fn add(&self, entry: ProtocolEntry) -> Result<(), ProtocolError> {
        let (answer, written) = oneshot::channel();
        let waiting = (Box::new(entry), answer);
        self.queue.send(waiting).await.map_err(|_| ProtocolError::Ending)?;
        let written = written.await.map_err(|_| ProtocolError::Ending)?;
        written.map_err(ProtocolError::Write)
    }

    /// Removes the files whose entries may not be kept any more, once a day. Returns how many.
    ///
    /// # Errors
    /// [`ProtocolError::File`]; it is tried again.
    pub fn destroy_expired(&self, now: &AgreedTime) -> Result<usize, ProtocolError> {
        let now = record::Timestamp(now.seconds());
        let today = LegalDay::of(now);
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        if *swept == Some(today) {
            return Ok(0);
        }
        let mut removed = 0;
        for (name, path) in file::files(&self.folder)? {
            if name.expiry() <= now {
                std::fs::remove_file(&path)?;
                service::durable::sync_directory_of(&path)?;
                tracing::info!(file = %name, "the protocol of a day has expired and is destroyed");
                removed += 1;
            }
        }
        *swept = Some(today);
        Ok(removed)
    }
}

/// The key of the lines.
fn key(data: &Path, create: bool) -> Result<Zeroizing<[u8; 32]>, SecretError> {
    let path = data.join(KEY);
    let key = if create && !path.exists() {
        secret::create_seed(&path)?
    } else {
        secret::read_seed(&path)?
    };
    Ok(Zeroizing::new(key))
}

/// Writes what waits, with one sync for each file, on a thread of its own.
struct Writer {
    folder: PathBuf,
    cipher: LineCipher,
    /// Today's files; those of earlier days are closed.
    open: BTreeMap<FileName, OpenFile>,
}

impl Writer {
    fn run(mut self, mut waiting: mpsc::Receiver<Waiting>) {
        while let Some(first) = waiting.blocking_recv() {
            let mut batch: BTreeMap<FileName, Vec<Waiting>> = BTreeMap::new();
            let mut count = 0;
            let mut next = Some(first);
            while let Some(entry) = next {
                batch.entry(FileName::of(&entry.0)).or_default().push(entry);
                count += 1;
                next = if count < MAX_BATCH {
                    waiting.try_recv().ok()
                } else {
                    None
                };
            }
            for (name, entries) in batch {
                let written = self.write(name, &entries).map_err(|error| error.to_string());
                if let Err(error) = &written {
                    tracing::error!(%error, "ALARM: the protocol cannot be written, and nothing is transmitted");
                }
                for (_, answer) in entries {
                    // Fails only when the caller has gone.
                    let _ = answer.send(written.clone());
                }
            }
        }
    }

    fn write(&mut self, name: FileName, entries: &[Waiting]) -> io::Result<()> {
        let mut lines = String::new();
        for (entry, _) in entries {
            let line = self.cipher.seal(name, entry);
            lines.push_str(&line.ok_or_else(|| io::Error::other("an entry cannot be sealed"))?);
        }
        self.open.retain(|open, _| open.day >= name.day.before());
        let mut file = match self.open.remove(&name) {
            Some(file) => file,
            None => OpenFile::open(&self.folder, name)?,
        };
        file.append(&lines)?;
        self.open.insert(file.name, file);
        Ok(())
    }
}
