//! The request to the provider's connector, repeated until it is certain how the exchange ended.
//!
//! A lost answer does not mean that nothing happened: the provider may have asked its register and answered. The
//! broker therefore sends the same forward again, and the provider answers it with the answer that it has kept. After
//! the deadline a provider that has not answered before signs that it was too late. Either way the broker learns what
//! is certain:
//!
//! | What the broker gets | What follows |
//! | --- | --- |
//! | a reply that the provider has signed | the outcome that the reply states |
//! | a deferral that the provider has signed, if the exchange is not synchronous | it waits ([`super::deferred`]) |
//! | the directory does not list the provider any more | `failed`, or `timed_out` if it may have been served |
//! | no connection, or a status that means "not asked", from the first attempt on, for [`UNREACHED_FOR`] | `failed` |
//! | a refusal without a signature, and no attempt before it may have been served | `failed` |
//! | anything else: no answer, `under-way`, a reply that is not valid | the next attempt |
//! | nothing certain for `give_up_seconds` | `timed_out`, without a reply |
//!
//! No request is sent to a component that the newest directory does not list. A reply counts if the provider signed it
//! with its key of the version in force at the intent or with its newest one: the key may have been replaced in
//! between.
//!
//! The last case does not depend on a wall clock: it counts the time in which this process has tried.

use std::time::Duration;

use ledger_client::recorded::{Intent, Recorded};
use messages::limits::{MAX_FORWARD, MAX_LATER_SECONDS};
use messages::{CallKind, Deferral, ExchangeRequest, Forward, ForwardAnswer, Reply, RepresentativeForward};
use record::ParticipantId;
use service::http::CallError;
use service::problem::Problem;
use tokio::time::Instant;

use super::record::Intents;
use crate::broker::Broker;
use crate::connectors::Route;
use crate::journal::OpenExchange;
use crate::records::{Ending, NotServed};
use crate::retry::{patient, prompt};

/// How long to keep trying a provider that was never reached. A user waits for the page.
const UNREACHED_FOR: Duration = Duration::from_secs(5);

/// What became of a forward.
#[derive(Debug)]
pub(super) enum Forwarded {
    /// It is certain how the exchange ended.
    Ended(Ending),
    /// The provider answers later.
    Deferred(Deferral),
}

/// The result of one attempt.
enum Attempt {
    /// A reply that the provider has signed for this intent.
    Replied(Reply),
    /// A deferral that the provider has signed for this intent.
    Deferred(Deferral),
    /// The provider was not reached. It has certainly not served this attempt, and may serve a later one.
    NotServed,
    /// The same, and the provider says that it is not ready.
    NotReady,
    /// The provider refuses this forward without a signature: it does not belong to its intent, or is malformed.
    Refused,
    /// The provider may have served this attempt.
    Unanswered,
}

/// Forwards the request to the provider until it is certain how the exchange ended, or that it waits. Takes the
/// recorded intents, so that nothing can be forwarded without them. `first`: no earlier run of the broker may have
/// forwarded it.
pub(super) async fn forward(broker: &Broker, intents: &Intents, open: &OpenExchange, first: bool) -> Forwarded {
    let metadata = &open.request.metadata;
    let Some(message) = message(intents, open) else {
        tracing::error!(exchange = %metadata.exchange, "the representative's intent is not recorded");
        return Forwarded::Ended(Ending::NotServed(NotServed::NotRecorded));
    };
    let (intent, body) = (&intents.subject, record::cbor::to_vec(&message));
    if body.len() > MAX_FORWARD {
        tracing::error!(exchange = %metadata.exchange, "the forward exceeds its limit");
        return Forwarded::Ended(Ending::NotServed(NotServed::TooLarge));
    }
    let since = Instant::now();
    let (mut waited_for, mut pauses, mut may_be_served) = (true, prompt(), !first);
    loop {
        let Some(route) = route(broker, open) else {
            return Forwarded::Ended(if may_be_served {
                Ending::TimedOut
            } else {
                Ending::NotServed(NotServed::NoRoute)
            });
        };
        match attempt(broker, &route, body.clone(), intent, &open.request).await {
            Attempt::Replied(reply) => return Forwarded::Ended(Ending::Replied(reply)),
            Attempt::Deferred(deferral) => return Forwarded::Deferred(deferral),
            Attempt::Refused if !may_be_served => return Forwarded::Ended(Ending::NotServed(NotServed::Refused)),
            Attempt::NotServed | Attempt::NotReady if !may_be_served && since.elapsed() >= UNREACHED_FOR => {
                return Forwarded::Ended(Ending::NotServed(NotServed::Unreachable));
            }
            Attempt::NotServed | Attempt::NotReady | Attempt::Refused => {}
            Attempt::Unanswered => may_be_served = true,
        }
        if since.elapsed() >= Duration::from_secs(broker.config.give_up_seconds) {
            tracing::error!(exchange = %metadata.exchange, "given up: the provider may have answered");
            return Forwarded::Ended(Ending::TimedOut);
        }
        if waited_for && broker.now() > metadata.deadline {
            (waited_for, pauses) = (false, patient());
        }
        tokio::time::sleep(pauses.failed()).await;
    }
}

