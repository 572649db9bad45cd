//! How an exchange begins to wait, and what is known of it while it does.

use ledger_client::recorded::{self, Intent, Recorded};
use messages::limits::MAX_LATER_SECONDS;
use messages::{Deferral, Deferred};
use service::problem::Problem;

use crate::broker::Broker;
use crate::journal::{DeferredExchange, DueExchange, OpenExchange};
use crate::metrics::count_exchange;
use crate::problems::stopped;

/// Makes an open exchange one that waits. It gives back the places of those that do not.
pub(super) async fn defer(
    broker: &Broker,
    intent: &Recorded<Intent>,
    mut open: OpenExchange,
    deferral: Deferral,
) -> Result<Deferred, Problem> {
    let (metadata, waited) = (&open.request.metadata, open.has_waited());
    let row = DueExchange {
        due: deferral.statement.available,
        expiry: intent.entry().time.after(MAX_LATER_SECONDS),
        consumer: metadata.consumer.clone(),
        provider: metadata.provider.clone(),
        preview: open.preview,
    };
    let exchange = metadata.exchange;
    open.intent_receipt = Some(intent.receipt_bytes().to_vec());
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

/// The intent of an exchange that has waited, by the receipt that the journal keeps.
pub(super) fn known_intent(broker: &Broker, receipt: &[u8]) -> Result<Recorded<Intent>, Problem> {
    recorded::check(receipt, &broker.trust, &broker.live.history()).map_err(stopped)
}
