//! A state that was restored from an older backup: it catches up with the log, and nothing is given twice or lost.

use messages::PersonQuery;
use record::{Kind, Label, Period, Phase, RetentionClass, Series, Timestamp};

use super::disclosure::{disclose_to, open_all, recorded_exchange};
use super::world::{EMMA, NOON, World, by_name, emma};
use crate::backup::{backup, restore};
use crate::log::TransparencyLog as _;

const DAY: u64 = 86_400;
const AYSE: &str = "09874368528";

fn ayse() -> PersonQuery {
    by_name("Öztürk", "Ayşe Nur", "1990-05-05", "20095", "Hamburg")
}

/// The numbers of a row that stand in the log: 0 … n−1, and none of the next twenty.
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

/// The process dies; the backup is made once the store's thread has let go of the file.
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

/// The state is lost, the backup takes its place.
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
    // A number that is under way when the backup is made: the log will say that it is void.
    let under_way = world.ask(&world.request(&emma())).await.unwrap();
    make_backup(&mut world).await;
    world.clock.set(NOON + 11);
    world.identity.sweep().await.unwrap();
    recorded_exchange(&world, 3).await;
    recorded_exchange(&world, 4).await;
    world.clock.set(NOON + DAY);
    disclose_to(&world, "sub-emma").await;
    // Of this person the backup knows nothing; and a number is under way when the state is lost.
    world.exchange(&ayse()).await;
    let lost = world.ask(&world.request(&emma())).await.unwrap();
    lose_and_restore(&mut world).await;

    // Whatever is handed out now is new to the log, and its provider can check its chain.
    let mut labels: Vec<Label> = Vec::new();
    for query in [emma(), ayse(), emma(), ayse(), emma()] {
        let (request, answer) = world.exchange(&query).await;
        world.provider_checks(&request, &answer);
        labels.push(answer.intent);
    }
    assert!(!labels.contains(&under_way.intent));
    assert_eq!(labels[0], lost.intent, "it never came to the log");
    labels.sort_unstable();
    labels.dedup();
    assert_eq!(labels.len(), 5);
    // 1, void, 3, 4, and three more; one of the other, and two more.
    assert_eq!(used(&world, EMMA, Series::Exchanges).await, 7);
    assert_eq!(used(&world, AYSE, Series::Exchanges).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restoration_everything_is_listed_opens_and_is_complete() {
    let mut world = World::new().await;
    recorded_exchange(&world, 1).await;
    disclose_to(&world, "sub-emma").await;
    make_backup(&mut world).await;
    recorded_exchange(&world, 2).await;
    world.clock.set(NOON + DAY);
    recorded_exchange(&world, 3).await;
    disclose_to(&world, "sub-emma").await;
    lose_and_restore(&mut world).await;
    // The day's inspection stands in the log, and the state does not know it: there is one more, under a number of its own.
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
    // Of the shorter class there never was a key; its day passing changes nothing.
    world.clock.set(NOON + 400 * DAY);
    let later = disclose_to(&world, "sub-emma").await;
    assert_eq!(open_all(&world, &later).len(), opened.len() + 1);
}

/// The broker closes an exchange that the restored state has forgotten: the token says enough.
#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_exchange_can_still_be_closed() {
    let mut world = World::new().await;
    make_backup(&mut world).await;
    let (request, answer) = world.exchange(&emma()).await;
    lose_and_restore(&mut world).await;
    world.clock.set(NOON + DAY);
    let request = messages::OutcomeKeyRequest {
        token: answer.token,
        label: answer.outcome,
        phase: Phase::Outcome,
        class: answer.class,
        s1: request.s1.digest(),
    };
    let key = world.identity.outcome_key(&request).await.unwrap();
    assert_eq!(key.expiry, RetentionClass::IdnrG2y.expiry(Timestamp(NOON + DAY)));
}

/// A backup from before a period was destroyed does not bring it back, and does not stand in the way.
#[tokio::test(flavor = "multi_thread")]
async fn a_destroyed_period_stays_destroyed() {
    let mut world = World::new().await;
    let after = Timestamp(NOON).next_month().0;
    let closed = after + 35 * DAY;
    let due = (u64::from(RetentionClass::last_expiry(Timestamp(closed)).0) + 1) * DAY;
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
