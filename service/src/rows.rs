//! Reports the rows of a file that are set aside because they are faulty.

use std::path::Path;

use text::SetAside;

/// The most rows that are reported one by one, so that a wrong file does not fill the log.
pub const MAX_REPORTED: usize = 100;

/// Reports the rows on the log, by number and field without what they contain, and their number as a metric.
/// `register` is what the file is called, and `first` are the first ones of all.
pub fn report(register: &'static str, path: &Path, all: u64, first: &[SetAside]) {
    metrics::gauge!("rows_set_aside", "file" => register).set(all as f64);
    let shown = &first[..first.len().min(MAX_REPORTED)];
    for SetAside { row, error } in shown {
        tracing::warn!(
            file = %path.display(), row, field = %error.field, reason = %error.reason,
            "a faulty row is set aside: correct it and restart"
        );
    }
    let more = all.saturating_sub(shown.len() as u64);
    if more > 0 {
        tracing::warn!(file = %path.display(), more, "more faulty rows are set aside");
    }
}
