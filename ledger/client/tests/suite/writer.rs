//! Tests of the writer with a ledger that fails, forgets or lies: one case at a time.
use std::time::Duration;

use crate::common::bench::{Bench, append_intent, simulate};
use crate::common::log::START;
use crate::common::{InjectedFault, denial, intent, labelled};
use ledger_client::api::WriterHead;
use ledger_client::recorded::{Denial, Inspection, Void};
use ledger_client::{AppendError, Draft};
use record::{Body, LabelledKind, Sequence};
use tlog::Hash;
use tlog::merkle::Index;
use tokio::time::{Instant, sleep, timeout};

/// Much longer than the outages of any test.
const LONG: Duration = Duration::from_secs(600);

#[test]
fn an_entry_is_recorded_and_proved() {
    let bench = Bench::new();
    simulate(async {
        let writer = bench.writer();
        let first = append_intent(&writer, 1).await.unwrap();
        let second = writer
            .append::<Denial>(Draft::now(denial(1)), None, None)
            .await
            .unwrap();
        assert_eq!(first.entry().body, intent(1));
        assert_eq!(second.entry().sequence, Sequence(1));
        assert_eq!(second.entry().previous, first.signed_entry().leaf_hash());
        assert_eq!(bench.positions(&intent(1)), [first.index().get()]);
        assert!(!first.quorum() && first.checkpoint().size.contains(first.index()));
        assert_eq!(writer.waiting(), Duration::ZERO);
    });
}

#[test]
fn a_draft_of_another_kind_is_refused() {
    let bench = Bench::new();
    simulate(async {
        let writer = bench.writer();
        let answer = writer.append::<Void>(Draft::now(intent(1)), None, None).await;
        assert!(matches!(answer, Err(AppendError::OtherKind)));
        assert!(bench.positions(&intent(1)).is_empty());
    });
}

#[test]
fn waiting_entries_are_sent_as_one_batch_in_order() {
    let bench = Bench::new();
    simulate(async {
        let writer = bench.writer();
        bench.ledger.script([InjectedFault::Slow(500)]);
        let calls: Vec<_> = (0..100)
            .map(|number| {
                let writer = writer.clone();
                tokio::spawn(async move { append_intent(&writer, number).await.unwrap().index().get() })
            })
            .collect();
        let mut indexes = Vec::new();
        for call in calls {
            indexes.push(call.await.unwrap());
        }
        assert!(indexes.is_sorted());
        assert!(*bench.ledger.appends.lock().unwrap() <= 2);
    });
}

#[test]
fn a_refused_entry_is_taken_out_and_the_rest_is_recorded() {
    let bench = Bench::new();
    simulate(async {
        let writer = bench.writer();
        append_intent(&writer, 2).await.unwrap();
        let foreign = Body::Labelled {
            kind: LabelledKind::Void,
            period: record::Period(1),
            label: intent(2).label().unwrap(),
            commitment: record::Commitment(Hash([9; 32])),
            refers: None,
        };
        let inspection = labelled(LabelledKind::Inspection, 3);
        let (first, refused, used, last) = tokio::join!(
            append_intent(&writer, 1),
            writer.append::<Inspection>(Draft::now(inspection.clone()), None, None),
            writer.append::<Void>(Draft::now(foreign), None, None),
            append_intent(&writer, 4),
        );
        assert!(matches!(refused, Err(AppendError::Refused(problem)) if problem.slug == "right"));
        assert!(matches!(used, Err(AppendError::LabelUsed)));
        let (first, last) = (first.unwrap(), last.unwrap());
        assert_eq!(last.entry().previous, first.signed_entry().leaf_hash());
        assert!(bench.positions(&inspection).is_empty());
    });
}

#[test]
fn appending_a_body_again_returns_the_recorded_entry() {
    let bench = Bench::new();
    simulate(async {
        let writer = bench.writer();
        let first = append_intent(&writer, 1).await.unwrap();
        let again = append_intent(&writer, 1).await.unwrap();
        assert_eq!((first.index(), first.entry()), (again.index(), again.entry()));
        assert!(append_intent(&writer, 2).await.is_ok());
    });
}

