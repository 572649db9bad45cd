//! A running log changes its key, from A to A and B to B.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use record::Receipt;
use tlog::note::{Note, SignerKey};
use tlog::policy::Policy;

use super::testing::Server;
use crate::engine::Signer;
use crate::engine::signer::{LogKey, Validity};
use crate::rules::testing::*;
use crate::server::{Setup, start};
use crate::store::memory::MemoryStore;

fn key(seed: u8) -> SignerKey {
    SignerKey::for_notes(ORIGIN.parse().unwrap(), &[seed; 32])
}

fn policy(seeds: &[u8]) -> Policy {
    let log = |seed: &u8| format!("log {}\n", key(*seed).verifier_key().unwrap());
    let logs: String = seeds.iter().map(log).collect();
    Policy::parse(format!("{logs}quorum none\n").as_bytes()).unwrap()
}

/// Which of A and B have signed the note.
fn signers(note: &str) -> [bool; 2] {
    let note = Note::parse(note.as_bytes()).unwrap();
    [A, B].map(|seed| {
        let key = key(seed).verifier_key().unwrap();
        note.signatures.iter().any(|line| key.matches(line))
    })
}

const A: u8 = 42;
const B: u8 = 43;

async fn head_signed_by(server: &Server, expected: [bool; 2]) {
    for _ in 0..100 {
        let head = String::from_utf8(server.get("/head").await.body).unwrap();
        if signers(&head) == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the head is not signed by {expected:?}");
}

#[tokio::test]
async fn a_key_is_changed_and_every_receipt_stays_valid() {
    let world = World::new();
    let store = Arc::new(MemoryStore::new());
    let signed_by = |keys: &[(u8, u64, u64)]| {
        let keys = keys.iter().map(|(seed, not_before, not_after)| {
            let validity = Validity {
                not_before: *not_before,
                not_after: *not_after,
            };
            LogKey::software(key(*seed), validity).unwrap()
        });
        Setup {
            signer: Signer::of(keys.collect(), world.clock.clone()).unwrap(),
            ..world.setup(store.clone())
        }
    };
    let both = [(A, 0, NOW + 200), (B, NOW + 100, u64::MAX)];
    let shared = start(signed_by(&both)).unwrap();
    let following = tokio::spawn({
        let shared = shared.clone();
        async move { shared.log.sequenced().unwrap().sign_on_key_changes().await }
    });
    assert_eq!(submit(&shared, world.founding()).await, [Ok(0), Ok(1), Ok(2)]);
    let mut identity = TimedWriter::new(IDENTITY);
    submit(&shared, vec![raw(&identity.write(begin(1, NOW - 1000)), 0)])
        .await
        .remove(0)
        .unwrap();
    let server = Server::of(shared).await;
    let mut broker = TimedWriter::new(BROKER);
    let mut receipts = Vec::new();
    for (label, (after, signing)) in (1..).zip([(0, [true, false]), (100, [true, true]), (200, [false, true])]) {
        world.clock.set(NOW + after);
        // The head shows the valid keys although no entry was written.
        head_signed_by(&server, signing).await;
        let answer = server.post(&[raw(&broker.write(intent(label)), label)]).await;
        assert_eq!(answer.status, 200);
        let index = u64::from(label) + 3;
        receipts.push(server.get(&format!("/entries/{index}/receipt")).await.body);
    }
    let valid = |seeds: &[u8]| -> Vec<bool> {
        let policy = policy(seeds);
        let valid = |receipt: &Vec<u8>| Receipt::parse(receipt).unwrap().verify(&policy).is_ok();
        receipts.iter().map(valid).collect()
    };
    assert_eq!(
        valid(&[A, B]),
        [true, true, true],
        "a reader with both keys accepts every receipt"
    );
    assert_eq!(
        valid(&[A]),
        [true, true, false],
        "a reader with A only accepts receipts until B signs alone"
    );
    assert_eq!(valid(&[B]), [false, true, true]);
    let fresh = server.get("/entries/4/receipt").await.body;
    assert!(
        Receipt::parse(&fresh).unwrap().verify(&policy(&[B])).is_ok(),
        "an old entry gets a receipt signed by the new key"
    );

    // A is removed from the configuration, and the log continues with B only.
    following.abort();
    server.end().await;
    let shared = start(signed_by(&[(B, 0, u64::MAX)])).unwrap();
    assert_eq!(signers(&shared.log.snapshot().note), [false, true]);
    shared.log.end();
    // A log whose only key never signed is another log.
    let refused = start(signed_by(&[(99, 0, u64::MAX)])).err().unwrap();
    assert!(refused.to_string().contains("log_keys"), "{refused}");
}

#[tokio::test]
async fn without_a_valid_key_the_log_stops() {
    let world = World::new();
    let validity = Validity {
        not_before: 0,
        not_after: NOW + 10,
    };
    let setup = Setup {
        signer: Signer::of(vec![LogKey::software(key(A), validity).unwrap()], world.clock.clone()).unwrap(),
        ..world.setup(Arc::new(MemoryStore::new()))
    };
    let shared = start(setup).unwrap();
    submit(&shared, world.founding()).await;
    world.clock.set(NOW + 10);
    shared.log.sequenced().unwrap().sign_on_key_changes().await;
    let refused = try_submit(
        &shared,
        vec![raw(&TimedWriter::new(IDENTITY).write(begin(1, NOW - 1000)), 0)],
    )
    .await;
    assert!(refused.unwrap_err().to_string().contains("no log key is valid"));
}
