//! Why a call of the database failed, and the condition of a commit.

use std::error::Error;

use tokio_postgres::Client;

type Source = Box<dyn Error + Send + Sync>;

/// The condition that commits are replicated synchronously.
pub const GUARD: &str = "SELECT current_setting('synchronous_standby_names') <> ''";

/// Why a call of the database failed.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// A setting or a file of the configuration cannot be used.
    #[error("{what}: {source}")]
    Configuration {
        /// The setting.
        what: String,
        /// The cause.
        source: Source,
    },
    /// The database refused. The transaction is undone.
    #[error("the database refused: {}", describe(.0))]
    Refused(#[source] tokio_postgres::Error),
    /// The database does not replicate synchronously, so a commit could be lost with its machine.
    #[error("the database does not replicate synchronously: set `synchronous_standby_names`")]
    NotReplicated,
    /// There is no connection, it broke, or the server cannot answer at the moment. It is unknown whether it has done
    /// what it was asked.
    #[error("there is no usable connection to the database: {0}")]
    Unknown(String),
}

impl PostgresError {
    /// An error of the configuration, in which `what` cannot be used because of `source`.
    pub fn configuration(what: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::Configuration {
            what: what.into(),
            source: source.into(),
        }
    }
}

/// The outcome is unknown if the connection is broken or the server is ending or changing its role.
impl From<tokio_postgres::Error> for PostgresError {
    fn from(error: tokio_postgres::Error) -> Self {
        // SPEC: PostgreSQL, appendix A: 08 connection, 25 transaction state (a demoted server is read-only),
        // 40 rollback, 55 lock not available, 57 operator intervention.
        let passing = |code: &str| {
            ["08", "25", "40", "55", "57"]
                .iter()
                .any(|class| code.starts_with(class))
        };
        match error.code() {
            Some(code) if !passing(code.code()) => Self::Refused(error),
            _ => Self::Unknown(describe(&error)),
        }
    }
}

/// An error of the client with its cause, which its own text leaves out.
pub fn describe(error: &tokio_postgres::Error) -> String {
    let cause = std::error::Error::source(error);
    cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

/// Checks the guard.
///
/// # Errors
/// [`PostgresError::NotReplicated`], or any other.
pub async fn synchronous(client: &Client) -> Result<(), PostgresError> {
    guarded(client.query_one(GUARD, &[]).await?.try_get(0)?)
}

/// Checks the answer to the guard.
///
/// # Errors
/// [`PostgresError::NotReplicated`].
pub fn guarded(synchronous: bool) -> Result<(), PostgresError> {
    synchronous.then_some(()).ok_or(PostgresError::NotReplicated)
}
