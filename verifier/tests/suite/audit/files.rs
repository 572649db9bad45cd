//! Every file of an export, changed, missing or surplus, and the signatures of the checkpoint.

use std::path::{Path, PathBuf};

use tlog::Hash;
use tlog::policy::Policy;
use verifier::audit::{Options, Source, TOLERANCE, audit};

use super::{Silent, options, run, small};
use fixtures::sample_log::{START, SampleLog};

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for item in std::fs::read_dir(dir).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn a_sound_log_is_sound() {
    let log = small();
    let dir = tempfile::tempdir().unwrap();
    log.export(dir.path(), 2);
    let report = run(dir.path(), &options(&log));
    assert_eq!(report.findings, []);
    assert!(report.sound && report.quorum);
    assert_eq!(report.entries, log.size().get());
    assert_eq!(report.root, log.tree.root().to_string());
    assert_eq!(report.genesis, Some(log.genesis().to_string()));
    assert_eq!(
        (report.open_intents, report.lost_intents, report.records_checked),
        (0, 1, Some(5))
    );
    let writers: Vec<_> = report
        .writers
        .iter()
        .map(|writer| (writer.name.as_str(), writer.entries))
        .collect();
    for writer in [("operator", 3), ("ledger", 2), ("identity", 2), ("broker", 5)] {
        assert!(writers.contains(&writer), "{writers:?}");
    }
    assert_eq!((report.periods.len(), report.periods[0].labels), (1, 4));
}

/// A log that has been created but has no entries.
#[test]
fn cp_6_an_empty_log_is_sound() {
    let log = SampleLog::bare();
    let dir = tempfile::tempdir().unwrap();
    log.export(dir.path(), 2);
    let mut options = Options {
        policy: Policy::parse(log.policy().as_bytes()).unwrap(),
        genesis: None,
        records: true,
        allow_unwitnessed: false,
        tolerance: TOLERANCE,
        opened: Vec::new(),
        resume: None,
    };
    let report = run(dir.path(), &options);
    assert_eq!(
        (report.findings.as_slice(), report.entries, report.genesis),
        (&[][..], 0, None)
    );
    options.genesis = Some(Hash([1; 32]));
    assert!(
        !run(dir.path(), &options).sound,
        "it is not the log with the expected genesis hash"
    );
}

/// Over a small log: every byte of every file, and every 61st byte of the records.
#[test]
fn every_flipped_byte_is_found_and_named() {
    let log = small();
    let dir = tempfile::tempdir().unwrap();
    log.export(dir.path(), 2);
    let options = options(&log);
    flip(dir.path(), &options, |path, len| match path {
        _ if path.starts_with("records/") => (0..len).step_by(61).collect(),
        _ => (0..len).collect(),
    });
}

/// A sample of bytes over tiles of two levels.
#[test]
fn flipped_bytes_in_a_log_of_several_tiles_are_found() {
    let mut log = SampleLog::new();
    while log.size().get() < 600 {
        log.exchange();
    }
    let dir = tempfile::tempdir().unwrap();
    log.export(dir.path(), 3);
    let options = Options {
        records: false,
        ..options(&log)
    };
    std::fs::remove_dir_all(dir.path().join("records")).unwrap();
    flip(dir.path(), &options, |_, len| {
        (0..len).step_by(len.div_ceil(6)).chain([len - 1]).collect()
    });
}

fn flip(dir: &Path, options: &Options, offsets: impl Fn(&str, usize) -> Vec<usize>) {
    assert_eq!(run(dir, options).findings, []);
    for file in files(dir) {
        let name = file.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
        let good = std::fs::read(&file).unwrap();
        for at in offsets(&name, good.len()) {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            std::fs::write(&file, &bad).unwrap();
            let report = run(dir, options);
            // A changed name or key id in a cosignature that no quorum needs makes the line one of an unknown key. Such
            // lines are ignored, and noted.
            let ignored = name.starts_with("checkpoint") && report.notes.iter().any(|note| note.place == name);
            assert!(!report.sound || ignored, "{name}, byte {at}: not found");
            // The text of a finding names the changed file, as its place or as the file that its place is compared
            // with.
            let findings = report.findings.iter().map(ToString::to_string);
            let text: Vec<_> = findings.chain(report.notes.iter().map(ToString::to_string)).collect();
            assert!(
                text.iter().any(|finding| finding.contains(&name)),
                "{name}, byte {at}: {text:?}"
            );
        }
        std::fs::write(&file, &good).unwrap();
    }
}

