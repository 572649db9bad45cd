//! The change sets that entries carry, read ahead in pages while a long log is read.

use std::collections::BTreeMap;

use record::{Body, SignedEntry};
use tlog::Hash;
use tlog::merkle::Index;
use trust::{LoggedSet, Operations, SetPage, SetParseError, SignedChangeSet, SignedHeader, TrustKind};

use super::types::FollowerError;
use crate::api::{self, DocumentError, LedgerApi};

/// The sets of the last page that have not been used yet: at most [`trust::limits::MAX_PAGE`] bytes.
#[derive(Default)]
pub(super) struct SetDocuments {
    ahead: BTreeMap<Index, LoggedSet>,
}

impl SetDocuments {
    /// The change set that the entry at `index` carries; `None` if it carries none, or if its documents are no set.
    /// Nothing is checked but that the documents have the digests in entry and header.
    pub(super) async fn set_of(
        &mut self,
        api: &dyn LedgerApi,
        index: Index,
        leaf: &[u8],
    ) -> Result<Option<SignedChangeSet>, FollowerError> {
        let entry = SignedEntry::parse(leaf).ok();
        let body = entry.as_ref().map(|entry| &entry.entry().body);
        let Some(Body::Document { kind, digest }) = body else {
            return Ok(None);
        };
        if TrustKind::of_entry((*kind).into()).is_none() {
            return Ok(None);
        }
        if !self.ahead.contains_key(&index) {
            self.read_ahead(api, index).await;
        }
        let set = match self.ahead.remove(&index).filter(|set| Hash::of(&set.header) == *digest) {
            Some(logged) => parse(&logged),
            None => None,
        };
        match set {
            Some(set) => Ok(Some(set)),
            None => Ok(read_set(api, digest).await?.ok()),
        }
    }

    /// Reads the page from `index` on. It has published entries alone, and so may be empty or not be there; then each
    /// document is read by itself.
    async fn read_ahead(&mut self, api: &dyn LedgerApi, index: Index) {
        let Ok(bytes) = api.sets(index).await else { return };
        if let Ok(page) = SetPage::parse(&bytes) {
            self.ahead = page.sets.into_iter().map(|set| (set.index, set)).collect();
        }
    }
}

/// The set, if the operations are those that the header names.
fn parse(logged: &LoggedSet) -> Option<SignedChangeSet> {
    let header = SignedHeader::parse(&logged.header).ok()?;
    let operations = Operations::parse(&logged.operations).ok()?;
    SignedChangeSet::new(header, operations).ok()
}

/// Reads the change set whose header has this digest; the inner error is that of documents that are no set. Only the
/// digests are checked.
async fn read_set(api: &dyn LedgerApi, header: &Hash) -> Result<Result<SignedChangeSet, SetParseError>, DocumentError> {
    let header = match SignedHeader::parse(&api::document(api, header).await?) {
        Ok(header) => header,
        Err(error) => return Ok(Err(error)),
    };
    let operations = api::document(api, &header.header().operations).await?;
    let operations = Operations::parse(&operations);
    Ok(operations.and_then(|operations| SignedChangeSet::new(header, operations)))
}
