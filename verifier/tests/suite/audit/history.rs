//! The earlier checkpoints in an export.

use std::path::Path;

use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::merkle::Size;
use tlog::note::{Note, SignerKey};
use tlog::policy::Policy;
use verifier::audit::Options;

use super::{options, run};
use fixtures::sample_log::{START, SampleLog};

/// A log of several tiles that was published at many sizes, some of them at the borders of tiles.
fn published() -> SampleLog {
    let mut empty = SampleLog::bare();
    empty.publish();
    let mut log = SampleLog::new();
    log.history = empty.history;
    while log.size().get() < 530 {
        log.denial();
        if matches!(log.size().get(), 100 | 255 | 256 | 257 | 400 | 512) {
            log.publish();
        }
    }
    log.map();
    log.publish();
    log
}

fn exported(log: &SampleLog) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    log.export(dir.path(), 2);
    dir
}

/// Audits with another note as the checkpoint of this size. Returns the findings about it.
fn replaced(dir: &Path, options: &Options, size: u64, note: &str) -> Vec<String> {
    let place = format!("checkpoints/{size}");
    let good = std::fs::read(dir.join(&place)).unwrap();
    std::fs::write(dir.join(&place), note).unwrap();
    let report = run(dir, options);
    std::fs::write(dir.join(&place), good).unwrap();
    assert!(!report.sound, "{place}");
    assert!(report.findings.iter().all(|finding| finding.place == place));
    report.findings.into_iter().map(|finding| finding.what).collect()
}

#[test]
fn every_checkpoint_of_this_tree_is_sound() {
    let log = published();
    let report = run(exported(&log).path(), &options(&log));
    assert_eq!(report.findings, []);
    assert_eq!(
        log.history.keys().copied().collect::<Vec<_>>(),
        [0, 100, 255, 256, 257, 400, 512, 531]
    );
    assert_eq!(report.checkpoints_checked, Some(8));
}

#[test]
fn a_checkpoint_of_another_tree_size_or_log_is_found() {
    let log = published();
    let dir = exported(&log);
    let signed = |key: &SignerKey, size: u64, root: Hash| {
        let origin = key.name().to_string().parse().unwrap();
        let checkpoint = Checkpoint::new(origin, Size::new(size).unwrap(), root);
        checkpoint.sign(&[key]).unwrap().to_string()
    };
    for size in [0, 255, 256, 257, 512, 531] {
        let found = replaced(
            dir.path(),
            &options(&log),
            size,
            &signed(&log.log_key, size, Hash([7; 32])),
        );
        assert!(found[0].contains("the tree's at this size"), "{size}: {found:?}");
    }
    let found = replaced(dir.path(), &options(&log), 255, &log.history[&256]);
    assert!(found[0].contains("at size 256"), "{found:?}");

    let other = SignerKey::for_notes("log.example/other".parse().unwrap(), &[2; 32]);
    let both = format!("log {}\n{}", other.verifier_key().unwrap(), log.policy());
    let both = Options {
        policy: Policy::parse(both.as_bytes()).unwrap(),
        ..options(&log)
    };
    let note = Note::parse(log.history[&256].as_bytes()).unwrap();
    let root = note.text.parse::<Checkpoint>().unwrap().root;
    let found = replaced(dir.path(), &both, 256, &signed(&other, 256, root));
    assert!(found[0].contains("it is of log.example/other"), "{found:?}");
}

#[test]
fn an_old_checkpoint_needs_no_quorum_and_may_have_unknown_signers() {
    let log = published();
    let dir = exported(&log);
    let retired = SignerKey::for_cosignatures("retired.example".parse().unwrap(), &[77; 32]);
    let mut note = Note::parse(log.history[&256].as_bytes()).unwrap();
    note.signatures.truncate(1);
    let line = tlog::cosignature::cosign(&note.text, &retired, START).unwrap();
    note.signatures.push(line);
    std::fs::write(dir.path().join("checkpoints/256"), note.to_string()).unwrap();
    let report = run(dir.path(), &options(&log));
    assert_eq!(report.findings, []);
    assert!(
        report.notes[0]
            .what
            .contains("retired.example, which the policy does not know")
    );
    assert_eq!(report.notes[0].place, "checkpoints/256");

    let (groups, quorum) = log
        .policy()
        .split_once("group")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let policy = format!(
        "{groups}witness retired {}\ngroup{quorum}",
        retired.verifier_key().unwrap()
    );
    let options = Options {
        policy: Policy::parse(policy.as_bytes()).unwrap(),
        ..options(&log)
    };
    let report = run(dir.path(), &options);
    assert_eq!(
        (report.findings.as_slice(), report.notes.as_slice()),
        (&[][..], &[][..])
    );

    // A known signer's line must verify, also on an old checkpoint.
    let last = note.signatures.len() - 1;
    note.signatures[last].signature[30] ^= 1;
    let found = replaced(dir.path(), &options, 256, &note.to_string());
    assert!(found[0].contains("retired.example does not verify"), "{found:?}");
}

#[test]
fn files_that_are_no_checkpoint_of_the_log_are_found() {
    let log = published();
    let dir = exported(&log);
    for name in ["0256", "x", "532", "18446744073709551616"] {
        let file = dir.path().join("checkpoints").join(name);
        std::fs::write(&file, &log.history[&256]).unwrap();
        let report = run(dir.path(), &options(&log));
        let places: Vec<_> = report.findings.iter().map(|finding| finding.place.as_str()).collect();
        assert_eq!(places, [format!("checkpoints/{name}")]);
        std::fs::remove_file(file).unwrap();
    }
    std::fs::create_dir(dir.path().join("checkpoints/300")).unwrap();
    assert!(!run(dir.path(), &options(&log)).sound);
}
