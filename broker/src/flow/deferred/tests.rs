//! Exchanges that wait: restarts, new deferrals, withdrawals, the end of their time, and places.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use messages::ExchangeRequest;
use record::Outcome;

use super::*;
use crate::flow::record::seal_outcome;
use crate::tests::world::{MAX_ORDINARY, MAX_WAITING, Running, Step, World};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

async fn closed_at(running: &Running, request: &ExchangeRequest) -> Outcome {
    match running.completed(request).await.reply {
        Some(reply) => reply.statement.outcome.into(),
        None => Outcome::TimedOut,
    }
}

#[tokio::test]
async fn an_exchange_that_waits_survives_restarts_and_is_closed_once() {
    let world = World::new().await;
    let request = world.request(1, &[Step::Later(HOUR), Step::Silent, Step::Later(5 * DAY)]);
    let running = world.start().await;
    let first = running.deferred(&request).await;
    assert_eq!(first.deferral.statement.available.0, world.clock.now() + HOUR);
    // It takes no place of an exchange that does not wait, and asking does not ask the provider.
    let again = running.deferred(&request).await;
    assert_eq!(again, first);
    let mut other = request.clone();
    other.answer_key.0[0] ^= 1;
    let problem = running.exchange(&other).await.unwrap_err();
    assert_eq!(problem.slug, "exchange-id-used");
    assert_eq!(world.provider.forwards.lock().unwrap()[&request.metadata.message], 1);

    drop(running);
    let running = world.start().await;
    running.advance(HOUR - 1).await;
    assert_eq!(running.deferred(&request).await, first);
    running.advance(1).await;
    assert_eq!(running.deferred(&request).await, first, "the provider did not answer");
    drop(running);
    let running = world.start().await;
    running.settle().await;
    let second = running.deferred(&request).await;
    assert_eq!(second.deferral.statement.available.0, world.clock.now() + 5 * DAY);
    assert_eq!(second.intent_receipt, first.intent_receipt);

    running.advance(5 * DAY).await;
    assert_eq!(closed_at(&running, &request).await, Outcome::NothingFound);
    drop(running);
    let running = world.start().await;
    assert_eq!(closed_at(&running, &request).await, Outcome::NothingFound);
    running.acknowledge(&request).await;
    running.until_empty().await;
    assert_eq!(world.recorded(), (1, 1));
    assert_eq!(world.provider.forwards.lock().unwrap()[&request.metadata.message], 4);
    assert_eq!(world.provider.outcomes.lock().unwrap().len(), 1);
    assert!(running.has_all_places());
}

#[tokio::test]
async fn an_exchange_that_need_not_wait_is_closed_at_once() {
    let world = World::new().await;
    let request = world.request(1, &[]);
    let running = world.start().await;
    assert_eq!(closed_at(&running, &request).await, Outcome::NothingFound);
    running.acknowledge(&request).await;
    running.until_empty().await;
    assert!(running.has_all_places());
}

#[tokio::test]
async fn a_consumer_withdraws_what_it_has_asked_for_and_no_one_else_does() {
    let world = World::new().await;
    let [request, other] = [1, 2].map(|number| world.request(number, &[Step::Later(DAY)]));
    let running = world.start().await;
    running.deferred(&request).await;
    let withdrawal = World::withdrawal(&request);
    let forged = Withdrawal {
        signature: World::withdrawal(&other).signature,
        ..withdrawal.clone()
    };
    assert_eq!(running.withdraw(&forged).await.unwrap_err().status, 403);
    let unknown = World::withdrawal(&other);
    assert_eq!(running.withdraw(&unknown).await.unwrap_err().status, 404);

    let completion = running.withdraw(&withdrawal).await.unwrap();
    assert!(completion.reply.is_none());
    drop(running);
    let running = world.start().await;
    let again = running.withdraw(&withdrawal).await.unwrap();
    assert_eq!(again.notice.sealed_record, completion.notice.sealed_record);
    assert_eq!(closed_at(&running, &request).await, Outcome::TimedOut);
    running.acknowledge(&request).await;
    running.until_empty().await;
    assert_eq!(running.withdraw(&withdrawal).await.unwrap_err().status, 404);
    // The provider knows that it is over, and is not asked again.
    running.advance(DAY).await;
    assert_eq!(world.provider.forwards.lock().unwrap()[&request.metadata.message], 1);
    assert_eq!(world.provider.outcomes.lock().unwrap().len(), 1);
    assert_eq!(world.recorded(), (1, 1));
    assert!(running.has_all_places());
    assert_eq!(Ending::Withdrawn.outcome(), Outcome::TimedOut);
}