#[test]
fn a_missing_longer_or_shorter_file_is_found() {
    let log = small();
    let dir = tempfile::tempdir().unwrap();
    log.export(dir.path(), 2);
    let options = options(&log);
    for file in files(dir.path()) {
        let name = file.strip_prefix(dir.path()).unwrap().to_str().unwrap().to_owned();
        let good = std::fs::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        let report = run(dir.path(), &options);
        // The audit cannot notice a missing earlier checkpoint: only the witnesses remember it.
        assert!(
            name.starts_with("checkpoints/") || report.findings.iter().any(|finding| finding.place == name),
            "{name}: {:?}",
            report.findings
        );
        for changed in [&good[..good.len() - 1], &[good.as_slice(), b"\n"].concat(), &[]] {
            std::fs::write(&file, changed).unwrap();
            assert!(!run(dir.path(), &options).sound, "{name}");
        }
        std::fs::write(&file, &good).unwrap();
    }
    assert!(run(dir.path(), &options).sound);
}

#[test]
fn files_that_are_not_part_of_the_log_are_found() {
    let log = small();
    let additions = [
        "note.txt",
        ".hidden",
        "records/3",
        "records/05",
        "records/9999",
        "tile/0/001.p/3",
        "tile/0/000",
        "tile/1/000.p/1",
        "tile/entries/000.p/1",
        "documents/0000000000000000000000000000000000000000000000000000000000000000",
        "documents/x/y",
    ];
    for name in additions {
        let dir = tempfile::tempdir().unwrap();
        log.export(dir.path(), 2);
        let file = dir.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, b"x").unwrap();
        let report = run(dir.path(), &options(&log));
        let named = |place: &str| name.starts_with(place);
        assert!(
            report.findings.iter().any(|finding| named(&finding.place)),
            "{name}: {:?}",
            report.findings
        );
    }
    let dir = tempfile::tempdir().unwrap();
    log.export(dir.path(), 2);
    std::fs::create_dir(dir.path().join("tile/2")).unwrap();
    std::os::unix::fs::symlink("checkpoint", dir.path().join("latest")).unwrap();
    let report = run(dir.path(), &options(&log));
    assert_eq!(report.findings.len(), 2, "{:?}", report.findings);
}

#[test]
fn a_checkpoint_without_quorum_or_with_a_repeated_signature_is_found() {
    let log = small();
    let dir = tempfile::tempdir().unwrap();
    log.export(dir.path(), 1);
    let mut options = options(&log);
    let report = run(dir.path(), &options);
    assert!(report.findings[0].what.contains("quorum"), "{:?}", report.findings);
    options.allow_unwitnessed = true;
    assert!(run(dir.path(), &options).sound);

    let mut note = tlog::note::Note::parse(log.checkpoint(2).as_bytes()).unwrap();
    note.signatures.push(note.signatures[1].clone());
    std::fs::write(dir.path().join("checkpoint"), note.to_string()).unwrap();
    assert!(!run(dir.path(), &options).sound);
}

/// SN-5: anybody can add a line. It neither helps nor harms, whatever it contains.
#[test]
fn sn_5_signatures_of_unknown_keys_are_ignored_and_noted() {
    let log = small();
    let dir = tempfile::tempdir().unwrap();
    log.export(dir.path(), 2);
    let stranger = tlog::note::SignerKey::for_cosignatures("stranger.example".parse().unwrap(), &[77; 32]);
    let mut note = tlog::note::Note::parse(log.checkpoint(2).as_bytes()).unwrap();
    let valid = tlog::cosignature::cosign(&note.text, &stranger, START).unwrap();
    let mut invalid = valid.clone();
    invalid.signature[20] ^= 1;
    note.signatures.splice(0..0, [valid.clone(), valid, invalid]);
    std::fs::write(dir.path().join("checkpoint"), note.to_string()).unwrap();
    let report = run(dir.path(), &options(&log));
    assert_eq!(report.findings, []);
    assert_eq!(report.notes.len(), 1, "{:?}", report.notes);
    assert!(
        report.notes[0]
            .what
            .contains("stranger.example, which the policy does not know")
    );
    let text = report.to_string();
    assert!(
        text.contains("note          checkpoint") && text.ends_with("\nsound"),
        "{text}"
    );

    log.export(dir.path(), 1);
    let mut note = tlog::note::Note::parse(log.checkpoint(1).as_bytes()).unwrap();
    note.signatures
        .push(tlog::cosignature::cosign(&note.text, &stranger, START).unwrap());
    std::fs::write(dir.path().join("checkpoint"), note.to_string()).unwrap();
    let report = run(dir.path(), &options(&log));
    assert_eq!(
        report.findings.len(),
        1,
        "it does not count for the quorum: {:?}",
        report.findings
    );
}

