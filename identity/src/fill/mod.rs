//! The first fill (Erstbefüllung): finds the IDNr for each row of a register, and says how good the register's data
//! are.
//!
//! SPEC: § 6 (1) IDNrG. The register's file is a JSON array, one object a row:
//!
//! ```json
//! {"reference":"row-7","family_name":"Mustermann","given_name":"Emma","date_of_birth":"1964-08-12",
//!  "postal_code":"50667","place":"Köln","idnr":"08214967384"}
//! ```
//!
//! `reference` is the register's own name of the row. `idnr` may be missing; a register that has some numbers already
//! has them checked. The result is a file with one JSON object a line, in the order of the rows, without the faulty
//! ones:
//!
//! | `result` | Meaning | With it |
//! | --- | --- | --- |
//! | `found` | exactly one person has these names | `idnr`, and the ordered base data |
//! | `unknown` | no person, or one with an Auskunftssperre; which of them is not disclosed | |
//! | `ambiguous` | several persons have these names: an official must decide | |
//! | `contradictory` | the row has another IDNr than the person with these names | |
//! | `doubled` | an earlier row is the same person | |
//!
//! # Recorded before data move
//!
//! The rows come with an [`order`], on which the running identity works ([`work`]). The results of [`BATCH`] rows are
//! held back until the log has an entry for each person among them ([`crate::release`]). Then they are written.
//!
//! # Interruption
//!
//! Progress is stored after each batch, beside the result. After an interruption the work continues with the next
//! batch. The persons of a batch that was broken off have entries already, and on the same day they get no second one.
//! Work on an order is refused if its files or the population have changed. Neither the register's file nor the result
//! has to fit into memory.
//!
//! The result has personal data, so only its owner can read it. The report and every error count rows and name them by
//! number.

pub mod order;
mod progress;
mod result;
mod row;
pub(crate) mod work;

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use record::{Idnr, TestNumbers};
use service::Problem;
use sha2::{Digest as _, Sha256};
use text::{EachRowError, Fields, JsonError, RowError, each_row};
use trust::BaseDataError;

use crate::base_data::{BaseData, Released};
use crate::committer::StoreError;
use crate::persons::population::{NameMatch, Population};
use order::{Order, digest_of};
use progress::Progress;
use result::{ResultLine, RowResult};
use row::RegisterRow;

pub use progress::Quality;

/// How many rows have their results held back at most until their entries are in the log.
pub const BATCH: u64 = 1000;

/// Why the persons of a batch are not released.
#[derive(Debug, thiserror::Error)]
pub enum NotReleased {
    /// The receiver may not have the data.
    #[error("not permitted: {0}")]
    Denied(BaseDataError),
    /// Not at present. The order waits.
    #[error("not possible at present: {0}")]
    Later(Problem),
}

/// Why a fill has not ended. What was done before is kept. Errors contain no personal data.
#[derive(Debug, thiserror::Error)]
pub enum FillError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The register's file is not a JSON array.
    #[error("the register's file is not a JSON array of rows: {0}")]
    Form(#[from] JsonError),
    /// The progress belongs to other input.
    #[error("{0} was begun with other rows, another order or another population: place a new order")]
    OtherInput(PathBuf),
    /// The population or the progress cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The persons of a batch are not released.
    #[error(transparent)]
    Release(#[from] NotReleased),
}

/// What a fill reads and writes.
#[derive(Debug)]
pub struct Fill<'a> {
    /// The register's file.
    pub rows: &'a Path,
    /// The result. Its progress is in a file beside it, which is removed at the end.
    pub result: &'a Path,
    /// What is ordered. The progress belongs to this order.
    pub order: &'a Order,
    /// Whether test numbers are valid.
    pub test_numbers: TestNumbers,
}

/// Finds the IDNr of every row, from the first one that has no result yet. `release` records the persons of a batch and
/// returns what the receiver gets of each, in the same order. `stop` is asked between batches.
///
/// # Errors
/// [`FillError`].
pub fn fill(
    population: &Population,
    options: &Fill<'_>,
    release: impl Fn(&[BaseData]) -> Result<Vec<Released>, NotReleased>,
    stop: impl Fn() -> bool,
) -> Result<Filled, FillError> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        |source| FillError::File { path, source }
    };
    let mut beside = options.result.as_os_str().to_owned();
    beside.push(".progress");
    let beside = PathBuf::from(beside);
    let progress = Progress::open(&beside)?;
    let input = input(population, options)?;
    let begun = progress.begun()?;
    if begun.as_ref().is_some_and(|begun| begun.input != input) {
        return Err(FillError::OtherInput(beside));
    }
    let done = begun.unwrap_or_else(|| progress::Done::new(input));
    let result = service::durable::open_private(options.result).map_err(failed(options.result))?;
    let mut filling = Filling {
        population,
        options,
        progress: &progress,
        result: continued(result, done.length).map_err(failed(options.result))?,
        rows: done.rows,
        done,
        held: Vec::new(),
        persons: Vec::new(),
        release: &release,
        stop: &stop,
    };
    let file = File::open(options.rows).map_err(failed(options.rows))?;
    match each_row(file, |row, fields| filling.add(row as u64, fields)) {
        Ok(()) => {}
        Err(EachRowError::Form(error)) => return Err(error.into()),
        Err(EachRowError::Stopped(Stopped::Failed(error))) => return Err(error),
        Err(EachRowError::Stopped(Stopped::Asked)) => return Ok(Filled::Interrupted(filling.done.rows)),
    }
    filling.save()?;
    let quality = filling.done.quality;
    drop(progress);
    std::fs::remove_file(&beside).map_err(failed(&beside))?;
    Ok(Filled::Done(quality))
}

