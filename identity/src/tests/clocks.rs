//! What a wrong clock may not do: nothing that cannot be undone happens on one clock alone, and identity works again as
//! soon as its clock is right.

use record::{Kind, LabelledKind, Period, Phase, RetentionClass, Timestamp};

use super::disclosure::{disclose_to, recorded_exchange};
use super::world::{NOON, World, emma};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;
/// 2026-12-01T00:00:00+01:00.
const DECEMBER: u64 = 1_796_079_600;

/// The files of the day keys and of the wrapping keys.
fn key_files(world: &World) -> Vec<String> {
    let names = |folder: &str| {
        let entries = std::fs::read_dir(world.dir.path().join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap())
    };
    let mut files: Vec<_> = names("daykeys").chain(names("wrapping")).collect();
    files.sort();
    files
}

/// One round of the background work, as `start` does it.
async fn round(world: &World) {
    world.tick().await.unwrap();
    if let Ok(now) = world.identity.agreed() {
        world.identity.prune(&now).await.unwrap();
        world.identity.destroy_expired(now).await.unwrap();
    }
    let _ = world.identity.sweep().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jump_destroys_and_begins_nothing_and_work_continues_when_it_is_over() {
    for jump in [40, HOUR, 10 * DAY, 3 * YEAR, -40, -HOUR, -3 * YEAR] {
        let world = World::new().await;
        recorded_exchange(&world, 1).await;
        let (files, entries) = (key_files(&world), world.log.len());
        let request = world.request(&emma());
        world.clock.jump(jump);
        for _ in 0..14 {
            world.clock.advance(1);
            round(&world).await;
            assert_eq!(world.ask(&request).await.unwrap_err().slug, "clock", "{jump}");
        }
        assert_eq!((key_files(&world), world.log.len()), (files, entries), "{jump}");
        world.clock.jump(-jump);
        round(&world).await;
        recorded_exchange(&world, 2).await;
        disclose_to(&world, "sub-emma").await;
    }
}

/// The case that did the damage: every clock of a machine jumps, those of the witnesses too.
#[tokio::test(flavor = "multi_thread")]
async fn witnesses_that_jump_along_do_not_explain_a_jump() {
    let world = World::new().await;
    // The last day of the month: the next period has begun and would become current.
    world.clock.set(DECEMBER - 3600);
    round(&world).await;
    let (files, entries) = (key_files(&world), world.log.len());
    world.clock.jump(3 * YEAR);
    round(&world).await;
    assert_eq!((key_files(&world), world.log.len()), (files.clone(), entries));
    // A restart is no confirmation.
    let mut world = world;
    world.restart().await;
    round(&world).await;
    assert_eq!((key_files(&world), world.log.len()), (files, entries));
    // An operator's is: three years have passed.
    std::fs::remove_file(world.dir.path().join("clock.stopped")).unwrap();
    round(&world).await;
    assert!(world.log.len() > entries);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_wrong_from_the_start_waits_for_the_witnesses() {
    for ahead in [121, HOUR, 3 * YEAR, -121, -3 * YEAR] {
        let world = World::at(NOON).await;
        world.log.set_witnesses_ahead(ahead);
        round(&world).await;
        assert_eq!(world.log.len(), 0, "{ahead}: no period begins");
        world.log.set_witnesses_ahead(0);
        round(&world).await;
        assert_eq!(world.log.kinds(), [Kind::Period], "{ahead}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_clock_destroys_nothing_and_is_noticed() {
    let world = World::new().await;
    let files = key_files(&world);
    world.clock.freeze(31);
    round(&world).await;
    assert_eq!(world.ask(&world.request(&emma())).await.unwrap_err().slug, "clock");
    assert_eq!(key_files(&world), files);
    world.clock.jump(31);
    world.exchange(&emma()).await;
}

/// The slowest clock counts, so a key lives until the last second of its German day by every clock.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_key_is_destroyed_when_the_german_day_is_over_by_every_clock() {
    let world = World::new().await;
    recorded_exchange(&world, 1).await;
    let end = RetentionClass::IdnrG2y.expiry(Timestamp(NOON)).end().0;
    let day_keys = |world: &World| key_files(world).iter().filter(|name| name.starts_with("idnrg")).count();
    world.clock.set(end - 1);
    round(&world).await;
    assert_eq!(day_keys(&world), 1, "the day is not over in Germany");
    world.clock.set(end + 60);
    world.log.set_witnesses_ahead(-61);
    round(&world).await;
    assert_eq!(day_keys(&world), 1, "it is not over by the witnesses' time");
    world.log.set_witnesses_ahead(0);
    round(&world).await;
    assert_eq!(day_keys(&world), 0);
}

/// A number that was reserved while the clock was years ahead does not block its person for years.
#[tokio::test(flavor = "multi_thread")]
async fn a_reservation_of_a_fast_clock_is_voided_when_the_clock_is_right() {
    let mut world = World::new().await;
    world.stop();
    world.clock.set(NOON + YEAR.unsigned_abs());
    world.log.set_witnesses_ahead(-YEAR);
    world.restart().await;
    let answer = world.ask(&world.request(&emma())).await.unwrap();
    // The clock is set right while identity is down.
    world.stop();
    world.clock.set(NOON);
    world.log.set_witnesses_ahead(0);
    world.restart().await;
    let (_, next) = world.exchange(&emma()).await;
    assert_ne!(next.intent, answer.intent);
    assert!(world.log.kinds().contains(&Kind::Void));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_that_could_not_be_begun_in_time_starts_later() {
    let mut world = World::at(NOON).await;
    world.log.set_down(true);
    assert!(world.tick().await.unwrap_err().retryable());
    world.clock.set(NOON + 3 * DAY.unsigned_abs());
    world.restart().await;
    world.log.set_down(false);
    world.tick().await.unwrap();
    let record::Body::Period { period, event } = world.log.entry(0).entry().body.clone() else {
        panic!("not a period");
    };
    let record::PeriodEvent::Begin { start, .. } = event else {
        panic!("not a begin");
    };
    assert_eq!((period, start.0), (Period(1), NOON + 3 * DAY.unsigned_abs()));
    world.restart().await;
    let (_, answer) = world.exchange(&emma()).await;
    assert!(
        world
            .log
            .write_labelled(LabelledKind::Outcome, answer.period, answer.label(Phase::Outcome), None)
            .is_ok()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_that_begins_at_the_end_of_a_month_takes_the_next_month_too() {
    let world = World::at(DECEMBER - 3600).await;
    world.tick().await.unwrap();
    world.clock.set(DECEMBER);
    world.tick().await.unwrap();
    assert_eq!(world.log.kinds(), [Kind::Period]);
    // 2026-12-31T00:00:00+01:00, a day before January.
    world.clock.set(1_798_758_000 - DAY.unsigned_abs());
    world.tick().await.unwrap();
    assert_eq!(world.log.kinds(), [Kind::Period, Kind::Period]);
}
