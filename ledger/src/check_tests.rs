#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::rules::testing::{BROKER, TimedWriter, World, following, intent, raw, submit};
use crate::store::memory::MemoryStore;
use crate::store::{Batch, Durability};
use record::LabelledKind;

/// A log of genesis, directory, registry, period and 100 intents, of which the first has its outcome.
async fn log() -> Rows {
    let store = Arc::new(MemoryStore::new());
    let (shared, _) = World::new().started(store.clone()).await;
    let mut broker = TimedWriter::new(BROKER);
    for label in 1..=100 {
        let entry = raw(&broker.write(intent(label)), label);
        submit(&shared, vec![entry]).await.remove(0).unwrap();
    }
    let outcome = broker.write(following(LabelledKind::Outcome, 1, 200, 4));
    submit(&shared, vec![raw(&outcome, 200)]).await.remove(0).unwrap();
    shared.log.end();
    let rows = Rows::new(store);
    let note = rows.checkpoint().unwrap().unwrap();
    rows.store_published(105, &note).unwrap();
    rows
}

fn findings(rows: &Rows) -> Vec<String> {
    check_rows(rows).unwrap().findings.first_findings().to_vec()
}

fn rows_of(rows: &Rows, column: Column) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut all = Vec::new();
    let visited = rows.store().scan(column, &[], &END, &mut |key, value| {
        all.push((key.to_vec(), value.to_vec()));
        ControlFlow::Continue(())
    });
    visited.unwrap();
    all
}

fn write(rows: &Rows, change: impl FnOnce(&mut Batch)) {
    let mut batch = Batch::default();
    change(&mut batch);
    rows.store().write(&batch, Durability::Synced).unwrap();
}

#[tokio::test]
async fn a_sound_log_has_no_findings() {
    let report = check_rows(&log().await).unwrap();
    assert_eq!(report.findings.first_findings(), [] as [String; 0]);
    assert_eq!((report.size, report.records), (105, 101));
    let empty = Rows::new(Arc::new(MemoryStore::new()));
    assert!(check_rows(&empty).is_err());
}

#[tokio::test]
async fn every_changed_removed_or_added_row_is_found() {
    for column in Column::ALL {
        let rows = log().await;
        for (key, value) in rows_of(&rows, column) {
            if key == b"quorum" {
                continue;
            }
            write(&rows, |batch| batch.delete(column, &key));
            // A missing checkpoint is not an error, because it is signed again. Without a head there is no log.
            let may_be_missing = key == b"checkpoint" || key == b"published" || column == Column::Checkpoints;
            if !may_be_missing && key != b"head" {
                assert!(!findings(&rows).is_empty(), "{column:?} {key:?} removed");
            }
            let mut changed = value.clone();
            // The next start verifies a checkpoint's signature; here the third line changes, which is the root.
            let root = value
                .split(|byte| *byte == b'\n')
                .take(2)
                .map(|line| line.len() + 1)
                .sum();
            let place = if may_be_missing { root } else { value.len() / 2 };
            changed[place] ^= 1;
            write(&rows, |batch| batch.put(column, &key, &changed));
            let noticed = check_rows(&rows).is_ok_and(|report| report.findings.count() > 0);
            assert!(noticed, "{column:?} {key:?} changed");
            write(&rows, |batch| batch.put(column, &key, &value));
        }
        assert_eq!(findings(&rows), [] as [String; 0], "{column:?} is restored");
        if column != Column::Meta {
            write(&rows, |batch| batch.put(column, &[0xfe; 40], &[0; 40]));
            assert!(!findings(&rows).is_empty(), "{column:?}: an extra row");
        }
    }
}

#[tokio::test]
async fn findings_name_their_place() {
    let rows = log().await;
    let place = 7u64.to_be_bytes();
    write(&rows, |batch| batch.put(Column::Records, &place, b"other"));
    write(&rows, |batch| batch.delete(Column::Intents, &place));
    assert_eq!(
        findings(&rows),
        [
            "the record of entry 7 does not match the entry's commitment",
            "the rows of open intents differ from the intents without outcome at entry 7"
        ]
    );
}
