//! The entry of an exchange: authentication, abstract permission, labels, journal. A refused request leaves a
//! `denial`. One history of directory and Registerlandkarte decides from the beginning to the end.

use std::time::{Duration, Instant};

use ledger_client::recorded::Denial;
use ledger_client::writer::Draft;
use messages::limits::MAX_DEADLINE_SECONDS;
use messages::request::S1_VALIDITY;
use messages::{DenialKeyRequest, ExchangeRequest, LabelAnswer, LabelRequest, S1};
use record::entry::Body;
use record::{DayKey, ExchangeRecord, RetentionClass};
use service::problem::Problem;
use trust::History;

use super::record::{seal, supervision};
use crate::authenticate::{Authenticated, authenticate};
use crate::broker::Broker;
use crate::journal::{JournalEntry, OpenExchange, RepresentativeEntries};
use crate::metrics::count_exchange;
use crate::permit::{Permitted, permit};
use crate::problems::{not_authenticated, not_permitted, not_recorded, stopped, try_again};
use crate::records;

/// SPEC: design §5.4: the broker asks identity for a label only while its own writer waits less than this.
const MAX_WRITER_WAIT: Duration = Duration::from_secs(1);

/// Takes a new request into the journal.
///
/// # Errors
/// The problem for the consumer. A permission that is refused has been recorded as a `denial` by then.
pub(super) async fn enter(broker: &Broker, request: ExchangeRequest) -> Result<Box<OpenExchange>, Problem> {
    let id = request.metadata.exchange;
    let now = broker.now();
    let history = broker.live.confirmed().inspect_err(|error| {
        tracing::warn!(exchange = %id, %error, "not begun");
    })?;
    let authenticated = authenticate(request, history.state().directory(), now).map_err(|error| {
        tracing::info!(exchange = %id, %error, "not authenticated");
        count_exchange("not_authenticated");
        not_authenticated(&error)
    })?;
    if authenticated.request().metadata.deadline < now {
        return Err(Problem::bad_request("deadline-passed", "the deadline is in the past"));
    }
    if authenticated.request().metadata.deadline > now.after(MAX_DEADLINE_SECONDS + S1_VALIDITY) {
        return Err(Problem::bad_request(
            "deadline-too-late",
            "the deadline is too far in the future",
        ));
    }
    if let Some(consumer) = history.state().directory().component(&authenticated.consumer().id) {
        broker.begun.count(consumer, now)?;
    }
    match permit(authenticated, &history, now) {
        Ok(permitted) => label(broker, &history, permitted).await,
        Err(denied) => {
            let (authenticated, reason) = *denied;
            Err(deny(
                broker,
                &history,
                &authenticated,
                &reason.to_string(),
                RetentionClass::IdnrG2y,
            )
            .await)
        }
    }
}

/// Gets labels and record keys from identity, for a representative as well, and writes the journal.
async fn label(broker: &Broker, history: &History, permitted: Permitted) -> Result<Box<OpenExchange>, Problem> {
    if broker.writer.waiting() >= MAX_WRITER_WAIT {
        return Err(try_again("the log is slow at the moment"));
    }
    let request = permitted.authenticated().request().clone();
    let (consumer, provider) = (&request.metadata.consumer, &request.metadata.provider);
    broker.circuits.admit(provider, Instant::now())?;
    let places = broker.providers.take(provider).zip(broker.consumers.take(consumer));
    let Some((provider_place, consumer_place)) = places else {
        tracing::error!(%provider, %consumer, "too many exchanges are outstanding: none is begun");
        return Err(Problem::unavailable("busy", 5, "too many exchanges are outstanding"));
    };
    let waiting_places = if request.metadata.synchronous {
        None
    } else {
        let places = broker
            .waiting_providers
            .take(provider)
            .zip(broker.waiting_consumers.take(consumer));
        if places.is_none() {
            tracing::error!(%provider, %consumer, "too many exchanges wait for evidence: none that may wait is begun");
            return Err(Problem::unavailable("busy", 60, "too many exchanges wait for evidence"));
        }
        places
    };
    let rule = &permitted.permission().rule;
    let preview_place = if rule.preview {
        let place = broker.previews.take(consumer);
        if place.is_none() {
            tracing::error!(%consumer, "too many previews are outstanding: no exchange with one is begun");
            return Err(Problem::unavailable("busy", 5, "too many previews are outstanding"));
        }
        place
    } else {
        None
    };
    let labels = ask_for_labels(broker, history, &permitted, &request.s1).await?;
    let representative = match &request.representative {
        Some(s1) => Some((s1, ask_for_labels(broker, history, &permitted, s1).await?)),
        None => None,
    };
    let content = records::intent(&permitted, labels.expiry);
    let official = &request.metadata.official;
    let sealed = seal(history, &content, None, official, (labels.intent, &labels.intent_key))?;
    let representative = match representative {
        Some((s1, labels)) => Some(representatives_entries(history, &content, official, s1, labels)?),
        None => None,
    };
    let open = Box::new(OpenExchange {
        representative,
        intent_record: sealed.bytes().to_vec(),
        content,
        labels,
        request,
        preview: rule.preview,
        closing: None,
        intent_receipt: None,
    });
    let entry = JournalEntry::Open(open.clone());
    broker.journal.put(&entry).await.map_err(stopped)?;
    provider_place.keep();
    consumer_place.keep();
    if let Some((provider_place, consumer_place)) = waiting_places {
        provider_place.keep();
        consumer_place.keep();
    }
    if let Some(place) = preview_place {
        place.keep();
    }
    Ok(open)
}

