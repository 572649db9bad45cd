//! PostgreSQL as an engine: a commit is on the disks of two machines before it is acknowledged.
//!
//! Each store is a schema of the database, and each of its tables is a table `(k bytea PRIMARY KEY, v bytea)`;
//! `bytea` is ordered bytewise, as keys are. The table `store-head` has one row: the number of the newest group, and
//! the owner, a random number of one opened store.
//!
//! **One process.** A store takes an advisory lock of its session, and then makes itself the owner. The lock keeps
//! processes from taking a store from each other while both live; the server ends a session that is silent for three
//! seconds. Every group locks the row of `store-head` first and fails if the owner is another one. So a process that
//! was frozen or cut off writes nothing after another one has taken over ([`crate::TableError::Fenced`]).
//!
//! **A group** reads what its writes ask for, keeps their changes in memory, and sends them together with the commit:
//!
//! ```text
//! 1  BEGIN; SELECT version, owner FROM store-head FOR UPDATE
//! 2  reads, each a flight of its own; they see the changes in memory
//! 3  changes, a statement or two per table; version + 1; COMMIT; SELECT guard      pipelined
//! ```
//!
//! It is acknowledged only if every statement succeeded, the commit came back, synchronous replication is on (the
//! *guard*), and the server has sent no warning on this connection. PostgreSQL reports a commit whose wait for the
//! standby was cancelled as successful, with a warning.
//!
//! **When the connection breaks**, the outcome of a commit is unknown. It is never taken for a failure, because the
//! caller would act again. The store connects to the primary, whichever server that is then, locks the row of
//! `store-head`, which waits for the end of the broken transaction, and reads the version:
//!
//! | Version | | The store |
//! | --- | --- | --- |
//! | that of the group | it was committed | commits the row once more: a standby that confirms this has the group |
//! | the one before | it was not | sends the changes again: what the group has read still holds |
//! | another owner | the process was taken over | ends, as after a crash |
//!
//! A connection that breaks between two reads of a group is replaced in the same way. A commit that waits has no
//! deadline. While it waits, the server is asked each second on another connection; a server that does not answer there
//! is frozen, and the connection counts as broken. There is no pool or proxy in between, which would swallow warnings.
//!
//! **Reads** outside of a group have a snapshot each, on the writer's server. They may show what was committed on the
//! primary alone, so nothing that is written may rest on them; a group that decides waits for the standby.
//!
//! **What this rests on.** Only the cluster's manager promotes servers and changes `synchronous_standby_names`, and it
//! promotes none that lacks an acknowledged commit.

mod changes;
mod config;
mod connect;
mod database;
mod error;
mod group;
mod owner;
mod runtime;
mod session;
mod shared;
mod snapshot;
mod writer;

pub use config::{Address, PostgresConfig};
pub use connect::{Connected, Connector, LEASE, NO_LEASE, Refusal, Warnings};
pub(crate) use database::Database;
pub use error::{GUARD, PostgresError, describe, guarded, synchronous};
pub(crate) use group::GroupRows;
pub use runtime::{Driver, wait};
pub(crate) use snapshot::PostgresSnapshot;
pub(crate) use writer::Writer;
