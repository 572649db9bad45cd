//! How many exchanges a component begins, and the ceilings that the directory sets for it.
//!
//! Minutes and days are those of the broker's clock in UTC. The counts are in memory and begin at 0 when the broker
//! starts, so a restart may let a component begin twice as many exchanges on that day. Every authenticated request
//! counts, also one that is then refused, because a refusal costs an entry in the log too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use record::{ParticipantId, Timestamp};
use service::problem::Problem;
use trust::Component;

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

/// Counts by component. Cheap to clone; clones share the counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Begun(Arc<Mutex<Counts>>);

/// The counts of one day. They are dropped when another day begins, so there is at most one for each component that
/// the directory had on that day.
#[derive(Debug, Default)]
struct Counts {
    day: u64,
    components: HashMap<ParticipantId, Count>,
}

#[derive(Debug, Default)]
struct Count {
    in_day: u32,
    minute: u64,
    in_minute: u32,
}

impl Begun {
    /// Counts a request of the component.
    ///
    /// # Errors
    /// 429, and nothing is counted, when the component has reached a ceiling.
    pub(crate) fn count(&self, component: &Component, now: Timestamp) -> Result<(), Problem> {
        let Some(ceilings) = component.ceilings else {
            return Ok(());
        };
        let (day, minute) = (now.0 / DAY, now.0 / MINUTE);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.day != day {
            *counts = Counts {
                day,
                ..Counts::default()
            };
        }
        let count = counts.components.entry(component.id.clone()).or_default();
        if count.minute != minute {
            (count.minute, count.in_minute) = (minute, 0);
        }
        if count.in_day >= ceilings.per_day {
            return Err(reached("day", DAY - now.0 % DAY));
        }
        if count.in_minute >= ceilings.per_minute {
            return Err(reached("minute", MINUTE - now.0 % MINUTE));
        }
        count.in_day += 1;
        count.in_minute += 1;
        Ok(())
    }
}

fn reached(period: &str, seconds: u64) -> Problem {
    let detail = format!("the directory permits this component no more exchanges in this {period}");
    Problem::too_many(u32::try_from(seconds).unwrap_or(u32::MAX), detail)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use record::SigningKey;
    use trust::Ceilings;

    use super::*;

    fn component(id: &str, ceilings: Option<Ceilings>) -> Component {
        let key = SigningKey::from_seed([1; 32]).public();
        Component {
            ceilings,
            ..fixtures::values::consumer(id, key, [2; 32])
        }
    }

    #[test]
    fn a_component_begins_as_many_as_its_ceilings_say() {
        let ceilings = Ceilings {
            per_minute: 2,
            per_day: 3,
        };
        let (begun, city) = (Begun::default(), component("city", Some(ceilings)));
        let noon = 20_000 * DAY + DAY / 2;
        let count = |seconds| {
            begun
                .count(&city, Timestamp(noon + seconds))
                .map_err(|problem| problem.retry_after)
        };
        assert_eq!((count(0), count(59)), (Ok(()), Ok(())));
        assert_eq!(count(59), Err(Some(1)));
        assert_eq!(count(60), Ok(()));
        assert_eq!(count(61), Err(Some(u32::try_from(DAY / 2 - 61).unwrap())));
        assert_eq!(count(DAY / 2), Ok(()));
        // Others are not concerned.
        let now = Timestamp(noon + 61);
        assert!(begun.count(&component("town", Some(ceilings)), now).is_ok());
        for _ in 0..10 {
            assert!(begun.count(&component("free", None), now).is_ok());
        }
    }
}