/// Seals the record of the representative's intent.
fn representatives_entries(
    history: &History,
    subject: &ExchangeRecord,
    official: &str,
    s1: &S1,
    labels: LabelAnswer,
) -> Result<Box<RepresentativeEntries>, Problem> {
    let content = records::representatives(subject, s1, labels.expiry);
    let sealed = seal(history, &content, None, official, (labels.intent, &labels.intent_key))?;
    Ok(Box::new(RepresentativeEntries {
        s1: s1.digest(),
        labels,
        content,
        intent_record: sealed.into_bytes(),
        intent_receipt: None,
    }))
}

/// Asks identity for the labels of a person. A refusal leaves a `denial`.
async fn ask_for_labels(
    broker: &Broker,
    history: &History,
    permitted: &Permitted,
    s1: &S1,
) -> Result<LabelAnswer, Problem> {
    let rule = &permitted.permission().rule;
    let label_request = LabelRequest {
        s1: s1.clone(),
        retention: rule.retention,
        disclosure: rule.disclosure,
    };
    let error = match broker.ask_identity("labels", &label_request).await {
        Ok(labels) => return Ok(labels),
        Err(error) if error.retryable() => return Err(try_again("identity does not answer")),
        Err(error) => error,
    };
    let exchange = permitted.authenticated().request().metadata.exchange;
    tracing::info!(%exchange, %error, "identity refuses");
    // Supervision reads the reason; the consumer gets the uniform refusal.
    let limit = error.problem().is_some_and(|problem| problem.slug == "limit");
    let reason = if limit {
        "too many requests about one person"
    } else {
        "identity refuses"
    };
    Err(deny(broker, history, permitted.authenticated(), reason, rule.retention).await)
}

/// Records the refusal of a request. Returns the problem for the consumer: the uniform refusal once the `denial` is
/// recorded.
async fn deny(
    broker: &Broker,
    history: &History,
    authenticated: &Authenticated,
    reason: &str,
    class: RetentionClass,
) -> Problem {
    match record_denial(broker, history, authenticated, reason, class).await {
        Ok(()) => {
            count_exchange("denied");
            not_permitted()
        }
        Err(problem) => problem,
    }
}

async fn record_denial(
    broker: &Broker,
    history: &History,
    authenticated: &Authenticated,
    reason: &str,
    class: RetentionClass,
) -> Result<(), Problem> {
    let expiry = class.expiry(broker.now());
    let key: DayKey = broker
        .ask_identity("labels/denial-key", &DenialKeyRequest { class, expiry })
        .await
        .map_err(|_| try_again("identity does not answer"))?;
    let sealed = records::seal_denial(
        authenticated,
        (reason, history.state().registerlandkarte().header()),
        (class, expiry),
        &key,
        &supervision(history)?,
    )
    .map_err(|_| Problem::internal())?;
    let body = Body::Denial {
        commitment: sealed.commitment(),
    };
    let appended = broker
        .writer
        .append::<Denial>(Draft::now(body), Some(sealed), None)
        .await;
    appended.map(drop).map_err(|error| not_recorded(&error))
}
