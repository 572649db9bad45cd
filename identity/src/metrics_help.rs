//! Units and help texts of identity's metrics.

use metrics::{Unit, describe_counter, describe_gauge};

/// Describes identity's metrics. Needs the process's recorder to be installed; otherwise it has no effect.
pub(crate) fn describe() {
    for (name, help) in [
        (
            "identity_label_requests_total",
            "The broker's requests for labels, by result, in steps of ten.",
        ),
        (
            "identity_outcome_key_requests_total",
            "The broker's requests for a key of another day, by result, in steps of ten.",
        ),
        (
            "identity_denial_key_requests_total",
            "The broker's requests for a key of a denial, by result, in steps of ten.",
        ),
        (
            "identity_disclosures_total",
            "The portal's requests for a citizen's list, by result, in steps of ten.",
        ),
        (
            "identity_releases_total",
            "Persons whose IDNr was released to a register by a first fill.",
        ),
        (
            "identity_series_full_total",
            "Requests refused because a person has no number left, in steps of ten.",
        ),
        (
            "identity_limits_reached_total",
            "Requests refused because of a consumer's limit for one person, in steps of ten.",
        ),
        (
            "identity_voids_refused_total",
            "Refusals of a void by the ledger; the first one of a label is an alarm.",
        ),
        (
            "identity_sweep_failures_total",
            "Labels that a sweep could not settle because of an error of its own.",
        ),
        ("identity_voids_total", "Labels that were voided unused, by cause."),
        (
            "identity_inspections_total",
            "Inspections recorded before a list was disclosed.",
        ),
        ("identity_periods_begun_total", "Periods begun since the start."),
        (
            "identity_caught_up_total",
            "Numbers found in the log that the state lacked, after a restoration.",
        ),
    ] {
        describe_counter!(name, Unit::Count, help);
    }
    describe_gauge!(
        "identity_set_aside_labels",
        Unit::Count,
        "Labels whose void the ledger refuses."
    );
    describe_gauge!(
        "identity_pending_labels",
        Unit::Count,
        "Labels handed out and not seen in the log yet."
    );
}
