//! Tests of the table of served intents.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use messages::AnswerResult;
use record::SigningKey;
use service::clock::ManualClock;

use super::*;

const NOW: Timestamp = Timestamp(1_800_000_000);

fn reply() -> Reply {
    let key = SigningKey::from_seed([3; 32]);
    Reply::sign(&key, (Uuid::from_u128(1), 7), AnswerResult::NothingFound, vec![1, 2, 3])
}

async fn close(served: &ServedIntents, now: Timestamp) {
    let Known::Answered(row) = served.known(7).await.unwrap() else {
        panic!("not answered")
    };
    served.close(&row, now).await.unwrap();
}

fn open(directory: &tempfile::TempDir) -> ServedIntents {
    ServedIntents::open(&state::open_file(directory.path()).unwrap()).unwrap()
}

async fn fresh(served: &ServedIntents) -> NotServed {
    match served.before(7, Hash([1; 32])).await.unwrap().unwrap() {
        ServedBefore::Never(fresh) => fresh,
        ServedBefore::Same(_) => panic!("served"),
    }
}

#[tokio::test]
async fn p9_the_same_forward_gets_the_same_bytes_even_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let served = open(&directory);
    let fresh = fresh(&served).await;
    served.keep(fresh, &reply(), Uuid::nil(), None, NOW).await.unwrap();
    drop(served);
    let served = open(&directory);
    let Ok(ServedBefore::Same(again)) = served.before(7, Hash([1; 32])).await.unwrap() else {
        panic!("not the same")
    };
    assert_eq!(*again, reply());
}

#[tokio::test]
async fn p9_another_forward_or_one_after_the_outcome_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let served = open(&directory);
    let fresh = fresh(&served).await;
    served.keep(fresh, &reply(), Uuid::nil(), None, NOW).await.unwrap();
    let other = served.before(7, Hash([2; 32])).await.unwrap().unwrap_err();
    assert_eq!(other.check, CheckName::P9);
    close(&served, NOW).await;
    let late = served.before(7, Hash([1; 32])).await.unwrap().unwrap_err();
    assert_eq!(
        late,
        CheckFailed {
            check: CheckName::P9,
            why: "the intent's outcome has been seen"
        }
    );
}

#[tokio::test]
async fn a_missing_outcome_is_reported_once_after_five_minutes() {
    let directory = tempfile::tempdir().unwrap();
    let served = open(&directory);
    let fresh = fresh(&served).await;
    served.keep(fresh, &reply(), Uuid::nil(), None, NOW).await.unwrap();
    let overdue = async |after| served.sweep(NOW.after(after)).await.unwrap().len();
    assert_eq!(overdue(OUTCOME_WITHIN_SECONDS).await, 0);
    assert_eq!(overdue(OUTCOME_WITHIN_SECONDS + 1).await, 1);
    assert_eq!(overdue(1000).await, 0);
}

#[tokio::test]
async fn a_clock_that_jumped_accuses_no_broker_and_forgets_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let served = open(&directory);
    let fresh = fresh(&served).await;
    let manual = ManualClock::new(NOW.0);
    let clock = CheckedClock::unattended(manual.clone());
    served.keep(fresh, &reply(), Uuid::nil(), None, NOW).await.unwrap();
    for jump in [3600, 3 * 365 * 86_400] {
        manual.jump(jump);
        assert!(served.overdue(&clock).await.unwrap().is_empty(), "{jump}");
        assert!(matches!(served.known(7).await.unwrap(), Known::Answered(_)), "{jump}");
        manual.jump(-jump);
    }
    manual.advance(OUTCOME_WITHIN_SECONDS + 1);
    assert_eq!(served.overdue(&clock).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_closed_intent_is_kept_eight_days_in_less_than_a_hundred_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let served = open(&directory);
    let fresh = fresh(&served).await;
    served.keep(fresh, &reply(), Uuid::nil(), None, NOW).await.unwrap();
    close(&served, NOW).await;
    assert!(served.answered.all().await.unwrap().is_empty(), "the answer is dropped");
    served.sweep(NOW.after(CLOSED_RETENTION)).await.unwrap();
    assert!(matches!(served.known(7).await.unwrap(), Known::Closed));
    let row = served.closed.get(index_key(7)).await.unwrap().unwrap();
    assert!(16 + record::cbor::to_vec(&row).len() < 100);
    served.sweep(NOW.after(CLOSED_RETENTION + 1)).await.unwrap();
    assert!(matches!(served.known(7).await.unwrap(), Known::Never));
}

