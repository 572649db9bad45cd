//! What a verified anchor says: which writer had which right at which index.

use record::{RightError, SignedEntry, WriterGrant};
use tlog::Hash;
use tlog::checkpoint::Origin;
use tlog::merkle::Index;

use super::error::{VerifyError, WriterProblem};

/// A verified [`super::Anchor`]. Only [`super::Anchor::verify`] makes one.
#[derive(Clone, Debug)]
pub struct ProvedAnchor {
    pub(super) origin: Origin,
    pub(super) genesis: Hash,
    pub(super) rights: Vec<Right>,
    /// The `map` entry up to which the rights are known.
    pub(super) map: Index,
    pub(super) quorum: bool,
}

/// A writer's right to write the entries after one index, up to another one inclusive.
#[derive(Clone, Debug)]
pub(super) struct Right {
    pub(super) grant: WriterGrant,
    pub(super) after: Index,
    pub(super) until: Index,
}

impl ProvedAnchor {
    /// Origin of the log.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Leaf hash of entry 0.
    #[must_use]
    pub fn genesis(&self) -> &Hash {
        &self.genesis
    }

    /// The last entry whose writer the anchor can prove to have had the right to write it.
    #[must_use]
    pub const fn reach(&self) -> Index {
        self.map
    }

    /// Whether the policy's quorum has cosigned the checkpoints of all receipts.
    #[must_use]
    pub fn quorum(&self) -> bool {
        self.quorum
    }

    /// Checks that the directory in force at `index` allowed the entry's writer to write this kind, and that the writer
    /// has signed the entry. Returns the writer's name. The entry must be of the log of [`ProvedAnchor::origin`].
    ///
    /// # Errors
    /// [`VerifyError::Writer`] when either check fails, or when the anchor does not reach the index.
    pub fn check_writer(&self, entry: &SignedEntry, index: Index) -> Result<&str, VerifyError> {
        Ok(self.writer_of(entry, index)?)
    }

    pub(crate) fn writer_of(&self, entry: &SignedEntry, index: Index) -> Result<&str, WriterProblem> {
        if index > self.map {
            return Err(WriterProblem::Beyond { reach: self.map });
        }
        let writer = entry.entry().writer;
        let in_force = self
            .rights
            .iter()
            .filter(|right| right.after < index && index <= right.until && right.grant.key.id() == writer);
        // The operator has two rights: the genesis document's, and what the directory grants.
        let mut problem = RightError::UnknownWriter(writer);
        for right in in_force {
            match right.grant.check(entry) {
                Ok(()) => return Ok(&right.grant.name),
                Err(error) => problem = error,
            }
        }
        Err(problem.into())
    }
}
