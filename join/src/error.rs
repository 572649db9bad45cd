//! Why the join service cannot start or must end.

use std::path::PathBuf;

use certificates::AuthorityError;
use ledger_client::trust::TrustError;
use service::tls::TlsError;
use store::TableError;

/// Why the join service cannot start or must end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The certificate authority cannot be used.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The configuration has no certificate authority.
    #[error("the configuration has no certificate authority: make one with join create-authority")]
    NoAuthority,
    /// A certificate of an authority cannot be read.
    #[error(transparent)]
    Certificate(#[from] TlsError),
    /// The trust root cannot be read.
    #[error("configuration: {0}")]
    Trust(#[from] TrustError),
    /// The ledger cannot be reached, or its log is not the trusted one.
    #[error("the log: {0}")]
    Log(String),
    /// The table of enrolments cannot be opened.
    #[error(transparent)]
    Enrolments(#[from] TableError),
    /// The process's own directory cannot be used.
    #[error("{0}: {1}")]
    Data(PathBuf, std::io::Error),
    /// The listener failed.
    #[error("listening: {0}")]
    Listen(#[from] std::io::Error),
}
