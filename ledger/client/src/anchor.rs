//! The anchor: the log's genesis entry, and the change sets up to the newest published ones.
//!
//! ```text
//! 0  genesis    its leaf hash is the genesis hash (trusted from outside); document: authorities' keys, operator's key,
//!               digests of the first change sets' headers
//! 1  directory  the first change set of the directory
//! 2  registry   the first change set of the Registerlandkarte
//! n  directory or registry: the later ones
//! ```
//!
//! The operator has written the first three, with the numbers 0, 1, 2 of its chain. The client accepts them only with
//! receipts under a checkpoint that the policy's quorum has cosigned, and a document only with the digest in its
//! entry.

use std::sync::Arc;
use std::time::Duration;

use output::Failure;
use record::{Body, GenesisDocument, Kind, Receipt, Sequence, SignedEntry, VerifiedReceipt};
use service::Backoff;
use service::shutdown::Shutdown;
use tlog::Hash;
use tlog::merkle::Index;
use trust::History;

use crate::api::{self, ApiError, DocumentError, LedgerApi};
use crate::sets::{NewestMap, SetReader};
use crate::sets_error::SetsError;
use crate::trust::Trust;

const MIN_RETRY_DELAY: Duration = Duration::from_millis(50);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(5);

/// The checked anchor, which all other checks depend on.
#[derive(Debug, Clone)]
pub struct Anchored {
    /// Authorities' keys, operator, origin.
    pub genesis: GenesisDocument,
    /// The versions of directory and Registerlandkarte up to the newest published ones.
    pub history: Arc<History>,
    /// The `map` entry that names the newest ones.
    pub(crate) newest: NewestMap,
}

/// Why there is no anchor.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// The ledger is not there yet, or has no checkpoint with a quorum yet. Retryable.
    #[error("the log's first entries are not available yet: {0}")]
    NotYet(String),
    /// The ledger's answer contradicts the trust root. Fatal: wrong ledger, wrong genesis hash, wrong policy, or
    /// fraud.
    #[error("the beginning of the log does not match the genesis hash: {0}")]
    Wrong(String),
    /// The process is shutting down.
    #[error("shutdown was requested while waiting for the ledger")]
    Ended,
}

/// What a command says about it.
impl From<AnchorError> for Failure {
    fn from(error: AnchorError) -> Self {
        match error {
            AnchorError::NotYet(_) | AnchorError::Ended => Self::Unreachable(error.to_string()),
            AnchorError::Wrong(_) => Self::Refused(error.to_string()),
        }
    }
}

impl Anchored {
    /// Fetches and checks the anchor.
    ///
    /// # Errors
    /// [`AnchorError::NotYet`] until the ledger is up and witnessed, [`AnchorError::Wrong`] permanently.
    pub async fn fetch(api: &dyn LedgerApi, trust: &Trust) -> Result<Self, AnchorError> {
        let mut receipts = Vec::new();
        for index in 0..3_u32 {
            receipts.push(api.receipt(Index::from(index), true).await?);
        }
        let receipts: [Vec<u8>; 3] = receipts.try_into().map_err(|_| wrong("not three receipts"))?;
        let entry = |at: u32| first_entry(&receipts[at as usize], Index::from(at), trust);
        let entries = [entry(0)?, entry(1)?, entry(2)?];
        if entries[0].leaf_hash() != trust.genesis {
            return Err(wrong("entry 0 has another leaf hash"));
        }

        let digest = |at: usize, kind| document_digest(&entries[at], kind);
        let genesis_bytes = api::document(api, &digest(0, Kind::Genesis)?).await?;
        let genesis = GenesisDocument::parse(&genesis_bytes).map_err(wrong)?;
        check_chain(&entries, &genesis)?;
        check_origin(&receipts, trust, &genesis)?;

        if (digest(1, Kind::Directory)?, digest(2, Kind::Registry)?) != (genesis.directory, genesis.registerlandkarte) {
            return Err(wrong("entries 1 and 2 name other documents than the genesis document"));
        }
        let founded = Arc::new(History::founded(&genesis).map_err(wrong)?);
        let round = SetReader { api, trust }.round(&founded, None).await?;
        Ok(Self {
            genesis,
            history: round.history,
            newest: round.newest,
        })
    }

