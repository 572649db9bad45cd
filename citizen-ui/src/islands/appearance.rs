//! How the state of a proof appears in HTML, in either language.

use crate::proof::complete::Completeness;
use crate::proof::state::ProofState;

impl ProofState {
    /// The value of `data-proof`. `proved` means that this browser has checked the proof; the server never writes it.
    pub(crate) fn attribute(self) -> &'static str {
        match self {
            Self::Unchecked => "unchecked",
            Self::Pending => "pending",
            Self::Browser => "proved",
            Self::Server { .. } => "server",
            Self::Failed(_) => "failed",
        }
    }

    /// KERN's name of the colour and the icon: `success`, `warning`, `danger` or `info`.
    pub(crate) fn kern(self) -> &'static str {
        match self {
            Self::Unchecked | Self::Pending => "info",
            Self::Browser | Self::Server { quorum: true } => "success",
            Self::Server { quorum: false } => "warning",
            Self::Failed(_) => "danger",
        }
    }
}

impl Completeness {
    /// The value of `data-complete`. `proved` means that this browser has checked the proof; the server never writes
    /// it.
    pub(crate) fn attribute(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Pending => "pending",
            Self::Browser(_) => "proved",
            Self::Server(_) => "server",
            Self::Failed(_) => "failed",
        }
    }

    /// KERN's name of the colour and the icon: `success`, `danger` or `info`.
    pub(crate) fn kern(self) -> &'static str {
        match self {
            Self::Absent | Self::Pending => "info",
            Self::Browser(_) | Self::Server(_) => "success",
            Self::Failed(_) => "danger",
        }
    }
}
