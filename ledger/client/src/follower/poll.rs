//! One round of the follower: from its own tree to the newest signed head.

use std::sync::{Arc, PoisonError};

use tlog::checkpoint::Checkpoint;
use tlog::merkle::{self, Index, Size};
use tlog::tile::{Bundle, decode_bundle};

use super::audit::Portion;
use super::documents::SetDocuments;
use super::shared::Shared;
use super::types::FollowerError;
use crate::api::{ApiError, DocumentError};
use crate::tiles::{RootError, TileCache, root_at};
use crate::trust::Head;

/// How many entries are checked before they are added. Bounds the memory while a long log is read.
const PORTION_ENTRIES: u64 = 1 << 16;

pub(super) struct Poller {
    shared: Arc<Shared>,
    cache: TileCache,
    documents: SetDocuments,
}

impl Poller {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            cache: TileCache::default(),
            documents: SetDocuments::default(),
        }
    }

    /// Follows to the newest head and returns its size.
    pub(super) async fn poll(&mut self) -> Result<Size, FollowerError> {
        self.shared.sound()?;
        // Fetched before the head, so that the head is never behind it.
        let published = self.published().await;
        let bytes = self.shared.api.head().await?;
        // Bytes without a valid signature prove nothing against the log.
        let head = self
            .shared
            .trust
            .checkpoint(bytes)
            .map_err(|error| FollowerError::Behind(error.to_string()))?;
        let head = Arc::new(head);
        let target = head.checkpoint().size;
        if target <= self.shared.state().size() {
            let size = self.compare(&head)?;
            self.publish(published)?;
            return Ok(size);
        }
        while self.shared.state().size() < target {
            self.advance(head.checkpoint()).await?;
            self.publish(published.clone())?;
        }
        self.cache.drop_partial();
        self.shared.state().set_head(head);
        self.shared.size.send_replace(target);
        Ok(target)
    }

    /// The published checkpoint if there is one with a quorum. Only proofs for other parties depend on it.
    async fn published(&self) -> Option<Arc<Head>> {
        let bytes = self.shared.api.checkpoint().await.ok()?;
        let head = self.shared.trust.checkpoint(bytes).ok()?;
        head.quorum().then(|| Arc::new(head))
    }

    /// Applies a published checkpoint once the own tree has reached it.
    fn publish(&self, published: Option<Arc<Head>>) -> Result<(), FollowerError> {
        let mut state = self.shared.state();
        let Some(published) = published.filter(|head| head.checkpoint().size <= state.size()) else {
            return Ok(());
        };
        let Checkpoint { size, root, .. } = published.checkpoint();
        let settled = if state.root_at(*size) == Some(*root) {
            state.publish(published)
        } else {
            Err(format!(
                "the log has published another root for the size {size}: a fork"
            ))
        };
        drop(state);
        settled.map_err(|fault| self.broken(fault))
    }

    /// Checks a head that is not beyond the own tree: it must have the root of an earlier size.
    fn compare(&self, head: &Arc<Head>) -> Result<Size, FollowerError> {
        let Checkpoint { size, root, .. } = head.checkpoint();
        let mut state = self.shared.state();
        if state.root_at(*size) != Some(*root) {
            drop(state);
            return Err(self.broken(format!("the log has signed two roots for the size {size}: a fork")));
        }
        if *size < state.size() {
            return Err(FollowerError::Behind(format!(
                "the ledger shows an old head of size {size}"
            )));
        }
        state.set_head(head.clone());
        self.shared.size.send_replace(*size);
        Ok(*size)
    }

    /// Checks and adds the next portion of the signed tree.
    async fn advance(&mut self, head: &Checkpoint) -> Result<(), FollowerError> {
        let shared = self.shared.clone();
        let (size, frontier, history) = {
            let mut state = shared.state();
            (state.size(), state.frontier().unwrap_or_default(), state.history())
        };
        let end = Size::new(head.size.get().min(size.get() + PORTION_ENTRIES)).unwrap_or(head.size);
        let root = root_at(shared.api.as_ref(), &mut self.cache, head, end).await?;
        let mut portion = Portion::new(history, frontier);
        let mut at = size.get();
        while at < end.get() {
            let index = at / 256;
            let entries = bundle(&shared, index, end).await?;
            let skip = usize::try_from(at % 256).unwrap_or_default();
            for (leaf, at) in entries.iter().skip(skip).zip(at..) {
                let place = Index::new(at).map_err(|_| FollowerError::OutOfTree)?;
                let set = self.documents.set_of(shared.api.as_ref(), place, leaf).await?;
                portion.push(&shared, leaf, set.as_ref());
            }
            at = index * 256 + entries.len() as u64;
            // A long log must not block a thread of the runtime.
            tokio::task::yield_now().await;
        }
        if portion.root() != root {
            return Err(self.mismatch(head, size, end).await);
        }
        let (checked, history) = portion.finish().map_err(|fault| self.broken(fault))?;
        let added = {
            let mut state = shared.state();
            let added = checked.into_iter().try_for_each(|entry| state.add(entry));
            state.set_history(history);
            added
        };
        added.map_err(|fault| self.broken(fault))
    }

    /// Explains a wrong root. Either the signed tree does not extend the own one, which is a fork; or the bundles do
    /// not have its entries, which proves nothing: the disk of the ledger or something on the way may have changed
    /// them.
    async fn mismatch(&mut self, head: &Checkpoint, size: Size, end: Size) -> FollowerError {
        let signed = root_at(self.shared.api.as_ref(), &mut self.cache, head, size).await;
        let ours = self.shared.state().root_at(size);
        if signed.is_ok_and(|signed| ours.is_some_and(|ours| ours != signed)) {
            return self.broken(format!(
                "the signed tree of size {} does not extend that of size {size}: a fork",
                head.size
            ));
        }
        // The log has not signed these bytes, so they prove nothing against it, however often they come.
        FollowerError::Behind(format!(
            "the entries up to {end} are not those of the tree that the log has signed"
        ))
    }

    fn broken(&self, reason: String) -> FollowerError {
        tracing::error!(
            reason,
            "ALARM: the log is broken; everything that depends on it stops until an operator acts"
        );
        FollowerError::Broken(self.shared.broken.get_or_init(|| reason.into()).clone())
    }
}

