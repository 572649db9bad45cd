//! Periods begin in time, once, and under identity's key.

use record::{Body, Kind, LabelledKind, LegalDay, Period, PeriodEvent, Timestamp};

use super::world::{EMMA, NOON, World, emma, idnr_of};
use crate::backup::{BackupError, backup, restore};
use crate::periods::{PeriodError, Periods};
use crate::state::IdentityState;
use crate::wrapping::WrappingKeys;

const DAY: u64 = 86_400;
/// 2026-12-01T00:00:00+01:00.
const DECEMBER: u64 = 1_796_079_600;
/// 2027-01-01T00:00:00+01:00.
const JANUARY: u64 = 1_798_758_000;

fn current(world: &World, now: u64) -> Option<Period> {
    world.identity.periods.current(now).map(|secret| secret.period())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_period_begins_now_and_each_later_one_is_logged_a_day_ahead() {
    let mut world = World::new().await;
    assert_eq!(current(&world, NOON), Some(Period(1)));
    world.clock.set(DECEMBER - DAY - 1);
    world.tick().await.unwrap();
    assert_eq!(world.log.len(), 1);
    world.clock.set(DECEMBER - DAY);
    world.tick().await.unwrap();
    world.restart().await;
    world.tick().await.unwrap();
    assert_eq!(world.log.kinds(), [Kind::Period, Kind::Period]);
    assert_eq!(current(&world, DECEMBER - 1), Some(Period(1)));
    assert_eq!(current(&world, DECEMBER), Some(Period(2)));
    world.clock.set(JANUARY - DAY);
    world.tick().await.unwrap();
    assert_eq!(current(&world, JANUARY), Some(Period(3)));
    // Numbers restart from 0 in every period.
    world.clock.set(JANUARY);
    let (request, answer) = world.exchange(&emma()).await;
    assert_eq!(answer.period, Period(3));
    assert_eq!(world.provider_checks(&request, &answer).number, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missed_period_begins_when_identity_is_up_again() {
    let world = World::new().await;
    let late = JANUARY + 5 * DAY;
    world.clock.set(late);
    world.tick().await.unwrap();
    assert_eq!(current(&world, late - 1), Some(Period(1)));
    assert_eq!(current(&world, late), Some(Period(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_survives_a_crash_before_its_entry_is_written() {
    let mut world = World::at(NOON).await;
    world.log.set_down(true);
    let error = world.tick().await.unwrap_err();
    assert!(error.retryable());
    assert_eq!(current(&world, NOON), None);
    world.log.set_down(false);
    world.tick().await.unwrap();
    let before = world.identity.periods.all().len();
    world.restart().await;
    assert_eq!((before, world.identity.periods.all().len(), world.log.len()), (1, 1, 1));
    assert_eq!(current(&world, NOON), Some(Period(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_does_not_belong_to_the_log_is_refused() {
    // There is no state, but the log has a period.
    let world = World::new().await;
    let mut lost = World::at(NOON).await;
    lost.log = world.log.clone();
    lost.restart().await;
    assert!(matches!(lost.tick().await, Err(PeriodError::SecretMissing(1))));
    // The state belongs to another log.
    let mut other = World::new().await;
    other.log = world.log.clone();
    other.restart().await;
    let error = other.tick().await.unwrap_err();
    assert!(matches!(error, PeriodError::OtherKey(1)), "{error}");
    assert!(!error.retryable());
}

/// The log's `period` entries: period, event and time.
fn logged_events(world: &World) -> Vec<(u32, &'static str, u64)> {
    let entries = (0..world.log.len() as u64).map(|index| world.log.entry(index));
    entries
        .filter_map(|entry| match &entry.entry().body {
            Body::Period { period, event } => {
                let what = match event {
                    PeriodEvent::Begin { .. } => "begin",
                    PeriodEvent::Final { .. } => "final",
                    PeriodEvent::Destroyed => "destroyed",
                };
                Some((period.0, what, entry.entry().time.0))
            }
            _ => None,
        })
        .collect()
}

async fn live_for_years(world: &mut World) -> Vec<messages::LabelAnswer> {
    let mut day = NOON;
    let mut exchanges = Vec::new();
    // Three and a half years with a tick each day, a restart each month, and an exchange in each of the first thirteen
    // months.
    for number in 0..1280_u32 {
        world.clock.set(day);
        world.tick().await.unwrap();
        let period = current(world, day).unwrap();
        if number.is_multiple_of(30) {
            world.restart().await;
            world.tick().await.unwrap();
        }
        if number.is_multiple_of(30) && number < 400 {
            let (_, answer) = world.exchange(&emma()).await;
            assert_eq!(answer.period, period);
            exchanges.push(answer);
        }
        day += DAY;
    }
    exchanges
}

#[tokio::test(flavor = "multi_thread")]
async fn periods_of_several_years_begin_end_and_are_forgotten() {
    let mut world = World::new().await;
    let exchanges = live_for_years(&mut world).await;
    let events = logged_events(&world);
    let when = |period: u32, what: &str| {
        events
            .iter()
            .find(|(of, is, _)| (*of, *is) == (period, what))
            .map(|(.., at)| *at)
    };
    for period in 1..=12 {
        let begun = LegalDay::of(Timestamp(when(period, "begin").unwrap() + DAY));
        let start_of_next = begun.first_of_next_month().begin().0;
        let ended = if period == 1 { DECEMBER } else { start_of_next };
        // Ticks run at noon (UTC) only.
        assert!(when(period + 1, "begin").unwrap() <= ended - DAY / 3, "period {period}");
        let last = when(period, "final").unwrap();
        assert!(
            (ended + 35 * DAY..ended + 37 * DAY).contains(&last),
            "period {period} final at {last}"
        );
        let gone = when(period, "destroyed").unwrap();
        let expiry = record::RetentionClass::IdnrG2y.expiry(Timestamp(last)).0;
        assert_eq!(LegalDay::of(Timestamp(gone)).0, expiry + 1, "period {period}");
    }
    // Each event is in the log once.
    let mut unique: Vec<_> = events.iter().map(|(period, what, _)| (*period, *what)).collect();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), events.len());
    // The state has no row of a destroyed period.
    let first = &exchanges[0];
    assert!(world.identity.periods.get(first.period).is_none());
    assert!(world.identity.state.owner(&first.intent).unwrap().is_none());
    assert!(
        world
            .identity
            .state
            .next(&idnr_of(EMMA), first.period, record::Series::Exchanges)
            .unwrap()
            == 0
    );
    let wrapping = world.dir.path().join("wrapping");
    assert_eq!(
        std::fs::read_dir(wrapping).unwrap().count(),
        world.identity.periods.all().len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unclosed_intent_is_recorded_as_lost_before_its_period_is_final() {
    let world = World::new().await;
    let request = world.request(&emma());
    let answer = world.ask(&request).await.unwrap();
    let intent = world
        .log
        .write_labelled(LabelledKind::Intent, answer.period, answer.intent, None)
        .unwrap();
    for day in [DECEMBER - DAY, DECEMBER + 34 * DAY - 1] {
        world.clock.set(day);
        world.tick().await.unwrap();
    }
    assert!(!world.log.kinds().contains(&Kind::Lost));
    world.clock.set(DECEMBER + 34 * DAY);
    world.tick().await.unwrap();
    let last = world.log.entry(world.log.len() as u64 - 1);
    assert!(matches!(last.entry().body, Body::Reference { refers, .. } if refers.get() == intent));
    assert!(logged_events(&world).iter().all(|(_, what, _)| *what != "final"));
    world.clock.set(DECEMBER + 35 * DAY);
    world.tick().await.unwrap();
    assert!(logged_events(&world).contains(&(1, "final", DECEMBER + 35 * DAY)));
}

/// Retries, because the thread of a closed store releases its file a moment after the last handle is dropped.
async fn retry<T, E: std::fmt::Debug>(mut open: impl FnMut() -> Result<T, E>) -> T {
    for _ in 0..500 {
        if let Ok(opened) = open() {
            return opened;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    open().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_opens_nothing_without_the_wrapping_keys() {
    let mut world = World::new().await;
    let (_, answer) = world.exchange(&emma()).await;
    let evaluated = |periods: &Periods| {
        let secret = periods.get(Period(1)).unwrap();
        secret
            .evaluate(&idnr_of(EMMA), record::Series::Exchanges, 0)
            .labels
            .intent
    };
    let (elsewhere, data) = (tempfile::tempdir().unwrap(), world.dir.path().to_path_buf());
    let file = elsewhere.path().join("backup");
    assert!(
        matches!(backup(&data, &file), Err(BackupError::State(..))),
        "identity is still running"
    );
    world.stop();
    assert_eq!(retry(|| backup(&data, &file)).await.living, [Period(1)]);
    assert!(matches!(backup(&data, &file), Err(BackupError::Exists(_))));

    // Without the wrapping keys the restoration reports the missing key, and identity does not start.
    let bare = elsewhere.path().join("bare");
    assert_eq!(restore(&file, &bare).unwrap().without_key, [Period(1)]);
    assert!(matches!(restore(&file, &bare), Err(BackupError::Exists(_))));
    let keys = WrappingKeys::open(&bare.join("wrapping")).unwrap();
    let state = retry(|| IdentityState::open(&bare.join("state.redb"))).await;
    let periods = Periods::load(&state, keys.clone()).unwrap();
    assert!(periods.all().is_empty());
    let error = periods.follow(&state, &world.log).await.unwrap_err();
    assert!(matches!(error, PeriodError::WrappingKeyMissing(1)), "{error}");
    // A different wrapping key is refused.
    keys.make(Period(1)).unwrap();
    assert!(matches!(Periods::load(&state, keys), Err(PeriodError::Wrapping(_))));

    // With the folder from the replica the restoration is complete.
    let whole = elsewhere.path().join("whole");
    std::fs::create_dir_all(&whole).unwrap();
    std::fs::rename(data.join("wrapping"), whole.join("wrapping")).unwrap();
    assert_eq!(restore(&file, &whole).unwrap().without_key, []);
    let state = retry(|| IdentityState::open(&whole.join("state.redb"))).await;
    let periods = Periods::load(&state, WrappingKeys::open(&whole.join("wrapping")).unwrap()).unwrap();
    assert_eq!(evaluated(&periods), answer.intent);

    // A file that is not a backup is not restored.
    std::fs::write(&file, b"something else").unwrap();
    let none = elsewhere.path().join("none");
    assert!(matches!(restore(&file, &none), Err(BackupError::State(..))));
    assert!(!none.join("state.redb").exists());
}
