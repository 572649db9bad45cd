//! Scans what the register returns for malware, before it is sealed, because no one on the way can scan it
//! afterwards.
//!
//! The scanner is clamd, ClamAV's daemon, on a Unix socket. SPEC: clamd(8), command `INSTREAM` with a null-terminated
//! answer:
//!
//! ```text
//! → "zINSTREAM\0", then chunks of u32 length (big endian) and bytes, then u32 0
//! ← "stream: OK\0"  or  "stream: <name of the malware> FOUND\0"  or  "… ERROR\0"
//! ```
//!
//! It fails closed: without the clear answer `OK`, in time, the evidence is not delivered.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

/// How long a scan may take by default, in seconds.
const DEFAULT_SECONDS: u64 = 5;
/// The longest time that may be configured, in seconds.
const MAX_SECONDS: u64 = 20;
/// clamd closes the connection at the end of its answer. A longer one is no answer.
const MAX_ANSWER: usize = 512;
const CHUNK: usize = 64 << 10;

/// Configuration of the scanner.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScanConfig {
    /// clamd's Unix socket (`LocalSocket` of `clamd.conf`).
    pub socket: PathBuf,
    /// How long a scan may take, in seconds, from 1 to 20.
    #[serde(default = "default_seconds")]
    pub seconds: u64,
}

fn default_seconds() -> u64 {
    DEFAULT_SECONDS
}

impl ScanConfig {
    /// Whether the time is within its limits.
    pub(crate) fn is_sound(&self) -> bool {
        (1..=MAX_SECONDS).contains(&self.seconds)
    }
}

/// Client of the scanner.
#[derive(Debug, Clone)]
pub(crate) struct Scanner(ScanConfig);

/// Why evidence is not delivered after a scan.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScanError {
    /// The scanner has found malware.
    #[error("malware was found")]
    Infected,
    /// The scanner gave no clear answer.
    #[error("the scanner gives no clear answer: {0}")]
    Unclear(String),
}

/// Evidence that was scanned, or that need not be. Only [`scan`] makes one.
pub(crate) struct Scanned<'a>(&'a [u8]);

impl Scanned<'_> {
    /// The evidence.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.0
    }
}

/// Scans evidence. Without a scanner, the authority has decided to need none.
pub(crate) async fn scan<'a>(scanner: Option<&Scanner>, evidence: &'a [u8]) -> Result<Scanned<'a>, ScanError> {
    if let Some(scanner) = scanner {
        scanner.check(evidence).await?;
    }
    Ok(Scanned(evidence))
}

impl Scanner {
    pub(crate) fn new(config: ScanConfig) -> Self {
        Self(config)
    }

    async fn check(&self, evidence: &[u8]) -> Result<(), ScanError> {
        let limit = Duration::from_secs(self.0.seconds);
        let answer = tokio::time::timeout(limit, self.ask(evidence)).await;
        let answer = answer.map_err(|_| ScanError::Unclear("no answer in time".into()))?;
        let answer = answer.map_err(|error| ScanError::Unclear(error.to_string()))?;
        match answer.as_slice() {
            b"stream: OK\0" => Ok(()),
            answer if answer.ends_with(b" FOUND\0") => Err(ScanError::Infected),
            _ => Err(ScanError::Unclear("another answer than OK or FOUND".into())),
        }
    }

    async fn ask(&self, evidence: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut stream = UnixStream::connect(&self.0.socket).await?;
        stream.write_all(b"zINSTREAM\0").await?;
        for chunk in evidence.chunks(CHUNK) {
            let length = u32::try_from(chunk.len()).map_err(std::io::Error::other)?;
            stream.write_all(&length.to_be_bytes()).await?;
            stream.write_all(chunk).await?;
        }
        stream.write_all(&[0; 4]).await?;
        let mut answer = Vec::new();
        stream.take(MAX_ANSWER as u64).read_to_end(&mut answer).await?;
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tokio::net::UnixListener;

    use super::*;

    /// A clamd that gives this answer once, or none. Returns what it was sent.
    async fn scanned(evidence: &[u8], answer: Option<&'static [u8]>) -> (Result<(), ScanError>, Vec<u8>) {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("clamd.ctl");
        let listener = UnixListener::bind(&socket).unwrap();
        let daemon = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut sent = Vec::new();
            while !sent.ends_with(&[0; 4]) {
                if stream.read_buf(&mut sent).await.unwrap() == 0 {
                    break;
                }
            }
            match answer {
                Some(answer) => stream.write_all(answer).await.unwrap(),
                None => std::future::pending().await,
            }
            sent
        });
        let scanner = Scanner::new(ScanConfig { socket, seconds: 1 });
        let result = scan(Some(&scanner), evidence).await.map(drop);
        if answer.is_none() {
            daemon.abort();
        }
        (result, daemon.await.unwrap_or_default())
    }

    #[tokio::test]
    async fn evidence_is_sent_whole_and_passes_only_with_a_clear_answer() {
        let evidence = vec![7; CHUNK + 9];
        let (result, sent) = scanned(&evidence, Some(b"stream: OK\0")).await;
        result.unwrap();
        let mut expected = b"zINSTREAM\0".to_vec();
        for chunk in evidence.chunks(CHUNK) {
            expected.extend(u32::try_from(chunk.len()).unwrap().to_be_bytes());
            expected.extend(chunk);
        }
        expected.extend([0; 4]);
        assert_eq!(sent, expected);
        let found = scanned(b"x", Some(b"stream: Eicar-Test-Signature FOUND\0")).await.0;
        assert!(matches!(found, Err(ScanError::Infected)));
        for unclear in [
            &b"stream: INSTREAM size limit exceeded. ERROR\0"[..],
            b"stream: OK",
            b"OK\0",
            b"",
            b"stream: OK\0stream: OK\0",
            &[b'a'; 2 * MAX_ANSWER],
        ] {
            let result = scanned(b"x", Some(unclear)).await.0;
            assert!(matches!(result, Err(ScanError::Unclear(_))), "{unclear:?}");
        }
    }

    #[tokio::test]
    async fn a_scanner_that_is_silent_or_away_lets_nothing_pass() {
        let silent = scanned(b"x", None).await.0;
        assert!(matches!(silent, Err(ScanError::Unclear(_))));
        let socket = PathBuf::from("/nonexistent/clamd.ctl");
        let scanner = Scanner::new(ScanConfig { socket, seconds: 1 });
        assert!(matches!(scan(Some(&scanner), b"x").await, Err(ScanError::Unclear(_))));
        assert_eq!(scan(None, b"x").await.unwrap().bytes(), b"x");
    }
}
