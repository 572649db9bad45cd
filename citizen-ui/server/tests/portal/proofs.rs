//! The proofs of single accesses, and what the page shows when a proof fails.

use axum::http::StatusCode;
use citizen_ui::proof::access::Access;
use citizen_ui::proof::verify::Failure;

use crate::HIGH;
use crate::backend::Mode;
use crate::world::World;

#[tokio::test]
async fn the_server_checks_an_access_for_a_browser_without_javascript() {
    let world = World::new(1, HIGH).await;
    let cookie = world.login("de").await.cookie();
    let intent = world.backend().exchanges[0].0;
    let form = format!("eintraege={intent}%2C999&zurueck=%2Fzugriffe%3Fart%3Dabruf");
    let done = world
        .post(
            "/de/zugriffe/pruefen",
            &cookie,
            &form,
            &[("sec-fetch-site", "same-origin")],
        )
        .await;
    assert_eq!(
        (done.status, done.location().as_str()),
        (StatusCode::SEE_OTHER, "/de/zugriffe?art=abruf")
    );
    let list = world.get("/de/zugriffe?art=abruf", &cookie).await.text();
    assert!(
        list.contains(&format!("data-row=\"{intent}\" data-proof=\"server\"")),
        "{list}"
    );
    assert!(list.contains("vom Server geprüft"));

    let elsewhere = format!("eintraege={intent}&zurueck=https%3A%2F%2Fevil.example");
    let done = world.post("/de/zugriffe/pruefen", &cookie, &elsewhere, &[]).await;
    assert_eq!(done.location(), "/de/zugriffe");
}

#[tokio::test]
async fn an_access_that_does_not_verify_is_shown_as_not_proved() {
    for mode in [Mode::TamperedRecords, Mode::WrongNumber] {
        let world = World::new(2, HIGH).await;
        world.set(mode);
        let cookie = world.login("de").await.cookie();
        let list = world.get("/de/zugriffe", &cookie).await.text();
        let (intent, outcome) = world.backend().exchanges[0];
        assert!(list.contains("id=\"nicht-geoeffnet\""), "{list}");
        let expected = format!(
            "Eintrag {intent}, {}: Der Nachweis passt nicht zum Protokoll.",
            outcome.unwrap()
        );
        assert!(list.contains(&expected), "{expected} is missing in {list}");
        assert!(
            !list.contains("hat am"),
            "the page describes an access that is not proved"
        );
    }
}

#[tokio::test]
async fn a_changed_or_swapped_opening_is_not_a_full_proof() {
    let world = World::new(1, HIGH).await;
    let cookie = world.login("de").await.cookie();
    let (intent, outcome) = world.backend().exchanges[0];
    let proof = world
        .get(&format!("/de/zugriffe/{intent}/nachweis"), &cookie)
        .await
        .body;
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
async fn the_page_says_that_cosignatures_are_missing() {
    let world = World::new(1, HIGH).await;
    world.set(Mode::Unwitnessed);
    let cookie = world.login("de").await.cookie();
    let intent = world.backend().exchanges[0].0;
    let check = format!("eintraege={intent}&zurueck=/zugriffe");
    world.post("/de/zugriffe/pruefen", &cookie, &check, &[]).await;
    let list = world.get("/de/zugriffe", &cookie).await.text();
    assert!(
        list.contains("Die Zeugen haben diesen Stand noch nicht bestätigt."),
        "{list}"
    );
    assert!(
        world
            .get("/de/protokoll", "")
            .await
            .text()
            .contains("es fehlen noch Zeugen")
    );

    world.set(Mode::Sound);
    world.post("/de/zugriffe/pruefen", &cookie, &check, &[]).await;
    let list = world.get("/de/zugriffe", &cookie).await.text();
    assert!(
        !list.contains("noch nicht bestätigt"),
        "the receipts were not fetched again: {list}"
    );
}
