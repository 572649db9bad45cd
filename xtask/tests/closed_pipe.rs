//! A reader of xtask's output that ends early, as `head` does, does not change how xtask ends.

#![allow(clippy::unwrap_used)]

use std::process::Command;

#[test]
fn a_closed_pipe_does_not_change_the_exit_code() {
    let doctor = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.arg("doctor");
        command
    };
    let read = doctor().output().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let unread = doctor().stdout(writer).output().unwrap();
    // 0 or 2: whether something is missing on this machine.
    assert_eq!(unread.status.code(), read.status.code());
    assert!([Some(0), Some(2)].contains(&unread.status.code()), "{unread:?}");
    assert_eq!(unread.stderr, read.stderr);
}
