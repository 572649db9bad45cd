//! All files together.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use registerlandkarte::{Place, ProblemKind, Table, Tables, check};
use thiserror::Error;

use crate::file::{self, MAX_FILE, RawRow, RawValue};
use crate::finding::{FileError, Finding, Span};
use crate::rows::{SetPlaces, add};

/// The bytes of a file, under the name by which findings call it.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The name.
    pub name: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A file that cannot be read.
#[derive(Debug, Error)]
#[error("{path}: {error}")]
pub struct ReadError {
    /// The file or folder.
    path: String,
    /// The reason.
    error: io::Error,
}

/// Where a row of the tables was read.
struct Origin<'a> {
    file: &'a SourceFile,
    row: RawRow,
    sets: SetPlaces,
}

/// Reads all files into tables and checks whether they fit each other.
///
/// # Errors
/// Everything that is wrong, by file and place.
pub fn read(files: &[SourceFile]) -> Result<Tables, Vec<Finding>> {
    let mut tables = Tables::default();
    let mut origins: BTreeMap<Table, Vec<Origin<'_>>> = BTreeMap::new();
    let mut findings = Vec::new();
    for file in files {
        let raw = file::read(&file.name, &file.bytes);
        let mut report = |errors: Vec<(Span, FileError)>| {
            let located = errors
                .into_iter()
                .map(|(span, error)| Finding::at(&file.name, &file.bytes, span.start, error));
            findings.extend(located);
        };
        report(raw.errors);
        for row in raw.rows {
            match add(&row, &mut tables) {
                Ok(sets) => origins.entry(row.table).or_default().push(Origin { file, row, sets }),
                Err(errors) => report(errors),
            }
        }
    }
    let all_rows_are_read = findings.is_empty();
    for problem in check(&tables) {
        // What is missing may be in a row that could not be read.
        if !all_rows_are_read && is_about_what_is_missing(&problem.kind) {
            continue;
        }
        let origin = origins
            .get(&problem.place.table)
            .and_then(|rows| rows.get(problem.place.row));
        if let Some(origin) = origin {
            let offset = origin.locate(&problem.place).start;
            findings.push(Finding::at(
                &origin.file.name,
                &origin.file.bytes,
                offset,
                problem.kind.into(),
            ));
        }
    }
    if findings.is_empty() {
        return Ok(tables);
    }
    let order = |name: &str| files.iter().position(|file| file.name == name);
    findings.sort_by_key(|finding| (order(&finding.file), finding.line, finding.column));
    Err(findings)
}

const fn is_about_what_is_missing(kind: &ProblemKind) -> bool {
    matches!(
        kind,
        ProblemKind::UnknownClass(_)
            | ProblemKind::UnknownRegister(_)
            | ProblemKind::UnknownEvidence(_)
            | ProblemKind::UnknownNorm(_)
            | ProblemKind::UnknownBody(_)
            | ProblemKind::UnknownComponent(..)
            | ProblemKind::VersionGap(_)
    )
}

impl Origin<'_> {
    /// Where a value of the row is: the element of a list, else the value, else the row.
    fn locate(&self, place: &Place) -> Span {
        let set = self.sets.iter().find(|(field, _)| *field == place.field);
        let of_set = set.and_then(|(_, spans)| spans.get(place.element?));
        if let Some(span) = of_set {
            return span.clone();
        }
        let Some(cell) = self.row.cells.iter().find(|cell| cell.name == place.field) else {
            return self.row.span.clone();
        };
        match (&cell.value, place.element) {
            (RawValue::List(items), Some(element)) => items.get(element).map_or(&cell.span, |item| &item.1).clone(),
            _ => cell.span.clone(),
        }
    }
}

/// Loads files, and of folders all files below them that end with `.toml` or `.csv`, by name.
///
/// # Errors
/// [`ReadError`] names the file or folder.
pub fn load(paths: &[PathBuf]) -> Result<Vec<SourceFile>, ReadError> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, &mut files).map_err(|error| ReadError {
            path: path.display().to_string(),
            error,
        })?;
    }
    Ok(files)
}

fn collect(path: &Path, files: &mut Vec<SourceFile>) -> io::Result<()> {
    if path.is_dir() {
        let mut entries: Vec<PathBuf> = Vec::new();
        for entry in std::fs::read_dir(path)? {
            entries.push(entry?.path());
        }
        entries.sort();
        for entry in entries {
            let ending = entry.extension().and_then(|ending| ending.to_str());
            if entry.is_dir() || matches!(ending, Some("toml" | "csv")) {
                collect(&entry, files)?;
            }
        }
        return Ok(());
    }
    let mut bytes = Vec::new();
    // One byte more than a file may have, so that `file::read` sees that it is too long.
    let limit = u64::try_from(MAX_FILE).unwrap_or(u64::MAX).saturating_add(1);
    io::Read::read_to_end(&mut io::Read::take(std::fs::File::open(path)?, limit), &mut bytes)?;
    files.push(SourceFile {
        name: path.display().to_string(),
        bytes,
    });
    Ok(())
}
