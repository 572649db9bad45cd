//! What is wrong in files, and where.

use core::fmt;
use core::ops::Range;

use record::id::ParticipantIdError;
use record::time::TimestampError;
use registerlandkarte::ArsError;
use registerlandkarte::{CommitError, DayError, InvalidName, ProblemKind};
use text::TextError;
use thiserror::Error;

use crate::NOTICE;

/// Bytes of a file.
pub type Span = Range<usize>;

/// Something that is wrong, and its place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub error: FileError,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.error)
    }
}

impl Finding {
    /// A finding at a byte of a file.
    #[must_use]
    pub fn at(file: &str, bytes: &[u8], offset: usize, error: FileError) -> Self {
        let before = &bytes[..offset.min(bytes.len())];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        Self {
            file: file.to_owned(),
            line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
            column: String::from_utf8_lossy(&before[line_start..]).chars().count() + 1,
            error,
        }
    }
}

/// What is wrong. None of these goes away on a retry; the file must be corrected.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FileError {
    /// The file is too long.
    #[error("the file is longer than {0} bytes")]
    TooLong(usize),
    /// A byte is no UTF-8.
    #[error("the file is not UTF-8")]
    NotUtf8,
    /// The name of the file says no format.
    #[error("the file's name must end with .toml or .csv")]
    Extension,
    /// The name of a CSV file says no table.
    #[error("a CSV file is called after its table: {0}.csv, or with a prefix and a dot before it")]
    TableName(String),
    /// The file is no TOML.
    #[error("{0}")]
    Toml(String),
    /// The file names no version of the format.
    #[error("the file must begin with `schema = 1`")]
    NoSchema,
    /// The file has another version of the format.
    #[error("this version of the format is not known; the known one is `schema = 1`")]
    OtherSchema,
    /// A file with norms does not say what it is.
    #[error("a file with norms must say: notice = \"{NOTICE}\"")]
    Notice,
    /// There is no such table.
    #[error("there is no table {0}")]
    UnknownTable(String),
    /// A table is not written as a list of tables.
    #[error("{0} must be written as [[{0}]]")]
    NotRows(String),
    /// The file has no rows.
    #[error("the file has no rows")]
    NoRows,
    /// A table has no such field.
    #[error("a {0} has no field {1}")]
    UnknownField(&'static str, String),
    /// A field is missing.
    #[error("the field {0} is missing")]
    MissingField(&'static str),
    /// A CSV file has a column twice.
    #[error("the column {0} is there twice")]
    ColumnTwice(String),
    /// A line of a CSV file has more or fewer values than the first line.
    #[error("the line has {found} values, and the first line has {columns}")]
    ValueCount {
        /// The columns of the first line.
        columns: usize,
        /// The values of this line.
        found: usize,
    },
    /// A quotation mark is not closed, or text follows it.
    #[error("the quotation mark is not closed, or text follows it")]
    Quote,
    /// The value is of another type.
    #[error("{expected} is expected, and {found} is here")]
    Type {
        /// What is expected.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// The value is none of the words that the field may have.
    #[error("the word is none of {0}")]
    Word(String),
    /// The value is no number of the right size.
    #[error("not a number from 0 to 4294967295")]
    Number,
    /// The text is no name.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The text is no name of a component.
    #[error(transparent)]
    Component(#[from] ParticipantIdError),
    /// The text is not what the field may contain.
    #[error("the text {0}")]
    Text(#[from] TextError),
    /// The text is no time.
    #[error(transparent)]
    Time(#[from] TimestampError),
    /// The text is no day.
    #[error(transparent)]
    Day(#[from] DayError),
    /// The text is no commit.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The text is no area.
    #[error("{0}, or is the word `bund`")]
    Area(#[from] ArsError),
    /// The citation is not of the usual form.
    #[error("a citation begins with `§ `, `§§ `, `Artikel ` or `Anlage`")]
    Citation,
    /// A row has both fields of a choice, or none.
    #[error("a {0} has either {1} or {2}")]
    Choice(&'static str, &'static str, &'static str),
    /// A text of a list has a character that separates texts in CSV, or is surrounded by spaces.
    #[error("a text of a list has no semicolon, which separates them in CSV files, and no space around it")]
    Separator,
    /// A list has a value twice.
    #[error("the value is in the list twice")]
    Repeated,
    /// The rows do not fit each other.
    #[error(transparent)]
    Problem(#[from] ProblemKind),
}
