//! The genesis document, which entry 0 names. It is the root of trust for all other documents.

use record::GenesisDocument;
use tlog::Hash;

/// The genesis document and the hash that identifies the log.
#[derive(Clone, Debug)]
pub(crate) struct Genesis {
    /// Leaf hash of entry 0, which is the genesis hash.
    pub(crate) hash: Hash,
    /// The file's bytes.
    pub(crate) bytes: Vec<u8>,
    pub(crate) document: GenesisDocument,
}

impl Genesis {
    pub(crate) fn read(hash: Hash, bytes: &[u8]) -> Result<Genesis, String> {
        let document = GenesisDocument::parse(bytes).map_err(|error| error.to_string())?;
        Ok(Genesis {
            hash,
            bytes: bytes.to_vec(),
            document,
        })
    }
}
