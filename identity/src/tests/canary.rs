//! The canary test: identity never logs an IDNr, a name, a login or a token. All tests of this process log into one
//! buffer at every level. This test runs all flows once more and searches the whole buffer.

use messages::DisclosureRequest;

use super::issuer::NONCE;
use super::world::{World, ambiguous, blocked, by_name, emma, logs, unknown};

#[tokio::test(flavor = "multi_thread")]
async fn the_logs_contain_no_personal_data() {
    let mut world = World::new().await;
    let tokens = run_all_flows(&mut world).await;
    let logs = logs();
    assert!(logs.contains("period begun"), "the logs were not captured");
    assert!(logs.contains("the state was restored"), "the faults were not captured");
    for canary in [
        "08214967384",
        "02476291358",
        "08854869212",
        "07465932380",
        "09874368528",
        "Muster",
        "Schweigsam",
        "Müller",
        "Öztürk",
        "Ayşe",
        "Niemand",
        "Köln",
        "50667",
        "1964-08-12",
        "sub-",
        NONCE,
        "Token",
    ] {
        assert!(!logs.contains(canary), "the logs contain {canary}");
    }
    for token in tokens {
        assert!(!logs.contains(&token));
    }
}

/// Makes exchanges, disclosures and faults; returns the ID tokens it used.
async fn run_all_flows(world: &mut World) -> Vec<String> {
    for query in [emma(), blocked(), unknown(), ambiguous()] {
        world.exchange(&query).await;
    }
    world
        .exchange(&by_name("Öztürk", "Ayşe Nur", "1990-05-05", "20095", "Hamburg"))
        .await;
    world.ask(&world.request(&emma())).await.unwrap();
    let now = service::Clock::now(&*world.clock);
    let mut tokens = Vec::new();
    for subject in ["sub-emma", "sub-stranger"] {
        let id_token = world.issuer.token(&world.issuer.claims(subject, now));
        tokens.push(id_token.clone());
        let request = DisclosureRequest {
            id_token,
            nonce: NONCE.into(),
        };
        let _ = world.identity.disclose(&request).await;
    }
    // The faults: a void, an unavailable ledger, a state that was set back, a restart.
    world.clock.advance(10);
    world.identity.sweep().await.unwrap();
    world.log.set_down(true);
    let _ = world.ask(&world.request(&emma())).await;
    world.log.set_down(false);
    world.clock.advance(10);
    world.restart().await;
    world.exchange(&emma()).await;
    world.identity.log_follow().await;
    world
        .identity
        .state
        .set_next(
            &super::world::idnr_of(super::world::EMMA),
            record::Period(1),
            record::Series::Exchanges,
            0,
        )
        .unwrap();
    let _ = world.ask(&world.request(&emma())).await;
    tokens
}
