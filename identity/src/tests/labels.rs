//! Labels: reservation, repetition, nobody, limits, voids, keys of later days.

use std::sync::Arc;

use messages::{DenialKeyRequest, LabelRequest, OutcomeKeyRequest, S1};
use record::{
    DisclosureClass, ExpiryDay, IdentityKeys, Kind, ParticipantId, Phase, RetentionClass, Series, SharedPart,
    SigningKey, Timestamp,
};
use service::Problem;
use trust::{Operation, Position, TrustKind, Value};
use uuid::Uuid;

use super::world::{
    EMMA, NOON, World, ambiguous, authority, blocked, by_name, consumer_key, emma, idnr_of, provider_sealing, unknown,
};
use crate::state::limit;

const DAY: u64 = 86_400;

fn slug<T: std::fmt::Debug>(result: Result<T, Problem>) -> String {
    result.unwrap_err().slug
}

#[tokio::test(flavor = "multi_thread")]
async fn fourteen_exchanges_have_numbers_and_chains_that_a_provider_accepts() {
    let world = World::new().await;
    for number in 0..14 {
        let request = world.request(&emma());
        let answer = world.ask(&request).await.unwrap();
        let content = world.provider_checks(&request, &answer);
        assert_eq!((content.number, content.idnr.expose()), (number, EMMA));
        assert_eq!(content.series, Series::Exchanges);
        assert_eq!(content.shared_key, answer.intent_key.part(record::PartName::Shared));
        assert_eq!(answer.expiry, RetentionClass::IdnrG2y.expiry(Timestamp(NOON)));
        world.use_label(&answer);
        if number == 7 {
            // From now on the chain's entries come from the state, not from the log.
            world.identity.log_follow().await;
            world.identity.sweep().await.unwrap();
            assert!(world.identity.state.pending().unwrap().is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn delayed_disclosure_has_its_own_series() {
    let world = World::new().await;
    world.exchange(&emma()).await;
    let request = world.request_for(&emma(), Uuid::new_v4(), DisclosureClass::Delayed);
    let answer = world.ask(&request).await.unwrap();
    let content = world.provider_checks(&request, &answer);
    assert_eq!((content.series, content.number), (Series::DelayedExchanges, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_s1_gets_the_same_bytes_concurrently_and_after_a_crash() {
    let mut world = World::new().await;
    for query in [emma(), unknown()] {
        let request = world.request(&query);
        let asked: Vec<_> = (0..6)
            .map(|_| {
                let (identity, request) = (Arc::clone(&world.identity), request.clone());
                tokio::spawn(async move { identity.labels(request).await.unwrap() })
            })
            .collect();
        let mut answers = Vec::new();
        for one in asked {
            answers.push(one.await.unwrap());
        }
        world.restart().await;
        answers.push(world.identity.labels(request.clone()).await.unwrap());
        answers.dedup();
        assert_eq!(answers.len(), 1);
        world.use_label(&record::cbor::from_slice(&answers[0]).unwrap());
    }
    assert_eq!(
        world
            .identity
            .state
            .next(&idnr_of(EMMA), record::Period(1), Series::Exchanges)
            .unwrap(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_answered_once_is_not_answered_for_anything_else() {
    let world = World::new().await;
    let message = Uuid::new_v4();
    let first = world.request_for(&emma(), message, DisclosureClass::Immediate);
    world.ask(&first).await.unwrap();
    let mut class = first.clone();
    class.retention = RetentionClass::Eu12m;
    let mut series = first.clone();
    series.disclosure = DisclosureClass::Delayed;
    let other_person = world.request_for(&unknown(), message, DisclosureClass::Immediate);
    for request in [class, series, other_person] {
        assert_eq!(slug(world.ask(&request).await), "message-answered");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_s1_is_refused() {
    let world = World::new().await;
    let good = world.request(&emma());
    let sign = |key: &SigningKey, consumer: &str, provider: &str, now: u64| LabelRequest {
        s1: S1::sign(
            key,
            ParticipantId::new(consumer).unwrap(),
            ParticipantId::new(provider).unwrap(),
            good.s1.statement.message,
            Timestamp(now),
            good.s1.sealed_person.clone(),
        ),
        ..good.clone()
    };
    let mut swapped = good.clone();
    swapped.s1.sealed_person = world.request(&unknown()).s1.sealed_person;
    let mut other_message = sign(&consumer_key(), "city", "register", NOON);
    other_message.s1 = S1::sign(
        &consumer_key(),
        ParticipantId::new("city").unwrap(),
        ParticipantId::new("register").unwrap(),
        Uuid::new_v4(),
        Timestamp(NOON),
        good.s1.sealed_person.clone(),
    );
    for (request, expected) in [
        (sign(&SigningKey::from_seed([77; 32]), "city", "register", NOON), "s1"),
        (sign(&consumer_key(), "register", "register", NOON), "s1"),
        (sign(&consumer_key(), "city", "city", NOON), "s1"),
        (sign(&consumer_key(), "stranger", "register", NOON), "s1"),
        (sign(&consumer_key(), "city", "register", NOON - 301), "s1"),
        (sign(&consumer_key(), "city", "register", NOON + 301), "s1"),
        (swapped, "s1"),
        // A person part that is replayed under another message does not open.
        (other_message, "person-part"),
    ] {
        assert_eq!(slug(world.ask(&request).await), expected);
    }
    assert!(world.identity.state.pending().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_an_answer_of_the_same_sizes_as_a_person() {
    let world = World::new().await;
    let mut sizes = Vec::new();
    for _ in 0..8 {
        let (request, answer) = world.exchange(&emma()).await;
        world.provider_checks(&request, &answer);
        sizes.push((
            record::cbor::to_vec(&answer).len(),
            answer.for_provider.len(),
            answer.token.len(),
        ));
    }
    let mut numbers = Vec::new();
    let queries = [
        unknown(),
        blocked(),
        ambiguous(),
        by_name("A", "B", "1999-09-09", "1", "C"),
    ];
    let requests = queries.map(|query| world.request(&query));
    for request in requests.into_iter().chain([world.request_about_legal_person()]) {
        let answer = world.ask(&request).await.unwrap();
        let content = world.provider_checks(&request, &answer);
        assert!(content.idnr.is_nobody() && content.chain.is_empty());
        numbers.push(content.number);
        sizes.push((
            record::cbor::to_vec(&answer).len(),
            answer.for_provider.len(),
            answer.token.len(),
        ));
    }
    sizes.dedup();
    assert_eq!(sizes.len(), 1, "{sizes:?}");
    numbers.dedup();
    assert_eq!(numbers.len(), 5);
}

/// Identity cannot tell legal persons apart, so a limit would be one for all of a consumer's together.
#[tokio::test(flavor = "multi_thread")]
async fn exchanges_about_legal_persons_have_no_limit_for_one_subject() {
    let world = World::new().await;
    for _ in 0..=limit(0) {
        world.ask(&world.request_about_legal_person()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unused_label_of_nobody_is_voided_like_that_of_a_person() {
    let world = World::new().await;
    for query in [emma(), blocked()] {
        world.ask(&world.request(&query)).await.unwrap();
    }
    world.identity.sweep().await.unwrap();
    assert_eq!(world.log.kinds(), [Kind::Period]);
    world.clock.advance(10);
    world.identity.sweep().await.unwrap();
    world.identity.log_follow().await;
    assert_eq!(world.log.kinds(), [Kind::Period, Kind::Void, Kind::Void]);
    world.identity.sweep().await.unwrap();
    assert!(world.identity.state.pending().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_gap_under_concurrency() {
    let world = Arc::new(World::new().await);
    let asked: Vec<_> = (0..10)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                let request = world.request(&emma());
                loop {
                    match world.ask(&request).await {
                        Ok(answer) => {
                            world.use_label(&answer);
                            return world.provider_checks(&request, &answer).number;
                        }
                        Err(problem) => assert!(problem.retryable(), "{problem}"),
                    }
                }
            })
        })
        .collect();
    let mut numbers = Vec::new();
    for one in asked {
        numbers.push(one.await.unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (0..10).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_the_reservation_leaves_a_void_and_no_gap() {
    let mut world = World::new().await;
    let lost = world.request(&emma());
    let answer = world.ask(&lost).await.unwrap();
    world.restart().await;
    // The number is taken, so the next caller has to wait and receives a retryable refusal.
    let next = world.request(&emma());
    let problem = world.ask(&next).await.unwrap_err();
    assert_eq!((problem.slug.as_str(), problem.retryable()), ("busy", true));
    world.clock.advance(10);
    let second = world.ask(&next).await.unwrap();
    assert_eq!(world.provider_checks(&next, &second).number, 1);
    assert_eq!(world.log.kinds(), [Kind::Period, Kind::Void]);
    // The void names the S1 that was answered and not used.
    let key = answer.intent_key.part(record::PartName::Shared);
    let SharedPart::Void(void) = world.log.record(1).open_shared(&key, Some(&answer.intent)).unwrap() else {
        panic!("not a void");
    };
    assert_eq!((void.consumer.as_str(), void.s1_digest), ("city", lost.s1.digest()));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_label_is_voided_while_the_ledger_is_unavailable() {
    let world = World::new().await;
    let first = world.ask(&world.request(&emma())).await.unwrap();
    world.log.set_down(true);
    world.clock.advance(60);
    assert_eq!(slug(world.ask(&world.request(&emma())).await), "log");
    assert!(world.identity.sweep().await.is_err());
    world.log.set_down(false);
    // The broker was waiting too, and its entry comes first.
    world.use_label(&first);
    world.ask(&world.request(&emma())).await.unwrap();
    assert_eq!(world.log.kinds(), [Kind::Period, Kind::Intent]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_that_the_broker_has_overtaken_is_voided_at_once() {
    let world = World::new().await;
    world.ask(&world.request(&emma())).await.unwrap();
    world.clock.advance(2);
    world.log.write_denial();
    assert_eq!(slug(world.ask(&world.request(&emma())).await), "busy");
    world.clock.advance(1);
    world.log.write_denial();
    world.ask(&world.request(&emma())).await.unwrap();
    assert_eq!(
        world.log.kinds(),
        [Kind::Period, Kind::Denial, Kind::Denial, Kind::Void]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_is_refused_the_same_way_for_everyone() {
    let world = World::new().await;
    let mut problems = Vec::new();
    for query in [emma(), blocked(), unknown()] {
        for _ in 0..limit(0) {
            world.exchange(&query).await;
        }
        problems.push(world.ask(&world.request(&query)).await.unwrap_err());
    }
    assert_eq!(problems[0].slug, "limit");
    assert!(problems.iter().all(|problem| *problem == problems[0]));
    // Requests about another person are still answered.
    world
        .exchange(&by_name("Öztürk", "Ayşe Nur", "1990-05-05", "20095", "Hamburg"))
        .await;
}

/// Consumers that use all they may, one after another, always leave numbers to the next one.
#[test]
fn no_consumer_uses_up_the_numbers_of_the_others() {
    let mut used = 0;
    for consumer in 0..1000 {
        let own = limit(used);
        assert!((1..=4096 / 32).contains(&own), "consumer {consumer} gets {own}");
        used += own;
        // A hundred authorities that use all they may leave a newcomer five numbers, and a thousand leave one.
        if consumer == 31 {
            assert!(limit(used) >= 40, "{}", limit(used));
        }
        if consumer == 99 {
            assert!(limit(used) >= 5, "{}", limit(used));
        }
        if used == 4096 {
            assert_eq!(limit(used), 0);
            assert!(consumer > 100, "{consumer}");
            return;
        }
    }
}

/// A void that the ledger refuses keeps neither other persons' labels nor itself from being settled later.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_void_is_set_aside_and_the_others_continue() {
    let world = World::new().await;
    let persons = [emma(), unknown(), blocked(), unknown()];
    let mut labels = Vec::new();
    for person in &persons {
        labels.push(world.ask(&world.request(person)).await.unwrap().intent);
    }
    let voids = || world.log.kinds().iter().filter(|kind| **kind == Kind::Void).count();
    world.log.refuse(Some(labels[0]));
    world.clock.advance(11);
    world.identity.sweep().await.unwrap();
    assert_eq!(voids(), 3, "the others continue");
    assert_eq!(world.log.refusals(), 1);
    world.identity.sweep().await.unwrap();
    assert_eq!(world.log.refusals(), 1, "it waits");
    world.log.refuse(None);
    world.clock.advance(61);
    world.identity.sweep().await.unwrap();
    assert_eq!(voids(), 4, "it is tried again");
    world.exchange(&emma()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_series_is_refused() {
    let world = World::new().await;
    world
        .identity
        .state
        .set_next(&idnr_of(EMMA), record::Period(1), Series::Exchanges, 4096)
        .unwrap();
    assert_eq!(slug(world.ask(&world.request(&emma())).await), "refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_yields_the_outcome_key_of_a_later_day_and_nothing_else() {
    let world = World::new().await;
    let (request, answer) = world.exchange(&emma()).await;
    let (other, other_answer) = world.exchange(&emma()).await;
    let ask = |phase, label, class, s1, token: &[u8]| OutcomeKeyRequest {
        token: token.to_vec(),
        label,
        phase,
        class,
        s1,
    };
    let (class, s1) = (answer.class, request.s1.digest());
    let good = ask(Phase::Outcome, answer.label(Phase::Outcome), class, s1, &answer.token);
    // On the same day the token yields the same key that the answer contained.
    let same = world.identity.outcome_key(&good).await.unwrap();
    assert_eq!((same.key, same.expiry), (answer.outcome_key.clone(), answer.expiry));
    world.clock.advance(DAY);
    let later = world.identity.outcome_key(&good).await.unwrap();
    assert_eq!(later.expiry, ExpiryDay(answer.expiry.0 + 1));
    assert_ne!(later.key, answer.outcome_key);
    let preview = ask(Phase::Preview, answer.label(Phase::Preview), class, s1, &answer.token);
    assert_ne!(world.identity.outcome_key(&preview).await.unwrap().key, later.key);
    for bad in [
        ask(Phase::Intent, answer.intent, class, s1, &answer.token),
        ask(Phase::Outcome, answer.intent, class, s1, &answer.token),
        ask(
            Phase::Outcome,
            other_answer.label(Phase::Outcome),
            class,
            s1,
            &answer.token,
        ),
        ask(
            Phase::Outcome,
            answer.label(Phase::Outcome),
            RetentionClass::Eu12m,
            s1,
            &answer.token,
        ),
        ask(
            Phase::Outcome,
            answer.label(Phase::Outcome),
            class,
            other.s1.digest(),
            &answer.token,
        ),
        ask(
            Phase::Outcome,
            answer.label(Phase::Outcome),
            class,
            s1,
            &other_answer.token,
        ),
        ask(Phase::Outcome, answer.label(Phase::Outcome), class, s1, &[]),
    ] {
        assert_eq!(slug(world.identity.outcome_key(&bad).await), "refused");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_todays_denial_key_is_given_out() {
    let world = World::new().await;
    let class = RetentionClass::Eu12m;
    let today = class.expiry(Timestamp(NOON));
    let key = |expiry| {
        let identity = Arc::clone(&world.identity);
        async move { identity.denial_key(&DenialKeyRequest { class, expiry }).await }
    };
    let first = key(today).await.unwrap();
    assert_eq!(first, key(today).await.unwrap());
    let day_key = world.identity.day_keys.existing(class, today, today.day()).unwrap();
    assert_ne!(first, day_key);
    assert_eq!(first, day_key.denial_key());
    for other in [today.0 - 1, today.0 + 1] {
        assert_eq!(slug(key(ExpiryDay(other)).await), "refused");
    }
}

/// Participants seal and check with the keys in the directory. With other ones identity must not answer.
#[tokio::test(flavor = "multi_thread")]
async fn no_labels_are_given_out_while_the_directory_lists_other_keys_of_identity() {
    let world = World::new().await;
    let before = world.identity.live.history();
    let kind = TrustKind::Directory;
    let keys = before.state().directory().identity().unwrap().clone();
    let other_signing = IdentityKeys {
        signing: SigningKey::from_seed([77; 32]).public(),
        ..keys.clone()
    };
    let other_sealing = IdentityKeys {
        sealing: [77; 32],
        ..keys
    };
    for keys in [other_signing, other_sealing] {
        let put = Operation::put(&Value::Identity(keys)).unwrap();
        let valid_from = before.state().directory().valid_from();
        let draft = before
            .state()
            .propose(kind, valid_from, "x".parse().unwrap(), vec![put]);
        let set = draft.unwrap().sign(&[&authority()]).unwrap();
        let position = Position {
            index: 1000_u32.into(),
            time: valid_from,
        };
        let after = before.apply(kind, position, &set).unwrap();
        world.identity.live.replace(Arc::new(after));
        assert_eq!(slug(world.ask(&world.request(&emma())).await), "keys");
    }
    world.identity.live.replace(before);
    world.ask(&world.request(&emma())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_labels_are_given_out_before_a_period_has_begun() {
    let world = World::at(NOON).await;
    assert_eq!(slug(world.ask(&world.request(&emma())).await), "no-period");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bytes_of_an_answer_are_deleted_once_the_log_has_its_label() {
    let world = World::new().await;
    let request = world.request(&emma());
    let answer = world.ask(&request).await.unwrap();
    let bytes = || world.identity.state.answer_bytes(&answer.intent).unwrap();
    world.identity.sweep().await.unwrap();
    assert!(bytes().is_some(), "the broker may not have them yet");
    let again = world.ask(&request).await.unwrap();
    assert_eq!(record::cbor::to_vec(&again), record::cbor::to_vec(&answer));
    world.use_label(&answer);
    world.identity.log_follow().await;
    world.identity.sweep().await.unwrap();
    assert!(bytes().is_none());
    assert_eq!(slug(world.ask(&request).await), "message-used");
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_answers_are_deleted_once_their_s1_has_expired() {
    let world = World::new().await;
    let (request, _) = world.exchange(&emma()).await;
    let statement = &request.s1.statement;
    let stored = || {
        world
            .identity
            .state
            .answer(&statement.consumer, &statement.message)
            .unwrap()
    };
    world.clock.advance(300);
    world.identity.prune(&world.agreed()).await.unwrap();
    assert!(stored().is_some());
    assert!(world.ask(&request).await.is_ok());
    world.clock.advance(61);
    world.identity.prune(&world.agreed()).await.unwrap();
    assert!(stored().is_none());
    assert_eq!(slug(world.ask(&request).await), "s1");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_part_opens_for_its_provider_and_s1_only() {
    let world = World::new().await;
    let (request, answer) = world.exchange(&emma()).await;
    let (other, other_answer) = world.exchange(&emma()).await;
    let context = |label, s1| messages::ProviderContext {
        label,
        provider: ParticipantId::new("register").unwrap(),
        s1,
    };
    let open = |key: &messages::SealingKey, context: &messages::ProviderContext| {
        messages::ProviderPart::open(&answer.for_provider, key, context).is_ok()
    };
    let right = context(answer.intent, request.s1.digest());
    assert!(open(&provider_sealing(), &right));
    assert!(!open(&messages::SealingKey::from_seed([9; 32]), &right));
    assert!(!open(
        &provider_sealing(),
        &context(other_answer.intent, request.s1.digest())
    ));
    assert!(!open(&provider_sealing(), &context(answer.intent, other.s1.digest())));
}

#[tokio::test]
async fn the_proofs_of_a_chain_are_kept_from_when_their_numbers_were_handed_out() {
    let world = World::new().await;
    for _ in 0..6 {
        let (request, answer) = world.exchange(&emma()).await;
        world.provider_checks(&request, &answer);
    }
    let secret = world.identity.periods.all().pop().unwrap();
    let key = |number| crate::state::NumberKey {
        idnr: idnr_of(EMMA),
        period: secret.period(),
        series: Series::Exchanges,
        number,
    };
    let kept = world.identity.state.proofs((0..7).map(key)).unwrap();
    for (number, proof) in (0..6).zip(&kept) {
        let evaluated = secret.evaluate(&idnr_of(EMMA), Series::Exchanges, number);
        assert_eq!(*proof, Some(evaluated.proof), "number {number}");
        let again = crate::periods::Evaluated::of_own_proof(evaluated.proof);
        assert_eq!(again.labels, evaluated.labels);
    }
    assert_eq!(kept[6], None, "it was not handed out");
}