/// Why nothing is certain yet of an exchange that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Uncertain {
    /// The provider says that it is not ready.
    NotReady,
    /// It was not reached, or may have been asked.
    Unanswered,
}

/// Sends the forward of an exchange that waits once more.
pub(super) async fn ask_again(broker: &Broker, intents: &Intents, open: &OpenExchange) -> Result<Forwarded, Uncertain> {
    let route = route(broker, open).ok_or(Uncertain::Unanswered)?;
    let body = record::cbor::to_vec(&message(intents, open).ok_or(Uncertain::Unanswered)?);
    match attempt(broker, &route, body, &intents.subject, &open.request).await {
        Attempt::Replied(reply) => Ok(Forwarded::Ended(Ending::Replied(reply))),
        Attempt::Deferred(deferral) => Ok(Forwarded::Deferred(deferral)),
        Attempt::NotReady => Err(Uncertain::NotReady),
        Attempt::NotServed | Attempt::Refused | Attempt::Unanswered => Err(Uncertain::Unanswered),
    }
}

/// How the provider gets its calls, if the newest directory lists it.
fn route(broker: &Broker, open: &OpenExchange) -> Option<Route> {
    let metadata = &open.request.metadata;
    let route = broker
        .route(&metadata.provider)
        .filter(|_| is_listed(broker, &metadata.provider));
    if route.is_none() {
        tracing::warn!(exchange = %metadata.exchange, "the provider is not listed");
    }
    route
}

fn is_listed(broker: &Broker, provider: &ParticipantId) -> bool {
    broker.live.history().state().directory().provider(provider).is_some()
}

/// The forward. `None` if a representative acts whose intent is not recorded.
fn message(intents: &Intents, open: &OpenExchange) -> Option<Forward> {
    let request = &open.request;
    let representative = match (&request.representative, &open.representative, &intents.representative) {
        (None, None, None) => None,
        (Some(s1), Some(own), Some(intent)) => Some(Box::new(RepresentativeForward {
            s1: s1.clone(),
            for_provider: own.labels.for_provider.clone(),
            intent_receipt: intent.receipt_bytes().to_vec(),
            sealed_record: own.intent_record.clone(),
        })),
        _ => return None,
    };
    Some(Forward {
        metadata: request.metadata.clone(),
        s1: request.s1.clone(),
        s2: request.s2,
        answer_key: request.answer_key,
        sealed_request: request.sealed_request.clone(),
        for_provider: open.labels.for_provider.clone(),
        intent_receipt: intents.subject.receipt_bytes().to_vec(),
        sealed_record: open.intent_record.clone(),
        representative,
    })
}

