//! What the writer and the readers of a store have in common.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::config::Address;
use super::connect::Connector;
use super::session::Names;

/// How long opening waits for another process to end, and for a primary. It is longer than the lease, so a process that
/// died with its machine does not block the next one.
pub(super) const OPEN_PATIENCE: Duration = Duration::from_secs(6);
/// The time between two attempts to reach a primary.
pub(super) const RETRY_DELAY: Duration = Duration::from_millis(100);
/// How long a write waits for its database when the store is being closed.
pub(super) const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// Which connection the writer has. Reads use the same server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// It has one. The number tells connections apart, so that no reading session outlives the writer's.
    Up { address: Address, number: u64 },
    /// It has none at the moment.
    Down,
    /// Another process has taken over.
    Fenced,
}

/// What the writer and the readers of a store have in common.
pub(super) struct Shared {
    pub(super) connector: Connector,
    pub(super) names: Names,
    pub(super) link: watch::Sender<Link>,
    pub(super) ending: CancellationToken,
    pub(super) failover: Duration,
    pub(super) handle: Handle,
}
