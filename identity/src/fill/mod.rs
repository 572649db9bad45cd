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
//! | `found` | exactly one person has these names | `idnr`, and the base data that the permission names |
//! | `unknown` | no person, or one with an Auskunftssperre; which of them is not disclosed | |
//! | `ambiguous` | several persons have these names: an official must decide | |
//! | `contradictory` | the row has another IDNr than the person with these names | |
//! | `doubled` | an earlier row is the same person | |
//!
//! # Interruption
//!
//! Progress is stored every [`BATCH`] rows, beside the result. The same command continues after an interruption, and
//! refuses if the register's file, the permission or the population has changed. Neither the file nor the result has to
//! fit into memory.
//!
//! The result has personal data, so only its owner can read it. The report and every error count rows and name them by
//! number.

mod progress;
mod result;
mod row;

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use record::{Idnr, TestNumbers};
use sha2::{Digest as _, Sha256};
use text::{EachRowError, Fields, JsonError, RowError, each_row};

use crate::committer::StoreError;
use crate::persons::base_data::{BaseData, BaseDataPermission};
use crate::persons::population::{NameMatch, Population};
use progress::Progress;
use result::{ResultLine, RowResult};
use row::RegisterRow;

pub use progress::Quality;

/// How many rows may have to be done again after an interruption.
pub const BATCH: u64 = 1000;

/// Why a fill has not ended. What was done before is kept; the same command continues. Errors contain no personal data.
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
    #[error("{0} was begun with another register file, permission or population: finish it with those, or remove it")]
    OtherInput(PathBuf),
    /// The population or the progress cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a fill reads and writes.
#[derive(Debug)]
pub struct Fill<'a> {
    /// The register's file.
    pub rows: &'a Path,
    /// The result. Its progress is in a file beside it, which is removed at the end.
    pub result: &'a Path,
    /// What the register may have besides the IDNr.
    pub permission: &'a BaseDataPermission,
    /// Whether test numbers are valid.
    pub test_numbers: TestNumbers,
}

/// Finds the IDNr of every row, from the first one that has no result yet. `stop` is asked between batches.
///
/// # Errors
/// [`FillError`].
pub fn fill(population: &Population, options: &Fill<'_>, stop: impl Fn() -> bool) -> Result<Filled, FillError> {
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
        seen: Vec::new(),
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
    let mut digest = Sha256::new();
    let failed = |source| FillError::File {
        path: options.rows.to_path_buf(),
        source,
    };
    let mut file = BufReader::new(File::open(options.rows).map_err(failed)?);
    loop {
        let part = file.fill_buf().map_err(failed)?;
        if part.is_empty() {
            break;
        }
        digest.update(part);
        let read = part.len();
        file.consume(read);
    }
    digest.update(population.import_id()?);
    digest.update(record::cbor::to_vec(options.permission));
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

struct Filling<'a, S> {
    population: &'a Population,
    options: &'a Fill<'a>,
    progress: &'a Progress,
    result: BufWriter<File>,
    /// The rows that an earlier run has done.
    rows: u64,
    done: progress::Done,
    /// The numbers found since the progress was stored.
    seen: Vec<Idnr>,
    stop: &'a S,
}

impl<S: Fn() -> bool> Filling<'_, S> {
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
        let matched = self.population.names(&row.names)?;
        let (result, person) = match matched {
            NameMatch::Nobody => (RowResult::Unknown, None),
            NameMatch::Several => (RowResult::Ambiguous, None),
            NameMatch::One(idnr, _) if row.idnr.as_ref().is_some_and(|own| *own != idnr) => {
                (RowResult::Contradictory, None)
            }
            NameMatch::One(idnr, person) => {
                if self.seen.contains(&idnr) || self.progress.seen(&idnr)? {
                    (RowResult::Doubled, None)
                } else {
                    self.seen.push(idnr.clone());
                    (RowResult::Found, Some((idnr, person)))
                }
            }
        };
        self.done.quality.add(result);
        self.write(row.reference, result, person)
    }

    fn write(
        &mut self,
        reference: String,
        result: RowResult,
        person: Option<(Idnr, BaseData)>,
    ) -> Result<(), FillError> {
        let base_data = person.as_ref().map(|(_, data)| self.options.permission.subset(data));
        let line = ResultLine {
            reference,
            result,
            idnr: person.map(|(idnr, _)| idnr),
            base_data: base_data.unwrap_or_default(),
        };
        let written = serde_json::to_vec(&line).map_err(io::Error::from).and_then(|mut line| {
            line.push(b'\n');
            self.result.write_all(&line)?;
            Ok(line.len() as u64)
        });
        self.done.length += written.map_err(|source| self.failed(source))?;
        Ok(())
    }

    /// Stores the progress, after what it is about.
    fn save(&mut self) -> Result<(), FillError> {
        let synced = self.result.flush().and_then(|()| self.result.get_ref().sync_data());
        synced.map_err(|source| self.failed(source))?;
        self.progress.save(&self.done, &self.seen)?;
        self.seen.clear();
        Ok(())
    }

    fn failed(&self, source: io::Error) -> FillError {
        FillError::File {
            path: self.options.result.to_path_buf(),
            source,
        }
    }
}
