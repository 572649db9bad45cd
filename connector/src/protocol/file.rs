//! The files of the protocol: one for each day and retention class, lines that are sealed one by one.
//!
//! ```text
//! protocol/2026-11-30.idnrg-2y
//! line = base64(nonce ‖ XChaCha20-Poly1305(key, nonce, zlib(CBOR of the entry), aad = file name)) LF
//! ```
//!
//! A line counts when its LF is there. A crash can leave the beginning of a line, which nobody relies on: it is cut off
//! before the next line is written, and readers leave it out.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use record::{LegalDay, RetentionClass, Timestamp};
use service::durable;

use super::entry::ProtocolEntry;

/// Bytes of a nonce. At this length random nonces do not repeat.
const NONCE: usize = 24;
/// The level of compression: half of the highest one's time for nearly its size.
const LEVEL: u8 = 6;
/// The longest entry. A record and its receipts have some kilobytes.
const MAX_ENTRY: usize = 1 << 20;
/// The longest line.
const MAX_LINE: u64 = 1 << 20;

/// The name of a file: its day in Germany, and how long its entries are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileName {
    pub(super) day: LegalDay,
    pub(super) class: RetentionClass,
}

impl FileName {
    pub(super) fn of(entry: &ProtocolEntry) -> Self {
        Self {
            day: LegalDay::of(entry.at),
            class: entry.retention(),
        }
    }

    /// Reads a name; `None` if it is that of another file.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (day, class) = name.split_once('.')?;
        Some(Self {
            day: day.parse().ok()?,
            class: RetentionClass::ALL.into_iter().find(|known| known.as_str() == class)?,
        })
    }

    /// The first second at which no entry of the file may be kept any more.
    pub(super) fn expiry(self) -> Timestamp {
        self.class.expiry(self.day.begin()).end()
    }
}

impl std::fmt::Display for FileName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.day, self.class.as_str())
    }
}

/// Seals and opens lines.
#[derive(Clone)]
pub(super) struct LineCipher(XChaCha20Poly1305);

impl LineCipher {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(key.into()))
    }

    /// One line with its LF. `None` when the operating system has no randomness.
    pub(super) fn seal(&self, name: FileName, entry: &ProtocolEntry) -> Option<String> {
        let nonce: [u8; NONCE] = messages::random().ok()?;
        let plain = zeroize::Zeroizing::new(record::cbor::to_vec(entry));
        let plain = zeroize::Zeroizing::new(compress_to_vec_zlib(&plain, LEVEL));
        let name = name.to_string();
        let payload = Payload {
            msg: &plain,
            aad: name.as_bytes(),
        };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload).ok()?;
        let mut line = BASE64.encode([nonce.as_slice(), &sealed].concat());
        line.push('\n');
        Some(line)
    }

    /// The entry of a line without its LF. `None` if it was not sealed with this key for this file.
    pub(super) fn open(&self, name: FileName, line: &str) -> Option<ProtocolEntry> {
        let bytes = BASE64.decode(line).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>()?;
        let name = name.to_string();
        let payload = Payload {
            msg: sealed,
            aad: name.as_bytes(),
        };
        let plain = self.0.decrypt(&XNonce::from(*nonce), payload).ok()?;
        let plain = decompress_to_vec_zlib_with_limit(&zeroize::Zeroizing::new(plain), MAX_ENTRY).ok()?;
        record::cbor::from_slice(&zeroize::Zeroizing::new(plain)).ok()
    }
}

/// The file that lines are added to.
pub(super) struct OpenFile {
    pub(super) name: FileName,
    file: File,
    /// The bytes of the complete lines.
    length: u64,
}

impl OpenFile {
    /// Opens or creates a file, and cuts off the beginning of a line.
    pub(super) fn open(folder: &Path, name: FileName) -> io::Result<Self> {
        let path = folder.join(name.to_string());
        let is_new = !path.exists();
        let mut file = durable::open_private(&path)?;
        if is_new {
            durable::sync_directory_of(&path)?;
        }
        let length = complete(&mut file)?;
        file.set_len(length)?;
        file.seek(SeekFrom::Start(length))?;
        Ok(Self { name, file, length })
    }

    /// Adds complete lines; they are on disk on return. After an error none of them counts.
    pub(super) fn append(&mut self, lines: &str) -> io::Result<()> {
        let written = self
            .file
            .write_all(lines.as_bytes())
            .and_then(|()| self.file.sync_data());
        match written {
            Ok(()) => {
                self.length += u64::try_from(lines.len()).unwrap_or(0);
                Ok(())
            }
            Err(error) => {
                // If this fails too, the caller drops the file, and the next one to open it cuts the rest off.
                self.file.set_len(self.length)?;
                self.file.seek(SeekFrom::Start(self.length))?;
                Err(error)
            }
        }
    }
}

/// The bytes of a file up to its last LF.
fn complete(file: &mut File) -> io::Result<u64> {
    let mut end = file.metadata()?.len();
    let mut block = [0; 4096];
    while end > 0 {
        let begin = end.saturating_sub(4096);
        let part = &mut block[..usize::try_from(end - begin).unwrap_or(0)];
        file.seek(SeekFrom::Start(begin))?;
        file.read_exact(part)?;
        if let Some(last) = part.iter().rposition(|byte| *byte == b'\n') {
            return Ok(begin + u64::try_from(last).unwrap_or(0) + 1);
        }
        end = begin;
    }
    Ok(0)
}

/// The files of a folder, in the order of their days.
pub(super) fn files(folder: &Path) -> io::Result<Vec<(FileName, PathBuf)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| FileName::parse(name.to_str()?));
        files.extend(name.map(|name| (name, path)));
    }
    files.sort();
    Ok(files)
}

/// Reads the complete lines of a file.
pub(super) fn read_lines(path: &Path, mut line: impl FnMut(usize, &str)) -> io::Result<()> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut text = Vec::new();
    for number in 1.. {
        text.clear();
        reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut text)?;
        let Some(complete) = text.strip_suffix(b"\n") else {
            let more = u64::try_from(text.len()).unwrap_or(0) == MAX_LINE;
            return if more {
                Err(io::Error::new(io::ErrorKind::InvalidData, "a line is too long"))
            } else {
                Ok(())
            };
        };
        line(number, &String::from_utf8_lossy(complete));
    }
    Ok(())
}
