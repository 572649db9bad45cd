//! Alarms, which require an operator to act. They contain no personal data.

use uuid::Uuid;

/// Raises an alarm: an error in the log and a count in the metrics. `kind` is one of a small fixed set of words.
pub(crate) fn raise(kind: &'static str, exchange: Option<Uuid>, why: &str) {
    let exchange = exchange.map(|exchange| exchange.to_string()).unwrap_or_default();
    tracing::error!(kind, exchange, why, "ALARM");
    metrics::counter!("connector_alarms_total", "kind" => kind).increment(1);
}
