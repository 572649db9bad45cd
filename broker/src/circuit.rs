//! Circuit breaking: while a provider does not answer, no exchange with it is begun.
//!
//! Every exchange that is begun costs the person a number and the log two entries, and the consumer seconds of waiting.
//! After [`THRESHOLD`] exchanges in a row that the provider's connector did not answer, the broker refuses new ones
//! with 503 before anything is recorded, for a time that doubles from [`FIRST_PAUSE`] to [`MAX_PAUSE`]. Then one
//! exchange may try; its answer decides for the others. A permission is checked first, so that a circuit hides no
//! denial.
//!
//! The circuits are in memory: after a restart every provider is tried again. They count providers that the directory
//! lists and that were asked, so there are never more than it lists.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use record::ParticipantId;
use service::problem::Problem;

use crate::records::{Ending, NotServed};

/// So many exchanges in a row without an answer open the circuit.
const THRESHOLD: u32 = 5;
/// How long the first pause lasts.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
/// The longest pause.
const MAX_PAUSE: Duration = Duration::from_secs(300);

/// The circuits of all providers.
#[derive(Debug, Default)]
pub(crate) struct Circuits(Mutex<HashMap<ParticipantId, Circuit>>);

#[derive(Debug, Default)]
struct Circuit {
    /// Exchanges without an answer since the last answer.
    failures: u32,
    /// The end of the pause, while there is one.
    until: Option<Instant>,
}

impl Circuits {
    /// Lets an exchange with the provider begin. After a pause it lets one begin, and pauses again until that has
    /// ended.
    ///
    /// # Errors
    /// 503 while the provider does not answer.
    pub(crate) fn admit(&self, provider: &ParticipantId, now: Instant) -> Result<(), Problem> {
        let mut circuits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(circuit) = circuits.get_mut(provider) else {
            return Ok(());
        };
        match circuit.until {
            None => Ok(()),
            Some(until) if until <= now => {
                circuit.until = Some(now + pause(circuit.failures));
                Ok(())
            }
            Some(until) => {
                let seconds = u32::try_from((until - now).as_secs()).unwrap_or(u32::MAX);
                let detail = "the provider does not answer at present";
                Err(Problem::unavailable(
                    "provider-unavailable",
                    seconds.saturating_add(1),
                    detail,
                ))
            }
        }
    }

    /// Takes account of a provider that has answered.
    pub(crate) fn answered(&self, provider: &ParticipantId) {
        let mut circuits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if circuits.remove(provider).is_some_and(|circuit| circuit.until.is_some()) {
            tracing::info!(%provider, "the provider answers again");
        }
    }

    /// Takes account of how an exchange ended.
    pub(crate) fn ended(&self, provider: &ParticipantId, ending: &Ending, now: Instant) {
        match ending {
            Ending::Replied(_) => return self.answered(provider),
            Ending::NotServed(NotServed::Unreachable) | Ending::TimedOut => {}
            // These say nothing about whether the provider's connector answers.
            Ending::NotServed(
                NotServed::NoRoute | NotServed::Refused | NotServed::TooLarge | NotServed::NotRecorded,
            )
            | Ending::Withdrawn => return,
        }
        let mut circuits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let circuit = circuits.entry(provider.clone()).or_default();
        circuit.failures = circuit.failures.saturating_add(1);
        if circuit.failures >= THRESHOLD {
            let pause = pause(circuit.failures);
            circuit.until = Some(now + pause);
            tracing::error!(%provider, seconds = pause.as_secs(), "the provider does not answer: no exchange is begun");
        }
    }
}

/// The pause after so many failures in a row.
fn pause(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(THRESHOLD).min(16);
    FIRST_PAUSE.saturating_mul(1 << doublings).min(MAX_PAUSE)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use messages::{AnswerResult, Reply};
    use record::SigningKey;
    use uuid::Uuid;

    use super::*;

    const UNREACHABLE: Ending = Ending::NotServed(NotServed::Unreachable);

    fn id(name: &str) -> ParticipantId {
        ParticipantId::new(name).unwrap()
    }

    fn answered() -> Ending {
        let key = SigningKey::from_seed([1; 32]);
        Ending::Replied(Reply::sign(&key, (Uuid::nil(), 1), AnswerResult::NothingFound, vec![1]))
    }

    #[test]
    fn a_provider_that_does_not_answer_is_left_alone_and_tried_by_one_exchange_after_the_pause() {
        let (circuits, silent, other) = (Circuits::default(), id("silent"), id("other"));
        let mut now = Instant::now();
        for _ in 1..THRESHOLD {
            circuits.ended(&silent, &UNREACHABLE, now);
        }
        assert!(circuits.admit(&silent, now).is_ok(), "too few failures");
        circuits.ended(&silent, &Ending::TimedOut, now);
        let refused = circuits.admit(&silent, now).unwrap_err();
        assert_eq!((refused.status, refused.slug.as_str()), (503, "provider-unavailable"));
        assert!(circuits.admit(&other, now).is_ok(), "another provider is not concerned");
        now += FIRST_PAUSE;
        assert!(circuits.admit(&silent, now).is_ok());
        assert!(circuits.admit(&silent, now).is_err(), "one exchange tries");
        circuits.ended(&silent, &UNREACHABLE, now);
        now += FIRST_PAUSE;
        assert!(circuits.admit(&silent, now).is_err(), "the second pause is longer");
        now += FIRST_PAUSE;
        assert!(circuits.admit(&silent, now).is_ok());
        circuits.ended(&silent, &answered(), now);
        for _ in 0..10 {
            assert!(circuits.admit(&silent, now).is_ok());
        }
    }

    #[test]
    fn what_says_nothing_about_the_connector_does_not_count() {
        let (circuits, provider, now) = (Circuits::default(), id("provider"), Instant::now());
        for _ in 0..3 * THRESHOLD {
            for reason in [NotServed::NoRoute, NotServed::Refused, NotServed::TooLarge] {
                circuits.ended(&provider, &Ending::NotServed(reason), now);
            }
            circuits.ended(&provider, &UNREACHABLE, now);
            circuits.ended(&provider, &answered(), now);
        }
        assert!(circuits.admit(&provider, now).is_ok());
        assert_eq!(pause(u32::MAX), MAX_PAUSE);
    }
}