/// How a fill has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filled {
    /// All rows are done.
    Done(Quality),
    /// It was asked to stop after this many rows.
    Interrupted(u64),
}

/// A digest of all that the results depend on.
fn input(population: &Population, options: &Fill<'_>) -> Result<[u8; 32], FillError> {
    let rows = digest_of(options.rows).map_err(|source| FillError::File {
        path: options.rows.to_path_buf(),
        source,
    })?;
    let mut digest = Sha256::new();
    digest.update(rows);
    digest.update(population.import_id()?);
    digest.update(record::cbor::to_vec(options.order));
    Ok(digest.finalize().into())
}

/// The result file without what was written after the last stored progress.
fn continued(mut result: File, length: u64) -> io::Result<BufWriter<File>> {
    result.set_len(length)?;
    result.seek(SeekFrom::End(0))?;
    Ok(BufWriter::new(result))
}

enum Stopped {
    Asked,
    Failed(FillError),
}

impl<E: Into<FillError>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// A row whose result is held back.
struct Held {
    reference: String,
    result: RowResult,
}

struct Filling<'a, R, S> {
    population: &'a Population,
    options: &'a Fill<'a>,
    progress: &'a Progress,
    result: BufWriter<File>,
    /// The rows that an earlier run has done.
    rows: u64,
    done: progress::Done,
    /// The rows since the progress was stored.
    held: Vec<Held>,
    /// The persons of those that were found, in their order.
    persons: Vec<BaseData>,
    release: &'a R,
    stop: &'a S,
}

impl<R, S> Filling<'_, R, S>
where
    R: Fn(&[BaseData]) -> Result<Vec<Released>, NotReleased>,
    S: Fn() -> bool,
{
    fn add(&mut self, row: u64, fields: Result<Fields, RowError>) -> Result<(), Stopped> {
        if row <= self.rows {
            return Ok(());
        }
        match fields.and_then(|fields| RegisterRow::read(fields, self.options.test_numbers)) {
            Ok(row) => self.find(row)?,
            Err(error) => self.done.quality.add_faulty(row, &error),
        }
        self.done.rows = row;
        if row.is_multiple_of(BATCH) {
            self.save()?;
            if (self.stop)() {
                return Err(Stopped::Asked);
            }
        }
        Ok(())
    }

    fn find(&mut self, row: RegisterRow) -> Result<(), FillError> {
        let result = match self.population.names(&row.names)? {
            NameMatch::Nobody => RowResult::Unknown,
            NameMatch::Several => RowResult::Ambiguous,
            NameMatch::One(person) if row.idnr.as_ref().is_some_and(|own| *own != person.idnr) => {
                RowResult::Contradictory
            }
            NameMatch::One(person) if self.is_known(&person.idnr)? => RowResult::Doubled,
            NameMatch::One(person) => {
                self.persons.push(person);
                RowResult::Found
            }
        };
        self.done.quality.add(result);
        let reference = row.reference;
        self.held.push(Held { reference, result });
        Ok(())
    }

    /// Whether an earlier row was about this person.
    fn is_known(&self, idnr: &Idnr) -> Result<bool, StoreError> {
        Ok(self.persons.iter().any(|person| person.idnr == *idnr) || self.progress.seen(idnr)?)
    }

    /// Has the persons recorded and released, writes the held rows, and then stores the progress.
    fn save(&mut self) -> Result<(), FillError> {
        let mut released = Vec::new();
        if !self.persons.is_empty() {
            released = (self.release)(&self.persons)?;
        }
        let mut released = released.into_iter();
        for Held { reference, result } in std::mem::take(&mut self.held) {
            let person = match result {
                RowResult::Found => released.next(),
                _ => None,
            };
            self.write(&ResultLine {
                reference,
                result,
                person,
            })?;
        }
        let synced = self.result.flush().and_then(|()| self.result.get_ref().sync_data());
        synced.map_err(|source| self.failed(source))?;
        let found = std::mem::take(&mut self.persons);
        self.progress
            .save(&self.done, found.iter().map(|person| &person.idnr))?;
        Ok(())
    }

    fn write(&mut self, line: &ResultLine) -> Result<(), FillError> {
        let written = serde_json::to_vec(line).map_err(io::Error::from).and_then(|mut line| {
            line.push(b'\n');
            self.result.write_all(&line)?;
            Ok(line.len() as u64)
        });
        self.done.length += written.map_err(|source| self.failed(source))?;
        Ok(())
    }

    fn failed(&self, source: io::Error) -> FillError {
        FillError::File {
            path: self.options.result.to_path_buf(),
            source,
        }
    }
}