/// Without the documents nobody's right can be judged, which is said once and not for every entry.
#[test]
fn missing_documents_are_one_finding() {
    let log = small();
    let dir = tempfile::tempdir().unwrap();
    log.export(dir.path(), 2);
    std::fs::remove_dir_all(dir.path().join("documents")).unwrap();
    let report = run(dir.path(), &options(&log));
    let findings: Vec<_> = report.findings.iter().map(ToString::to_string).collect();
    let expected = "documents: 3 documents are missing, which the entries 0 (the genesis document), 1 (directory, \
                    version 1), 2 (Registerlandkarte, version 1) name; audit a copy that has them";
    assert_eq!(findings, [expected]);
    let judged = format!("the writers of {} entries were not checked", log.size());
    assert!(report.notes[0].what.contains(&judged), "{:?}", report.notes);
    assert!(
        report.notes[1].what.contains("2 change sets were not replayed"),
        "{:?}",
        report.notes
    );

    log.export(dir.path(), 2);
    let directory = log.trust().state().directory().header();
    std::fs::write(dir.path().join(format!("documents/{directory}")), "x").unwrap();
    let report = run(dir.path(), &options(&log));
    assert_eq!(
        report.findings.len(),
        1,
        "a wrong one has no consequences: {:?}",
        report.findings
    );
    assert!(report.findings[0].place.contains(&directory.to_string()));
}

#[test]
fn another_genesis_is_found() {
    let log = small();
    let dir = tempfile::tempdir().unwrap();
    log.export(dir.path(), 2);
    let options = Options {
        genesis: Some(Hash([1; 32])),
        ..options(&log)
    };
    assert!(run(dir.path(), &options).findings[0].what.contains("genesis hash"));
}

#[test]
fn a_resumed_audit_reads_only_what_is_new() {
    let mut log = SampleLog::new();
    while log.size().get() < 600 {
        log.exchange();
    }
    let state = tempfile::tempdir().unwrap();
    let options = Options {
        resume: Some(state.path().join("audit.state")),
        ..options(&log)
    };
    let first = tempfile::tempdir().unwrap();
    log.export(first.path(), 2);
    let report = run(first.path(), &options);
    assert!(report.sound && report.resumed_from.is_none());

    while log.size().get() < 900 {
        log.exchange();
    }
    let second = tempfile::tempdir().unwrap();
    log.export(second.path(), 2);
    let report = run(second.path(), &options);
    assert_eq!((report.findings.as_slice(), report.resumed_from), (&[][..], Some(512)));
    let fresh = run(
        second.path(),
        &Options {
            resume: None,
            ..options.clone()
        },
    );
    assert_eq!(
        (&report.writers, &report.periods, &report.kinds),
        (&fresh.writers, &fresh.periods, &fresh.kinds)
    );
    assert_eq!(report.records_checked, fresh.records_checked);

    // For another log under the same keys the saved state does not match the tree.
    let mut fork = SampleLog::new();
    fork.denial();
    while fork.size().get() < 900 {
        fork.exchange();
    }
    let third = tempfile::tempdir().unwrap();
    fork.export(third.path(), 2);
    let report = run(third.path(), &options);
    assert!(
        report.findings[0].what.contains("does not continue"),
        "{:?}",
        report.findings
    );
}

/// The file is this machine's. A disk that fails says nothing about the log.
#[tokio::test]
async fn a_saved_state_that_cannot_be_read_is_no_finding() {
    let log = SampleLog::new();
    let (export, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    log.export(export.path(), 0);
    let damaged = state.path().join("damaged");
    std::fs::write(&damaged, "not a state").unwrap();
    for path in [state.path().to_owned(), damaged] {
        let options = Options {
            resume: Some(path),
            ..options(&log)
        };
        let source = Source::directory(export.path()).unwrap();
        let error = audit(&source, &options, &Silent).await.unwrap_err();
        assert!(error.to_string().contains("the saved state of the audit"), "{error}");
    }
}