#[tokio::test]
async fn evidence_that_does_not_become_available_in_thirty_days_is_given_up() {
    let world = World::new().await;
    let silent = [&[Step::Later(HOUR)][..], &[Step::Silent; 1000]].concat();
    let request = world.request(1, &silent);
    let running = world.start().await;
    let deferred = running.deferred(&request).await;
    for _ in 0..29 {
        running.advance(DAY).await;
    }
    running.advance(DAY - 1).await;
    assert_eq!(running.deferred(&request).await, deferred);
    running.advance(1).await;
    assert_eq!(closed_at(&running, &request).await, Outcome::TimedOut);
    running.acknowledge(&request).await;
    running.until_empty().await;
    assert_eq!(world.recorded(), (1, 1));
    assert!(running.has_all_places());
}

/// A crash between the transactions of the journal, at each place.
#[tokio::test]
async fn after_a_crash_between_two_transactions_it_is_clear_how_the_exchange_continues() {
    // Deferred, and the open row is not removed yet.
    for has_due_row in [true, false] {
        let world = World::new().await;
        let request = world.request(1, &[Step::Later(DAY), Step::Later(DAY)]);
        let exchange = request.metadata.exchange;
        let running = world.start().await;
        running.deferred(&request).await;
        drop(running);
        let journal = world.journal().await;
        let Some(JournalEntry::Deferred(deferred)) = journal.get(exchange).await.unwrap() else {
            panic!("not deferred")
        };
        let mut open = deferred.open.clone();
        open.intent_receipt = None;
        if !has_due_row {
            let row = journal.due().await.unwrap().remove(&exchange).unwrap();
            journal.remove_deferred(exchange).await.unwrap();
            assert!(row.due > Timestamp(world.clock.now()));
        }
        journal.put(&JournalEntry::Open(Box::new(open))).await.unwrap();
        drop(journal);
        let running = world.start().await;
        running.settle().await;
        running.deferred(&request).await;
        let forwards = world.provider.forwards.lock().unwrap()[&request.metadata.message];
        assert_eq!(forwards, if has_due_row { 1 } else { 2 });
        assert!(running.broker.journal.page(None).await.unwrap().is_empty());
        running.withdraw(&World::withdrawal(&request)).await.unwrap();
        running.acknowledge(&request).await;
        running.until_empty().await;
        assert_eq!(world.recorded(), (1, 1));
        assert!(running.has_all_places());
    }
}

/// The closing was written, and the deferred rows are not removed yet: what was sealed is recorded.
#[tokio::test]
async fn a_closing_that_was_written_is_recorded_after_a_crash() {
    let world = World::new().await;
    let request = world.request(1, &[Step::Later(DAY)]);
    let exchange = request.metadata.exchange;
    let running = world.start().await;
    running.deferred(&request).await;
    let Some(JournalEntry::Deferred(deferred)) = running.broker.journal.get(exchange).await.unwrap() else {
        panic!("not deferred")
    };
    let mut open = deferred.open;
    let intents = known_intents(&running.broker, &open).unwrap();
    let closing = seal_outcome(&running.broker, &intents, &open, &Ending::Withdrawn)
        .await
        .unwrap();
    let sealed = closing.sealed_record.clone();
    open.closing = Some(closing);
    drop(running);
    let journal = world.journal().await;
    journal.put(&JournalEntry::Open(Box::new(open))).await.unwrap();
    drop(journal);
    // Long after it: the intent is not appended again.
    world.clock.advance(20 * DAY);
    let running = world.start().await;
    running.settle().await;
    let mut closed = running.exchange(&request).await;
    while closed.as_ref().is_err_and(|problem| problem.slug == "under-way") {
        tokio::time::sleep(Duration::from_millis(5)).await;
        closed = running.exchange(&request).await;
    }
    let completion = running.completed(&request).await;
    assert_eq!(completion.notice.sealed_record, sealed);
    running.acknowledge(&request).await;
    running.until_empty().await;
    assert_eq!(world.provider.forwards.lock().unwrap()[&request.metadata.message], 1);
    assert_eq!(world.recorded(), (1, 1));
    assert!(running.has_all_places());
}

