//! Writes a corpus of XNachweis messages, and reads messages that others wrote.
//!
//! ```sh
//! cargo run -p messages --example xnachweis -- DIR            # writes the corpus to DIR
//! cargo run -p messages --example xnachweis -- --accepted DIR # lists the files of DIR that the parser accepts
//! ```
//!
//! The corpus has every type of message, with optional parts and without, and with the extreme values of each type. A
//! checker with the schemas of XNachweis 1.2.0 tells whether it is valid.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that a person calls tells the person what it did"
)]

mod corpus;

use std::path::Path;

use messages::xnachweis::Message;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--accepted", directory] => list_accepted(Path::new(directory)),
        [directory] if !directory.starts_with('-') => write_corpus(Path::new(directory)),
        _ => {
            eprintln!("usage: xnachweis DIR | xnachweis --accepted DIR");
            std::process::exit(2);
        }
    }
}

fn write_corpus(directory: &Path) {
    std::fs::create_dir_all(directory).expect("the directory cannot be made");
    let messages = corpus::messages();
    for (number, message) in messages.iter().enumerate() {
        let file = directory.join(format!("{number:03}-{}.xml", message.name()));
        std::fs::write(file, message.to_xml().expect("the corpus is valid")).expect("a file cannot be written");
    }
    println!("{} messages", messages.len());
}

fn list_accepted(directory: &Path) {
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .expect("the directory cannot be read")
        .map(|file| file.expect("the directory cannot be read").path())
        .collect();
    files.sort();
    for file in files {
        if Message::parse(&std::fs::read(&file).expect("a file cannot be read")).is_ok() {
            println!("{}", file.display());
        }
    }
}
