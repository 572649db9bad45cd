//! What a verified anchor says: which writer had which right at which index.

use std::collections::BTreeMap;
use std::sync::Arc;

use record::{PreparedKey, RightError, SignedEntry, WriterGrant, WriterId, verify_each};
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
    /// Keys of writers with their tables, as far as there are any ([`ProvedAnchor::prepare`]).
    pub(super) prepared: PreparedKeys,
}

/// Keys of writers with their tables, by writer.
pub type PreparedKeys = BTreeMap<WriterId, Arc<PreparedKey>>;

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

    /// Computes the tables of the writers' keys. It is for a server that verifies many bundles under one anchor: their
    /// signatures then take a third of the time, and have the same verdicts. `known` are tables of an earlier anchor.
    pub fn prepare(&mut self, known: &PreparedKeys) -> &PreparedKeys {
        let writers = self.rights.iter().map(|right| (right.grant.key.id(), right.grant.key));
        self.prepared = writers
            .map(|(id, key)| {
                let kept = known.get(&id).map(Arc::clone);
                (id, kept.unwrap_or_else(|| Arc::new(PreparedKey::new(key))))
            })
            .collect();
        &self.prepared
    }

    /// Checks each of the entries as [`ProvedAnchor::check_writer`] does. Returns the writers' names in the order of
    /// the entries.
    pub(crate) fn writers_of<'a>(
        &self,
        entries: impl IntoIterator<Item = (&'a SignedEntry, Index)>,
    ) -> Vec<Result<&str, WriterProblem>> {
        let entries: Vec<_> = entries.into_iter().collect();
        let prepared = entries
            .iter()
            .map(|(entry, _)| (*entry, self.prepared.get(&entry.entry().writer)));
        let signed = prepared.filter_map(|(entry, key)| Some((entry, &**key?)));
        let mut verdicts = verify_each(signed).into_iter();
        let check = |(entry, index): (&SignedEntry, Index)| {
            let writer = entry.entry().writer;
            let verdict = self.prepared.contains_key(&writer).then(|| verdicts.next()).flatten();
            let right = self.right_of(entry, index)?;
            verdict
                .unwrap_or_else(|| entry.verify(&right.grant.key))
                .map_err(|_| RightError::Signature(writer))?;
            Ok(right.grant.name.as_str())
        };
        entries.into_iter().map(check).collect()
    }

    pub(crate) fn writer_of(&self, entry: &SignedEntry, index: Index) -> Result<&str, WriterProblem> {
        let right = self.right_of(entry, index)?;
        let signed = entry.verify(&right.grant.key);
        signed.map_err(|_| RightError::Signature(entry.entry().writer))?;
        Ok(&right.grant.name)
    }

    /// The right under which the writer that the entry names may write this kind at `index`. Does not check the
    /// signature.
    fn right_of(&self, entry: &SignedEntry, index: Index) -> Result<&Right, WriterProblem> {
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
            match right.grant.check_kind(entry) {
                Ok(()) => return Ok(right),
                Err(error) => problem = error,
            }
        }
        Err(problem.into())
    }
}
