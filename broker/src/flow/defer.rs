//! How an exchange begins to wait, and what is known of it while it does.

use ledger_client::recorded::{self, Intent};
use messages::limits::MAX_LATER_SECONDS;
use messages::{Deferral, Deferred};
use service::problem::Problem;

use super::record::Intents;
use crate::broker::Broker;
use crate::journal::{DeferredExchange, DueExchange, OpenExchange};
use crate::metrics::count_exchange;
use crate::problems::stopped;

/// Makes an open exchange one that waits. It gives back the places of those that do not.
pub(super) async fn defer(
    broker: &Broker,
    intents: &Intents,
    mut open: OpenExchange,
    deferral: Deferral,
) -> Result<Deferred, Problem> {
    let (metadata, waited) = (&open.request.metadata, open.has_waited());
    let row = DueExchange {
        due: deferral.statement.available,
        expiry: intents.subject.entry().time.after(MAX_LATER_SECONDS),
        consumer: metadata.consumer.clone(),
        provider: metadata.provider.clone(),
        preview: open.preview,
    };
    let exchange = metadata.exchange;
    open.intent_receipt = Some(intents.subject.receipt_bytes().to_vec());
    if let Some((own, intent)) = open.representative.as_mut().zip(intents.representative.as_ref()) {
        own.intent_receipt = Some(intent.receipt_bytes().to_vec());
    }
    let deferred = DeferredExchange { open, deferral };
    broker.journal.defer(&deferred, &row).await.map_err(stopped)?;
    if !waited {
        broker.providers.give_back(&row.provider);
        broker.consumers.give_back(&row.consumer);
        count_exchange("deferred");
    }
    tracing::info!(%exchange, available = %row.due, "deferred");
    broker.schedule.set(exchange, row.next(broker.now()), row);
    Ok(answer(deferred))
}

/// What the consumer of an exchange that waits receives.
pub(super) fn answer(deferred: DeferredExchange) -> Deferred {
    Deferred {
        intent_receipt: deferred.open.intent_receipt.unwrap_or_default(),
        deferral: deferred.deferral,
    }
}

/// The intents of an exchange that has waited, by the receipts that the journal keeps.
pub(super) fn known_intents(broker: &Broker, open: &OpenExchange) -> Result<Intents, Problem> {
    let history = broker.live.history();
    let known = |receipt: &[u8]| recorded::check::<Intent>(receipt, &broker.trust, &history).map_err(stopped);
    let representative = open
        .representative
        .as_ref()
        .and_then(|own| own.intent_receipt.as_deref());
    Ok(Intents {
        subject: known(open.intent_receipt.as_deref().unwrap_or_default())?,
        representative: representative.map(known).transpose()?,
    })
}