    /// As [`Anchored::fetch`], but waits until the ledger is up and witnessed.
    ///
    /// # Errors
    /// [`AnchorError::Wrong`], or [`AnchorError::Ended`] if `shutdown` is requested before.
    pub async fn wait(api: &Arc<dyn LedgerApi>, trust: &Trust, shutdown: &Shutdown) -> Result<Self, AnchorError> {
        let mut backoff = Backoff::new(MIN_RETRY_DELAY, MAX_RETRY_DELAY);
        loop {
            match Self::fetch(api.as_ref(), trust).await {
                Err(AnchorError::NotYet(reason)) => tracing::debug!(reason, "waiting for the ledger"),
                done => return done,
            }
            tokio::select! {
                () = tokio::time::sleep(backoff.failed()) => {}
                () = shutdown.wait() => return Err(AnchorError::Ended),
            }
        }
    }
}

impl From<ApiError> for AnchorError {
    fn from(error: ApiError) -> Self {
        if error.retryable() {
            Self::NotYet(error.to_string())
        } else {
            Self::Wrong(error.to_string())
        }
    }
}

impl From<SetsError> for AnchorError {
    fn from(error: SetsError) -> Self {
        match error {
            SetsError::NotYet(reason) => Self::NotYet(reason),
            SetsError::Wrong(reason) => Self::Wrong(reason),
        }
    }
}

impl From<DocumentError> for AnchorError {
    fn from(error: DocumentError) -> Self {
        match error {
            DocumentError::Api(error) => error.into(),
            DocumentError::OtherBytes(_) => wrong(error),
        }
    }
}

fn wrong(reason: impl std::fmt::Display) -> AnchorError {
    AnchorError::Wrong(reason.to_string())
}

fn verified(receipt: &[u8], trust: &Trust) -> Result<VerifiedReceipt, AnchorError> {
    Receipt::parse(receipt)
        .map_err(wrong)?
        .verify(&trust.policy)
        .map_err(wrong)
}

fn first_entry(receipt: &[u8], index: Index, trust: &Trust) -> Result<SignedEntry, AnchorError> {
    let verified = verified(receipt, trust)?;
    if verified.index() != index {
        return Err(wrong(format!("the receipt for entry {index} is of another entry")));
    }
    if !verified.quorum() {
        return Err(AnchorError::NotYet("no checkpoint with a quorum of witnesses".into()));
    }
    Ok(verified.entry().clone())
}

fn check_origin(receipts: &[Vec<u8>; 3], trust: &Trust, genesis: &GenesisDocument) -> Result<(), AnchorError> {
    for receipt in receipts {
        if verified(receipt, trust)?.checkpoint().origin.as_str() != genesis.origin {
            return Err(wrong("the checkpoint's origin is not the genesis document's"));
        }
    }
    Ok(())
}

fn document_digest(entry: &SignedEntry, expected: Kind) -> Result<Hash, AnchorError> {
    match &entry.entry().body {
        Body::Document { kind, digest } if Kind::from(*kind) == expected => Ok(*digest),
        _ => Err(wrong(format!("no {expected:?} entry at its index"))),
    }
}

/// Checks that the three are the operator's entries 0, 1, 2, chained and signed.
fn check_chain(entries: &[SignedEntry; 3], genesis: &GenesisDocument) -> Result<(), AnchorError> {
    let mut previous = Hash([0; 32]);
    for (sequence, entry) in (0..).zip(entries) {
        let chained = entry.entry().sequence == Sequence(sequence) && entry.entry().previous == previous;
        if !chained {
            return Err(wrong(format!(
                "entry {sequence} does not continue the operator's chain"
            )));
        }
        entry.verify(&genesis.operator).map_err(wrong)?;
        previous = entry.leaf_hash();
    }
    Ok(())
}
