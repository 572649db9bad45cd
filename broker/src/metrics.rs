//! The broker's metrics.

const EXCHANGES: &str = "broker_exchanges_total";

/// Registers the help texts.
pub(crate) fn describe() {
    metrics::describe_counter!(
        EXCHANGES,
        metrics::Unit::Count,
        "Exchanges by result (delivered, nothing_found, refused, failed, timed_out, denied, not_authenticated), in steps of ten."
    );
}

/// Counts an exchange that ended with `result`.
pub(crate) fn count_exchange(result: &'static str) {
    service::coarse::count(EXCHANGES, "result", result);
}
