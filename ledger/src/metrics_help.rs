//! Units and help texts of the ledger's metrics.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Describes all metrics of the ledger. Needs the process's recorder to be installed; otherwise it has no effect.
pub(crate) fn describe() {
    describe_counter!(
        "ledger_entries_total",
        Unit::Count,
        "Entries recorded since the start, including map entries."
    );
    describe_counter!("ledger_commits_total", Unit::Count, "Commits since the start.");
    describe_histogram!(
        "ledger_commit_duration_seconds",
        Unit::Seconds,
        "Time of a commit: tiles, synced write and signature."
    );
    describe_gauge!(
        "ledger_sequencer",
        "1 in the ledger that writes to the log, 0 in one that follows it."
    );
    describe_counter!(
        "ledger_redirects_total",
        Unit::Count,
        "Requests of writers that a follower has sent to the ledger that writes to the log."
    );
    describe_counter!(
        "ledger_takeovers_total",
        Unit::Count,
        "How often this ledger has taken over the log since its start: 0 or 1."
    );
    describe_gauge!("ledger_tree_size", Unit::Count, "Entries in the log.");
    describe_counter!(
        "ledger_refusals_total",
        Unit::Count,
        "Refused entries by the slug of their problem."
    );
    describe_gauge!(
        "ledger_published_tree_size",
        Unit::Count,
        "Entries under the newest checkpoint that meets the witness policy."
    );
    describe_gauge!(
        "ledger_witness_quorum",
        "1, or 0 while the quorum of the witnesses is lost."
    );
    describe_counter!(
        "ledger_witness_answers_total",
        Unit::Count,
        "Results of asking a witness: cosigned, retry, claim or alarm."
    );
    describe_counter!(
        "ledger_witness_alarms_total",
        Unit::Count,
        "Refusals, invalid cosignatures, unproven claims and contradictions of a witness."
    );
    describe_gauge!(
        "ledger_witness_tree_size",
        Unit::Count,
        "Entries under the last checkpoint that a witness cosigned."
    );
    describe_gauge!(
        "ledger_witness_cosigned_timestamp_seconds",
        Unit::Seconds,
        "POSIX time of the last cosignature of a witness."
    );
}
