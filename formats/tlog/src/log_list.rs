//! The list of logs that configures a witness (the witness network's `logs/v0`).
//!
//! ```text
//! # comment
//! logs/v0
//! vkey <log vkey>         ; starts a log
//! origin <origin>         ; if it differs from the key's name
//! qpd <number>            ; requests that the log may send per day
//! contact <text>
//! ```

use core::fmt;

use crate::checkpoint::{CheckpointError, Origin};
use crate::note::{KeyError, VerifierKey};

const HEADER: &str = "logs/v0";

/// A log of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedLog {
    /// The log's key.
    pub key: VerifierKey,
    /// The log's origin.
    pub origin: Origin,
    /// Requests that the log may send per day.
    pub requests_per_day: Option<f64>,
    /// How to reach the log's operator, as free text.
    pub contact: Option<String>,
}

impl ListedLog {
    /// Makes an entry whose origin is the key's name, without further fields.
    #[must_use]
    pub fn new(key: VerifierKey) -> Self {
        let origin = Origin::from(key.name());
        Self {
            key,
            origin,
            requests_per_day: None,
            contact: None,
        }
    }
}

/// Why a log list is refused, and at which line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the log list: {error}")]
pub struct LogListError {
    /// Line, counted from 1.
    pub line: usize,
    /// What is wrong with the line.
    pub error: LogListLineError,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogListLineError {
    /// The bytes are not UTF-8.
    #[error("not UTF-8")]
    Text,
    /// The first line that is not a comment is not the header.
    #[error("the list does not begin with {HEADER}")]
    Header,
    /// The line has no known keyword, comes before the first `vkey`, or repeats a field of its log.
    #[error("write: vkey <key>, then once each: origin <origin>, qpd <number>, contact <text>")]
    Structure,
    /// The key is malformed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The origin is malformed.
    #[error(transparent)]
    Origin(#[from] CheckpointError),
}

/// A log whose lines are being read.
struct Stanza {
    log: ListedLog,
    has_origin: bool,
}

/// Parses a list of logs.
///
/// # Errors
/// [`LogListError`] with the line.
pub fn parse(bytes: &[u8]) -> Result<Vec<ListedLog>, LogListError> {
    let at_line = |line| move |error| LogListError { line, error };
    let text = str::from_utf8(bytes).map_err(|_| at_line(1)(LogListLineError::Text))?;
    let mut stanzas: Vec<Stanza> = Vec::new();
    let mut has_header = false;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if has_header {
            parse_line(&mut stanzas, line).map_err(at_line(at + 1))?;
        } else if line == HEADER {
            has_header = true;
        } else {
            return Err(at_line(at + 1)(LogListLineError::Header));
        }
    }
    if !has_header {
        return Err(at_line(1)(LogListLineError::Header));
    }
    Ok(stanzas.into_iter().map(|stanza| stanza.log).collect())
}

fn parse_line(stanzas: &mut Vec<Stanza>, line: &str) -> Result<(), LogListLineError> {
    let (word, value) = line.split_once(' ').ok_or(LogListLineError::Structure)?;
    let value = value.trim();
    if word == "vkey" {
        let log = ListedLog::new(value.parse()?);
        let has_origin = false;
        stanzas.push(Stanza { log, has_origin });
        return Ok(());
    }
    let Stanza { log, has_origin } = stanzas.last_mut().ok_or(LogListLineError::Structure)?;
    let is_new = match word {
        "origin" => {
            log.origin = value.parse()?;
            !core::mem::replace(has_origin, true)
        }
        "qpd" => {
            let number = value
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite() && *number >= 0.0);
            let number = number.ok_or(LogListLineError::Structure)?;
            log.requests_per_day.replace(number).is_none()
        }
        "contact" => log.contact.replace(value.to_owned()).is_none(),
        _ => false,
    };
    if is_new {
        Ok(())
    } else {
        Err(LogListLineError::Structure)
    }
}

impl fmt::Display for ListedLog {
    /// Writes the log's lines, without the list's header.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "vkey {}", self.key)?;
        if self.origin.as_str() != self.key.name().as_str() {
            writeln!(f, "origin {}", self.origin)?;
        }
        if let Some(number) = self.requests_per_day {
            writeln!(f, "qpd {number}")?;
        }
        match &self.contact {
            Some(contact) => writeln!(f, "contact {contact}"),
            None => Ok(()),
        }
    }
}

/// Writes a list of logs.
#[must_use]
pub fn emit(logs: &[ListedLog]) -> String {
    let mut text = format!("{HEADER}\n");
    for log in logs {
        text += &format!("\n{log}");
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    const KEY: &str = "log.example/vectors+74538357+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";

    #[test]
    fn a_list_reads_back_as_written() {
        let text = format!(
            "# ours\n\nlogs/v0\n\nvkey {KEY}\nqpd 86400.5\ncontact ledger@example.org (duty)\n# next\nvkey {KEY}\norigin go.sum tree\n"
        );
        let logs = parse(text.as_bytes()).unwrap();
        assert_eq!(logs.len(), 2);
        assert_eq!(logs[0].origin.as_str(), "log.example/vectors");
        assert_eq!(logs[0].requests_per_day, Some(86400.5));
        assert_eq!(logs[0].contact.as_deref(), Some("ledger@example.org (duty)"));
        assert_eq!(logs[1].origin.as_str(), "go.sum tree");
        assert_eq!(parse(emit(&logs).as_bytes()).unwrap(), logs);
        assert_eq!(parse(b"logs/v0\n"), Ok(vec![]));
    }

    #[test]
    fn malformed_lists_are_refused_with_their_line() {
        let structure = LogListLineError::Structure;
        let cases = [
            (String::new(), 1, LogListLineError::Header),
            ("logs/v1\n".to_owned(), 1, LogListLineError::Header),
            ("logs/v0\nqpd 1\n".to_owned(), 2, structure.clone()),
            ("logs/v0\nvkey\n".to_owned(), 2, structure.clone()),
            (
                "logs/v0\nvkey x\n".to_owned(),
                2,
                LogListLineError::Key(KeyError::Structure),
            ),
            (format!("logs/v0\nvkey {KEY}\nqpd -1\n"), 3, structure.clone()),
            (format!("logs/v0\nvkey {KEY}\nqpd NaN\n"), 3, structure.clone()),
            (format!("logs/v0\nvkey {KEY}\nqpd 1\nqpd 1\n"), 4, structure.clone()),
            (
                format!("logs/v0\nvkey {KEY}\norigin a\norigin a\n"),
                4,
                structure.clone(),
            ),
            (format!("logs/v0\nvkey {KEY}\ncolour red\n"), 3, structure),
        ];
        for (text, line, error) in cases {
            assert_eq!(parse(text.as_bytes()), Err(LogListError { line, error }), "{text:?}");
        }
    }
}
