//! The state of the proof of one access.

use serde::{Deserialize, Serialize};

use crate::proof::verify::Failure;

/// The state of the proof of one access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProofState {
    /// Neither the server nor the browser has started to check.
    Unchecked,
    /// This browser is checking.
    Pending,
    /// This browser has proved it, and the witnesses' quorum has cosigned.
    Browser,
    /// The server has proved it, at the citizen's request.
    Server {
        /// Whether the witnesses' quorum has cosigned.
        quorum: bool,
    },
    /// Not proved.
    Failed(Failure),
}
