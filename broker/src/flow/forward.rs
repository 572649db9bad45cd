//! The request to the provider's connector, and the check of its reply.

use std::time::Duration;

use ledger_client::recorded::{Intent, Recorded};
use messages::{ExchangeRequest, Forward, Reply};

use crate::broker::Broker;
use crate::journal::JournalEntry;
use crate::records::Ending;

/// Forwards the request to the provider. Takes the recorded intent, so that nothing can be forwarded without one.
pub(super) async fn forward(broker: &Broker, intent: &Recorded<Intent>, entry: &JournalEntry) -> Ending {
    let request = &entry.request;
    let Some(route) = broker.config.routes.get(&request.metadata.provider) else {
        return Ending::Failed;
    };
    let message = Forward {
        metadata: request.metadata.clone(),
        s1: request.s1.clone(),
        s2: request.s2,
        answer_key: request.answer_key,
        sealed_request: request.sealed_request.clone(),
        for_provider: entry.labels.for_provider.clone(),
        intent_receipt: intent.receipt_bytes().to_vec(),
        sealed_record: entry.intent_record.clone(),
    };
    let url = format!("{route}/forward");
    let call = broker.connectors.post_cbor(&url, record::cbor::to_vec(&message));
    let limit = Duration::from_secs(broker.config.forward_seconds);
    let answer = match tokio::time::timeout(limit, call).await {
        Err(_) => return Ending::TimedOut,
        Ok(Err(error)) => {
            tracing::warn!(exchange = %request.metadata.exchange, %error, "the provider does not reply");
            return Ending::Failed;
        }
        Ok(Ok(answer)) => answer,
    };
    match valid_reply(broker, &answer, intent, request) {
        Some(reply) => Ending::Replied(reply),
        None => {
            tracing::error!(exchange = %request.metadata.exchange, "the provider's reply is not valid");
            Ending::Failed
        }
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
