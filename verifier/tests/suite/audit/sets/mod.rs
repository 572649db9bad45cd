//! Change sets of the directory and the Registerlandkarte: what follows from each other is sound, everything else is a
//! finding that names kind and version.

mod documents;
mod refused;

use std::collections::BTreeSet;

use fixtures::sample_log::{SampleLog, authority};
use fixtures::{TestWriter, grant};
use record::{Body, DocumentKind, Kind, NewestSets, Period, SigningKey, Timestamp};
use tlog::Hash;
use tlog::merkle::Index;
use trust::{Authority, ChangeSet, Key, Operation, Section, SignedChangeSet, TrustKind, Value, Version};
use verifier::audit::Options;

use super::{findings, options, run, small};

const DIRECTORY: TrustKind = TrustKind::Directory;
const REGISTERLANDKARTE: TrustKind = TrustKind::Registerlandkarte;
const BROKER: [Kind; 5] = [Kind::Intent, Kind::Outcome, Kind::Denial, Kind::Preview, Kind::Lost];

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

fn put(value: &Value) -> Operation {
    Operation::put(value).unwrap()
}

fn put_writer(name: &str, key: &SigningKey, kinds: &[Kind]) -> Operation {
    put(&Value::Writer(grant(name, key, kinds)))
}

fn end_writer(name: &str) -> Operation {
    Operation::end(Key::named(Section::Writer, name).unwrap())
}

fn put_authority(key: &SigningKey, signs: &[TrustKind]) -> Operation {
    put(&Value::Authority(Authority {
        name: "Zweite Registerbehörde".parse().unwrap(),
        key: key.public(),
        signs: signs.iter().copied().collect::<BTreeSet<_>>(),
    }))
}

fn propose(log: &SampleLog, kind: TrustKind, operations: Vec<Operation>) -> ChangeSet {
    let (state, reason) = (log.trust().state(), "Änderung".parse().unwrap());
    state.propose(kind, Timestamp(log.now), reason, operations).unwrap()
}

fn signed(set: ChangeSet) -> SignedChangeSet {
    set.sign(&[&authority()]).unwrap()
}

/// Puts the documents of a set into the export without an entry.
fn document(log: &mut SampleLog, set: &SignedChangeSet) {
    for bytes in [set.signed().bytes(), set.operations().bytes()] {
        log.documents.insert(Hash::of(bytes).to_string(), bytes.to_vec());
    }
}

/// A log in which both kinds have changed, with the file names of the documents of all sets and what findings about
/// them must name.
fn changed() -> (SampleLog, Vec<(String, String)>) {
    let mut log = small();
    let first = [(DIRECTORY, 1), (REGISTERLANDKARTE, 1)];
    let mut sets = Vec::new();
    for (kind, operations) in [
        (DIRECTORY, vec![put_writer("second", &key(50), &[Kind::Map])]),
        (REGISTERLANDKARTE, Vec::new()),
        (DIRECTORY, vec![end_writer("second")]),
    ] {
        let set = signed(propose(&log, kind, operations));
        log.append_set(&set);
        log.map();
        sets.push(set);
    }
    let mut files = Vec::new();
    for set in &sets {
        let name = format!("{}, version {}", set.header().kind, set.header().version);
        files.push((set.signed().digest().to_string(), name.clone()));
        // Two sets without operations name one document, which belongs to the first of them.
        if !set.operations().list().is_empty() {
            files.push((set.operations().digest().to_string(), name));
        }
    }
    for (index, (kind, version)) in (1_usize..).zip(first) {
        let entry = record::SignedEntry::parse(log.leaves[index].clone()).unwrap();
        let digest = entry.entry().body.document().unwrap();
        files.push((digest.to_string(), format!("{kind}, version {version}")));
    }
    (log, files)
}

#[test]
fn later_sets_are_sound() {
    let (mut log, _) = changed();
    log.denial();
    log.map();
    let dir = tempfile::tempdir().unwrap();
    log.export(dir.path(), 2);
    let report = run(dir.path(), &options(&log));
    assert_eq!(report.findings, []);
    let versions: Vec<_> = report
        .versions
        .iter()
        .map(|of| (of.kind, of.version, of.entry))
        .collect();
    let newest = log.newest();
    assert_eq!(
        versions,
        [
            (DIRECTORY, Version(3), newest.directory.get()),
            (REGISTERLANDKARTE, Version(2), newest.registerlandkarte.get()),
        ]
    );
    assert_eq!(
        report.versions[0].root,
        log.trust().state().directory().root().to_string()
    );
    let text = report.to_string();
    let line = format!("directory     version 3, in entry {}\n", newest.directory);
    assert!(text.contains(&line), "{text}");
}

#[test]
fn a_removed_writers_later_entry_is_found_and_its_earlier_ones_are_sound() {
    let mut log = small();
    log.change(DIRECTORY, vec![end_writer("broker")]);
    log.map();
    assert_eq!(findings(&log), [""; 0]);
    let index = log.denial();
    let found = findings(&log).join("\n");
    assert!(
        found.contains(&format!("entry {index}: its writer unknown"))
            && found.contains("may not write the kind denial"),
        "{found}"
    );
    assert!(
        found.lines().all(|line| line.contains(&format!("entry {index}: "))),
        "{found}"
    );
}

