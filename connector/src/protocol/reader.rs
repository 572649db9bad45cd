//! Reads the protocol, also while its connector runs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use record::{LegalDay, Outcome};
use uuid::Uuid;

use super::entry::ProtocolEntry;
use super::file::{self, FileName, LineCipher};
use super::{FOLDER, ProtocolError, key};

/// How many closed exchanges are remembered, so that an entry that was written twice after a crash is shown once.
const MAX_REMEMBERED: usize = 65_536;

/// Which exchanges are wanted. A field that is `None` fits everything.
#[derive(Clone, Default)]
pub struct Filter {
    /// The exchange.
    pub exchange: Option<Uuid>,
    /// The first day, in Germany.
    pub from: Option<LegalDay>,
    /// The last day, in Germany.
    pub to: Option<LegalDay>,
    /// How it ended.
    pub result: Option<Outcome>,
    /// The IDNr.
    pub idnr: Option<String>,
}

impl Filter {
    fn fits(&self, entry: &ProtocolEntry) -> bool {
        let outcome = entry.record.result.as_ref().map(|result| result.outcome);
        self.exchange.is_none_or(|wanted| wanted == entry.exchange)
            && (self.result.is_none() || self.result == outcome)
            && (self.idnr.is_none() || self.idnr == entry.idnr)
            && self.has_day(LegalDay::of(entry.at))
    }

    fn has_day(&self, day: LegalDay) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }
}

/// A line that cannot be read. All others were read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: not sealed with this key for this file")]
pub struct ReadError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

/// The protocol of a connector, for reading.
pub struct ProtocolReader {
    folder: PathBuf,
    cipher: LineCipher,
}

impl ProtocolReader {
    /// Opens the protocol in the connector's directory.
    ///
    /// # Errors
    /// The key cannot be read.
    pub fn open(data: &Path) -> Result<Self, ProtocolError> {
        Ok(Self {
            folder: data.join(FOLDER),
            cipher: LineCipher::new(&*key(data, false)?),
        })
    }

    /// Calls `each` once for each exchange that fits, in the order in which they were closed; those without an outcome
    /// come last. Returns the lines that cannot be read.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn each(&self, filter: &Filter, mut each: impl FnMut(&ProtocolEntry)) -> Result<Vec<ReadError>, ProtocolError> {
        let mut errors = Vec::new();
        let mut exchanges = Exchanges::default();
        for (name, path) in file::files(&self.folder)? {
            // The provider's first entry of an exchange may be in an earlier file than the one that closes it.
            if filter.to.is_some_and(|to| to < name.day) {
                continue;
            }
            file::read_lines(&path, |line, text| match self.cipher.open(name, text) {
                Some(entry) => {
                    if let Some(closed) = exchanges.add(entry)
                        && filter.fits(&closed)
                    {
                        each(&closed);
                    }
                }
                None => errors.push(read_error(name, line)),
            })?;
        }
        exchanges
            .open
            .values()
            .filter(|entry| filter.fits(entry))
            .for_each(each);
        Ok(errors)
    }
}

fn read_error(name: FileName, line: usize) -> ReadError {
    ReadError {
        file: name.to_string(),
        line,
    }
}

/// Puts the entries of an exchange together.
#[derive(Default)]
struct Exchanges {
    /// Answered, and without an outcome so far.
    open: BTreeMap<Uuid, ProtocolEntry>,
    closed: BTreeSet<Uuid>,
    order: VecDeque<Uuid>,
}

impl Exchanges {
    /// Returns the exchange if this entry closes it.
    fn add(&mut self, entry: ProtocolEntry) -> Option<ProtocolEntry> {
        let exchange = entry.exchange;
        if self.closed.contains(&exchange) {
            return None;
        }
        let entry = match self.open.remove(&exchange) {
            Some(earlier) => earlier.merged(entry),
            None => entry,
        };
        if entry.closing.is_none() {
            self.open.insert(exchange, entry);
            return None;
        }
        self.closed.insert(exchange);
        self.order.push_back(exchange);
        if self.order.len() > MAX_REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.closed.remove(&oldest);
        }
        Some(entry)
    }
}
