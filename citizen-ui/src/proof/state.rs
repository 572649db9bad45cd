//! How far an access is proved, as a page shows it.

use serde::{Deserialize, Serialize};

use crate::proof::verify::Failure;

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
