//! The ledger's interface (architecture, "Ledger"), as a trait so that tests can replace it by a ledger that fails,
//! forgets or lies. In production there is one implementation, [`HttpLedger`], over HTTP.
//!
//! This module checks nothing: the bytes that it returns are those that the ledger has sent.

mod addresses;
mod http;
pub mod wire;

use std::future::Future;
use std::pin::Pin;

use record::WriterId;
use service::problem::Problem;
use service::secret::Credential;
use tlog::Hash;
use tlog::merkle::Index;
use tlog::tile::{Bundle, Tile};

pub use addresses::{AddressesError, LedgerAddresses};
pub use http::HttpLedger;
pub use record::submission::WriterHead;

/// The result of every call.
pub type ApiFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, ApiError>> + Send + 'a>>;

/// Why a call brought no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiError {
    /// The request did not reach the ledger, which has done nothing. Retryable.
    #[error("no connection to the ledger: {0}")]
    NotConnected(String),
    /// No answer. The ledger may or may not have acted. Retryable.
    #[error("no answer from the ledger: {0}")]
    NoAnswer(String),
    /// The ledger refused the request as a whole.
    #[error("the ledger refused: {0}")]
    Refused(Box<Problem>),
    /// The answer is not valid. The ledger may or may not have acted.
    #[error("the ledger's answer is not valid: {0}")]
    Invalid(String),
}

impl ApiError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::NotConnected(_) | Self::NoAnswer(_) => true,
            // A ledger that is being set up or is catching up may have the item later.
            Self::Refused(problem) => problem.retryable() || problem.status == 404,
            Self::Invalid(_) => false,
        }
    }
}

/// Why there is no document.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DocumentError {
    /// The call failed.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The ledger has sent other bytes, which the log has not signed.
    #[error("the ledger serves other bytes as document {0}")]
    OtherBytes(Hash),
}

/// Fetches a public document and compares its bytes with its digest.
///
/// # Errors
/// [`DocumentError`]
pub async fn document(api: &dyn LedgerApi, digest: &Hash) -> Result<Vec<u8>, DocumentError> {
    let bytes = api.document(digest).await?;
    if Hash::of(&bytes) == *digest {
        Ok(bytes)
    } else {
        Err(DocumentError::OtherBytes(*digest))
    }
}

/// One entry to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The bytes of the signed entry, which the ledger stores unchanged.
    pub leaf: Vec<u8>,
    /// The sealed record that the entry commits to.
    pub record: Option<Vec<u8>>,
    /// The public document whose digest is in the entry.
    pub document: Option<Vec<u8>>,
}

/// The ledger's answer to one submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppendAnswer {
    /// The entry is in the log.
    Recorded {
        /// Its index.
        index: u64,
        /// The receipt (tlog-proof), unchecked.
        receipt: Vec<u8>,
    },
    /// The ledger has not appended the entry.
    Refused {
        /// The reason.
        problem: Box<Problem>,
        /// Receipt of the entry that conflicts with it, if there is one.
        receipt: Option<Vec<u8>>,
    },
}

/// The ledger.
pub trait LedgerApi: Send + Sync + 'static {
    /// The newest checkpoint that satisfies the ledger's witness policy.
    fn checkpoint(&self) -> ApiFuture<'_, Vec<u8>>;
    /// The newest checkpoint with the log's signature alone.
    fn head(&self) -> ApiFuture<'_, Vec<u8>>;
    /// A tile of hashes.
    fn tile(&self, tile: Tile) -> ApiFuture<'_, Vec<u8>>;
    /// A bundle of entries.
    fn entries_bundle(&self, bundle: Bundle) -> ApiFuture<'_, Vec<u8>>;
    /// An entry's receipt: under the newest head with the log's signature, or `witnessed`, under the published
    /// checkpoint.
    fn receipt(&self, index: Index, witnessed: bool) -> ApiFuture<'_, Vec<u8>>;
    /// The receipt of the newest `map` entry under the published checkpoint.
    fn newest_map(&self) -> ApiFuture<'_, Vec<u8>>;
    /// The change sets from the entry at this index on, under the published checkpoint: a [`trust::SetPage`].
    fn sets(&self, from: Index) -> ApiFuture<'_, Vec<u8>>;
    /// An entry's sealed record; `None` if there is none or it was erased.
    fn record<'a>(&'a self, index: Index, credential: &'a Credential) -> ApiFuture<'a, Option<Vec<u8>>>;
    /// A public document by the SHA-256 of its bytes.
    fn document<'a>(&'a self, digest: &'a Hash) -> ApiFuture<'a, Vec<u8>>;
    /// A writer's last entry; `None` if it has none.
    fn writer_head<'a>(&'a self, writer: &'a WriterId) -> ApiFuture<'a, Option<WriterHead>>;
    /// Appends entries. Returns one answer per submission, in the same order.
    fn append(&self, submissions: Vec<Submission>) -> ApiFuture<'_, Vec<AppendAnswer>>;
}
