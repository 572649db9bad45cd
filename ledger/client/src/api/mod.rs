//! The ledger's interface (architecture, "Ledger"), as a trait so that tests can put a failing, forgetting or lying ledger in
//! its place. In production there is one implementation, [`HttpLedger`], over HTTP.
//!
//! Nothing that comes out of here is checked: bytes are as the other side sent them.

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

pub use http::HttpLedger;
pub use record::submission::WriterHead;

/// What every call returns.
pub type ApiFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, ApiError>> + Send + 'a>>;

/// Why a call brought no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiError {
    /// The ledger was not even asked: it has done nothing. Retryable.
    #[error("the ledger cannot be connected to: {0}")]
    NotConnected(String),
    /// No answer: whether the ledger acted is not known. Retryable.
    #[error("no answer from the ledger: {0}")]
    NoAnswer(String),
    /// The ledger said no, to the request as a whole.
    #[error("the ledger refused: {0}")]
    Refused(Box<Problem>),
    /// The ledger answered something that is not understood. Whether it acted is not known.
    #[error("the ledger's answer is not understood: {0}")]
    Invalid(String),
}

impl ApiError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::NotConnected(_) | Self::NoAnswer(_) => true,
            // "Not there" is "not there yet" for a ledger that is being set up or catching up.
            Self::Refused(problem) => problem.retryable() || problem.status == 404,
            Self::Invalid(_) => false,
        }
    }
}

/// One entry to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The signed entry's bytes, to be stored as they are.
    pub leaf: Vec<u8>,
    /// The sealed record that the entry's commitment is of.
    pub record: Option<Vec<u8>>,
    /// The public document that the entry's digest is of.
    pub document: Option<Vec<u8>>,
}

/// What became of one submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppendAnswer {
    /// It stands in the log.
    Recorded {
        /// Where.
        index: u64,
        /// The receipt (tlog-proof), unchecked.
        receipt: Vec<u8>,
    },
    /// It does not.
    Refused {
        /// Why.
        problem: Box<Problem>,
        /// Receipt of the entry that is in the way, if one is.
        receipt: Option<Vec<u8>>,
    },
}

/// The ledger.
pub trait LedgerApi: Send + Sync + 'static {
    /// The newest checkpoint that the ledger's witness policy is content with.
    fn checkpoint(&self) -> ApiFuture<'_, Vec<u8>>;
    /// The newest checkpoint with the log's signature alone.
    fn head(&self) -> ApiFuture<'_, Vec<u8>>;
    /// A tile of hashes.
    fn tile(&self, tile: Tile) -> ApiFuture<'_, Vec<u8>>;
    /// A bundle of entries.
    fn entries_bundle(&self, bundle: Bundle) -> ApiFuture<'_, Vec<u8>>;
    /// An entry's receipt: at once with the log's signature, or `witnessed`.
    fn receipt(&self, index: Index, witnessed: bool) -> ApiFuture<'_, Vec<u8>>;
    /// An entry's sealed record; `None` when there is none or it was erased.
    fn record<'a>(&'a self, index: Index, credential: &'a Credential) -> ApiFuture<'a, Option<Vec<u8>>>;
    /// A public document by the SHA-256 of its bytes.
    fn document<'a>(&'a self, digest: &'a Hash) -> ApiFuture<'a, Vec<u8>>;
    /// A writer's last entry; `None` when it has none.
    fn writer_head<'a>(&'a self, writer: &'a WriterId) -> ApiFuture<'a, Option<WriterHead>>;
    /// Appends; as many answers as submissions, in their order.
    fn append(&self, submissions: Vec<Submission>) -> ApiFuture<'_, Vec<AppendAnswer>>;
}