/// The entries of a bundle, as many as a tree of `size` has. Not checked.
async fn bundle(shared: &Shared, index: u64, size: Size) -> Result<Arc<Vec<Vec<u8>>>, FollowerError> {
    let bundle = Bundle::of_tree(index, size).ok_or(FollowerError::OutOfTree)?;
    let bytes = shared.api.entries_bundle(bundle).await?;
    let entries = decode_bundle(&bytes, bundle.width()).map_err(|error| FollowerError::Behind(error.to_string()))?;
    let entries = Arc::new(entries.into_iter().map(<[u8]>::to_vec).collect::<Vec<_>>());
    let mut cache = shared.bundles.lock().unwrap_or_else(PoisonError::into_inner);
    cache.put(index, entries.clone());
    Ok(entries)
}

/// An entry's bytes, checked against the tree.
pub(super) async fn leaf(shared: &Shared, index: Index) -> Result<Vec<u8>, FollowerError> {
    let expected = shared.state().leaf_hash(index).ok_or(FollowerError::OutOfTree)?;
    let (at, offset) = (
        index.get() / 256,
        usize::try_from(index.get() % 256).unwrap_or_default(),
    );
    let cached = shared.bundles.lock().unwrap_or_else(PoisonError::into_inner).get(at);
    let found = |entries: &[Vec<u8>]| {
        entries
            .get(offset)
            .filter(|leaf| merkle::leaf_hash(leaf) == expected)
            .cloned()
    };
    if let Some(leaf) = cached.and_then(|entries| found(&entries)) {
        return Ok(leaf);
    }
    let size = shared.state().size();
    let entries = bundle(shared, at, size).await?;
    found(&entries).ok_or_else(|| FollowerError::Behind(format!("the ledger serves other bytes as entry {index}")))
}

impl From<DocumentError> for FollowerError {
    fn from(error: DocumentError) -> Self {
        Self::Behind(error.to_string())
    }
}

impl From<ApiError> for FollowerError {
    fn from(error: ApiError) -> Self {
        Self::Behind(error.to_string())
    }
}

impl From<RootError> for FollowerError {
    fn from(error: RootError) -> Self {
        Self::Behind(error.to_string())
    }
}
