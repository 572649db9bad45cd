//! The verifier that the portal offers for download.

use std::io;
use std::path::{Path, PathBuf};

use citizen_ui::pages::VerifierFile;
use sha2::{Digest, Sha256};

/// The verifier that the portal offers for download.
pub(crate) struct VerifierDownload {
    path: PathBuf,
    /// SHA-256 in hexadecimal digits, as of the start. A file that is replaced later does not have it.
    digest: String,
    size: u64,
}

impl VerifierDownload {
    /// Reads the file once for its digest.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let mut hash = HashWriter(Sha256::new());
        let size = io::copy(&mut std::fs::File::open(path)?, &mut hash)?;
        Ok(Self {
            path: path.to_owned(),
            digest: hex::encode(hash.0.finalize()),
            size,
        })
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What the page says about it.
    pub(crate) fn described(&self) -> VerifierFile {
        VerifierFile {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            digest: self.digest.clone(),
            size: self.size,
        }
    }
}

struct HashWriter(Sha256);

impl io::Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
