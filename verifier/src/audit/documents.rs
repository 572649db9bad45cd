//! The public documents that entries name by digest: genesis, directory, Registerlandkarte, erasure reports.
//!
//! The genesis document is unsigned, because entry 0 is the root of trust itself. Directory and Registerlandkarte are
//! signed by one of the authorities that the genesis document names. Each directory must have a higher version than the
//! one before it. Without the genesis document, which has its own finding, no authority's key is known, and the other
//! documents are not judged.

use record::{Directory, DocumentKind};
use tlog::Hash;

use super::genesis::Genesis;
use super::layout;
use super::state::{EntryReporter, LogState};

impl LogState {
    pub(crate) fn take_document(
        &mut self,
        kind: DocumentKind,
        digest: Hash,
        bytes: Option<&[u8]>,
        leaf: &Hash,
        reporter: &mut EntryReporter<'_>,
    ) {
        self.documents.insert(digest);
        let path = layout::document_path(&digest);
        let Some(bytes) = bytes else {
            return reporter.findings.missing_document(&path, reporter.index);
        };
        if Hash::of(bytes) != digest {
            return reporter.findings.file(path, "its SHA-256 is not its name");
        }
        let result = match kind {
            DocumentKind::Genesis if reporter.index == 0 => self.take_genesis(*leaf, bytes),
            DocumentKind::Directory => self.take_directory(digest, bytes, reporter.index),
            DocumentKind::Registry => self.check_registry(digest, bytes, reporter.index),
            DocumentKind::Genesis | DocumentKind::Erasure => Ok(()),
        };
        if let Err(what) = result {
            reporter.findings.file(path, what);
        }
    }

    fn take_genesis(&mut self, leaf: Hash, bytes: &[u8]) -> Result<(), String> {
        let genesis = Genesis::read(leaf, bytes).map_err(|error| format!("not a genesis document: {error}"))?;
        self.genesis = Some(genesis);
        Ok(())
    }

    fn take_directory(&mut self, digest: Hash, bytes: &[u8], index: u64) -> Result<(), String> {
        let Some(genesis) = &self.genesis else { return Ok(()) };
        if index == 1 && genesis.document.directory != digest {
            return Err("not the directory that the genesis document names".to_owned());
        }
        let directory = Directory::open(bytes, &genesis.document.authorities)
            .map_err(|error| format!("not a directory signed by an authority: {error}"))?;
        if self
            .directory
            .as_ref()
            .is_some_and(|before| before.version >= directory.version)
        {
            return Err(format!(
                "version {} does not come after the one in force",
                directory.version
            ));
        }
        self.directory = Some(directory);
        self.directory_document = bytes.to_vec();
        Ok(())
    }

    fn check_registry(&self, digest: Hash, bytes: &[u8], index: u64) -> Result<(), String> {
        let Some(genesis) = &self.genesis else { return Ok(()) };
        if index == 2 && genesis.document.registerlandkarte != digest {
            return Err("not the Registerlandkarte that the genesis document names".to_owned());
        }
        registerlandkarte::Snapshot::open(bytes, &genesis.document.authorities)
            .map(|_| ())
            .map_err(|error| format!("not a Registerlandkarte signed by an authority: {error}"))
    }
}
