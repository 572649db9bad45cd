//! The pauses of the broker between attempts to reach another compartment.

use std::time::Duration;

use messages::limits::MAX_RETRY_SECONDS;
use service::backoff::Backoff;

const FIRST: Duration = Duration::from_millis(250);

/// Pauses that grow up to a minute, for what must happen at some time.
pub(crate) const fn patient() -> Backoff {
    Backoff::new(FIRST, Duration::from_secs(MAX_RETRY_SECONDS))
}

/// Pauses that grow up to two seconds, while a person waits.
pub(crate) const fn prompt() -> Backoff {
    Backoff::new(FIRST, Duration::from_secs(2))
}
