//! A state restored from an older backup catches up with the log. No number is given out twice and none is lost.

use messages::PersonQuery;
use record::{Kind, Label, LegalDay, Period, Phase, RetentionClass, Series, Timestamp};

use super::disclosure::{disclose_to, open_all, recorded_exchange};
use super::world::{EMMA, NOON, World, by_name, emma};
use crate::backup::{backup, restore};
use crate::log::TransparencyLog as _;

const DAY: u64 = 86_400;
const AYSE: &str = "09874368528";

fn ayse() -> PersonQuery {
    by_name("Öztürk", "Ayşe Nur", "1990-05-05", "20095", "Hamburg")
}

/// The count of a series' numbers in the log. Asserts that they are 0 … n−1 and that none of the next twenty is in
/// the log.
async fn used(world: &World, idnr: &str, series: Series) -> u32 {
    world.identity.log_follow().await;
    let is_logged = |number| {
        let label = world.label_of(idnr, series, number);
        world.log.locate(Period(1), &label).unwrap().is_some()
    };
    let count = (0..).find(|number| !is_logged(*number)).unwrap();
    assert!((count..count + 20).all(|number| !is_logged(number)), "a gap");
    count
}

fn backup_file(world: &World) -> std::path::PathBuf {
    world.dir.path().join("backup")
}

/// Stops identity, makes the backup once the store's thread has released the file, and restarts identity.
async fn make_backup(world: &mut World) {
    world.stop();
    for _ in 0..500 {
        if backup(world.dir.path(), &backup_file(world)).is_ok() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(backup_file(world).exists());
    world.restart().await;
}

/// Deletes the state and restores the backup.
async fn lose_and_restore(world: &mut World) {
    world.stop();
    let state = world.dir.path().join("state.redb");
    std::fs::remove_file(&state).unwrap();
    restore(&backup_file(world), world.dir.path()).unwrap();
    world.restart().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_state_catches_up_with_the_log() {
    let mut world = World::new().await;
    recorded_exchange(&world, 1).await;
    disclose_to(&world, "sub-emma").await;
    // This number is reserved when the backup is made. The log will show that it is void.
    let under_way = world.ask(&world.request(&emma())).await.unwrap();
    make_backup(&mut world).await;
    world.clock.set(NOON + 11);
    world.identity.sweep().await.unwrap();
    recorded_exchange(&world, 3).await;
    recorded_exchange(&world, 4).await;
    world.clock.set(NOON + DAY);
    disclose_to(&world, "sub-emma").await;
    // The backup has no row for this person. Another number is reserved when the state is lost.
    world.exchange(&ayse()).await;
    let lost = world.ask(&world.request(&emma())).await.unwrap();
    lose_and_restore(&mut world).await;

    // Every label handed out now is new to the log, and its provider can check the chain.
    let mut labels: Vec<Label> = Vec::new();
    for query in [emma(), ayse(), emma(), ayse(), emma()] {
        let (request, answer) = world.exchange(&query).await;
        world.provider_checks(&request, &answer);
        labels.push(answer.intent);
    }
    assert!(!labels.contains(&under_way.intent));
    assert_eq!(labels[0], lost.intent, "the label never reached the log");
    labels.sort_unstable();
    labels.dedup();
    assert_eq!(labels.len(), 5);
    // For Emma: 1, void, 3, 4, and three more. For Ayşe: one, and two more.
    assert_eq!(used(&world, EMMA, Series::Exchanges).await, 7);
    assert_eq!(used(&world, AYSE, Series::Exchanges).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restoration_all_entries_are_listed_and_open_and_the_proof_is_complete() {
    let mut world = World::new().await;
    recorded_exchange(&world, 1).await;
    disclose_to(&world, "sub-emma").await;
    make_backup(&mut world).await;
    recorded_exchange(&world, 2).await;
    world.clock.set(NOON + DAY);
    recorded_exchange(&world, 3).await;
    disclose_to(&world, "sub-emma").await;
    lose_and_restore(&mut world).await;
    // The day's inspection is in the log but not in the state, so there is one more inspection under its own number.
    disclose_to(&world, "sub-emma").await;
    assert_eq!(used(&world, EMMA, Series::Inspections).await, 3);
    recorded_exchange(&world, 4).await;
    world.log.write_map();
    let disclosure = disclose_to(&world, "sub-emma").await;
    let opened = open_all(&world, &disclosure);
    let marks = |kind| opened.iter().filter(move |(of, _)| *of == kind).map(|(_, mark)| *mark);
    for kind in [Kind::Intent, Kind::Outcome] {
        assert_eq!(marks(kind).collect::<Vec<_>>(), [1, 2, 3, 4]);
    }
    assert_eq!(marks(Kind::Inspection).count(), 3);
    let proof = disclosure.complete.unwrap();
    let period = &proof.periods[0];
    assert_eq!(
        (period.exchanges.numbers.len(), period.inspections.numbers.len()),
        (4, 3)
    );
    // The shorter class never had a key, so the passing of its day changes nothing.
    world.clock.set(NOON + 400 * DAY);
    let later = disclose_to(&world, "sub-emma").await;
    assert_eq!(open_all(&world, &later).len(), opened.len() + 1);
}

/// The broker closes an exchange that the restored state lacks. The token is sufficient.
#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_exchange_can_still_be_closed() {
    let mut world = World::new().await;
    make_backup(&mut world).await;
    let (request, answer) = world.exchange(&emma()).await;
    lose_and_restore(&mut world).await;
    world.clock.set(NOON + DAY);
    let request = messages::OutcomeKeyRequest {
        label: answer.label(Phase::Outcome),
        token: answer.token,
        phase: Phase::Outcome,
        class: answer.class,
        s1: request.s1.digest(),
    };
    let key = world.identity.outcome_key(&request).await.unwrap();
    assert_eq!(key.expiry, RetentionClass::IdnrG2y.expiry(Timestamp(NOON + DAY)));
}

/// A backup from before the destruction of a period neither brings the period back nor prevents the start.
#[tokio::test(flavor = "multi_thread")]
async fn a_destroyed_period_stays_destroyed() {
    let mut world = World::new().await;
    let after = LegalDay::of(Timestamp(NOON)).first_of_next_month().begin().0;
    let closed = after + 35 * DAY;
    let due = RetentionClass::last_expiry(Timestamp(closed)).end().0;
    for time in [after - DAY, closed, due - 3600] {
        world.clock.set(time);
        world.tick().await.unwrap();
    }
    make_backup(&mut world).await;
    assert!(world.identity.periods.get(Period(1)).is_some());
    world.clock.set(due);
    world.tick().await.unwrap();
    assert!(world.identity.periods.get(Period(1)).is_none());
    lose_and_restore(&mut world).await;
    world.tick().await.unwrap();
    assert!(world.identity.periods.get(Period(1)).is_none() && world.identity.periods.get(Period(2)).is_some());
    world.exchange(&emma()).await;
}