#[tokio::test]
async fn the_exchanges_of_a_participant_that_wait_are_bounded() {
    let world = World::new().await;
    let running = world.start().await;
    let consumer = world.request(1, &[]).metadata.consumer;
    let taken: Vec<_> = std::iter::from_fn(|| running.broker.waiting_consumers.take(&consumer)).collect();
    assert_eq!(taken.len(), MAX_WAITING);
    let request = world.request(1, &[Step::Later(DAY)]);
    let problem = running.exchange(&request).await.unwrap_err();
    assert_eq!((problem.status, problem.slug.as_str()), (503, "busy"));
    drop(taken);
    running.deferred(&request).await;
}

/// Ten thousand exchanges, begun at once, that wait for up to 30 days: the provider defers each one to three times,
/// gives no answer now and then, and has some never ready; consumers withdraw some. The broker is ended at once every
/// two days.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: `cargo xtask test --long`"]
#[allow(clippy::print_stderr)]
async fn ten_thousand_exchanges_wait_for_thirty_days_and_each_is_closed_once() {
    const EXCHANGES: usize = MAX_WAITING;
    let (began, world) = (std::time::Instant::now(), World::new().await);
    let steps = |number: u64| match number % 20 {
        0 => [&[Step::Later(HOUR)][..], &[Step::Silent; 1000]].concat(),
        1 => vec![Step::Later(number % 29 * DAY + HOUR)],
        2 => vec![Step::Later(DAY), Step::Silent, Step::Silent, Step::Later(2 * DAY)],
        _ => vec![
            Step::Later(number % 13 * DAY + number % 24 * HOUR + 1),
            Step::Later(number % 7 * DAY + 60),
            Step::Later(number % 5 * HOUR),
        ],
    };
    let requests: Vec<_> = (0..EXCHANGES as u64)
        .map(|number| world.request(u128::from(number), &steps(number)))
        .collect();
    let mut running = world.start().await;
    for batch in requests.chunks(MAX_ORDINARY / 2) {
        assert!(running.ask_for_all(batch).await.into_iter().all(|waits| waits));
    }
    let (begun, journal) = (began.elapsed(), world.journal_bytes());
    assert_eq!(world.recorded(), (EXCHANGES, 0));
    let mut open = requests;
    let mut restarts = 0;
    for day in 0..=30 {
        if day % 2 == 1 {
            // In the middle of what is due on this day.
            world.clock.advance(DAY / 2);
            running.broker.schedule.wake();
            tokio::time::sleep(Duration::from_millis(300)).await;
            drop(running);
            running = world.start().await;
            running.settle().await;
            running.advance(DAY / 2).await;
            restarts += 1;
        } else {
            running.advance(DAY).await;
        }
        for request in open.iter().step_by(50).filter(|_| day == 3) {
            running.withdraw(&World::withdrawal(request)).await.unwrap();
        }
        let mut still_open = Vec::new();
        for batch in open.chunks(MAX_ORDINARY / 2) {
            let waiting = running.ask_for_all(batch).await;
            still_open.extend(
                batch
                    .iter()
                    .zip(waiting)
                    .filter(|(_, waits)| *waits)
                    .map(|(request, _)| request.clone()),
            );
        }
        open = still_open;
    }
    assert!(open.is_empty(), "{} are open", open.len());
    running.until_empty().await;
    assert_eq!(world.recorded(), (EXCHANGES, EXCHANGES));
    assert_eq!(world.provider.outcomes.lock().unwrap().len(), EXCHANGES);
    assert!(running.has_all_places());
    let forwards: usize = world.provider.forwards.lock().unwrap().values().sum();
    eprintln!(
        "{EXCHANGES} exchanges, {forwards} forwards, {restarts} restarts; journal {} MB with all of them; begun in {} s, all in {} s",
        journal >> 20,
        begun.as_secs(),
        began.elapsed().as_secs()
    );
}