#[test]
fn an_intent_is_given_up_after_ten_seconds_and_other_kinds_are_not() {
    let bench = Bench::new();
    simulate(async {
        let writer = bench.writer();
        append_intent(&writer, 0).await.unwrap();
        bench.ledger.set_down(true);
        let begin = Instant::now();
        let denied = tokio::spawn({
            let writer = writer.clone();
            async move { writer.append::<Denial>(Draft::now(denial(1)), None, None).await }
        });
        let first = tokio::spawn({
            let writer = writer.clone();
            async move { append_intent(&writer, 1).await }
        });
        sleep(Duration::from_secs(3)).await;
        assert!(writer.waiting() >= Duration::from_secs(2));
        let second = append_intent(&writer, 2).await;
        let waited = begin.elapsed().as_secs();
        assert!((13..=15).contains(&waited), "{waited} s");
        for given_up in [first.await.unwrap(), second] {
            assert!(matches!(given_up, Err(AppendError::GivenUp)));
        }
        sleep(Duration::from_secs(100)).await;
        assert!(!denied.is_finished());
        bench.ledger.set_down(false);
        // Signed again because of its age.
        let denied = denied.await.unwrap().unwrap();
        assert!(denied.entry().time.0 >= START + 100);
        assert!(bench.positions(&intent(1)).is_empty() && bench.positions(&intent(2)).is_empty());
    });
}

#[test]
fn entries_signed_after_a_given_up_intent_are_recorded() {
    let bench = Bench::new();
    simulate(async {
        let writer = bench.writer();
        append_intent(&writer, 0).await.unwrap();
        bench.ledger.set_down(true);
        let (given_up, denied, ()) = tokio::join!(
            append_intent(&writer, 1),
            writer.append::<Denial>(Draft::now(denial(1)), None, None),
            async {
                sleep(Duration::from_secs(20)).await;
                bench.ledger.set_down(false);
            },
        );
        assert!(matches!(given_up, Err(AppendError::GivenUp)));
        assert_eq!(denied.unwrap().entry().sequence, Sequence(1));
    });
}

#[test]
fn a_time_that_the_ledger_refuses_is_replaced() {
    let bench = Bench::new();
    simulate(async {
        let writer = bench.writer();
        let draft = Draft {
            time: Some(record::Timestamp(START - 1000)),
            body: denial(1),
        };
        let denied = timeout(LONG, writer.append::<Denial>(draft, None, None))
            .await
            .unwrap()
            .unwrap();
        assert!(denied.entry().time.0 >= START);
    });
}

#[test]
fn an_intent_whose_answer_is_lost_is_not_given_up() {
    let bench = Bench::new();
    simulate(async {
        let writer = bench.writer();
        append_intent(&writer, 0).await.unwrap();
        bench.ledger.script([InjectedFault::LoseAnswer]);
        let call = tokio::spawn({
            let writer = writer.clone();
            async move { append_intent(&writer, 1).await }
        });
        sleep(Duration::from_millis(10)).await;
        bench.ledger.set_down(true);
        sleep(Duration::from_secs(40)).await;
        assert!(!call.is_finished());
        bench.ledger.set_down(false);
        let recorded = call.await.unwrap().unwrap();
        assert_eq!(bench.positions(&intent(1)), [recorded.index().get()]);
    });
}

#[test]
fn an_old_intent_that_is_not_in_the_log_is_given_up() {
    let bench = Bench::new();
    simulate(async {
        let writer = bench.writer();
        append_intent(&writer, 0).await.unwrap();
        bench.ledger.script([InjectedFault::LoseRequest]);
        let call = tokio::spawn({
            let writer = writer.clone();
            async move { append_intent(&writer, 1).await }
        });
        sleep(Duration::from_millis(10)).await;
        bench.ledger.set_down(true);
        sleep(Duration::from_secs(100)).await;
        bench.ledger.set_down(false);
        assert!(matches!(call.await.unwrap(), Err(AppendError::GivenUp)));
        assert!(bench.positions(&intent(1)).is_empty());
        assert!(append_intent(&writer, 2).await.is_ok());
    });
}

/// Starts a writer with a ledger whose head contradicts the writer's receipts. Returns the writer's error.
fn set_back(head: Option<WriterHead>) -> AppendError {
    let bench = Bench::new();
    simulate(async {
        let writer = bench.writer();
        append_intent(&writer, 0).await.unwrap();
        append_intent(&writer, 1).await.unwrap();
        // The writer is idle, so the receipts are in the journal.
        sleep(Duration::from_secs(1)).await;
    });
    *bench.ledger.false_head.lock().unwrap() = Some(head);
    simulate(async {
        let writer = bench.writer();
        let error = append_intent(&writer, 2).await.unwrap_err();
        assert!(writer.alarm().is_some());
        assert!(matches!(append_intent(&writer, 3).await, Err(AppendError::Stopped(_))));
        error
    })
}

