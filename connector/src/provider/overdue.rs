//! The task that raises alarms about outcomes that do not arrive, and forgets what is no longer needed.

use std::sync::Arc;
use std::time::Duration;

use service::Shutdown;
use service::clock::{CheckedClock, Clock as _};

use super::Provider;
use crate::alarm;

/// How often to search for overdue outcomes.
const POLL_INTERVAL: Duration = Duration::from_secs(10);

/// Runs until shutdown. Each alarm is raised again until its cause is gone.
pub(super) async fn report(provider: Arc<Provider>, clock: Arc<CheckedClock>, shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = clock.sleep(POLL_INTERVAL) => {}
            () = shutdown.wait() => return,
        }
        provider.common.destroy_expired(&clock);
        if let Err(error) = provider.logins.forget(&clock).await {
            alarm::raise("state", None, &error.to_string());
        }
        match provider.served.forget_pending(&clock).await {
            Ok(0) => {}
            Ok(_) => alarm::raise(
                "outcome-missing",
                None,
                "a deferred exchange has got no outcome within its time",
            ),
            Err(error) => alarm::raise("state", None, &error.to_string()),
        }
        match provider.served.overdue(&clock).await {
            Ok(rows) => {
                for row in rows {
                    alarm::raise(
                        "outcome-missing",
                        Some(row.exchange),
                        "no outcome within five minutes of the answer",
                    );
                }
            }
            Err(error) => alarm::raise("state", None, &error.to_string()),
        }
    }
}
