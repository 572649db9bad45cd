//! Reports the rows of a file that are set aside because they are faulty.

use std::path::Path;

use text::SetAside;

/// The most rows that are reported one by one, so that a wrong file does not fill the log.
const MAX_REPORTED: usize = 100;

/// Reports the rows on the log, by number and field without what they contain, and their number as a metric.
/// `register` is what the file is called.
pub fn report(register: &'static str, path: &Path, set_aside: &[SetAside]) {
    metrics::gauge!("rows_set_aside", "file" => register).set(set_aside.len() as f64);
    for SetAside { row, error } in set_aside.iter().take(MAX_REPORTED) {
        tracing::warn!(
            file = %path.display(), row, field = %error.field, reason = %error.reason,
            "a faulty row is set aside: correct it and restart"
        );
    }
    if set_aside.len() > MAX_REPORTED {
        let more = set_aside.len() - MAX_REPORTED;
        tracing::warn!(file = %path.display(), more, "more faulty rows are set aside");
    }
}
