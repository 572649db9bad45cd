//! Files that were changed on their way, as by a checkout, a mail program or a redirection: exit code 2 and what has
//! happened to the file, not the verdict on a forgery.

use fixtures::sample_log;
use record::Phase;

use super::command::{TestLog, test_log, verifier};

/// What happens to whole files, and the words that name it.
type Change = (fn(&[u8]) -> Vec<u8>, &'static str);

const CHANGES: [Change; 3] = [
    (with_cr_lf, "line ends of the form CR LF"),
    (|bytes| [b"\xef\xbb\xbf", bytes].concat(), "a byte-order mark"),
    (in_utf_16, "UTF-16"),
];

fn with_cr_lf(bytes: &[u8]) -> Vec<u8> {
    let lines: Vec<_> = bytes.split(|byte| *byte == b'\n').collect();
    lines.join(&b"\r\n"[..])
}

fn in_utf_16(bytes: &[u8]) -> Vec<u8> {
    let units = String::from_utf8_lossy(bytes).encode_utf16().collect::<Vec<_>>();
    [0xfeff]
        .iter()
        .chain(&units)
        .flat_map(|unit| unit.to_le_bytes())
        .collect()
}

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output = verifier(arguments);
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

fn assert_unusable(arguments: &[&str], what: &str) {
    let (code, out) = run(arguments);
    assert!(code == Some(2) && out.contains(what), "{arguments:?}: {code:?} {out}");
}

/// A receipt, an opening and a bundle, each with at least two line feeds.
fn files(test: &mut TestLog) -> [Vec<u8>; 3] {
    let receipt = test.log.receipt(test.intent, 2);
    let opening = test.log.opening(test.intent, 0, Phase::Intent).to_bytes();
    let bundle = test.log.bundle(&sample_log::idnr()).to_bytes().unwrap();
    for file in [&receipt, &opening, &bundle] {
        assert!(file.iter().filter(|byte| **byte == b'\n').count() > 1);
    }
    [receipt, opening, bundle]
}

#[test]
fn a_damaged_file_gets_no_verdict() {
    let mut test = test_log();
    let policy = test.path("trust.policy").display().to_string();
    for bytes in files(&mut test) {
        let sound = test.write("sound", &bytes);
        assert_eq!(run(&["verify", &sound, "--policy", &policy]).0, Some(0));
        for (change, what) in CHANGES {
            let damaged = test.write("damaged", change(&bytes));
            assert_unusable(&["verify", &damaged, "--policy", &policy], what);
        }
    }
}

/// An attacker who adds a CR does not turn the verdict into an excuse.
#[test]
fn a_file_with_one_surplus_cr_is_not_sound() {
    let mut test = test_log();
    let policy = test.path("trust.policy").display().to_string();
    for mut bytes in files(&mut test) {
        let line_feed = bytes.iter().rposition(|byte| *byte == b'\n').unwrap();
        bytes.insert(line_feed, b'\r');
        let changed = test.write("changed", &bytes);
        assert_eq!(run(&["verify", &changed, "--policy", &policy]).0, Some(1));
    }
}

#[test]
fn a_damaged_policy_is_named() {
    let test = test_log();
    let export = test.path("export").display().to_string();
    let bytes = std::fs::read(test.path("trust.policy")).unwrap();
    for (change, what) in CHANGES {
        let damaged = test.write("damaged.policy", change(&bytes));
        assert_unusable(&["audit", "--log", &export, "--policy", &damaged], what);
    }
}

#[test]
fn an_export_with_a_damaged_checkpoint_gets_no_verdict() {
    let test = test_log();
    let export = test.path("export").display().to_string();
    let policy = test.path("trust.policy").display().to_string();
    let path = test.path("export/checkpoint");
    let bytes = std::fs::read(&path).unwrap();
    for (change, what) in CHANGES {
        std::fs::write(&path, change(&bytes)).unwrap();
        assert_unusable(&["audit", "--log", &export, "--policy", &policy], what);
    }
    std::fs::write(&path, &bytes).unwrap();
    let old = test.path("export/checkpoints/1");
    std::fs::create_dir_all(old.parent().unwrap()).unwrap();
    std::fs::write(&old, with_cr_lf(&bytes)).unwrap();
    assert_unusable(
        &["audit", "--log", &export, "--policy", &policy],
        "checkpoints/1 has line ends",
    );
}

#[test]
fn a_damaged_key_or_credential_is_named() {
    let test = test_log();
    let export = test.path("export").display().to_string();
    let policy = test.path("trust.policy").display().to_string();
    let private = |name: &str, bytes: &[u8]| {
        let path = test.write(name, bytes);
        let owner = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&path, owner).unwrap();
        path
    };
    let logs = test.write("logs", "logs/v0\n");
    for (change, what) in CHANGES {
        let credential = private("credential", &change(format!("{}\n", "07".repeat(32)).as_bytes()));
        assert_unusable(
            &[
                "audit",
                "--log",
                &export,
                "--policy",
                &policy,
                "--credential",
                &credential,
            ],
            what,
        );
        let key = private("key", &change(b"PRIVATE+KEY+w+00000000+AA==\n"));
        let line = [
            "witness",
            "--listen",
            "127.0.0.1:0",
            "--state",
            &export,
            "--key",
            &key,
            "--logs",
            &logs,
        ];
        assert_unusable(&line, what);
    }
}
