//! The trust root, all of it from outside the server: a policy file (log key, witnesses, quorum; C2SP tlog-policy)
//! and the genesis hash, which is the leaf hash of entry 0.

use std::path::{Path, PathBuf};

use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::policy::Policy;

/// The trust root of a connector, cockpit or other reader.
#[derive(Debug, Clone)]
pub struct Trust {
    /// Log keys, witnesses and quorum.
    pub policy: Policy,
    /// Leaf hash of entry 0.
    pub genesis: Hash,
}

/// Why the trust root cannot be read. Fatal, because nothing can be checked without one.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The policy file cannot be read.
    #[error("cannot read the policy file {path}: {reason}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: std::io::Error,
    },
    /// The policy file is not a policy.
    #[error("{path} is not a tlog policy: {reason}")]
    Policy {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The policy does not name exactly one log. A log may have several keys while its key is being replaced.
    #[error("{0} must name the keys of exactly one log")]
    Logs(PathBuf),
    /// The genesis hash is not 64 lower-case hex digits.
    #[error("the genesis hash must be 64 lower-case hex digits")]
    Genesis,
}

/// Why a checkpoint is not accepted.
#[derive(Debug, Clone, thiserror::Error)]
#[error("checkpoint not accepted: {0}")]
pub struct CheckpointRefused(String);

/// A checkpoint with a valid signature of the log. Only [`Trust::checkpoint`] makes one.
#[derive(Debug, Clone)]
pub struct Head {
    checkpoint: Checkpoint,
    quorum: bool,
    quorum_time: Option<u64>,
    bytes: Vec<u8>,
}

impl Trust {
    /// Reads the policy file and the genesis hash (hex).
    ///
    /// # Errors
    /// [`TrustError`], fatal.
    pub fn load(path: &Path, genesis: &str) -> Result<Self, TrustError> {
        let text = service::text_file::read_lines(path).map_err(|reason| TrustError::Read {
            path: path.into(),
            reason,
        })?;
        let policy = Policy::parse(&text).map_err(|error| TrustError::Policy {
            path: path.into(),
            reason: error.to_string(),
        })?;
        let mut origins = policy.logs().iter().map(|log| log.origin());
        let first = origins.next().ok_or_else(|| TrustError::Logs(path.into()))?;
        if origins.any(|origin| origin != first) {
            return Err(TrustError::Logs(path.into()));
        }
        Ok(Self {
            policy,
            genesis: genesis.parse().map_err(|_| TrustError::Genesis)?,
        })
    }

    /// Checks a checkpoint. The log's signature is required; [`Head::quorum`] returns whether it has a quorum.
    ///
    /// # Errors
    /// [`CheckpointRefused`] if the log has not signed it, or the signature of a known key is not valid.
    pub fn checkpoint(&self, bytes: Vec<u8>) -> Result<Head, CheckpointRefused> {
        let verdict = self
            .policy
            .verify_checkpoint(&bytes)
            .map_err(|error| CheckpointRefused(error.to_string()))?;
        Ok(Head {
            checkpoint: verdict.checkpoint().clone(),
            quorum: verdict.quorum(),
            quorum_time: verdict.quorum_time(),
            bytes,
        })
    }
}

impl Head {
    /// Size and root.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Whether the policy's quorum of witnesses has cosigned it.
    #[must_use]
    pub const fn quorum(&self) -> bool {
        self.quorum
    }

    /// The newest time (POSIX seconds) at or after which a whole quorum has cosigned it.
    #[must_use]
    pub const fn quorum_time(&self) -> Option<u64> {
        self.quorum_time
    }

    /// The signed note.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use tlog::note::SignerKey;

    fn load(names: &[&str], genesis: &str) -> Result<Trust, TrustError> {
        let mut policy = String::new();
        for (seed, name) in (1..).zip(names) {
            let key = SignerKey::for_notes(name.parse().unwrap(), &[seed; 32]);
            policy += &format!("log {}\n", key.verifier_key().unwrap());
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("trust.policy");
        std::fs::write(&path, policy + "quorum none\n").unwrap();
        Trust::load(&path, genesis)
    }

    #[test]
    fn a_trust_root_names_exactly_one_log() {
        let genesis = "00".repeat(32);
        assert!(load(&["a.example"], &genesis).is_ok());
        assert!(
            load(&["a.example", "a.example"], &genesis).is_ok(),
            "the log's key is being replaced"
        );
        for names in [&[][..], &["a.example", "b.example"]] {
            assert!(matches!(load(names, &genesis), Err(TrustError::Logs(_))));
        }
        assert!(matches!(load(&["a.example"], "00"), Err(TrustError::Genesis)));
        assert!(matches!(
            Trust::load(Path::new("/nowhere"), &genesis),
            Err(TrustError::Read { .. })
        ));
    }
}
