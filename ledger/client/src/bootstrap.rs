//! The beginning of a log: the entries genesis (0), directory (1) and registry (2), written with the operator's key.
//!
//! The arguments, time included, determine the bytes of the entries (Ed25519 signatures are deterministic) and the
//! genesis hash. An interrupted set-up can therefore be run again with the same arguments. An empty ledger accepts as
//! its first entry only the one with the genesis hash in its configuration, so the hash must be known
//! ([`Bootstrap::genesis_hash`]) before the ledger starts.

use record::{Body, DocumentKind, GenesisDocument, Receipt, Sequence, SignedEntry, SigningKey, Timestamp, Unsigned};
use tlog::Hash;
use tlog::merkle::Index;
use trust::SignedChangeSet;

use crate::api::{ApiError, AppendAnswer, LedgerApi, Submission};
use crate::trust::Trust;

/// The first three entries, signed, with their documents.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    entries: [(SignedEntry, Vec<u8>); 3],
}

/// Why the log has not been begun.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// The ledger is not reached or busy. Retryable with the same [`Bootstrap`].
    #[error("the ledger cannot take the first entries yet: {0}")]
    NotYet(ApiError),
    /// The arguments contradict each other, or the ledger refuses the entries or holds others. Fatal.
    #[error("the log cannot be begun: {0}")]
    Wrong(String),
}

impl Bootstrap {
    /// Signs the first three entries.
    ///
    /// # Arguments
    /// `directory`, `registerlandkarte`: the first change sets, signed by the authorities, whose headers `genesis`
    /// names. `time` must be within the ledger's clock bound when the entries are first appended.
    ///
    /// # Errors
    /// [`BootstrapError::Wrong`] when `genesis` names another operator or other sets.
    pub fn new(
        operator: &SigningKey,
        genesis: &GenesisDocument,
        directory: &SignedChangeSet,
        registerlandkarte: &SignedChangeSet,
        time: Timestamp,
    ) -> Result<Self, BootstrapError> {
        if genesis.operator != operator.public() {
            return Err(wrong("the genesis document names another operator"));
        }
        let digests = [directory, registerlandkarte].map(|set| set.signed().digest());
        if [genesis.directory, genesis.registerlandkarte] != digests {
            return Err(wrong("the genesis document names other change sets"));
        }
        let genesis = genesis.to_bytes();
        let sign = |sequence, previous: Hash, kind, digest: Hash| {
            let (sequence, body) = (Sequence(sequence), Body::Document { kind, digest });
            operator
                .sign(Unsigned {
                    sequence,
                    previous,
                    time,
                    body,
                })
                .map_err(wrong)
        };
        let first = sign(0, Hash([0; 32]), DocumentKind::Genesis, Hash::of(&genesis))?;
        let second = sign(1, first.leaf_hash(), DocumentKind::Directory, digests[0])?;
        let third = sign(2, second.leaf_hash(), DocumentKind::Registry, digests[1])?;
        Ok(Self {
            entries: [
                (first, genesis),
                (second, directory.to_bytes()),
                (third, registerlandkarte.to_bytes()),
            ],
        })
    }

    /// Leaf hash of entry 0: together with the policy file, the trust root of all readers.
    #[must_use]
    pub fn genesis_hash(&self) -> Hash {
        self.entries[0].0.leaf_hash()
    }

    /// The three submissions in order.
    #[must_use]
    pub fn submissions(&self) -> [Submission; 3] {
        self.entries
            .each_ref()
            .map(|(entry, document)| submission(entry, document))
    }

    /// Appends the entries that are not in the log yet, and checks that all three are at their indexes.
    ///
    /// # Errors
    /// [`BootstrapError::NotYet`] (call again) or [`BootstrapError::Wrong`].
    pub async fn append(&self, api: &dyn LedgerApi, trust: &Trust) -> Result<(), BootstrapError> {
        for (index, (entry, document)) in (0_u32..).zip(&self.entries) {
            let index = Index::from(index);
            let receipt = match api.receipt(index, false).await {
                Ok(receipt) => receipt,
                Err(ApiError::Refused(problem)) if problem.status == 404 => {
                    submit(api, submission(entry, document)).await?
                }
                Err(error) => return Err(error.into()),
            };
            let verified = Receipt::parse(&receipt)
                .map_err(wrong)?
                .verify(&trust.policy)
                .map_err(wrong)?;
            if verified.index() != index || verified.entry().bytes() != entry.bytes() {
                return Err(wrong(format!("the log has another entry {index}")));
            }
        }
        Ok(())
    }
}

fn submission(entry: &SignedEntry, document: &[u8]) -> Submission {
    Submission {
        leaf: entry.bytes().to_vec(),
        record: None,
        document: Some(document.to_vec()),
    }
}

async fn submit(api: &dyn LedgerApi, submission: Submission) -> Result<Vec<u8>, BootstrapError> {
    match api.append(vec![submission]).await?.pop() {
        Some(AppendAnswer::Recorded { receipt, .. }) => Ok(receipt),
        Some(AppendAnswer::Refused { problem, .. }) => Err(ApiError::Refused(problem).into()),
        None => Err(wrong("no answer for the entry")),
    }
}

impl From<ApiError> for BootstrapError {
    fn from(error: ApiError) -> Self {
        if error.retryable() {
            Self::NotYet(error)
        } else {
            Self::Wrong(error.to_string())
        }
    }
}

fn wrong(reason: impl std::fmt::Display) -> BootstrapError {
    BootstrapError::Wrong(reason.to_string())
}
