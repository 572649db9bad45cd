//! What a command prints for the person or script that called it.
//!
//! `println!` panics when nothing reads standard output any more, as in `verifier audit … | head -1`. These macros do
//! not, and clippy refuses `println!` and its like in the whole workspace.
//!
//! * [`stdout!`] prints a line of the result. When its reader has closed the pipe, the line is dropped, and the command
//!   continues and ends with the exit code that it would have had. So a pipe changes neither a verdict nor half of a
//!   backup. Any other error, such as a full disk, is returned, because the caller then lacks the result.
//! * [`stderr!`] prints a message. When that is impossible, nothing can be reported, so there is no error.
//!
//! Each line is written at once.
//!
//! A command that fails says why with a [`Failure`].

mod failure;

use std::fmt;
use std::io::{self, ErrorKind, Write};

pub use failure::Failure;

/// Prints a line on standard output; takes what `format!` takes.
///
/// # Errors
/// If the line cannot be written, except to a pipe without a reader.
#[macro_export]
macro_rules! stdout {
    ($($argument:tt)*) => { $crate::print(format_args!($($argument)*)) };
}

/// Prints a line on standard error, if that is possible; takes what `format!` takes.
#[macro_export]
macro_rules! stderr {
    ($($argument:tt)*) => { $crate::report(format_args!($($argument)*)) };
}

/// [`stdout!`] as a function.
///
/// # Errors
/// If the line cannot be written, except to a pipe without a reader.
pub fn print(text: fmt::Arguments<'_>) -> io::Result<()> {
    write_line(io::stdout().lock(), text)
}

/// [`stderr!`] as a function.
pub fn report(text: fmt::Arguments<'_>) {
    // There is no other place where this error could be reported.
    let _ = write_line(io::stderr().lock(), text);
}

fn write_line(mut to: impl Write, text: fmt::Arguments<'_>) -> io::Result<()> {
    let written = to.write_all(format!("{text}\n").as_bytes()).and_then(|()| to.flush());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_line_to_a_pipe_without_a_reader_is_dropped() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        assert!(write_line(writer, format_args!("line")).is_ok());
    }

    #[test]
    fn a_line_to_a_full_disk_is_an_error() {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let error = write_line(io::LineWriter::new(full), format_args!("line")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    }

    #[test]
    fn a_line_arrives_whole() {
        let mut bytes = Vec::new();
        write_line(&mut bytes, format_args!("size {}", 7)).unwrap();
        assert_eq!(bytes, b"size 7\n");
    }
}
