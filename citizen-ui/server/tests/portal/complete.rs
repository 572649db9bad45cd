//! Completeness of the list, as the page and the bundle state it.

use axum::http::header;
use citizen_ui::proof::statement::{prove, prove_listed};
use citizen_ui::proof::verify::{Failure, Trust};
use proof::bundle::Bundle;
use proof::opening::PreparedKeys;
use tlog::policy::Policy;

use crate::HIGH;
use crate::backend::Mode;
use crate::world::World;

/// Logs in and opens the list. Returns the value of `data-verdict`, the page, and the session cookie.
async fn completeness(world: &World, lang: &str) -> (String, String, String) {
    let cookie = world.login(lang).await.cookie();
    let page = world.get(&format!("/{lang}/abrufe"), &cookie).await.text();
    let (_, rest) = page.split_once("data-verdict=\"").unwrap();
    (rest.split('"').next().unwrap().to_owned(), page.clone(), cookie)
}

/// An access whose record has expired is listed, proved, and counted.
#[tokio::test]
async fn an_expired_access_is_listed_as_erased_and_counted() {
    let world = World::new(2, HIGH).await;
    {
        let mut backend = world.backend();
        backend.mode = Mode::Expired;
        let last = record::RetentionClass::IdnrG2y.expiry(record::Timestamp(backend.log.now));
        backend.log.now = last.end().0;
        backend.log.map();
    }
    let (complete, page, cookie) = completeness(&world, "de").await;
    assert_eq!(complete, "server", "{page}");
    assert!(page.contains("Das sind alle: 2 Abrufe, 1 Besuch."), "{page}");
    assert!(!page.contains("nicht-geoeffnet"), "{page}");
    let erased = "gelöscht, wie das Gesetz es verlangt";
    assert_eq!(page.matches(erased).count(), 2, "{page}");
    let first = world.backend().exchanges[0].0;
    let detail = world.get(&format!("/de/abrufe/{first}"), &cookie).await.text();
    assert!(
        detail.contains(erased) && detail.contains("Gelöscht nach dem"),
        "{detail}"
    );
    let file = world.get(&format!("/de/abrufe/{first}/oeffnung"), &cookie).await.body;
    let policy = tlog::policy::Policy::parse(world.backend().log.policy().as_bytes()).unwrap();
    let proved = proof::opening::Opening::parse(&file)
        .unwrap()
        .verify(&policy, None)
        .unwrap();
    assert!(proved.shared.is_none() && proved.person.is_some());
}

#[tokio::test]
async fn the_list_is_complete_and_the_bundle_proves_it() {
    let world = World::new(2, HIGH).await;
    let (state, page, cookie) = completeness(&world, "de").await;
    assert_eq!(state, "server", "{page}");
    assert!(page.contains("Das sind alle: 2 Abrufe, 1 Besuch. Stand: "), "{page}");
    assert!(
        page.contains("Geprüft hat nur unser Server: 2 Abrufe, und keiner fehlt."),
        "{page}"
    );
    let file = world.get("/de/abrufe/buendel", &cookie).await;
    assert_eq!(
        file.headers[header::CONTENT_DISPOSITION],
        "attachment; filename=\"eintraege.bundle\""
    );
    let (policy, genesis) = {
        let backend = world.backend();
        (
            Policy::parse(backend.log.policy().as_bytes()).unwrap(),
            backend.log.genesis(),
        )
    };
    let complete = proof::bundle::Bundle::parse(&file.body).unwrap();
    let complete = complete.verify(&policy, Some(&genesis)).unwrap();
    assert_eq!(
        (complete.exchanges, complete.inspections, complete.quorum),
        (2, 1, true)
    );
    let (_, page, _) = completeness(&world, "en").await;
    assert!(page.contains("These are all: 2 requests, 1 visit. As of "), "{page}");
}

