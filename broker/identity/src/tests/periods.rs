//! Periods: begun in time, once, under our key.

use record::{Kind, Period};

use super::world::{NOON, World, emma};
use crate::periods::PeriodError;

const DAY: u64 = 86_400;
/// 2026-12-01T00:00:00Z.
const DECEMBER: u64 = 1_796_083_200;
/// 2027-01-01T00:00:00Z.
const JANUARY: u64 = 1_798_761_600;

fn current(world: &World, now: u64) -> Option<Period> {
    world.identity.periods.current(now).map(|secret| secret.period())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_begins_now_and_each_next_is_logged_a_day_ahead() {
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
    // Numbers start anew in every period.
    world.clock.set(JANUARY);
    let (request, answer) = world.exchange(&emma()).await;
    assert_eq!(answer.period, Period(3));
    assert_eq!(world.provider_checks(&request, &answer).number, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_that_was_missed_begins_when_identity_is_back() {
    let world = World::new().await;
    let late = JANUARY + 5 * DAY;
    world.clock.set(late);
    world.tick().await.unwrap();
    assert_eq!(current(&world, late - 1), Some(Period(1)));
    assert_eq!(current(&world, late), Some(Period(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_before_the_entry_keeps_the_key() {
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
async fn a_state_that_does_not_belong_to_the_log_is_noticed() {
    // No state, but the log has a period.
    let world = World::new().await;
    let mut lost = World::at(NOON).await;
    lost.log = world.log.clone();
    lost.restart().await;
    assert!(matches!(lost.tick().await, Err(PeriodError::SecretMissing(1))));
    // A state of another log.
    let mut other = World::new().await;
    other.log = world.log.clone();
    other.restart().await;
    let error = other.tick().await.unwrap_err();
    assert!(matches!(error, PeriodError::OtherKey(1)), "{error}");
    assert!(!error.retryable());
}
