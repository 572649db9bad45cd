//! Requests by a representative: the power, and the statement about each of the two persons.

use super::*;

fn represented(mut request: ExchangeRequest, power: Option<Power>, s1: Option<u128>) -> ExchangeRequest {
    request.metadata.representation = power;
    request.representative = s1.map(|message| {
        let message = Uuid::from_u128(message);
        let identity = SealingKey::from_seed([12; 32]).public();
        let sealed = person().seal(&identity, message).unwrap();
        S1::sign(&consumer_key(), id("stadt-a"), id("kba"), message, NOW, sealed)
    });
    sign_again(&mut request);
    request
}

/// Signs S2 over what the request says now.
fn sign_again(request: &mut ExchangeRequest) {
    let statement = S2Statement::new(
        &request.metadata,
        request.answer_key,
        &request.sealed_request,
        &request.s1,
    );
    request.s2 = statement
        .with_representative(request.representative.as_ref())
        .sign(&consumer_key());
}

#[test]
fn a_power_and_a_representative_come_together_and_are_signed() {
    let key = public(&consumer_key());
    let good = represented(exchange(1), Some(Power::Parent), Some(7));
    good.verify(&key, NOW).unwrap();
    let read: ExchangeRequest = record::cbor::from_slice(&record::cbor::to_vec(&good)).unwrap();
    assert_eq!(read, good);
    assert!(good.metadata.transmission().represented);
    for (power, s1) in [
        (Some(Power::Parent), None),
        (None, Some(7)),
        (Some(Power::Parent), Some(1)),
    ] {
        let refused = represented(exchange(1), power, s1).verify(&key, NOW);
        assert!(matches!(refused, Err(MessageError::Mismatch(_))), "{power:?} {s1:?}");
    }
    // What S2 does not cover does not count: no representative, another one, another power.
    let mut without = good.clone();
    without.representative = None;
    let mut another = good.clone();
    another.representative = represented(exchange(1), Some(Power::Parent), Some(8)).representative;
    let mut power = good.clone();
    power.metadata.representation = Some(Power::Notary);
    let mut swapped = good.clone();
    swapped.s1 = good.representative.clone().unwrap();
    swapped.representative = Some(good.s1.clone());
    for changed in [without, another, power, swapped] {
        assert_eq!(changed.verify(&key, NOW), Err(MessageError::Signature("S2")));
    }
    let mut role = good;
    role.metadata.role = SubjectRole::Representative;
    let role = represented(role, Some(Power::Parent), Some(7)).verify(&key, NOW);
    assert!(matches!(role, Err(MessageError::Mismatch(_))));
}

#[test]
fn the_representatives_s1_is_verified_and_in_time() {
    let key = public(&consumer_key());
    let good = represented(exchange(1), Some(Power::Attorney), Some(7));
    for change in [
        |s1: &mut S1| s1.sealed_person = vec![1],
        |s1: &mut S1| s1.statement.provider = id("other"),
        |s1: &mut S1| {
            let statement = s1.statement.clone();
            let late = NOW.before(S1_VALIDITY + 1);
            let sealed = s1.sealed_person.clone();
            *s1 = S1::sign(
                &consumer_key(),
                statement.consumer,
                statement.provider,
                statement.message,
                late,
                sealed,
            );
        },
        |s1: &mut S1| {
            let statement = s1.statement.clone();
            let sealed = s1.sealed_person.clone();
            *s1 = S1::sign(
                &consumer_key(),
                statement.consumer,
                id("other"),
                statement.message,
                NOW,
                sealed,
            );
        },
    ] {
        let mut changed = good.clone();
        change(changed.representative.as_mut().unwrap());
        sign_again(&mut changed);
        assert!(changed.verify(&key, NOW).is_err());
    }
}