async fn attempt(
    broker: &Broker,
    route: &Route,
    body: Vec<u8>,
    intent: &Recorded<Intent>,
    request: &ExchangeRequest,
) -> Attempt {
    let (exchange, to) = (request.metadata.exchange, (&request.metadata.provider, route));
    let limit = Duration::from_secs(broker.config.forward_seconds);
    let call = broker.connectors.call(CallKind::Forward, to, broker.now(), body, limit);
    match call.await {
        Ok(answer) => match valid_answer(broker, &answer, intent, request) {
            Some(ForwardAnswer::Reply(reply)) => Attempt::Replied(reply),
            Some(ForwardAnswer::Deferral(deferral)) => Attempt::Deferred(deferral),
            None => {
                tracing::error!(%exchange, "the provider's reply is not valid");
                Attempt::Unanswered
            }
        },
        Err(error) => {
            tracing::warn!(%exchange, %error, "the provider does not reply");
            match error {
                CallError::NotConnected(_) => Attempt::NotServed,
                CallError::Refused(problem) => refused(&problem),
                CallError::Unreachable(_) | CallError::Invalid(_) => Attempt::Unanswered,
            }
        }
    }
}

/// With these slugs a provider's connector says that it has not asked its register for this call (connector,
/// `provider`).
const NOT_SERVED: [&str; 7] = [
    "starting",
    "log-not-witnessed",
    "directory-unconfirmed",
    "log-broken",
    "not-listed",
    "stopped",
    "busy",
];

/// What a refusal states about the attempt.
fn refused(problem: &Problem) -> Attempt {
    match (problem.status, problem.slug.as_str()) {
        (401 | 429, _) => Attempt::NotServed,
        (503, slug) if NOT_SERVED.contains(&slug) => Attempt::NotReady,
        (408 | 425, _) | (500.., _) => Attempt::Unanswered,
        _ => Attempt::Refused,
    }
}

