//! The checks of a submission that do not depend on the log. Request handlers run them in parallel.

use std::sync::Arc;

use axum::body::Bytes;
use record::entry::MAX_LEAF;
use record::sealed::MAX_RECORD;
use record::{Body, DocumentKind, GenesisDocument, Kind, PreparedKey, SignedEntry, Submitted, verify_each};
use tlog::Hash;
use trust::SignedChangeSet;
use trust::limits::MAX_SET;

use super::chains::{self, WriterHead};
use super::keys::{KeysById, WriterKeys};
use super::refusal::Refusal;
use crate::engine::rows::Rows;
use crate::store::StoreError;

/// An entry with a valid format and signature, with its record and its document.
#[derive(Debug)]
pub struct Submission {
    pub(super) entry: SignedEntry,
    pub(super) record: Option<Bytes>,
    pub(super) document: Option<Document>,
}

/// The public document of an entry.
#[derive(Debug)]
pub(super) enum Document {
    /// A document whose digest is in the entry.
    Plain(Bytes),
    /// A change set. The digest of its signed header is in the entry.
    Set(Box<SignedChangeSet>),
}

/// A submission as it was received.
#[derive(Clone, Debug)]
pub struct RawSubmission {
    /// The leaf.
    pub leaf: Bytes,
    /// The sealed record.
    pub record: Option<Bytes>,
    /// The public document.
    pub document: Option<Bytes>,
}

impl RawSubmission {
    /// A submission in a request's body; it shares the bytes of the body.
    pub fn part_of(body: &Bytes, submitted: Submitted<'_>) -> Self {
        Self {
            leaf: body.slice_ref(submitted.leaf),
            record: submitted.record.map(|record| body.slice_ref(record)),
            document: submitted.document.map(|document| body.slice_ref(document)),
        }
    }

    /// The length of all parts together, in bytes.
    pub fn len(&self) -> usize {
        let length = |part: &Option<Bytes>| part.as_ref().map_or(0, Bytes::len);
        self.leaf.len() + length(&self.record) + length(&self.document)
    }

    /// Whether all parts are empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Checks submissions by themselves, for the request handlers.
#[derive(Debug)]
pub struct SubmissionChecker {
    /// The leaf hash of entry 0.
    pub genesis: Hash,
    /// The keys of the known writers.
    pub keys: Arc<WriterKeys>,
}

impl SubmissionChecker {
    /// Checks size, format, record, document and signature of each submission; returns the results in the same order.
    ///
    /// Checking many submissions in one call is cheaper than one by one (see [`verify_each`]), but each result is
    /// independent of the other submissions.
    ///
    /// # Errors
    /// [`Refusal`]: `malformed`, `too-large`, `record`, `document`, `unknown-writer`, `signature`.
    pub fn check(
        &self,
        raws: Vec<RawSubmission>,
        founder: Option<&Arc<PreparedKey>>,
    ) -> Vec<Result<Submission, Refusal>> {
        let keys = self.keys.current();
        let formed: Vec<_> = raws.into_iter().map(|raw| check_format(raw, &keys, founder)).collect();
        let signed = formed
            .iter()
            .flatten()
            .map(|(submission, key)| (&submission.entry, &**key));
        let mut verdicts = verify_each(signed).into_iter();
        let judge = |formed: Result<(Submission, _), Refusal>| {
            let (submission, _) = formed?;
            match verdicts.next() {
                Some(Ok(())) => Ok(submission),
                _ => Err(Refusal::signature()),
            }
        };
        formed.into_iter().map(judge).collect()
    }

    /// Whether the leaf is an entry that its writer has signed and the log does not have yet. Only the writer can make
    /// such a leaf; the others can be copied from the public log.
    pub(crate) fn is_new(&self, rows: &Rows, leaf: Bytes) -> bool {
        let Ok(entry) = SignedEntry::parse(leaf) else {
            return false;
        };
        let Some(key) = self.keys.current().get(&entry.entry().writer).cloned() else {
            return false;
        };
        let newest = WriterHead::read(rows, &entry.entry().writer);
        let is_next = matches!(newest, Ok(head) if head.is_none_or(|head| head.sequence < entry.entry().sequence.0));
        is_next && verify_each([(&entry, &*key)]).iter().all(Result::is_ok)
    }

