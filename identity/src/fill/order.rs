//! Orders: what an operator asks the running identity to fill, in files of identity's own directory.
//!
//! `fills/NAME/` in the directory `data` has an order's files:
//!
//! | File | Written by | Has |
//! | --- | --- | --- |
//! | `rows.json` | `identity fill` | the register's rows |
//! | `order.json` | `identity fill`, last | the [`Order`] |
//! | `result.jsonl` | identity | a line for each row that is done, with personal data |
//! | `report.json` | identity, at the end | the [`Quality`] |
//! | `refused.json` | identity, instead | why it has not done the order, or has not finished it |
//!
//! Only identity's operator, who also holds the population, may write into identity's directory. The permission is that
//! of the receiver and does not depend on who writes the order.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use record::ParticipantId;
use registerlandkarte::BaseDatum;
use serde::{Deserialize, Serialize};
use service::durable;
use sha2::{Digest as _, Sha256};
use text::Reference;

use super::progress::Quality;

/// The folder of the orders in identity's directory.
const FOLDER: &str = "fills";
const MAX_NAME_LEN: usize = 64;
/// The most orders that are looked at.
const MAX_ORDERS: usize = 1000;
/// The longest order or outcome, in bytes.
const MAX_FILE_LEN: u64 = 64 * 1024;

/// Who receives which base data, for which purpose. The IDNr is always among them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The receiver's component in the directory.
    pub receiver: ParticipantId,
    /// The purpose code in the Registerlandkarte.
    pub purpose: Reference,
    /// What it receives besides the IDNr; it may be nothing.
    #[serde(default)]
    pub base_data: BTreeSet<BaseDatum>,
}

/// How an order has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All rows are done.
    Done(Quality),
    /// It was not done, or not finished, for this reason.
    Refused(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    reason: String,
}

/// The name of an order, by which its folder is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderName(String);

/// The text is not a name of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to 64 of the characters a-z, 0-9 and -")]
pub struct InvalidName;

impl FromStr for OrderName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if (1..=MAX_NAME_LEN).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName)
        }
    }
}

impl fmt::Display for OrderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why an order was not placed.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// There is another order of this name.
    #[error("there is another order of this name: choose another name, or remove {0} if the register has its result")]
    Exists(PathBuf),
}

/// The folder of one order.
#[derive(Debug, Clone)]
pub struct OrderFolder(PathBuf);

impl OrderFolder {
    /// The folder of that order in identity's directory, whether it exists or not.
    #[must_use]
    pub fn of(data: &Path, name: &OrderName) -> Self {
        Self(data.join(FOLDER).join(&name.0))
    }

    /// The folders of the orders that have not ended, by name.
    ///
    /// # Errors
    /// [`OrderError::File`].
    pub(super) fn open_ones(data: &Path) -> Result<Vec<Self>, OrderError> {
        let folder = data.join(FOLDER);
        let failed = |source| file_error(&folder, source);
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut open = Vec::new();
        for entry in entries.take(MAX_ORDERS) {
            let entry = entry.map_err(failed)?;
            let name = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse::<OrderName>().ok());
            let order = name.map(|name| Self::of(data, &name));
            open.extend(order.filter(|order| order.order_file().exists() && !order.has_ended()));
        }
        open.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(open)
    }

    /// Writes the rows and the order. The same order with the same rows may be placed again, and is the same order.
    ///
    /// # Errors
    /// [`OrderError`].
    pub fn place(&self, order: &Order, rows: &Path) -> Result<(), OrderError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| OrderError::File { path, source }
        };
        let (file, copy) = (self.order_file(), self.rows());
        let bytes = serde_json::to_vec_pretty(order)
            .map_err(io::Error::from)
            .map_err(failed(&file))?;
        if file.exists() {
            let same = durable::read_private(&file).map_err(failed(&file))?.as_slice() == bytes
                && digest_of(&copy).map_err(failed(&copy))? == digest_of(rows).map_err(failed(rows))?;
            return if same {
                Ok(())
            } else {
                Err(OrderError::Exists(self.0.clone()))
            };
        }
        durable::private_directory(&self.0).map_err(failed(&self.0))?;
        copy_private(rows, &copy).map_err(failed(&copy))?;
        durable::write_private(&file, &bytes).map_err(failed(&file))
    }

    /// How the order has ended; `None` if it has not.
    ///
    /// # Errors
    /// [`OrderError::File`].
    pub fn outcome(&self) -> Result<Option<Outcome>, OrderError> {
        if self.refused_file().exists() {
            let refused: Refused = read(&self.refused_file())?;
            return Ok(Some(Outcome::Refused(refused.reason)));
        }
        if self.report_file().exists() {
            return Ok(Some(Outcome::Done(read(&self.report_file())?)));
        }
        Ok(None)
    }

    /// The result, which has personal data.
    #[must_use]
    pub fn result(&self) -> PathBuf {
        self.0.join("result.jsonl")
    }

    /// The register's rows.
    pub(super) fn rows(&self) -> PathBuf {
        self.0.join("rows.json")
    }

    pub(super) fn order(&self) -> Result<Order, OrderError> {
        read(&self.order_file())
    }

    pub(super) fn end(&self, outcome: &Outcome) -> Result<(), OrderError> {
        let (path, json) = match outcome {
            Outcome::Done(quality) => (self.report_file(), serde_json::to_vec_pretty(quality)),
            Outcome::Refused(reason) => {
                let reason = reason.clone();
                (self.refused_file(), serde_json::to_vec_pretty(&Refused { reason }))
            }
        };
        let written = json.map_err(io::Error::from).and_then(|mut json| {
            json.push(b'\n');
            durable::write_private(&path, &json)
        });
        written.map_err(|source| file_error(&path, source))
    }

    fn has_ended(&self) -> bool {
        self.refused_file().exists() || self.report_file().exists()
    }

    fn order_file(&self) -> PathBuf {
        self.0.join("order.json")
    }

    fn report_file(&self) -> PathBuf {
        self.0.join("report.json")
    }

    fn refused_file(&self) -> PathBuf {
        self.0.join("refused.json")
    }
}

/// Copies a file to one that only its owner may read. The file need not fit into memory.
fn copy_private(from: &Path, to: &Path) -> io::Result<()> {
    let (mut from, mut to) = (File::open(from)?, durable::open_private(to)?);
    to.set_len(0)?;
    io::copy(&mut from, &mut to)?;
    to.sync_all()
}

/// SHA-256 of a file, which need not fit into memory.
pub(super) fn digest_of(path: &Path) -> io::Result<[u8; 32]> {
    let (mut file, mut digest) = (BufReader::new(File::open(path)?), Sha256::new());
    loop {
        let part = file.fill_buf()?;
        if part.is_empty() {
            return Ok(digest.finalize().into());
        }
        digest.update(part);
        let read = part.len();
        file.consume(read);
    }
}

fn file_error(path: &Path, source: io::Error) -> OrderError {
    OrderError::File {
        path: path.to_owned(),
        source,
    }
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, OrderError> {
    let read = || {
        let length = std::fs::metadata(path)?.len();
        if length > MAX_FILE_LEN {
            return Err(io::Error::other("the file is longer than 64 KiB"));
        }
        text::json::from_slice(&std::fs::read(path)?).map_err(io::Error::other)
    };
    read().map_err(|source| file_error(path, source))
}
