//! The proofs of accesses and pages, and what the page shows when a proof fails.

use axum::http::{StatusCode, header};
use citizen_ui::proof::access::Access;
use citizen_ui::proof::statement::{self, PageProof};
use citizen_ui::proof::verify::Failure;
use fixtures::sample_log;

use crate::HIGH;
use crate::backend::Mode;
use crate::world::World;

#[tokio::test]
async fn an_access_that_does_not_verify_is_shown_as_not_proved() {
    for mode in [Mode::TamperedRecords, Mode::WrongNumber] {
        let world = World::new(2, HIGH).await;
        world.set(mode);
        let cookie = world.login("de").await.cookie();
        let list = world.get("/de/abrufe", &cookie).await.text();
        let (intent, outcome) = world.backend().exchanges[0];
        assert!(list.contains("id=\"nicht-geoeffnet\""), "{list}");
        let expected = format!(
            "Eintrag {intent}, {}: Der Beweis passt nicht zum Protokoll.",
            outcome.unwrap()
        );
        assert!(list.contains(&expected), "{expected} is missing in {list}");
        assert!(
            !list.contains("hat beim"),
            "the page describes an access that is not proved"
        );
    }
}

#[tokio::test]
async fn a_changed_or_swapped_opening_is_not_a_full_proof() {
    let world = World::new(1, HIGH).await;
    let cookie = world.login("de").await.cookie();
    let (intent, outcome) = world.backend().exchanges[0];
    let proof = world.get(&format!("/de/abrufe/{intent}/oeffnung"), &cookie).await.body;
    for position in (0..proof.len()).step_by(211) {
        let mut changed = proof.clone();
        changed[position] ^= 1;
        // A changed witness name makes the cosignature one of an unknown witness, which is ignored; the quorum is then
        // missing.
        let result = world.verifier().verify(&[changed], &[intent]);
        assert!(
            result.is_err() || result.is_ok_and(|proved| !proved.quorum),
            "byte {position}"
        );
    }
    let alone = world
        .verifier()
        .verify(std::slice::from_ref(&proof), &[intent])
        .unwrap();
    assert!(matches!(alone.access, Access::Exchange(exchange) if exchange.outcome.is_none()));
    let swapped = world
        .verifier()
        .verify(&[proof.clone(), proof], &[intent, outcome.unwrap()]);
    assert_eq!(swapped.unwrap_err(), Failure::Entry);
}

#[tokio::test]
async fn a_list_that_is_not_cosigned_is_not_proved_and_the_log_page_says_so() {
    let world = World::new(1, HIGH).await;
    world.set(Mode::Unwitnessed);
    let cookie = world.login("de").await.cookie();
    let list = world.get("/de/abrufe", &cookie).await.text();
    assert!(list.contains("data-verdict=\"server-failed\""), "{list}");
    let log = world.get("/de/protokoll", "").await.text();
    assert!(
        log.contains("data-quorum=\"false\"") && !log.contains("kern-alert--success"),
        "{log}"
    );
}

/// One request has everything that proves the pages of a session, and says why if there is nothing.
#[tokio::test]
async fn one_request_proves_all_pages_of_a_session() {
    let world = World::new(26, HIGH).await;
    let cookie = world.login("de").await.cookie();
    let response = world.get("/de/abrufe/beweis?ab=0", &cookie).await;
    assert_eq!(response.headers[header::CACHE_CONTROL], "no-store");
    let answer = PageProof::parse(&response.body).unwrap();
    let trust = answer.trust.parse().unwrap();
    let proof = answer.list.unwrap();
    let list = statement::prove(&proof.bundle, &proof.later, &trust).unwrap();
    assert_eq!((list.accesses.len(), list.claim.exchanges, list.quorum), (27, 26, true));
    assert_eq!(list.person, sample_log::idnr());
    for index in list.accesses.iter().map(|access| access.first().index) {
        let page = world.get(&format!("/de/abrufe/{index}"), &cookie).await;
        assert_eq!(page.status, StatusCode::OK);
    }
    assert_eq!(
        world.get("/de/abrufe/beweis", "").await.status,
        StatusCode::UNAUTHORIZED
    );

    for (mode, failure) in [(Mode::Unpublished, Failure::Witnesses), (Mode::Unlisted, Failure::Load)] {
        world.set(mode);
        let cookie = world.login("de").await.cookie();
        let answer = world.get("/de/abrufe/beweis", &cookie).await.body;
        assert_eq!(PageProof::parse(&answer).unwrap().list.unwrap_err(), failure);
    }
}