/// The browser runs the same check on the same file, and reaches the same result.
#[tokio::test]
async fn a_list_without_a_withheld_entry_is_not_complete() {
    for (mode, expected, reason) in [
        (
            Mode::Withheld,
            "server-failed",
            "Im Protokoll steht ein Eintrag über Sie, der hier fehlt.",
        ),
        (
            Mode::Unlisted,
            "server-failed",
            "Der Beweis konnte nicht geladen werden.",
        ),
        (
            Mode::Unwitnessed,
            "server-failed",
            "Die Zeugen haben diesen Eintrag nicht bestätigt.",
        ),
        (
            Mode::TamperedRecords,
            "server-failed",
            "Der Beweis passt nicht zum Protokoll.",
        ),
        (
            Mode::Unpublished,
            "absent",
            "Noch haben nicht genügend unabhängige Zeugen den Stand des Protokolls bestätigt.",
        ),
    ] {
        let world = World::new(2, HIGH).await;
        world.set(mode);
        let (state, page, cookie) = completeness(&world, "de").await;
        assert_eq!(state, expected, "{mode:?}: {page}");
        assert!(
            page.contains(reason) && !page.contains("Das sind alle"),
            "{mode:?}: {page}"
        );
        if mode == Mode::Withheld {
            let trust = {
                let backend = world.backend();
                citizen_ui::proof::verify::TrustText {
                    policy: backend.log.policy(),
                    genesis: backend.log.genesis().to_string(),
                }
            };
            let file = world.get("/de/abrufe/buendel", &cookie).await.body;
            let bundle = Bundle::parse(&file).unwrap();
            let trust = trust.parse().unwrap();
            let anchor = bundle.anchor.verify(&trust.policy, Some(&trust.genesis)).unwrap();
            let checked = prove_listed(&bundle, &[], &trust.policy, &anchor);
            assert_eq!(checked.map(|(claim, _)| claim), Err(Failure::Hidden));
        }
    }
}

/// A list that lacks an entry of the bundle, or has an older entry that is not in the bundle, is not complete.
#[tokio::test]
async fn the_list_is_compared_with_the_bundle() {
    let world = World::new(2, HIGH).await;
    let cookie = world.login("de").await.cookie();
    let file = world.get("/de/abrufe/buendel", &cookie).await.body;
    let (trust, listed, size): (Trust, _, _) = {
        let backend = world.backend();
        let trust = citizen_ui::proof::verify::TrustText {
            policy: backend.log.policy(),
            genesis: backend.log.genesis().to_string(),
        };
        let exchange = |(intent, outcome): (u64, Option<u64>)| vec![intent, outcome.unwrap()];
        let [first, second] = [0, 1].map(|number| exchange(backend.exchanges[number]));
        let listed = [first, second, vec![backend.inspection]];
        (trust.parse().unwrap(), listed, backend.log.size().get())
    };
    let bundle = Bundle::parse(&file).unwrap();
    let mut anchor = bundle.anchor.verify(&trust.policy, Some(&trust.genesis)).unwrap();
    anchor.prepare(&PreparedKeys::new());
    let check = |listed: &[Vec<u64>]| prove_listed(&bundle, listed, &trust.policy, &anchor).map(|(claim, _)| claim);
    let claim = check(&listed).unwrap();
    assert_eq!(
        (claim.exchanges, claim.inspections, claim.unused, claim.later),
        (2, 1, 0, 0)
    );
    assert_eq!(check(&listed[1..]), Err(Failure::Hidden));
    assert_eq!(check(&[&listed[..], &[vec![0]]].concat()), Err(Failure::Entry));
    assert_eq!(check(&[&listed[..], &[vec![size]]].concat()).unwrap().later, 1);
    // A page that shows an exchange without its outcome, which the bundle has, or shows the outcomes with other
    // intents.
    let mut without = listed.clone();
    without[1].pop();
    assert_eq!(check(&without), Err(Failure::Hidden));
    let mut crossed = listed.clone();
    let (outcome, other) = (crossed[0][1], crossed[1][1]);
    (crossed[0][1], crossed[1][1]) = (other, outcome);
    assert_eq!(check(&crossed), Err(Failure::Entry));
    let mut changed = file.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    assert_eq!(prove(&changed, &[], &trust).map(|list| list.claim), Err(Failure::Form));
}
