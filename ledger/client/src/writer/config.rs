//! Parameters and limits of the writer.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use record::SigningKey;
use service::clock::Clock;

use crate::api::LedgerApi;
use crate::live::LiveTrust;
use crate::trust::Trust;

/// How long the writer tries to record an intent before it gives up.
pub const INTENT_RETRY_FOR: Duration = Duration::from_secs(10);

/// The most entries in one request.
pub const MAX_BATCH: usize = 1024;

/// The most bytes in one request. A single larger entry is still sent.
pub const MAX_BATCH_BYTES: usize = 4 << 20;

/// Parameters of a writer.
pub struct WriterConfig {
    /// The ledger.
    pub api: Arc<dyn LedgerApi>,
    /// The trust root for receipts.
    pub trust: Arc<Trust>,
    /// The directory, which must grant the key the kinds of its entries.
    pub live: LiveTrust,
    /// The writer's key. No other process may use it, because each key has one chain.
    pub key: SigningKey,
    /// Directory of the journal `writer.redb`. Without the file, only entries that were signed and not recorded yet
    /// are lost.
    pub state_dir: PathBuf,
    /// Source of the entries' time.
    pub clock: Arc<dyn Clock>,
}