#[tokio::test]
async fn an_answer_without_an_outcome_is_kept_two_days_and_its_statement_for_36() {
    let directory = tempfile::tempdir().unwrap();
    let served = open(&directory);
    let fresh = fresh(&served).await;
    served.keep(fresh, &reply(), Uuid::nil(), None, NOW).await.unwrap();
    served.sweep(NOW.after(ANSWER_RETENTION_SECONDS)).await.unwrap();
    assert!(served.before(7, Hash([1; 32])).await.unwrap().is_ok());
    served.sweep(NOW.after(ANSWER_RETENTION_SECONDS + 1)).await.unwrap();
    assert!(served.before(7, Hash([1; 32])).await.unwrap().is_err());
    served.sweep(NOW.after(ANSWERED_RETENTION)).await.unwrap();
    assert!(matches!(served.known(7).await.unwrap(), Known::Answered(_)));
    served.sweep(NOW.after(ANSWERED_RETENTION + 1)).await.unwrap();
    assert!(matches!(served.known(7).await.unwrap(), Known::Never));
}

#[tokio::test]
async fn an_intent_is_served_by_one_task_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let served = open(&directory);
    let guard = served.enter(7).unwrap();
    assert!(served.enter(7).is_none());
    assert!(served.enter(8).is_some());
    drop(guard);
    assert!(served.enter(7).is_some());
}

#[tokio::test]
async fn a_pending_intent_survives_a_restart_and_is_closed_by_its_answer_or_its_outcome() {
    let directory = tempfile::tempdir().unwrap();
    let served = open(&directory);
    let times = |later| (NOW.after(later), NOW.after(later + 3600));
    served.defer(fresh(&served).await, Uuid::nil(), times(0)).await.unwrap();
    drop(served);
    let served = open(&directory);
    let other = served.before(7, Hash([2; 32])).await.unwrap().unwrap_err();
    assert_eq!(other.check, CheckName::P9);
    // Deferred again, it keeps the time of the checks.
    served
        .defer(fresh(&served).await, Uuid::nil(), times(50))
        .await
        .unwrap();
    let again = fresh(&served).await;
    let row = again.pending().unwrap().clone();
    assert_eq!((row.asked, row.available), (NOW, NOW.after(3650)));
    assert!(16 + record::cbor::to_vec(&row).len() < 150);
    served.keep(again, &reply(), Uuid::nil(), None, NOW).await.unwrap();
    assert!(matches!(served.known(7).await.unwrap(), Known::Answered(_)));
    assert_eq!(served.pending.count().await.unwrap(), 0);

    let directory = tempfile::tempdir().unwrap();
    let served = open(&directory);
    served.defer(fresh(&served).await, Uuid::nil(), times(0)).await.unwrap();
    let Known::Pending(row) = served.known(7).await.unwrap() else {
        panic!("not pending")
    };
    served.close_pending(7, &row, NOW).await.unwrap();
    assert!(matches!(served.known(7).await.unwrap(), Known::Closed));
    assert_eq!(served.pending.count().await.unwrap(), 0);
    assert!(served.before(7, Hash([1; 32])).await.unwrap().is_err());
}

#[tokio::test]
async fn a_pending_intent_is_forgotten_a_day_after_the_last_time_at_which_its_broker_asks() {
    let directory = tempfile::tempdir().unwrap();
    let served = open(&directory);
    let manual = ManualClock::new(NOW.0);
    let clock = CheckedClock::unattended(manual.clone());
    served
        .defer(fresh(&served).await, Uuid::nil(), (NOW, NOW.after(60)))
        .await
        .unwrap();
    manual.jump(3 * 365 * 86_400);
    assert_eq!(served.forget_pending(&clock).await.unwrap(), 0, "the clock has jumped");
    manual.jump(-3 * 365 * 86_400);
    manual.advance(PENDING_RETENTION);
    assert_eq!(served.forget_pending(&clock).await.unwrap(), 0);
    manual.advance(1);
    assert_eq!(served.forget_pending(&clock).await.unwrap(), 1);
    assert!(matches!(served.known(7).await.unwrap(), Known::Never));
}
