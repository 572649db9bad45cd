//! Units and help texts of the connector's metrics.

use metrics::{Unit, describe_counter};

/// Describes the connector's metrics. Needs the process's recorder to be installed; otherwise it has no effect.
pub(crate) fn describe() {
    for (name, help) in [
        (
            "connector_answers_total",
            "The provider's answers by outcome, in steps of ten.",
        ),
        (
            "connector_refusals_total",
            "Forwards that failed a check, by check, in steps of ten.",
        ),
        (
            "connector_unauthenticated_calls_total",
            "Calls that no broker of the directory has signed.",
        ),
        (
            "connector_previews_refused_total",
            "Previews and decisions refused, by reason, in steps of ten.",
        ),
        ("connector_alarms_total", "Alarms by kind: each needs an operator."),
    ] {
        describe_counter!(name, Unit::Count, help);
    }
}
