//! The protocol across crashes, and its end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use record::{Outcome, RetentionClass, Timestamp};
use service::ManualClock;
use service::clock::{CheckedClock, WitnessTime};

use super::*;
use crate::consumer::checks;
use crate::fixture::{FAMILY_NAME, IDNR, NOW, Plan, Prepared};
use crate::protocol::entry::Closing;

/// A closed exchange, as both connectors would log it.
fn exchange() -> (Prepared, ProtocolEntry) {
    let mut prepared = Plan::default().build();
    let completion = prepared.close(None, Outcome::TimedOut);
    let request = &prepared.pending.request;
    let context = prepared.world.context("stadt-a");
    let accepted = checks::check(&context, request, &completion).unwrap();
    let (intent, outcome) = accepted.indices();
    let entry = ProtocolEntry {
        exchange: request.metadata.exchange,
        at: NOW,
        intent,
        intent_receipt: completion.notice.intent_receipt.clone(),
        record: accepted.record().clone(),
        closing: Some(Closing {
            outcome,
            receipt: completion.notice.outcome_receipt.clone(),
            sealed_record: completion.notice.sealed_record.clone(),
            key: completion.notice.shared_key.clone(),
        }),
        idnr: Some(IDNR.to_owned()),
    };
    (prepared, entry)
}

fn answered(entry: &ProtocolEntry) -> ProtocolEntry {
    let mut answered = entry.clone();
    answered.closing = None;
    answered.record.result = None;
    answered
}

fn read(data: &std::path::Path, filter: &Filter) -> (Vec<ProtocolEntry>, Vec<ReadError>) {
    let mut entries = Vec::new();
    let reader = ProtocolReader::open(data).unwrap();
    let errors = reader.each(filter, |entry| entries.push(entry.clone())).unwrap();
    (entries, errors)
}

fn day_file(data: &std::path::Path) -> PathBuf {
    let files = file::files(&data.join(FOLDER)).unwrap();
    assert_eq!(files.len(), 1);
    files[0].1.clone()
}

#[tokio::test]
async fn an_exchange_is_found_by_number_day_result_and_person_and_the_files_do_not_show_it() {
    let data = tempfile::tempdir().unwrap();
    let (prepared, closed) = exchange();
    let protocol = Protocol::open(data.path()).unwrap();
    protocol.add(answered(&closed)).await.unwrap();
    let (open, _) = read(data.path(), &Filter::default());
    assert_eq!(open, [answered(&closed)], "read beside the writer, without an outcome");
    let mut without_person = closed.clone();
    without_person.idnr = None;
    protocol.add(without_person).await.unwrap();
    // A crash between protocol and acknowledgement lets the connector write an entry twice.
    protocol.add(closed.clone()).await.unwrap();
    let day = LegalDay::of(NOW);
    let fits = [
        Filter {
            exchange: Some(closed.exchange),
            ..Filter::default()
        },
        Filter {
            from: Some(day),
            to: Some(day),
            ..Filter::default()
        },
        Filter {
            result: Some(Outcome::TimedOut),
            ..Filter::default()
        },
        Filter {
            idnr: Some(IDNR.to_owned()),
            ..Filter::default()
        },
    ];
    for filter in &fits {
        let (found, errors) = read(data.path(), filter);
        assert_eq!(found, std::slice::from_ref(&closed));
        assert!(errors.is_empty());
    }
    let misfits = [
        Filter {
            exchange: Some(uuid::Uuid::nil()),
            ..Filter::default()
        },
        Filter {
            from: Some(LegalDay(day.0 + 1)),
            ..Filter::default()
        },
        Filter {
            result: Some(Outcome::Delivered),
            ..Filter::default()
        },
        Filter {
            idnr: Some("08214967385".to_owned()),
            ..Filter::default()
        },
    ];
    for filter in &misfits {
        assert!(read(data.path(), filter).0.is_empty());
    }
    let text = std::fs::read_to_string(day_file(data.path())).unwrap();
    assert!(!text.contains(IDNR) && !text.contains(FAMILY_NAME) && text.lines().count() == 3);
    let trust = &prepared.world.trust;
    assert_eq!(proof::check(&closed, trust), Ok(()));
    let shown = |person| serde_json::to_string(&Exported::of(&closed, trust, person)).unwrap();
    assert!(shown(true).contains(IDNR) && !shown(false).contains(IDNR));
    let mut forged = closed.clone();
    forged.record.why.purpose.push('x');
    assert!(proof::check(&forged, trust).is_err(), "another record than the log has");
    let mut forged = closed;
    forged.intent += 1;
    assert!(proof::check(&forged, trust).is_err(), "another intent");
}

