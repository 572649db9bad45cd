//! The genesis document: entry 0 names it, and the trust in all other documents comes from it.

use record::GenesisDocument;
use tlog::Hash;

/// What entry 0 settles.
#[derive(Clone, Debug)]
pub(crate) struct Genesis {
    /// Leaf hash of entry 0: *the* genesis hash.
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
