//! The broker's metrics.

use record::PreviewDecision;

const EXCHANGES: &str = "broker_exchanges_total";
const PREVIEWS: &str = "broker_previews_total";

/// Registers the help texts.
pub(crate) fn describe() {
    metrics::describe_counter!(
        EXCHANGES,
        metrics::Unit::Count,
        "Exchanges by result (delivered, nothing_found, refused, failed, timed_out, denied, not_authenticated), and those that began to wait (deferred), in steps of ten."
    );
    metrics::describe_counter!(
        PREVIEWS,
        metrics::Unit::Count,
        "Recorded previews by decision (accepted, rejected, cancelled, not_made), in steps of ten."
    );
}

/// Counts an exchange that ended with `result`.
pub(crate) fn count_exchange(result: &'static str) {
    service::coarse::count(EXCHANGES, "result", result);
}

/// Counts a recorded preview.
pub(crate) fn count_preview(decision: PreviewDecision) {
    let decision = match decision {
        PreviewDecision::Accepted => "accepted",
        PreviewDecision::Rejected => "rejected",
        PreviewDecision::Cancelled => "cancelled",
        PreviewDecision::NotMade => "not_made",
    };
    service::coarse::count(PREVIEWS, "decision", decision);
}