#[tokio::test]
async fn the_beginning_of_a_line_is_left_out_and_cut_off_and_a_changed_line_is_reported() {
    let data = tempfile::tempdir().unwrap();
    let (_, closed) = exchange();
    let protocol = Protocol::open(data.path()).unwrap();
    protocol.add(closed.clone()).await.unwrap();
    drop(protocol);
    let path = day_file(data.path());
    let whole = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{whole}{}", &whole[..whole.len() / 2])).unwrap();
    assert_eq!(
        read(data.path(), &Filter::default()),
        (vec![closed.clone()], Vec::new())
    );
    let mut next = closed.clone();
    next.exchange = uuid::Uuid::from_u128(7);
    Protocol::open(data.path()).unwrap().add(next.clone()).await.unwrap();
    assert_eq!(
        read(data.path(), &Filter::default()),
        (vec![closed, next.clone()], Vec::new())
    );
    let lines = std::fs::read_to_string(&path).unwrap();
    std::fs::write(
        &path,
        lines.replacen(&lines[..1], if lines.starts_with('A') { "B" } else { "A" }, 1),
    )
    .unwrap();
    let (entries, errors) = read(data.path(), &Filter::default());
    assert_eq!((entries, errors.len(), errors[0].line), (vec![next], 1, 1));
}

#[tokio::test]
async fn a_day_is_destroyed_after_its_period_and_not_on_one_clock_alone() {
    let data = tempfile::tempdir().unwrap();
    let (_, closed) = exchange();
    let protocol = Protocol::open(data.path()).unwrap();
    protocol.add(closed.clone()).await.unwrap();
    let last = RetentionClass::IdnrG2y.expiry(NOW).end();
    let clock = ManualClock::new(NOW.0);
    let checked = CheckedClock::unattended(clock.clone());
    clock.jump(i64::try_from(last.0 - NOW.0).unwrap());
    assert!(
        checked.agreed(WitnessTime::Quorum(last.0)).is_err(),
        "the wall clock has jumped"
    );
    let at = |time: u64, witnessed: u64| {
        let clock: Arc<dyn service::Clock> = ManualClock::new(time);
        CheckedClock::unattended(clock).agreed(WitnessTime::Quorum(witnessed))
    };
    assert!(at(last.0, NOW.0).is_err(), "the witnesses' time is another one");
    assert_eq!(protocol.destroy_expired(&at(last.0 - 1, last.0).unwrap()).unwrap(), 0);
    assert_eq!(read(data.path(), &Filter::default()).0.len(), 1);
    assert_eq!(protocol.destroy_expired(&at(last.0, last.0).unwrap()).unwrap(), 1);
    assert!(read(data.path(), &Filter::default()).0.is_empty());
    // A connector that runs on writes a new day's file.
    let later = ProtocolEntry {
        at: Timestamp(last.0),
        ..closed
    };
    protocol.add(later).await.unwrap();
    assert_eq!(read(data.path(), &Filter::default()).0.len(), 1);
}

#[tokio::test]
async fn an_entry_that_cannot_be_written_is_an_error_and_a_later_one_is_written() {
    let data = tempfile::tempdir().unwrap();
    let (_, closed) = exchange();
    let protocol = Protocol::open(data.path()).unwrap();
    let (folder, aside) = (data.path().join(FOLDER), data.path().join("aside"));
    std::fs::rename(&folder, &aside).unwrap();
    assert!(matches!(
        protocol.add(closed.clone()).await,
        Err(ProtocolError::Write(_))
    ));
    std::fs::rename(&aside, &folder).unwrap();
    protocol.add(closed.clone()).await.unwrap();
    assert_eq!(read(data.path(), &Filter::default()).0, [closed]);
}
