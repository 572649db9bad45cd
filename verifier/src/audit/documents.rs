//! The public documents that entries name by digest: genesis, change sets, erasure reports.
//!
//! The genesis document is unsigned, because entry 0 is the root of trust itself. A change set is two documents: the
//! entry names the signed header, and the header names the operations. Both must be there with their digest, also those
//! of a set that is refused. Every finding about a set names its kind and version; a header that cannot be read has the
//! version that was due.

use record::{DocumentKind, Kind, Timestamp};
use tlog::Hash;
use trust::{SignedHeader, TrustKind};

use super::files::Files;
use super::genesis::Genesis;
use super::layout;
use super::sets::Sets;
use super::state::{EntryReporter, LogState};

/// A set with the entry that carries it.
struct Carried<'a> {
    kind: TrustKind,
    digest: Hash,
    time: Timestamp,
    files: &'a Files,
}

impl LogState {
    /// Checks the documents of an entry and carries out a change set.
    pub(crate) fn take_document(
        &mut self,
        (kind, digest): (DocumentKind, Hash),
        time: Timestamp,
        files: &Files,
        leaf: Hash,
        reporter: &mut EntryReporter<'_>,
    ) {
        if let Some(kind) = TrustKind::of_entry(kind.into()) {
            let set = Carried {
                kind,
                digest,
                time,
                files,
            };
            return self.take_set(&set, reporter);
        }
        let genesis = kind == DocumentKind::Genesis && reporter.index == 0;
        let name = if genesis {
            "the genesis document"
        } else {
            Kind::from(kind).as_str()
        };
        let Some(bytes) = self.find(digest, files.document.as_deref(), name, reporter) else {
            return;
        };
        if genesis && let Err(what) = self.take_genesis(leaf, bytes) {
            let place = layout::document_path(&digest);
            reporter.findings.file(place, format!("not a genesis document: {what}"));
        }
    }

    /// Enters a document into the inventory. Returns its bytes if they have the digest.
    fn find<'a>(
        &mut self,
        digest: Hash,
        bytes: Option<&'a [u8]>,
        name: &str,
        reporter: &mut EntryReporter<'_>,
    ) -> Option<&'a [u8]> {
        self.documents.insert(digest);
        let place = layout::document_path(&digest);
        let Some(bytes) = bytes else {
            reporter.findings.missing_document(&place, reporter.index, name);
            return None;
        };
        if Hash::of(bytes) != digest {
            let what = format!("{name}: its SHA-256 is not its name");
            reporter.findings.entry(&place, reporter.index, what);
            return None;
        }
        Some(bytes)
    }

    fn take_genesis(&mut self, leaf: Hash, bytes: &[u8]) -> Result<(), String> {
        let genesis = Genesis::read(leaf, bytes)?;
        self.sets = Sets::founded(&genesis.document)?;
        self.genesis = Some(genesis);
        Ok(())
    }

    fn take_set(&mut self, set: &Carried<'_>, reporter: &mut EntryReporter<'_>) {
        let (kind, index) = (set.kind, reporter.index);
        let due = self.sets.next(kind);
        let name = format!("{kind}, version {due}");
        let Some(document) = self.find(set.digest, set.files.document.as_deref(), &name, reporter) else {
            self.unnamed = true;
            return self.sets.lose(kind, due, index);
        };
        let place = layout::document_path(&set.digest);
        let signed = match SignedHeader::parse(document) {
            Ok(signed) => signed,
            Err(error) => {
                let what = format!("{name}: not the signed header of a change set: {error}");
                return reporter.findings.entry(&place, index, what);
            }
        };
        let header = signed.header();
        let name = format!("{}, version {}", header.kind, header.version);
        let of_it = format!("operations of {name}");
        let operations = self.find(header.operations, set.files.operations.as_deref(), &of_it, reporter);
        let Some(genesis) = self.genesis.as_ref().filter(|_| self.sets.is_known(kind)) else {
            return self.sets.lose(kind, due, index);
        };
        let checked = self.sets.check_header(kind, &signed, set.time, &genesis.document);
        let applied = match (checked, operations) {
            (Ok(()), None) => return self.sets.lose(kind, due, index),
            (Ok(()), Some(operations)) => self.sets.apply(kind, &signed, operations, index),
            (Err(what), _) => Err(what),
        };
        if let Err(what) = applied {
            reporter.findings.entry(&place, index, format!("{name}: {what}"));
        }
    }
}
