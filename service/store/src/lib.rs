//! Small durable tables of a compartment, in one of two engines.
//!
//! A [`Store`] has named tables of ordered keys and encoded values. The operator chooses the engine
//! ([`StoreConfig`]); a compartment does not notice which one it has.
//!
//! | | redb (default) | PostgreSQL |
//! | --- | --- | --- |
//! | where | a file of its own, which only its owner may read | a database, in a schema with the store's name |
//! | durable | synced before a commit returns | on the disks of primary and standby before a commit returns |
//! | one process | a second one gets an error | a second one gets an error; one taken over writes nothing |
//!
//! [`Table`] is one table by itself. [`Store::commit`] is for a transaction over several tables: its closure gets a
//! [`Transaction`], reads and writes in it, and sees what it has written. Transactions run one at a time, in the order
//! of their arrival, so a closure decides by what it reads. Concurrent commits share one transaction of the engine and
//! its sync ([`group_commit`]).
//!
//! A commit either returns success and is durable, or returns an error and has changed nothing. There is no third
//! outcome: when the connection to a database breaks in a commit, the store finds out first
//! ([`postgres`]), and its callers wait.
//!
//! **Keys whose destruction erases data** must never be rows of a store. A database keeps deleted rows in its log,
//! on its standbys and in its backups. Such keys are files of their own.
//!
//! | Module | What it has |
//! | --- | --- |
//! | `table`, `definition` | tables with typed keys and values |
//! | `transaction` | transactions over several tables |
//! | `rows` | what an engine provides |
//! | `key` | keys as bytes in their order |
//! | `file` | the redb file |
//! | `embedded` | redb as an engine |
//! | [`postgres`] | PostgreSQL as an engine; connections, which the ledger's store has in common |
//! | `group_commit` | one transaction for all writes that wait |

mod definition;
mod embedded;
mod error;
mod file;
mod group_commit;
mod key;
pub mod postgres;
mod rows;
mod store;
mod table;
#[cfg(test)]
mod tests;
mod transaction;

pub use definition::{Encoding, TableDefinition};
pub use error::TableError;
pub use file::TableFile;
pub use key::Key;
pub use store::{Store, StoreConfig};
pub use table::Table;
pub use transaction::{OpenTable, ReadTable, Snapshot, Transaction};
