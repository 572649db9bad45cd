//! The scanner beside a provider's connector: without its clear answer no evidence is delivered, and the record says
//! so. The scanner is the test's; every process is the released program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use tests::processes::Processes;

/// A scanner that gives one answer to everything, and remembers what it was sent last.
#[derive(Clone, Default)]
struct Clamd(Arc<Mutex<(&'static [u8], Vec<u8>)>>);

impl Clamd {
    fn start(socket: &Path) -> Result<Self> {
        let (listener, clamd) = (UnixListener::bind(socket)?, Self::default());
        let shared = clamd.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut sent = Vec::new();
                let mut byte = [0];
                while !sent.ends_with(&[0; 4]) && stream.read(&mut byte).is_ok_and(|read| read == 1) {
                    sent.push(byte[0]);
                }
                let mut state = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
                state.1 = sent;
                // A connector that has stopped waiting is no concern of the scanner.
                let _ = stream.write_all(state.0);
            }
        });
        Ok(clamd)
    }

    fn answers(&self, answer: &'static [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0 = answer;
    }

    fn sent(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }
}

#[test]
fn evidence_is_delivered_only_with_the_scanners_clear_answer() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::seed(&scratch.path().join("demo"), "127.0.0.1:24700")?;
    let socket = scratch.path().join("clamd.ctl");
    let clamd = Clamd::start(&socket)?;
    clamd.answers(b"stream: OK\0");
    let path = socket.to_str().context("a path in UTF-8")?.to_owned();
    processes.configure("connector-kba", move |config| {
        config["role"]["provider"]["scanner"] = serde_json::json!({ "socket": path });
    })?;
    processes.start_all()?;
    processes.all_healthy()?;
    processes.ask_until_delivered()?;
    let sent = clamd.sent();
    let sent = String::from_utf8_lossy(&sent);
    ensure!(
        sent.starts_with("zINSTREAM\0") && sent.contains("kennzeichen"),
        "{sent}"
    );
    for (answer, alarm) in [
        (&b"stream: Eicar-Test-Signature FOUND\0"[..], "evidence-infected"),
        (b"stream: size limit exceeded. ERROR\0", "scanner"),
        (b"", "scanner"),
    ] {
        let before = processes.alarms("kba", alarm)?;
        clamd.answers(answer);
        let (status, body) = processes.ask()?;
        ensure!(status == 503 && body["evidence"].is_null(), "{status} {body:#}");
        ensure!(processes.alarms("kba", alarm)? == before + 1, "{alarm}");
    }
    std::fs::remove_file(&socket)?;
    let (status, body) = processes.ask()?;
    ensure!(
        status == 503 && body["evidence"].is_null(),
        "without a scanner: {status} {body:#}"
    );
    processes.every_intent_is_closed()
}
