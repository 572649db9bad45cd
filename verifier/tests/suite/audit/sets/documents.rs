//! The documents of sets, changed or left out.

use std::path::Path;

use fixtures::TestWriter;
use fixtures::sample_log::authority;
use trust::{Key, Operation, TrustKind};
use verifier::audit::Options;

use super::super::{findings, options, run, small};
use super::{BROKER, DIRECTORY, changed, key, propose, put_authority, put_writer};
use crate::command::verifier;

/// Audits an export with another content of one document, or without the document.
fn with_document(dir: &Path, options: &Options, name: &str, content: Option<&[u8]>) -> Vec<String> {
    let file = dir.join("documents").join(name);
    let good = std::fs::read(&file).unwrap();
    match content {
        Some(bytes) => std::fs::write(&file, bytes).unwrap(),
        None => std::fs::remove_file(&file).unwrap(),
    }
    let report = run(dir, options);
    std::fs::write(&file, good).unwrap();
    assert!(!report.sound, "{name}");
    report.findings.iter().map(ToString::to_string).collect()
}

#[test]
fn a_flipped_byte_in_any_document_of_a_set_is_one_finding_with_its_version() {
    let (log, files) = changed();
    let dir = tempfile::tempdir().unwrap();
    log.export(dir.path(), 2);
    let options = options(&log);
    for (file, version) in &files {
        let good = std::fs::read(dir.path().join("documents").join(file)).unwrap();
        for at in (0..good.len()).step_by(7).chain([good.len() - 1]) {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            let found = with_document(dir.path(), &options, file, Some(&bad));
            assert_eq!(found.len(), 1, "{version}, byte {at}: {found:?}");
            assert!(found[0].contains(version), "{version}, byte {at}: {found:?}");
        }
    }
}

#[test]
fn an_omitted_document_of_a_set_is_one_finding_with_its_version() {
    let (log, files) = changed();
    let dir = tempfile::tempdir().unwrap();
    log.export(dir.path(), 2);
    for (file, version) in &files {
        let found = with_document(dir.path(), &options(&log), file, None);
        assert_eq!(found.len(), 1, "{version}: {found:?}");
        assert!(
            found[0].contains(version) && found[0].contains("the file is missing"),
            "{version}: {found:?}"
        );
    }
}

/// The set replaces the authority and the broker's key. Without its documents no one can say whether later entries are
/// right.
#[test]
fn what_depends_on_a_set_that_cannot_be_read_is_not_judged() {
    let mut log = small();
    let (second, broker) = (key(60), TestWriter::new(key(51)));
    let gone = Operation::end(Key::authority(&authority().id()));
    let operations = vec![
        put_authority(&second, &TrustKind::ALL),
        gone,
        put_writer("broker", &broker.key, &BROKER),
    ];
    log.change(DIRECTORY, operations);
    let lost = log.trust().state().directory().header().to_string();
    log.broker = broker;
    log.denial();
    for kind in TrustKind::ALL {
        let set = propose(&log, kind, Vec::new()).sign(&[&second]).unwrap();
        log.append_set(&set);
    }
    log.map();
    assert_eq!(findings(&log), [""; 0]);
    log.documents.remove(&lost);
    let dir = tempfile::tempdir().unwrap();
    log.export(dir.path(), 2);
    let report = run(dir.path(), &options(&log));
    assert_eq!(report.findings.len(), 1, "{:?}", report.findings);
    assert!(
        report.findings[0]
            .what
            .contains("directory, version 2: the file is missing")
    );
    let notes: Vec<_> = report.notes.iter().map(|note| note.what.as_str()).collect();
    assert!(
        notes[0].contains("the writers of 2 entries were not checked"),
        "{notes:?}"
    );
    assert!(notes[1].contains("3 change sets were not replayed"), "{notes:?}");
    assert_eq!(report.versions, []);
}

#[test]
fn the_program_exits_with_1_and_names_the_version() {
    let (log, files) = changed();
    let dir = tempfile::tempdir().unwrap();
    let (export, policy) = (dir.path().join("export"), dir.path().join("trust.policy"));
    log.export(&export, 2);
    std::fs::write(&policy, log.policy()).unwrap();
    let arguments = [
        "audit",
        "--log",
        export.to_str().unwrap(),
        "--policy",
        policy.to_str().unwrap(),
    ];
    assert_eq!(verifier(&arguments).status.code(), Some(0));
    for (file, version) in &files {
        let path = export.join("documents").join(file);
        let good = std::fs::read(&path).unwrap();
        let mut bad = good.clone();
        bad[good.len() / 2] ^= 1;
        std::fs::write(&path, bad).unwrap();
        let output = verifier(&arguments);
        std::fs::write(&path, good).unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        let finding = out.lines().find(|line| line.starts_with("FINDING")).unwrap();
        assert!(output.status.code() == Some(1) && finding.contains(version), "{out}");
    }
}
