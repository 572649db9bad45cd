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
//! | no connection, or a status that means "not asked", from the first attempt on, for [`UNREACHED_FOR`] | `failed` |
//! | a refusal without a signature, and no attempt before it may have been served | `failed` |
//! | anything else: no answer, `under-way`, a reply that is not valid | the next attempt |
//! | nothing certain for `give_up_seconds` | `timed_out`, without a reply |
//!
//! The last case does not depend on a wall clock: it counts the time in which this process has tried.

use std::time::Duration;

use ledger_client::recorded::{Intent, Recorded};
use messages::limits::MAX_FORWARD;
use messages::{CallKind, ExchangeRequest, Forward, Reply};
use service::http::CallError;
use service::problem::Problem;
use tokio::time::Instant;

use crate::broker::Broker;
use crate::journal::OpenExchange;
use crate::records::{Ending, NotServed};
use crate::retry::{patient, prompt};

/// How long to keep trying a provider that was never reached. A user waits for the page.
const UNREACHED_FOR: Duration = Duration::from_secs(5);

/// The result of one attempt.
enum Attempt {
    /// A reply that the provider has signed for this intent.
    Replied(Reply),
    /// The provider has certainly not served this attempt, and may serve a later one.
    NotServed,
    /// The provider refuses this forward without a signature: it does not belong to its intent, or is malformed.
    Refused,
    /// The provider may have served this attempt.
    Unanswered,
}

/// Forwards the request to the provider until it is certain how the exchange ended. Takes the recorded intent, so that
/// nothing can be forwarded without one. `first`: no earlier run of the broker may have forwarded it.
pub(super) async fn forward(broker: &Broker, intent: &Recorded<Intent>, open: &OpenExchange, first: bool) -> Ending {
    let metadata = &open.request.metadata;
    let Some(route) = broker.config.routes.get(&metadata.provider) else {
        return Ending::NotServed(NotServed::NoRoute);
    };
    let body = record::cbor::to_vec(&message(intent, open));
    if body.len() > MAX_FORWARD {
        tracing::error!(exchange = %metadata.exchange, "the forward exceeds its limit");
        return Ending::NotServed(NotServed::TooLarge);
    }
    let since = Instant::now();
    let (mut waited_for, mut pauses, mut may_be_served) = (true, prompt(), !first);
    loop {
        match attempt(broker, route, body.clone(), intent, &open.request).await {
            Attempt::Replied(reply) => return Ending::Replied(reply),
            Attempt::Refused if !may_be_served => return Ending::NotServed(NotServed::Refused),
            Attempt::NotServed if !may_be_served && since.elapsed() >= UNREACHED_FOR => {
                return Ending::NotServed(NotServed::Unreachable);
            }
            Attempt::NotServed | Attempt::Refused => {}
            Attempt::Unanswered => may_be_served = true,
        }
        if since.elapsed() >= Duration::from_secs(broker.config.give_up_seconds) {
            tracing::error!(exchange = %metadata.exchange, "given up: the provider may have answered");
            return Ending::TimedOut;
        }
        if waited_for && broker.now() > metadata.deadline {
            (waited_for, pauses) = (false, patient());
        }
        tokio::time::sleep(pauses.failed()).await;
    }
}

fn message(intent: &Recorded<Intent>, open: &OpenExchange) -> Forward {
    let request = &open.request;
    Forward {
        metadata: request.metadata.clone(),
        s1: request.s1.clone(),
        s2: request.s2,
        answer_key: request.answer_key,
        sealed_request: request.sealed_request.clone(),
        for_provider: open.labels.for_provider.clone(),
        intent_receipt: intent.receipt_bytes().to_vec(),
        sealed_record: open.intent_record.clone(),
    }
}

async fn attempt(
    broker: &Broker,
    route: &str,
    body: Vec<u8>,
    intent: &Recorded<Intent>,
    request: &ExchangeRequest,
) -> Attempt {
    let (exchange, to) = (request.metadata.exchange, (&request.metadata.provider, route));
    let limit = Duration::from_secs(broker.config.forward_seconds);
    let call = broker.connectors.call(CallKind::Forward, to, broker.now(), body, limit);
    match call.await {
        Ok(answer) => valid_reply(broker, &answer, intent, request).map_or_else(
            || {
                tracing::error!(%exchange, "the provider's reply is not valid");
                Attempt::Unanswered
            },
            Attempt::Replied,
        ),
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

/// What a refusal states about the attempt. A provider's connector says with these slugs that it has not asked its
/// register for this call (connector, `provider`).
fn refused(problem: &Problem) -> Attempt {
    match (problem.status, problem.slug.as_str()) {
        (401 | 429, _) | (503, "starting" | "log-not-witnessed" | "stopped" | "busy") => Attempt::NotServed,
        (408 | 425, _) | (500.., _) => Attempt::Unanswered,
        _ => Attempt::Refused,
    }
}

/// Returns the reply if the provider has signed it for this message and this intent.
fn valid_reply(broker: &Broker, answer: &[u8], intent: &Recorded<Intent>, request: &ExchangeRequest) -> Option<Reply> {
    let reply: Reply = record::cbor::from_slice(answer).ok()?;
    let provider = broker.anchored.directory.participant(&request.metadata.provider)?;
    reply.verify(&provider.signing_key).ok()?;
    let statement = &reply.statement;
    (statement.message == request.metadata.message && statement.intent == intent.index().get()).then_some(reply)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_that_states_it_means_that_the_provider_has_not_served() {
        let unavailable = |slug| refused(&Problem::unavailable(slug, 1, ""));
        assert!(matches!(unavailable("starting"), Attempt::NotServed));
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