    /// The index of a submission that the log has already, with these bytes and within its first `size` entries.
    pub(crate) fn recorded(rows: &Rows, size: u64, submission: &Submission) -> Result<Option<u64>, StoreError> {
        let entry = submission.entry.entry();
        let index = chains::index(rows.store().as_ref(), &entry.writer, entry.sequence.0)?;
        let Some(index) = index.filter(|index| *index < size) else {
            return Ok(None);
        };
        let is_same = rows.leaf_hash(index)? == submission.entry.leaf_hash();
        Ok(is_same.then_some(index))
    }

    /// The operator's key if no key is known yet and one of the submissions is the genesis entry. The first entries
    /// arrive in one request, before any key is known.
    pub fn founder(&self, raws: &[RawSubmission]) -> Option<Arc<PreparedKey>> {
        if !self.keys.current().is_empty() {
            return None;
        }
        let genesis = raws
            .iter()
            .find(|raw| tlog::merkle::leaf_hash(&raw.leaf) == self.genesis)?;
        let document = GenesisDocument::parse(genesis.document.as_deref()?).ok()?;
        Some(Arc::new(PreparedKey::new(document.operator)))
    }
}

/// Checks everything but the signature; returns the key that the signature must verify with.
fn check_format(
    raw: RawSubmission,
    keys: &KeysById,
    founder: Option<&Arc<PreparedKey>>,
) -> Result<(Submission, Arc<PreparedKey>), Refusal> {
    if raw.leaf.len() > MAX_LEAF {
        return Err(Refusal::too_large(format!("an entry has at most {MAX_LEAF} bytes")));
    }
    let entry = SignedEntry::parse(raw.leaf).map_err(|error| Refusal::malformed(error.to_string()))?;
    let body = &entry.entry().body;
    if body.kind() == Kind::Map {
        // Also one that the log has: a stranger can copy it, and only the ledger needs its receipt.
        return Err(Refusal::right("map entries are written by the ledger alone"));
    }
    check_record(body.commitment().map(|commitment| commitment.0), raw.record.as_deref())?;
    let document = read_document(body, raw.document)?;
    let writer = entry.entry().writer;
    let key = keys.get(&writer).or(founder.filter(|key| key.id() == writer));
    let key = key.ok_or_else(Refusal::unknown_writer)?.clone();
    let submission = Submission {
        entry,
        record: raw.record,
        document,
    };
    Ok((submission, key))
}

fn check_record(commitment: Option<Hash>, record: Option<&[u8]>) -> Result<(), Refusal> {
    match (commitment, record) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(Refusal::record("an entry of this kind has no record")),
        (Some(_), None) => Err(Refusal::record(
            "an entry of this kind must come with its sealed record",
        )),
        (Some(_), Some(record)) if record.len() > MAX_RECORD => Err(Refusal::too_large(format!(
            "a sealed record has at most {MAX_RECORD} bytes"
        ))),
        (Some(commitment), Some(record)) if Hash::of(record) == commitment => Ok(()),
        (Some(_), Some(_)) => Err(Refusal::record(
            "the sealed record does not match the entry's commitment",
        )),
    }
}

/// The document that the entry names, checked against the digest in the entry.
fn read_document(body: &Body, document: Option<Bytes>) -> Result<Option<Document>, Refusal> {
    let (kind, digest, document) = match (body, document) {
        (Body::Document { kind, digest }, Some(document)) => (*kind, *digest, document),
        (Body::Document { .. }, None) => {
            return Err(Refusal::document("an entry of this kind must come with its document"));
        }
        (_, Some(_)) => return Err(Refusal::document("an entry of this kind has no document")),
        (_, None) => return Ok(None),
    };
    if document.len() > MAX_SET {
        return Err(Refusal::too_large(format!("a document has at most {MAX_SET} bytes")));
    }
    let (named, document) = match kind {
        DocumentKind::Directory | DocumentKind::Registry => {
            let set = SignedChangeSet::parse(&document).map_err(|error| Refusal::document(error.to_string()))?;
            (set.signed().digest(), Document::Set(Box::new(set)))
        }
        DocumentKind::Genesis | DocumentKind::Erasure => (Hash::of(&document), Document::Plain(document)),
    };
    if named == digest {
        Ok(Some(document))
    } else {
        Err(Refusal::document("the document does not match the digest in the entry"))
    }
}

impl Submission {
    /// The entry.
    pub fn entry(&self) -> &SignedEntry {
        &self.entry
    }
}
