//! The files that an entry names by digest. A change set has two: the entry names the first, and the first the second.

use record::Entry;
use tlog::Hash;
use trust::{SignedHeader, TrustKind};

/// The files that an entry names, as far as they exist.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// The document with the digest in the entry.
    pub(crate) document: Option<Vec<u8>>,
    /// For a change set, the operations with the digest in its header.
    pub(crate) operations: Option<Vec<u8>>,
}

/// The digest of the operations that the document of an entry names. `None` if it is not the signed header of a set.
pub(crate) fn operations_of(entry: &Entry, document: &[u8]) -> Option<Hash> {
    TrustKind::of_entry(entry.body.kind())?;
    let named = entry.body.document()? == Hash::of(document);
    let signed = SignedHeader::parse(document).ok().filter(|_| named)?;
    Some(signed.header().operations)
}
