//! How far an access is proved, as a page shows it.

use serde::{Deserialize, Serialize};

use crate::language::words::Words;
use crate::proof::prove::Failure;

/// The state of a row's proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProofState {
    /// Nobody has been asked to check yet.
    Unchecked,
    /// This browser is checking.
    Pending,
    /// This browser has proved it, and the witnesses' quorum has cosigned.
    Browser,
    /// The server has proved it, at the reader's request.
    Server {
        /// The policy's quorum has cosigned.
        quorum: bool,
    },
    /// Not proved.
    Failed(Failure),
}

impl ProofState {
    /// The value of `data-proof`. `proved` means: proved by this browser; the server can never say so.
    pub fn attribute(self) -> &'static str {
        match self {
            Self::Unchecked => "unchecked",
            Self::Pending => "pending",
            Self::Browser => "proved",
            Self::Server { .. } => "server",
            Self::Failed(_) => "failed",
        }
    }

    /// The words of the badge.
    pub fn label(self, words: &Words) -> &'static str {
        match self {
            Self::Unchecked => words.proof_unchecked,
            Self::Pending => words.proof_pending,
            Self::Browser => words.proof_browser,
            Self::Server { .. } => words.proof_server,
            Self::Failed(_) => words.proof_failed,
        }
    }

    /// What there is to say besides: the reason of a failure, or that the witnesses are still missing.
    pub fn remark(self, words: &Words) -> &'static str {
        match self {
            Self::Unchecked | Self::Pending | Self::Browser | Self::Server { quorum: true } => "",
            Self::Server { quorum: false } => words.unwitnessed,
            Self::Failed(failure) => failure.reason(words),
        }
    }

    /// The name that KERN gives to colour and icon: `success`, `warning`, `danger`, `info`.
    pub fn kern(self) -> &'static str {
        match self {
            Self::Unchecked | Self::Pending => "info",
            Self::Browser | Self::Server { quorum: true } => "success",
            Self::Server { quorum: false } => "warning",
            Self::Failed(_) => "danger",
        }
    }
}
