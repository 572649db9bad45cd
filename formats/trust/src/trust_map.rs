//! The values of one version of the directory or the Registerlandkarte.

use std::ops::Bound;
use std::sync::Arc;

use record::Timestamp;
use rpds::RedBlackTreeMapSync;
use tlog::Hash;

use crate::authority::Authorities;
use crate::component::ComponentState;
use crate::index::{self, Index};
use crate::key::{Key, Section};
use crate::kind::{TrustKind, Version};
use crate::operation::Operations;
use crate::refused::{OperationProblem, SetProblem};
use crate::stored::StoredValue;
use crate::trie::Trie;
use crate::value::Value;

/// One version: its values, their authenticated map, and an index over them. It is immutable, and a clone shares
/// everything.
#[derive(Debug, Clone)]
pub struct TrustMap {
    kind: TrustKind,
    version: Version,
    header: Hash,
    valid_from: Timestamp,
    values: RedBlackTreeMapSync<Key, Arc<StoredValue>>,
    trie: Trie,
    index: Index,
}

impl TrustMap {
    /// Version 0, which has no values.
    #[must_use]
    pub fn empty(kind: TrustKind) -> Self {
        Self {
            kind,
            version: Version::EMPTY,
            header: Hash([0; 32]),
            valid_from: Timestamp(0),
            values: RedBlackTreeMapSync::new_sync(),
            trie: Trie::default(),
            index: Index::default(),
        }
    }

    /// What is versioned.
    #[must_use]
    pub const fn kind(&self) -> TrustKind {
        self.kind
    }

    /// The version.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The digest of the signed header of the set that made the version, by which entries and records name it. Zero for
    /// version 0.
    #[must_use]
    pub const fn header(&self) -> Hash {
        self.header
    }

    /// The same version with the digest of its set's signed header.
    pub(crate) fn with_header(self, header: Hash) -> Self {
        Self { header, ..self }
    }

    /// When the authorities meant the version to take effect.
    #[must_use]
    pub const fn valid_from(&self) -> Timestamp {
        self.valid_from
    }

