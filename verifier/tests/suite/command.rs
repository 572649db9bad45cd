//! The program from outside: its output, and its exit codes 0 sound, 1 not sound, 2 usage, 3 unreachable.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use fixtures::sample_log::{self, SampleLog};
use record::{Period, Phase};

pub(crate) struct TestLog {
    dir: tempfile::TempDir,
    pub(crate) log: SampleLog,
    pub(crate) intent: u64,
}

pub(crate) fn test_log() -> TestLog {
    let dir = tempfile::tempdir().unwrap();
    let mut log = SampleLog::new();
    let (intent, number) = log.intent();
    log.outcome(intent, number);
    log.map();
    log.export(&dir.path().join("export"), 2);
    std::fs::write(dir.path().join("trust.policy"), log.policy()).unwrap();
    TestLog { dir, log, intent }
}

impl TestLog {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name).display().to_string()
    }

    /// Runs a command with `--policy`. Returns exit code and standard output.
    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let policy = self.path("trust.policy").display().to_string();
        let output = verifier(&[arguments, &["--policy", &policy]].concat());
        (
            output.status.code().unwrap(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    }
}

pub(crate) fn verifier(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_verifier"))
        .args(arguments)
        .output()
        .unwrap()
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn audit_reads_a_directory() {
    let test = test_log();
    let export = text(&test.path("export"));
    let genesis = test.log.genesis().to_string();
    let (code, out) = test.run(&["audit", "--log", &export, "--records", "--genesis", &genesis]);
    assert_eq!(code, 0, "{out}");
    for expected in [
        format!("entries       {}", test.log.size()),
        format!("root          {}", test.log.tree.root()),
        format!("genesis       {genesis}\n"),
        "writer        broker: 2 entries".to_owned(),
        "open intents  0".to_owned(),
        "quorum        reached, 2 cosignatures".to_owned(),
        "records       2 fit their commitments".to_owned(),
        "\nsound\n".to_owned(),
    ] {
        assert!(out.contains(&expected), "{expected:?} not in {out}");
    }
    let (code, out) = test.run(&["audit", "--log", &export, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &json["sound"], &json["findings"]),
        (0, &true.into(), &serde_json::json!([]))
    );

    let (code, out) = test.run(&["map", "--log", &export]);
    assert!(code == 0 && out.contains("2 map entries compared"), "{out}");

    std::fs::write(test.path("export/surplus"), "").unwrap();
    let (code, out) = test.run(&["audit", "--log", &export]);
    assert!(
        code == 1 && out.contains("FINDING       surplus: a file") && out.ends_with("NOT SOUND\n"),
        "{out}"
    );
    let (code, out) = test.run(&["audit", "--log", &export, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &json["findings"][0]["place"]), (1, &"surplus".into()));
    assert_eq!(test.run(&["map", "--log", &export]).0, 1);
}

#[test]
fn audit_needs_a_quorum_unless_unwitnessed_is_allowed() {
    let test = test_log();
    let export = text(&test.path("export"));
    std::fs::write(test.path("export/checkpoint"), test.log.checkpoint(1)).unwrap();
    assert_eq!(test.run(&["audit", "--log", &export]).0, 1);
    assert_eq!(test.run(&["audit", "--log", &export, "--allow-unwitnessed"]).0, 0);
}

#[test]
fn a_log_that_cannot_be_read_gets_no_verdict() {
    let test = test_log();
    assert_eq!(test.run(&["audit", "--log", &text(&test.path("nowhere"))]).0, 3);
    assert_eq!(test.run(&["audit", "--log", "http://127.0.0.1:1"]).0, 3);
}

/// Serves files as a ledger does, records only with a credential.
fn serve(file: impl Fn(&str) -> Option<Vec<u8>> + Clone + Send + Sync + 'static) -> (String, tokio::runtime::Runtime) {
    use axum::extract::Request;
    use axum::http::StatusCode;
    use axum::response::IntoResponse as _;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = move |request: Request| async move {
        let path = request.uri().path().trim_start_matches('/').to_owned();
        let credential = request
            .headers()
            .get("authorization")
            .map(|value| value.as_bytes().to_vec());
        let expected = format!("Bearer {}", "07".repeat(32)).into_bytes();
        if path.starts_with("records/") && credential.as_ref() != Some(&expected) {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        file(&path).map_or(StatusCode::NOT_FOUND.into_response(), |bytes| bytes.into_response())
    };
    runtime.spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
    (url, runtime)
}

#[test]
fn audit_reads_a_url() {
    let test = test_log();
    let root = test.path("export");
    let (url, _runtime) = serve(move |path| std::fs::read(root.join(path)).ok());
    let slash = format!("{url}/");
    let (code, out) = test.run(&["audit", "--log", &slash]);
    assert!(
        code == 0 && out.contains(&format!("root          {}", test.log.tree.root())),
        "{out}"
    );

    assert_eq!(
        test.run(&["audit", "--log", &url, "--records"]).0,
        3,
        "records need a credential"
    );
    let credential = test.write("credential", "07".repeat(32));
    let arguments = ["audit", "--log", &url, "--records", "--credential", &credential];
    let (code, out) = test.run(&arguments);
    assert!(code == 0 && out.contains("records       2 fit"), "{out}");

    std::fs::remove_file(test.path(&format!("export/records/{}", test.intent))).unwrap();
    let (code, out) = test.run(&arguments);
    assert!(
        code == 1 && out.contains(&format!("records/{0}, entry {0}: the file is missing", test.intent)),
        "{out}"
    );
}

/// The audit reads the partial tile twice: for the root and for the entries. Both answers must be the same.
#[test]
fn a_server_that_serves_two_versions_of_a_tile_is_found() {
    let (mut one, mut two) = (SampleLog::new(), SampleLog::new());
    one.denial();
    two.denial();
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    one.export(dirs[0].path(), 2);
    two.export(dirs[1].path(), 2);
    let policy = dirs[0].path().join("trust.policy");
    std::fs::write(&policy, one.policy()).unwrap();
    let roots = dirs.each_ref().map(|dir| dir.path().to_owned());
    let tile_reads = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (url, _runtime) = serve(move |path| {
        let second = match path {
            "tile/0/000.p/6" => tile_reads.fetch_add(1, std::sync::atomic::Ordering::SeqCst) > 0,
            "checkpoint" => false,
            _ => true,
        };
        std::fs::read(roots[usize::from(second)].join(path)).ok()
    });
    let output = verifier(&["audit", "--log", &url, "--policy", &text(&policy)]);
    let out = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{out}");
    assert!(
        out.contains("tile/0/000.p/6: it was served with other content before"),
        "{out}"
    );
}

#[test]
fn wrong_usage_has_exit_code_2() {
    let test = test_log();
    let export = text(&test.path("export"));
    assert_eq!(verifier(&[]).status.code(), Some(2));
    assert_eq!(verifier(&["audit", "--log", &export]).status.code(), Some(2));
    assert_eq!(
        verifier(&["audit", "--log", &export, "--policy", "/nonexistent"])
            .status
            .code(),
        Some(2)
    );
    assert_eq!(test.run(&["audit", "--log", &export, "--genesis", "12"]).0, 2);
    assert_eq!(test.run(&["verify", &text(&test.path("nowhere"))]).0, 2);
    let policy = test.write("bad.policy", "quorum none\nquorum none\n");
    assert_eq!(
        verifier(&["audit", "--log", &export, "--policy", &policy])
            .status
            .code(),
        Some(2)
    );
    let logs = test.write("logs", "not a list\n");
    let witness = [
        "witness",
        "--listen",
        "127.0.0.1:0",
        "--state",
        &export,
        "--key",
        "k",
        "--logs",
        &logs,
    ];
    assert_eq!(verifier(&witness).status.code(), Some(2));
}

#[test]
fn verify_checks_a_receipt() {
    let test = test_log();
    let file = test.write("entry.tlog-proof", test.log.receipt(test.intent, 2));
    let (code, out) = test.run(&["verify", &file]);
    assert_eq!(code, 0, "{out}");
    assert!(
        out.contains(&format!(
            "entry {} of the log log.example/test is of kind intent",
            test.intent
        )),
        "{out}"
    );
    assert!(out.contains("w0 has cosigned it at 2026-09-21T"), "{out}");

    let file = test.write("alone.tlog-proof", test.log.receipt(test.intent, 1));
    let (code, out) = test.run(&["verify", &file]);
    assert!(code == 1 && out.contains("quorum"), "{out}");
    let (code, out) = test.run(&["verify", &file, "--allow-unwitnessed", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &json["sound"], &json["quorum"]),
        (0, &true.into(), &false.into())
    );

    let genesis = test.write("genesis.tlog-proof", test.log.receipt(0, 2));
    assert_eq!(
        test.run(&["verify", &genesis, "--genesis", &test.log.genesis().to_string()])
            .0,
        0
    );
    assert_eq!(test.run(&["verify", &genesis, "--genesis", &"00".repeat(32)]).0, 1);

    let mut changed = test.log.receipt(test.intent, 2);
    let at = changed.len() - 30;
    changed[at] ^= 1;
    assert_eq!(test.run(&["verify", &test.write("changed", changed)]).0, 1);
    assert_eq!(test.run(&["verify", &test.write("nonsense", "nonsense")]).0, 1);
}

#[test]
fn verify_checks_an_opening() {
    let test = test_log();
    let file = test.write(
        "entry.opening",
        test.log.opening(test.intent, 0, Phase::Intent).to_bytes(),
    );
    let (code, out) = test.run(&["verify", &file, "--genesis", &test.log.genesis().to_string()]);
    assert_eq!(code, 0, "{out}");
    for expected in [
        "signed by broker",
        "belongs to the person named in the file",
        "recorded     Stadt Musterhausen asked Kraftfahrt-Bundesamt",
        "recorded     by law: § 45 Abs. 1b StVO",
    ] {
        assert!(out.contains(expected), "{expected:?} not in {out}");
    }
    assert!(!out.contains(sample_log::IDNR));
    assert_eq!(test.run(&["verify", &file, "--genesis", &"00".repeat(32)]).0, 1);
    let mut bytes = std::fs::read(&file).unwrap();
    for at in (0..bytes.len()).step_by(211) {
        bytes[at] ^= 4;
        assert_eq!(test.run(&["verify", &test.write("changed", &bytes)]).0, 1, "byte {at}");
        bytes[at] ^= 4;
    }
}

#[test]
fn verify_checks_a_bundle() {
    let mut test = test_log();
    test.log.inspection(0);
    test.log.map();
    let file = test.write("mine.bundle", test.log.bundle(&sample_log::idnr()).to_bytes().unwrap());
    let genesis = test.log.genesis().to_string();
    let (code, out) = test.run(&["verify", &file, "--genesis", &genesis]);
    let (first, as_of) = (out.lines().next().unwrap(), record::Timestamp(test.log.now + 1));
    let claim = format!("proved       complete as of {as_of}: 1 exchanges, 1 inspections in periods 1–1");
    assert_eq!((code, first), (0, claim.as_str()), "{out}");
    for expected in [
        "outcome, entry 6 by broker",
        "Zulassungsbescheinigung Teil I",
        "cockpit opened records",
        "\nsound\n",
    ] {
        assert!(out.contains(expected), "{expected:?} not in {out}");
    }
    assert!(!out.contains(sample_log::IDNR), "{out}");
    assert!(out.contains("not checked  what the law discloses later"), "{out}");

    // A bundle that hides the outcome.
    let last = test.log.snapshots.len() - 1;
    let lie = test
        .log
        .bundle_showing(&sample_log::idnr(), last, &|_, _, _, phase| phase == Phase::Intent);
    let file = test.write("lie.bundle", lie.to_bytes().unwrap());
    let (code, out) = test.run(&["verify", &file]);
    let finding = "FINDING      exchanges of period 1, number 0, outcome: it is in the log as entry 6";
    assert!(code == 1 && out.contains(finding), "{out}");

    let mut bytes = test.log.bundle(&sample_log::idnr()).to_bytes().unwrap();
    bytes.truncate(900);
    let file = test.write("cut.bundle", bytes);
    let (code, out) = test.run(&["verify", &file, "--json"]);
    assert!(code == 1 && out.contains("not a bundle file"), "{out}");
}

/// The bundle shows a closed month as it was in its middle. Every proof is valid, but under a root that is not the
/// final one.
#[test]
fn verify_refuses_a_closed_month_as_it_was_in_its_middle() {
    let mut test = test_log();
    let middle = test.log.snapshots.len() - 1;
    test.log.exchange();
    test.log.begin(Period(2), &sample_log::vrf_key(Period(2)));
    test.log.finish(Period(1));
    test.log.map();
    let honest = test.log.bundle(&sample_log::idnr());
    let file = test.write("mine.bundle", honest.to_bytes().unwrap());
    assert_eq!(test.run(&["verify", &file]).0, 0);

    let old = test.log.bundle_showing(&sample_log::idnr(), middle, &|_, _, _, _| true);
    for (claimed, finding) in [
        (
            old.proof.periods[0].end.clone(),
            "the end of period 1: it is in the log as entry",
        ),
        (honest.proof.periods[0].end.clone(), "the map of period 1"),
    ] {
        let mut lie = honest.clone();
        lie.proof.periods[0] = old.proof.periods[0].clone();
        lie.proof.periods[0].end = claimed;
        test.log.prove_tree(&mut lie);
        let file = test.write("lie.bundle", lie.to_bytes().unwrap());
        let (code, out) = test.run(&["verify", &file]);
        assert!(code == 1 && out.contains(finding), "{out}");
    }
}
