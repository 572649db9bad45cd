//! Reads from the ledger over HTTP.
//!
//! The portal does not trust what it reads: it verifies receipts, records and documents against the trust policy before
//! it shows them.

use std::sync::Arc;
use std::time::Duration;

use citizen_ui::proof::statement::Consistency;
use ledger_client::LedgerApi;
use record::StoredEntry;
use service::cached::{CacheError, Cached};
use service::http::{CallError, Client};
use tlog::checkpoint::Checkpoint;

use crate::anchor::AnchorSource;
use crate::consistency;

/// How long a checkpoint is kept for the page about the log, which needs no login.
const CHECKPOINT_LIFETIME: Duration = Duration::from_secs(2);
/// The least time between a failed request for it and the next one.
const CHECKPOINT_RETRY_DELAY: Duration = Duration::from_secs(1);
/// How long the proof of a page waits for the ledger's tiles.
const TILES_WAIT: Duration = Duration::from_secs(3);

/// A client for the ledger's read endpoints.
pub(crate) struct LedgerReader {
    base: String,
    public: Client,
    /// The base URL of the entrance that shows records, and who may read them there.
    records: (String, Client),
    tiles: Arc<dyn LedgerApi>,
    checkpoint: Cached<Vec<u8>>,
    /// The writers' rights, which are the same for all citizens.
    pub(crate) anchors: AnchorSource,
}

/// A receipt, and whether the ledger served it with the witnesses' cosignatures.
#[derive(Clone, Debug)]
pub(crate) struct FetchedReceipt {
    pub(crate) receipt: Vec<u8>,
    pub(crate) witnessed: bool,
}

impl LedgerReader {
    /// `base` is the base URL for all who read the log, and `records` the one for sealed records with a client that may
    /// read them.
    pub(crate) fn new(
        base: String,
        public: Client,
        records: (String, Client),
        tiles: Arc<dyn LedgerApi>,
        anchors: AnchorSource,
    ) -> Self {
        Self {
            base,
            public,
            records,
            tiles,
            checkpoint: Cached::new(CHECKPOINT_LIFETIME, CHECKPOINT_RETRY_DELAY),
            anchors,
        }
    }

    /// The checkpoint that meets the ledger's witness policy, of the last two seconds.
    pub(crate) async fn checkpoint(&self) -> Result<Arc<Vec<u8>>, CacheError<CallError>> {
        let (public, url) = (self.public.clone(), format!("{}/checkpoint", self.base));
        self.checkpoint.get(async move { public.get_bytes(&url).await }).await
    }

    /// The proof that the log of this checkpoint continues its first `from` entries, if the ledger sends its tiles in
    /// time.
    pub(crate) async fn consistency(&self, from: u64, to: &Checkpoint) -> Option<Consistency> {
        let proof = consistency::prove(self.tiles.as_ref(), from, to);
        tokio::time::timeout(TILES_WAIT, proof).await.ok().flatten()
    }

    /// Entries with their sealed records, in the order of `indices`, of which there are at most
    /// [`record::stored::MAX_BATCH`]. `None` for an entry that the log does not have.
    pub(crate) async fn stored(&self, indices: &[u64]) -> Result<Vec<Option<StoredEntry>>, CallError> {
        let (base, records) = &self.records;
        let url = format!("{base}/records/batch");
        let answer = records.post_cbor(&url, record::cbor::to_vec(&indices)).await?;
        let stored: Vec<_> =
            record::cbor::from_slice(&answer).map_err(|error| CallError::Invalid(error.to_string()))?;
        if stored.len() == indices.len() {
            Ok(stored)
        } else {
            Err(CallError::Invalid(
                "another number of entries than requested".to_owned(),
            ))
        }
    }

    /// The receipt of an entry, cosigned if the witnesses have cosigned it, otherwise with the log's signature alone.
    pub(crate) async fn receipt(&self, index: u64) -> Result<FetchedReceipt, CallError> {
        let url = format!("{}/entries/{index}/receipt", self.base);
        match self.public.get_bytes(&format!("{url}?witnessed")).await {
            Ok(receipt) => Ok(FetchedReceipt {
                receipt,
                witnessed: true,
            }),
            Err(CallError::Refused(_)) => Ok(FetchedReceipt {
                receipt: self.public.get_bytes(&url).await?,
                witnessed: false,
            }),
            Err(error) => Err(error),
        }
    }
}