/// Returns the answer if the provider has signed it for this message and this intent. Only an exchange that is not
/// synchronous is deferred, and at most for [`MAX_LATER_SECONDS`].
fn valid_answer(
    broker: &Broker,
    answer: &[u8],
    intent: &Recorded<Intent>,
    request: &ExchangeRequest,
) -> Option<ForwardAnswer> {
    let answer = ForwardAnswer::parse(answer)?;
    let (history, provider) = (broker.live.history(), &request.metadata.provider);
    let then = history.component_at(provider, intent.index()).ok()?;
    let now = history.state().directory().component(provider);
    let mut listed = then.into_iter().chain(now);
    let metadata = &request.metadata;
    let (about, is_valid) = match &answer {
        ForwardAnswer::Reply(reply) => {
            listed.find(|listed| listed.verified(|key| reply.verify(key)).is_ok())?;
            ((reply.statement.message, reply.statement.intent), true)
        }
        ForwardAnswer::Deferral(deferral) => {
            listed.find(|listed| listed.verified(|key| deferral.verify(key)).is_ok())?;
            let statement = &deferral.statement;
            let in_time = statement.available <= intent.entry().time.after(MAX_LATER_SECONDS);
            ((statement.message, statement.intent), !metadata.synchronous && in_time)
        }
    };
    (is_valid && about == (metadata.message, intent.index().get())).then_some(answer)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use messages::AnswerResult;
    use record::SigningKey;
    use trust::TrustKind;

    use super::*;
    use crate::journal::RepresentativeEntries;
    use crate::tests::trust_in_force::{Alone, end_component, recorded_intent, register_with_key};
    use crate::tests::{changed, open_exchange};

    #[tokio::test]
    async fn no_request_is_sent_to_a_provider_that_was_removed() {
        let alone = Alone::new();
        let history = changed(
            &alone.live.history(),
            TrustKind::Directory,
            end_component("register"),
            9,
        );
        alone.live.replace(history);
        let (intents, open) = (alone_intents(), open_exchange());
        let ending = forward(&alone.broker, &intents, &open, true).await;
        assert!(
            matches!(ending, Forwarded::Ended(Ending::NotServed(NotServed::NoRoute))),
            "{ending:?}"
        );
        let ending = forward(&alone.broker, &intents, &open, false).await;
        assert!(
            matches!(ending, Forwarded::Ended(Ending::TimedOut)),
            "an earlier run may have forwarded it: {ending:?}"
        );
    }

    fn alone_intents() -> Intents {
        Intents {
            subject: recorded_intent(),
            representative: None,
        }
    }

    #[tokio::test]
    async fn nothing_is_forwarded_without_the_representatives_intent() {
        let alone = Alone::new();
        let mut open = open_exchange();
        open.representative = Some(Box::new(RepresentativeEntries {
            s1: open.request.s1.digest(),
            labels: open.labels.clone(),
            content: open.content.clone(),
            intent_record: vec![3],
            intent_receipt: None,
        }));
        open.request.representative = Some(open.request.s1.clone());
        let not_recorded =
            |ending: &Forwarded| matches!(ending, Forwarded::Ended(Ending::NotServed(NotServed::NotRecorded)));
        let ending = forward(&alone.broker, &alone_intents(), &open, true).await;
        assert!(not_recorded(&ending), "{ending:?}");
        let both = Intents {
            representative: Some(recorded_intent()),
            ..alone_intents()
        };
        assert!(message(&both, &open).unwrap().representative.is_some());
        assert!(
            message(&both, &open_exchange()).is_none(),
            "an intent that belongs to no representative"
        );
    }

    #[tokio::test]
    async fn a_reply_counts_under_the_providers_key_at_the_intent_or_its_newest_one() {
        let alone = Alone::new();
        let (intent, request) = (recorded_intent(), open_exchange().request);
        let about = (request.metadata.message, intent.index().get());
        let counts = |seed: u8| {
            let key = SigningKey::from_seed([seed; 32]);
            let reply = Reply::sign(&key, about, AnswerResult::NothingFound, vec![1]);
            valid_answer(&alone.broker, &record::cbor::to_vec(&reply), &intent, &request).is_some()
        };
        assert!(counts(8) && !counts(31));
        // Index 5 is the intent's. A key that was replaced before it counts no more.
        for (index, old) in [(4, false), (6, true)] {
            let founded = Alone::new().live.history();
            alone
                .live
                .replace(changed(&founded, TrustKind::Directory, register_with_key(31), index));
            assert_eq!((counts(8), counts(31), counts(32)), (old, true, false), "{index}");
        }
    }

    #[tokio::test]
    async fn only_an_exchange_that_is_not_synchronous_is_deferred_and_at_most_thirty_days() {
        let alone = Alone::new();
        let (intent, mut request) = (recorded_intent(), open_exchange().request);
        let key = SigningKey::from_seed([8; 32]);
        let latest = intent.entry().time.after(MAX_LATER_SECONDS);
        for (synchronous, index, available, expected) in [
            (true, 0, latest, false),
            (false, 0, latest, true),
            (false, 0, latest.after(1), false),
            (false, 1, latest, false),
        ] {
            request.metadata.synchronous = synchronous;
            let about = (request.metadata.message, intent.index().get() + index);
            let deferral = Deferral::sign(&key, about, available, vec![1]);
            let valid = valid_answer(&alone.broker, &record::cbor::to_vec(&deferral), &intent, &request);
            assert_eq!(valid.is_some(), expected, "{synchronous} {index} {available}");
        }
    }

    #[test]
    fn only_a_refusal_that_states_it_means_that_the_provider_has_not_served() {
        let unavailable = |slug| refused(&Problem::unavailable(slug, 1, ""));
        for slug in NOT_SERVED {
            assert!(matches!(unavailable(slug), Attempt::NotReady), "{slug}");
        }
        assert!(matches!(refused(&Problem::unauthorized()), Attempt::NotServed));
        for slug in ["under-way", "state", "other"] {
            assert!(matches!(unavailable(slug), Attempt::Unanswered), "{slug}");
        }
        assert!(matches!(refused(&Problem::internal()), Attempt::Unanswered));
        assert!(matches!(refused(&Problem::timeout("")), Attempt::Unanswered));
        assert!(matches!(
            refused(&Problem::forbidden("not-authentic", "")),
            Attempt::Refused
        ));
    }
}
