#![allow(clippy::unwrap_used)]
use record::SigningKey;

use super::*;

fn id(name: &str) -> ParticipantId {
    ParticipantId::new(name).unwrap()
}

fn answer(call: Uuid, status: u16, body: &[u8]) -> CallAnswer {
    let key = SigningKey::from_seed([1; 32]);
    CallAnswer::sign(&key, (id("kba"), call), (status, None), body.to_vec())
}

/// Makes a call for `kba` whose answer may take three seconds.
async fn call(mailboxes: Mailboxes) -> Result<Vec<u8>, CallError> {
    let limit = Duration::from_secs(3);
    let what = (CallKind::Forward, "credential".to_owned());
    mailboxes.call(&id("kba"), what, b"forward".to_vec(), limit).await
}

/// Lets the other tasks run until the mailbox of `kba` is so.
async fn until(mailboxes: &Mailboxes, is_so: impl Fn(&Mailbox) -> bool) {
    while !mailboxes.lock().get(&id("kba")).is_some_and(&is_so) {
        tokio::task::yield_now().await;
    }
}

fn is_empty(mailboxes: &Mailboxes) -> bool {
    mailboxes.lock().is_empty()
}

#[tokio::test(start_paused = true)]
async fn a_call_reaches_the_request_that_is_open_or_the_next_one() {
    let mailboxes = Mailboxes::default();
    for collector_first in [true, false] {
        let (caller, collector) = (mailboxes.clone(), mailboxes.clone());
        let collect = tokio::spawn(async move {
            if !collector_first {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            let call = collector.collect(&id("kba"), WAIT).await.unwrap().unwrap();
            assert_eq!(
                (call.body.as_slice(), call.authorization.as_str()),
                (&b"forward"[..], "credential")
            );
            assert!(collector.answer(&id("kba"), answer(call.id, 200, b"reply")));
            assert!(
                !collector.answer(&id("kba"), answer(call.id, 200, b"another")),
                "answered twice"
            );
        });
        if collector_first {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(call(caller).await.unwrap(), b"reply");
        collect.await.unwrap();
        assert!(is_empty(&mailboxes));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_nobody_collects_was_certainly_not_served() {
    let mailboxes = Mailboxes::default();
    assert!(matches!(call(mailboxes.clone()).await, Err(CallError::NotConnected(_))));
    assert!(is_empty(&mailboxes));
    assert_eq!(mailboxes.collect(&id("kba"), WAIT).await, Ok(None), "it was taken back");
    assert!(is_empty(&mailboxes));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_collected_may_have_been_served() {
    let mailboxes = Mailboxes::default();
    let caller = tokio::spawn(call(mailboxes.clone()));
    let collected = mailboxes.collect(&id("kba"), WAIT).await.unwrap().unwrap();
    assert!(matches!(caller.await.unwrap(), Err(CallError::Unreachable(_))));
    assert!(!mailboxes.answer(&id("kba"), answer(collected.id, 200, b"late")));
    assert!(is_empty(&mailboxes));
}

#[tokio::test(start_paused = true)]
async fn an_answer_may_take_longer_than_the_wait_for_its_collection() {
    let mailboxes = Mailboxes::default();
    let caller = tokio::spawn(call(mailboxes.clone()));
    let collected = mailboxes.collect(&id("kba"), WAIT).await.unwrap().unwrap();
    tokio::time::sleep(PICKUP + Duration::from_secs(1)).await;
    assert!(mailboxes.answer(&id("kba"), answer(collected.id, 200, b"reply")));
    assert_eq!(caller.await.unwrap().unwrap(), b"reply");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_the_connectors_problem() {
    let mailboxes = Mailboxes::default();
    let caller = tokio::spawn(call(mailboxes.clone()));
    let collected = mailboxes.collect(&id("kba"), WAIT).await.unwrap().unwrap();
    let problem = service::Problem::unavailable("under-way", 1, "").to_json();
    assert!(mailboxes.answer(&id("kba"), answer(collected.id, 503, &problem)));
    let error = caller.await.unwrap().unwrap_err();
    assert_eq!(error.problem().map(|problem| problem.slug.as_str()), Some("under-way"));
}

#[tokio::test(start_paused = true)]
async fn a_component_gets_and_answers_its_own_calls_alone() {
    let mailboxes = Mailboxes::default();
    let caller = tokio::spawn(call(mailboxes.clone()));
    until(&mailboxes, |mailbox| mailbox.waiting.len() == 1).await;
    let stranger = id("other");
    let other = tokio::time::timeout(Duration::from_secs(1), mailboxes.collect(&stranger, WAIT));
    assert!(other.await.is_err(), "the call is for another component");
    let collected = mailboxes.collect(&id("kba"), WAIT).await.unwrap().unwrap();
    assert!(!mailboxes.answer(&id("other"), answer(collected.id, 200, b"forged")));
    assert!(mailboxes.answer(&id("kba"), answer(collected.id, 200, b"reply")));
    assert_eq!(caller.await.unwrap().unwrap(), b"reply");
}

#[tokio::test(start_paused = true)]
async fn a_call_is_answered_only_after_it_was_collected() {
    let mailboxes = Mailboxes::default();
    let caller = tokio::spawn(call(mailboxes.clone()));
    until(&mailboxes, |mailbox| mailbox.waiting.len() == 1).await;
    let waiting = mailboxes.lock()[&id("kba")].waiting[0].id;
    assert!(!mailboxes.answer(&id("kba"), answer(waiting, 200, b"guessed")));
    assert!(matches!(caller.await.unwrap(), Err(CallError::NotConnected(_))));
}

#[tokio::test(start_paused = true)]
async fn a_connector_that_hangs_up_loses_no_call() {
    let mailboxes = Mailboxes::default();
    let kba = id("kba");
    let mut request = Box::pin(mailboxes.collect(&kba, WAIT));
    assert!(
        tokio::time::timeout(Duration::from_millis(1), &mut request)
            .await
            .is_err()
    );
    let caller = tokio::spawn(call(mailboxes.clone()));
    until(&mailboxes, |mailbox| !mailbox.answers.is_empty()).await;
    // The call was handed to the open request, whose connection is closed before it can send the call.
    assert!(mailboxes.lock()[&kba].waiting.is_empty());
    drop(request);
    let collected = mailboxes.collect(&id("kba"), WAIT).await.unwrap().unwrap();
    assert!(mailboxes.answer(&id("kba"), answer(collected.id, 200, b"reply")));
    assert_eq!(caller.await.unwrap().unwrap(), b"reply");
}

#[tokio::test(start_paused = true)]
async fn calls_and_open_requests_of_a_component_are_bounded() {
    let mailboxes = Mailboxes::default();
    let collectors: Vec<_> = (0..MAX_COLLECTORS)
        .map(|_| {
            let mailboxes = mailboxes.clone();
            tokio::spawn(async move { mailboxes.collect(&id("kba"), WAIT).await })
        })
        .collect();
    until(&mailboxes, |mailbox| mailbox.collectors.len() == MAX_COLLECTORS).await;
    assert_eq!(mailboxes.collect(&id("kba"), WAIT).await, Err(TooManyCollectors));
    for collector in collectors {
        assert_eq!(collector.await.unwrap(), Ok(None), "its time is over");
    }
    assert!(is_empty(&mailboxes));
    let callers: Vec<_> = (0..MAX_CALLS).map(|_| tokio::spawn(call(mailboxes.clone()))).collect();
    until(&mailboxes, |mailbox| mailbox.answers.len() == MAX_CALLS).await;
    let error = call(mailboxes.clone()).await.unwrap_err();
    assert!(error.to_string().contains("too many calls"), "{error}");
    for caller in callers {
        assert!(caller.await.unwrap().is_err());
    }
    assert!(is_empty(&mailboxes));
}
