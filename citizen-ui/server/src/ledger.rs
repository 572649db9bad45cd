//! What the portal reads from the ledger. Nothing read here is believed: receipts, records and documents are verified with the
//! trust policy before they are shown.

use proof::opening::Anchor;
use record::{Body, Receipt};
use service::http::{CallError, Client};
use tlog::Hash;
use tokio::sync::Mutex;

/// The ledger over HTTP.
pub(crate) struct LedgerReader {
    base: String,
    public: Client,
    records: Client,
    /// The log's beginning, the same for everybody; kept once the witnesses have cosigned it.
    beginning: Mutex<Option<Anchor>>,
}

/// A receipt, and whether it was asked for with the witnesses' cosignatures.
#[derive(Clone, Debug)]
pub(crate) struct FetchedReceipt {
    pub(crate) receipt: Vec<u8>,
    pub(crate) witnessed: bool,
}

impl LedgerReader {
    /// `records` carries the credential for sealed records.
    pub(crate) fn new(base: String, public: Client, records: Client) -> Self {
        Self {
            base,
            public,
            records,
            beginning: Mutex::default(),
        }
    }

    /// The newest checkpoint that meets the ledger's witness policy.
    pub(crate) async fn checkpoint(&self) -> Result<Vec<u8>, CallError> {
        self.public.get_bytes(&format!("{}/checkpoint", self.base)).await
    }

    /// The sealed record of an entry.
    pub(crate) async fn record(&self, index: u64) -> Result<Vec<u8>, CallError> {
        self.records.get_bytes(&format!("{}/records/{index}", self.base)).await
    }

    /// The receipt of an entry: cosigned if the witnesses are so far, else with the log's signature alone.
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

    /// The log's beginning: genesis entry and directory, with their receipts.
    pub(crate) async fn beginning(&self) -> Result<Anchor, CallError> {
        let mut kept = self.beginning.lock().await;
        if let Some(anchor) = &*kept {
            return Ok(anchor.clone());
        }
        let genesis = self.receipt(0).await?;
        let directory = self.receipt(1).await?;
        let anchor = Anchor {
            genesis_document: self.document_of(&genesis.receipt).await?,
            directory_document: self.document_of(&directory.receipt).await?,
            genesis_receipt: genesis.receipt,
            directory_receipt: directory.receipt,
        };
        if genesis.witnessed && directory.witnessed {
            *kept = Some(anchor.clone());
        }
        Ok(anchor)
    }

    async fn document_of(&self, receipt: &[u8]) -> Result<Vec<u8>, CallError> {
        let receipt = Receipt::parse(receipt).map_err(|error| CallError::Invalid(error.to_string()))?;
        match &receipt.entry().entry().body {
            Body::Document { digest, .. } => self.document(digest).await,
            _ => Err(CallError::Invalid("the entry names no document".to_owned())),
        }
    }

    async fn document(&self, digest: &Hash) -> Result<Vec<u8>, CallError> {
        self.public
            .get_bytes(&format!("{}/documents/{digest}", self.base))
            .await
    }
}
