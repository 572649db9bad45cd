//! The audit of a log behind a server that is not a ledger: static servers compress, limit and delete.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use fixtures::sample_log::SampleLog;

/// An export and the policy for it.
struct Exported {
    dir: tempfile::TempDir,
    policy: PathBuf,
}

fn exported(log: &SampleLog) -> Exported {
    let dir = tempfile::tempdir().unwrap();
    log.export(&dir.path().join("export"), 2);
    let policy = dir.path().join("trust.policy");
    std::fs::write(&policy, log.policy()).unwrap();
    Exported { dir, policy }
}

fn sample() -> Exported {
    let mut log = SampleLog::new();
    log.exchange();
    log.map();
    exported(&log)
}

impl Exported {
    fn root(&self) -> PathBuf {
        self.dir.path().join("export")
    }

    /// Audits the log behind `answer`. Returns exit code, standard output and standard error.
    fn audit(
        &self,
        arguments: &[&str],
        answer: impl Fn(Request) -> Response + Clone + Send + Sync + 'static,
    ) -> (i32, String, String) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes = axum::Router::new().fallback(move |request: Request| async move { answer(request) });
        runtime.spawn(async move { axum::serve(listener, routes).await });
        let output = Command::new(env!("CARGO_BIN_EXE_verifier"))
            .args(["audit", "--log", &url, "--policy"])
            .arg(&self.policy)
            .args(arguments)
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (
            output.status.code().unwrap(),
            text(&output.stdout),
            text(&output.stderr),
        )
    }
}

fn file(root: &Path, request: &Request) -> Option<Vec<u8>> {
    std::fs::read(root.join(request.uri().path().trim_start_matches('/'))).ok()
}

fn plain(root: &Path, request: &Request) -> Response {
    file(root, request).map_or(StatusCode::NOT_FOUND.into_response(), |bytes| bytes.into_response())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn encoded(encoding: &'static str, body: Vec<u8>) -> Response {
    ([(header::CONTENT_ENCODING, encoding)], body).into_response()
}

fn is_bundle(request: &Request) -> bool {
    request.uri().path().starts_with("/tile/entries/")
}

/// Skylight stores bundles compressed and never serves them otherwise.
#[test]
fn bundles_may_come_compressed() {
    let test = sample();
    let root = test.root();
    let (code, out, _) = test.audit(&[], move |request| match file(&root, &request) {
        Some(bytes) if is_bundle(&request) => encoded("gzip", gzip(&bytes)),
        _ => plain(&root, &request),
    });
    assert!(code == 0 && out.ends_with("\nsound\n"), "{out}");
}

#[test]
fn the_size_limit_is_that_of_the_uncompressed_file() {
    let test = sample();
    let root = test.root();
    let bomb = gzip(&vec![0; 256 * 65_537 + 1]);
    assert!(bomb.len() < 100_000);
    let (code, _, error) = test.audit(&[], move |request| {
        if is_bundle(&request) {
            encoded("gzip", bomb.clone())
        } else {
            plain(&root, &request)
        }
    });
    assert!(code == 3 && error.contains("more than 16777472 bytes"), "{error}");
}

#[test]
fn an_encoding_that_was_not_asked_for_is_named() {
    let test = sample();
    let root = test.root();
    let (code, _, error) = test.audit(&[], move |request| match file(&root, &request) {
        Some(bytes) if is_bundle(&request) => encoded("br", bytes),
        _ => plain(&root, &request),
    });
    assert!(
        code == 3 && error.contains("encoding \"br\", which was not asked for"),
        "{error}"
    );
}

/// Refuses every third request, in the ways in which servers do.
#[test]
fn a_busy_server_is_asked_again_when_it_has_said() {
    let test = sample();
    let root = test.root();
    let requests = Arc::new(AtomicUsize::new(0));
    let agents = Arc::new(Mutex::new(Vec::new()));
    let seen = (requests.clone(), agents.clone());
    let (code, out, error) = test.audit(&["--contact", "audit@auditor.test"], move |request| {
        let agent = request.headers()[header::USER_AGENT].to_str().unwrap().to_owned();
        seen.1.lock().unwrap().push(agent);
        let number = seen.0.fetch_add(1, Ordering::SeqCst);
        let asked = [
            "0",
            "1",
            "Sun, 29 Nov 2020 06:00:30 GMT",
            "Sun, 29 Nov 2020 06:00:30 UTC",
        ];
        match number % 3 {
            0 if number % 2 == 0 => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            0 => {
                let value = HeaderValue::from_static(asked[number % asked.len()]);
                (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, value)]).into_response()
            }
            _ => plain(&root, &request),
        }
    });
    assert!(code == 0 && out.ends_with("\nsound\n"), "{out}{error}");
    assert!(requests.load(Ordering::SeqCst) > 6);
    let agents = agents.lock().unwrap();
    let expected = concat!(
        "einsicht-verifier/",
        env!("CARGO_PKG_VERSION"),
        " (+audit@auditor.test)"
    );
    assert!(agents.iter().all(|agent| agent == expected), "{agents:?}");
}

#[test]
fn a_server_that_asks_to_wait_too_long_gets_no_verdict() {
    let test = sample();
    for asked in ["86400", "99999999999999999999", "Fri, 01 Jan 2100 00:00:00 GMT"] {
        let requests = Arc::new(AtomicUsize::new(0));
        let seen = requests.clone();
        let (code, _, error) = test.audit(&[], move |_| {
            seen.fetch_add(1, Ordering::SeqCst);
            (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, asked)]).into_response()
        });
        assert!(code == 3 && error.contains("the server asks to wait"), "{error}");
        assert_eq!(requests.load(Ordering::SeqCst), 1, "it is not asked again");
    }
    assert_eq!(
        test.audit(&["--contact", "a (b)"], |_| StatusCode::OK.into_response())
            .0,
        2
    );
}

/// The published checkpoint is behind the tiles, and the partial tiles of its size have been deleted.
#[test]
fn the_full_tile_serves_where_a_partial_one_is_gone() {
    let mut log = SampleLog::new();
    log.denial();
    log.map();
    let old = log.checkpoint(2);
    while log.size().get() < 300 {
        log.denial();
    }
    let test = exported(&log);
    std::fs::write(test.root().join("checkpoint"), &old).unwrap();
    for gone in [StatusCode::NOT_FOUND, StatusCode::GONE] {
        let root = test.root();
        let (code, out, _) = test.audit(&[], move |request| match file(&root, &request) {
            Some(bytes) => bytes.into_response(),
            None => gone.into_response(),
        });
        assert!(code == 0 && out.contains("entries       7\n"), "{out}");
    }

    let full = test.root().join("tile/entries/000");
    let mut cut = std::fs::read(&full).unwrap();
    cut.pop();
    std::fs::write(full, cut).unwrap();
    let root = test.root();
    let (code, out, _) = test.audit(&[], move |request| plain(&root, &request));
    assert!(
        code == 1 && out.contains("FINDING       tile/entries/000.p/7: the file is missing"),
        "{out}"
    );
}