#[test]
fn a_rotated_key_signs_later_entries_and_the_old_one_only_earlier_ones() {
    let mut log = small();
    let new = TestWriter::new(key(51));
    log.change(DIRECTORY, vec![put_writer("broker", &new.key, &BROKER)]);
    let old = std::mem::replace(&mut log.broker, new);
    log.denial();
    log.map();
    assert_eq!(findings(&log), [""; 0]);
    log.broker = old;
    let index = log.denial();
    let found = findings(&log).join("\n");
    assert!(
        found.contains(&format!("entry {index}: its signature cannot be checked")),
        "{found}"
    );
    assert!(
        found.lines().all(|line| line.contains(&format!("entry {index}: "))),
        "{found}"
    );
}

/// The set that grants a right is in force for later entries only.
#[test]
fn a_set_gives_no_right_to_write_the_entry_that_carries_it() {
    let mut log = small();
    let kinds = [Kind::Period, Kind::Inspection, Kind::Directory];
    let identity = log.identity.key.clone();
    let set = signed(propose(
        &log,
        DIRECTORY,
        vec![put_writer("identity", &identity, &kinds)],
    ));
    document(&mut log, &set);
    let (kind, digest) = (DocumentKind::Directory, set.signed().digest());
    let index = log.append_identity(Body::Document { kind, digest });
    let found = findings(&log);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains(&format!("entry {index}: its writer identity"))
            && found[0].contains("may not write the kind directory"),
        "{found:?}"
    );

    let mut log = small();
    log.append_set(&set);
    let next = signed(propose(&log, DIRECTORY, Vec::new()));
    document(&mut log, &next);
    log.append_identity(Body::Document {
        kind,
        digest: next.signed().digest(),
    });
    assert_eq!(findings(&log), [""; 0]);
}

#[test]
fn a_map_entry_that_names_another_newest_set_is_found() {
    let (mut log, _) = changed();
    let NewestSets {
        directory,
        registerlandkarte,
    } = log.newest();
    let first = Index::from(1_u32);
    for (newest, what) in [
        (
            NewestSets {
                directory: first,
                registerlandkarte,
            },
            format!(
                "names entry 1 as the newest set of the directory, but version 3 is the newest, in entry {directory}"
            ),
        ),
        (
            NewestSets {
                directory,
                registerlandkarte: directory,
            },
            format!(
                "names entry {directory} as the newest set of the Registerlandkarte, but version 2 is the newest, in \
                 entry {registerlandkarte}"
            ),
        ),
    ] {
        let (mut log, _) = changed();
        let roots = [Period::MAP0, Period(1)].map(|period| (period, log.root_of(period)));
        let roots = roots.to_vec();
        let index = log.append_ledger(Body::Map { roots, newest });
        let found = findings(&log);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(&format!("entry {index}: {what}")), "{found:?}");
    }
    log.map();
    assert_eq!(findings(&log), [""; 0]);
}

/// The saved state has the versions in force: keys, authorities, values and their ages.
#[test]
fn a_resumed_audit_continues_with_the_versions_in_force() {
    let mut log = SampleLog::new();
    let second = key(60);
    let gone = Operation::end(Key::authority(&authority().id()));
    log.change(DIRECTORY, vec![put_authority(&second, &TrustKind::ALL), gone]);
    let broker = TestWriter::new(key(51));
    let set = propose(&log, DIRECTORY, vec![put_writer("broker", &broker.key, &BROKER)]);
    log.append_set(&set.sign(&[&second]).unwrap());
    let old = std::mem::replace(&mut log.broker, broker);
    log.map();
    while log.size().get() < 300 {
        log.denial();
    }
    log.map();
    let state = tempfile::tempdir().unwrap();
    let options = Options {
        resume: Some(state.path().join("audit.state")),
        ..options(&log)
    };
    let export = |log: &SampleLog| {
        let dir = tempfile::tempdir().unwrap();
        log.export(dir.path(), 2);
        dir
    };
    assert_eq!(run(export(&log).path(), &options).findings, []);

    let set = propose(&log, DIRECTORY, vec![put_writer("second", &key(50), &[Kind::Map])]);
    log.append_set(&set.sign(&[&second]).unwrap());
    let set = propose(&log, REGISTERLANDKARTE, Vec::new());
    log.append_set(&set.sign(&[&second]).unwrap());
    log.map();
    log.denial();
    let dir = export(&log);
    let report = run(dir.path(), &options);
    assert_eq!((report.findings.as_slice(), report.resumed_from), (&[][..], Some(256)));
    let fresh = Options {
        resume: None,
        ..options.clone()
    };
    assert_eq!(report.versions, run(dir.path(), &fresh).versions);

    let set = propose(&log, DIRECTORY, Vec::new());
    let refused = log.append_set(&signed(set));
    let new = std::mem::replace(&mut log.broker, old);
    let removed = log.denial();
    log.broker = new;
    log.denial();
    let report = run(export(&log).path(), &options);
    assert_eq!(report.resumed_from, Some(256));
    let entries: BTreeSet<_> = report.findings.iter().filter_map(|finding| finding.entry).collect();
    assert_eq!(entries, BTreeSet::from([refused, removed]), "{:?}", report.findings);
}