#[test]
fn a_ledger_behind_the_last_receipt_stops_the_writer() {
    let head = WriterHead {
        sequence: Sequence(0),
        leaf_hash: Hash([1; 32]),
        index: Index::ZERO,
    };
    let other = WriterHead {
        sequence: Sequence(1),
        ..head
    };
    let ahead = WriterHead {
        sequence: Sequence(7),
        ..head
    };
    let cases = [
        (None, "set back"),
        (Some(head), "set back"),
        (Some(other), "fork"),
        (Some(ahead), "elsewhere"),
    ];
    for (head, expected) in cases {
        let AppendError::Stopped(reason) = set_back(head) else {
            panic!("not stopped")
        };
        assert!(reason.contains(expected), "{expected}: {reason}");
    }
}

/// Crashes after an entry has been signed and sent. No caller waits for it after the restart.
fn crash_after(fault: InjectedFault) {
    let bench = Bench::new();
    bench.ledger.script([InjectedFault::None, fault]);
    simulate(async {
        let writer = bench.writer();
        append_intent(&writer, 0).await.unwrap();
        let call = tokio::spawn({
            let writer = writer.clone();
            async move { writer.append::<Denial>(Draft::now(denial(1)), None, None).await }
        });
        sleep(Duration::from_millis(10)).await;
        bench.ledger.set_down(true);
        sleep(Duration::from_secs(1)).await;
        assert!(!call.is_finished());
    });
    bench.ledger.set_down(false);
    simulate(async {
        let writer = bench.writer();
        sleep(Duration::from_secs(1)).await;
        assert_eq!(bench.positions(&denial(1)).len(), 1, "{fault:?}");
        append_intent(&writer, 2).await.unwrap();
    });
    assert_eq!(bench.positions(&denial(1)).len(), 1, "{fault:?}");
}

#[test]
fn signed_entries_survive_a_crash_and_are_written_once() {
    for fault in [
        InjectedFault::NotConnected,
        InjectedFault::LoseRequest,
        InjectedFault::LoseAnswer,
        InjectedFault::Half,
    ] {
        crash_after(fault);
    }
}

#[test]
fn swapped_answers_are_not_accepted() {
    let bench = Bench::new();
    simulate(async {
        let writer = bench.writer();
        append_intent(&writer, 0).await.unwrap();
        bench.ledger.script([InjectedFault::Swapped]);
        let calls: Vec<_> = (1..10)
            .map(|number| {
                let writer = writer.clone();
                tokio::spawn(async move { append_intent(&writer, number).await.unwrap() })
            })
            .collect();
        for (number, call) in (1..).zip(calls) {
            let recorded = call.await.unwrap();
            assert_eq!(recorded.entry().body, intent(number));
            assert_eq!(bench.positions(&intent(number)), [recorded.index().get()]);
        }
    });
}

#[test]
fn a_writer_without_a_journal_continues_from_the_ledgers_head() {
    let bench = Bench::new();
    let new = tempfile::tempdir().unwrap();
    simulate(async {
        let first = append_intent(&bench.writer(), 0).await.unwrap();
        let second = append_intent(&bench.writer_in(new.path()), 1).await.unwrap();
        assert_eq!(second.entry().previous, first.signed_entry().leaf_hash());
    });
}

#[test]
fn a_second_user_of_the_key_stops_the_writer() {
    let bench = Bench::new();
    let new = tempfile::tempdir().unwrap();
    simulate(async {
        let (first, second) = (bench.writer(), bench.writer_in(new.path()));
        append_intent(&first, 0).await.unwrap();
        let error = append_intent(&second, 1).await.unwrap_err();
        assert!(matches!(error, AppendError::Stopped(_)), "{error:?}");
    });
}

#[test]
fn a_request_that_is_refused_as_a_whole_is_split() {
    let bench = Bench::new();
    simulate(async {
        let writer = bench.writer();
        bench.ledger.script([InjectedFault::TooLarge; 3]);
        let calls = (0..20).map(|number| {
            let writer = writer.clone();
            tokio::spawn(async move { append_intent(&writer, number).await.is_ok() })
        });
        for call in calls.collect::<Vec<_>>() {
            assert!(call.await.unwrap());
        }
    });
}
