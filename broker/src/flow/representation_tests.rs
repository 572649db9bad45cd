//! An exchange by a representative has two intents and two outcomes, wherever the broker is killed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use messages::{Completion, ExchangeAnswer, ExchangeRequest};

use crate::tests::world::{Running, Step, World};

const HOUR: u64 = 3600;

/// The requests of one exchange to the ledger: two intents and two outcomes, each by itself.
const REQUESTS: usize = 4;

/// Asks until the exchange is closed. A broker that has just started may be at work on it, or let it wait.
async fn finished(running: &Running, request: &ExchangeRequest) -> Completion {
    for _ in 0..1000 {
        match running.exchange(request).await {
            Ok(ExchangeAnswer::Completed(completion)) => return *completion,
            Ok(ExchangeAnswer::Deferred(_)) => running.advance(HOUR).await,
            Err(problem) => {
                assert_eq!(problem.slug, "under-way");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
    panic!("the exchange does not end")
}

/// Runs an exchange whose provider answers so. The broker is killed after the ledger has taken the entries of request
/// `killed_at`, and before it learns that.
async fn killed(killed_at: usize, steps: &[Step]) {
    let world = World::new().await;
    let request = world.represented(world.request(1, steps));
    world.lose_answer_after(killed_at);
    let running = world.start().await;
    let asked = async {
        if !steps.is_empty() {
            running.deferred(&request).await;
            running.advance(HOUR).await;
        }
        running.completed(&request).await;
    };
    // The answer is lost before the exchange is closed, so this never ends by itself.
    let lost = async {
        while !world.has_lost_answer() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = asked => panic!("nothing was lost"),
        () = lost => {}
    }
    drop(running);

    let running = world.start().await;
    let completion = finished(&running, &request).await;
    assert!(completion.notice.representative.is_some() && completion.reply.is_some());
    running.acknowledge(&request).await;
    running.until_empty().await;
    assert_eq!(world.recorded(), (2, 2), "killed at {killed_at}");
    assert_eq!(world.provider.outcomes.lock().unwrap().len(), 1);
    assert!(running.has_all_places());
}

#[tokio::test]
async fn a_broker_that_is_killed_at_any_entry_records_both_persons_exchanges_once() {
    for killed_at in 0..REQUESTS {
        killed(killed_at, &[]).await;
    }
}

#[tokio::test]
async fn so_does_one_that_is_killed_before_or_after_the_exchange_has_waited() {
    for killed_at in 0..REQUESTS {
        killed(killed_at, &[Step::Later(HOUR)]).await;
    }
}