    /// The root of the authenticated map.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.trie.root()
    }

    /// Number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.size()
    }

    /// Whether there are no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Arc<StoredValue>> {
        self.values.get(key)
    }

    /// All keys and values in ascending order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Arc<StoredValue>)> {
        self.values.iter()
    }

    /// The keys and values whose keys are not before a text, in ascending order of the keys.
    pub fn starting_at(&self, text: &str) -> impl Iterator<Item = (&Key, &Arc<StoredValue>)> {
        self.values.range::<str, _>((Bound::Included(text), Bound::Unbounded))
    }

    /// The values of a section in ascending order of the keys.
    pub fn section(&self, section: Section) -> impl Iterator<Item = &Value> {
        let start = (Bound::Included(section.name()), Bound::Unbounded);
        let from = self.values.range::<str, _>(start);
        from.take_while(move |(key, _)| key.section() == section)
            .map(|(_, stored)| stored.value())
    }

    pub(crate) const fn index(&self) -> &Index {
        &self.index
    }

    pub(crate) const fn trie(&self) -> &Trie {
        &self.trie
    }

    /// The version that follows by the operations of a set. It checks neither header nor signatures nor the root, as
    /// [`crate::TrustState::apply`] does: a reader with its own implementation of these checks calls it.
    ///
    /// # Errors
    /// See [`SetProblem`].
    pub fn change(&self, version: Version, valid_from: Timestamp, operations: &Operations) -> Result<Self, SetProblem> {
        let mut next = self.clone();
        next.version = version;
        next.valid_from = valid_from;
        let mut puts = Vec::new();
        // All values that the set touches are taken out first, so that two of them can exchange a key.
        for operation in operations.list() {
            let key = operation.key();
            let put = next
                .take_out(key, operation.value())
                .map_err(|problem| at(key, problem))?;
            puts.extend(put.map(|stored| (key, Arc::new(stored))));
        }
        for (key, stored) in &puts {
            next.put((*key).clone(), stored.clone())
                .map_err(|problem| at(key, problem))?;
        }
        for operation in operations.list() {
            let key = operation.key();
            next.check_references(key).map_err(|problem| at(key, problem))?;
        }
        next.check_whole()?;
        Ok(next)
    }

    /// Takes the present value of an operation's key out, and reads the one that the operation puts.
    fn take_out(&mut self, key: &Key, put: Option<&[u8]>) -> Result<Option<StoredValue>, OperationProblem> {
        if key.section().kind() != self.kind {
            return Err(OperationProblem::OtherKind(key.section().kind()));
        }
        if put.is_none() && !self.values.contains_key(key) {
            return Err(OperationProblem::NotThere);
        }
        let retired = self.values.get(key).is_some_and(|old| is_retired(old.value()));
        self.end(key);
        let Some(bytes) = put else { return Ok(None) };
        let value = Value::parse(key, bytes)?;
        if retired && !is_retired(&value) {
            return Err(OperationProblem::Retired);
        }
        Ok(Some(StoredValue::new(self.version, bytes, value)))
    }

    /// Puts a value under a key that the index does not have.
    pub(crate) fn put(&mut self, key: Key, stored: Arc<StoredValue>) -> Result<(), OperationProblem> {
        self.index.add(&key, stored.value())?;
        self.trie.put(key.in_map(), stored.in_map());
        self.values.insert_mut(key, stored);
        Ok(())
    }

    /// Version `version` without values, into which [`TrustMap::restore`] puts those of a snapshot.
    pub(crate) fn unfilled(kind: TrustKind, version: Version) -> Self {
        Self {
            version,
            ..Self::empty(kind)
        }
    }

    /// Puts a value of a snapshot.
    pub(crate) fn restore(&mut self, key: Key, version: Version, bytes: &[u8]) -> Result<(), SetProblem> {
        let restored = if key.section().kind() == self.kind {
            Value::parse(&key, bytes).map_err(OperationProblem::from)
        } else {
            Err(OperationProblem::OtherKind(key.section().kind()))
        };
        let put = restored.and_then(|value| self.put(key.clone(), Arc::new(StoredValue::new(version, bytes, value))));
        put.map_err(|problem| at(&key, problem))
    }

    /// An earlier or later version that differs in some values, all of which were in force together.
    pub(crate) fn with_values(
        &self,
        version: Version,
        valid_from: Timestamp,
        values: Vec<(Key, Option<Arc<StoredValue>>)>,
    ) -> Result<Self, SetProblem> {
        let mut other = self.clone();
        other.version = version;
        other.valid_from = valid_from;
        for (key, _) in &values {
            other.end(key);
        }
        for (key, stored) in values {
            if let Some(stored) = stored {
                other.put(key.clone(), stored).map_err(|problem| at(&key, problem))?;
            }
        }
        Ok(other)
    }

    /// Takes a key and its value out. Without the key nothing changes.
    fn end(&mut self, key: &Key) {
        if let Some(old) = self.values.get(key) {
            self.index.remove(key, old.value());
            self.values.remove_mut(key);
            self.trie.remove(&key.in_map());
        }
    }

    /// Finishes a version that was restored from a snapshot.
    pub(crate) fn restored(self, valid_from: Timestamp) -> Result<Self, SetProblem> {
        for (key, stored) in self.iter() {
            self.check_names(stored.value()).map_err(|problem| at(key, problem))?;
        }
        self.check_whole()?;
        Ok(Self { valid_from, ..self })
    }

    /// Checks the references from and to the value of a key that the set has put or ended.
    fn check_references(&self, key: &Key) -> Result<(), OperationProblem> {
        let Some(stored) = self.values.get(key) else {
            let by = self.index.named_by(key).next();
            return by.map_or(Ok(()), |by| Err(OperationProblem::Named(by.clone())));
        };
        self.check_names(stored.value())?;
        match stored.value() {
            Value::Delegation(delegation) if delegation.valid.until.is_some_and(|until| until <= self.valid_from) => {
                Err(OperationProblem::Expired)
            }
            _ => Ok(()),
        }
    }

    /// Checks that there is a value for each key that this value names.
    fn check_names(&self, value: &Value) -> Result<(), OperationProblem> {
        let mut names = index::references(value).into_iter();
        let dangling = names.find(|named| !self.values.contains_key(named));
        dangling.map_or(Ok(()), |named| Err(OperationProblem::Dangling(named)))
    }

    /// Checks what only all values together show.
    pub(crate) fn check_whole(&self) -> Result<(), SetProblem> {
        if self.kind == TrustKind::Directory {
            for key in [Key::identity(), Key::supervision(), Key::threshold()] {
                if !self.values.contains_key(&key) {
                    return Err(SetProblem::Missing(key));
                }
            }
            self.authorities()?;
        }
        Ok(())
    }

    /// The authorities in force; `None` in a map that has none, which is version 0 or a Registerlandkarte.
    pub(crate) fn authorities(&self) -> Result<Option<Authorities>, SetProblem> {
        let mut thresholds = self.section(Section::Threshold);
        let Some(Value::Threshold(threshold)) = thresholds.next() else {
            return Ok(None);
        };
        let authorities = self.section(Section::Authority).filter_map(|value| match value {
            Value::Authority(authority) => Some((authority.key, authority.signs.clone())),
            _ => None,
        });
        Ok(Some(Authorities::new(authorities, *threshold)?))
    }
}

fn is_retired(value: &Value) -> bool {
    matches!(value, Value::Component(component) if component.state == ComponentState::Retired)
}

fn at(key: &Key, problem: OperationProblem) -> SetProblem {
    SetProblem::Operation {
        key: key.clone(),
        problem,
    }
}
