//! A session with its prepared statements, and the statements.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use super::config::Address;
use super::connect::{Connected, Warnings};
use super::error::PostgresError;

/// The version of the tables.
pub(super) const LAYOUT: i32 = 1;
/// Rows in the first part of a scan, which often ends with the first row, and the most in a later one.
pub(super) const FIRST_PART: i64 = 8;
pub(super) const MAX_PART: i64 = 512;

/// The names of a store's tables. Both parts are constants of the program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    pub(super) store: &'static str,
}

impl Names {
    fn head(self) -> String {
        format!("\"{}\".\"store-head\"", self.store)
    }

    fn table(self, table: &str) -> String {
        format!("\"{}\".\"{table}\"", self.store)
    }

    /// Creates the schema and the row of `store-head`.
    pub(super) fn create(self) -> String {
        let head = self.head();
        format!(
            "CREATE SCHEMA IF NOT EXISTS \"{}\"; \
             CREATE TABLE IF NOT EXISTS {head} (one bool PRIMARY KEY DEFAULT true CHECK (one), layout int4 NOT NULL, \
             version int8 NOT NULL, owner bytea NOT NULL, since timestamptz NOT NULL DEFAULT now()); \
             INSERT INTO {head} (layout, version, owner) VALUES ({LAYOUT}, 0, '') ON CONFLICT DO NOTHING;",
            self.store
        )
    }

    /// Creates a table. Values are stored as they are: ciphertexts and signatures do not compress.
    pub(super) fn create_table(self, table: &str) -> String {
        let table = self.table(table);
        format!(
            "CREATE TABLE IF NOT EXISTS {table} (k bytea PRIMARY KEY, v bytea NOT NULL); \
             ALTER TABLE {table} ALTER COLUMN v SET STORAGE EXTERNAL;"
        )
    }

    pub(super) fn exists(self, table: &str) -> String {
        format!("SELECT to_regclass('{}') IS NOT NULL", self.table(table))
    }

    pub(super) fn lock(self) -> String {
        format!("SELECT layout, version, owner FROM {} FOR UPDATE", self.head())
    }

    pub(super) fn owner(self) -> String {
        format!("SELECT owner FROM {}", self.head())
    }

    pub(super) fn own(self) -> String {
        format!("UPDATE {} SET owner = $1, since = now()", self.head())
    }

    pub(super) fn advance(self) -> String {
        format!("UPDATE {} SET version = $1", self.head())
    }

    pub(super) fn get(self, table: &str) -> String {
        format!("SELECT v FROM {} WHERE k = $1", self.table(table))
    }

    pub(super) fn scan(self, table: &str) -> String {
        format!(
            "SELECT k, v FROM {} WHERE k >= $1 ORDER BY k LIMIT $2",
            self.table(table)
        )
    }

    pub(super) fn count(self, table: &str) -> String {
        format!("SELECT count(*) FROM {}", self.table(table))
    }

    pub(super) fn put(self, table: &str) -> String {
        format!(
            "INSERT INTO {} (k, v) SELECT * FROM unnest($1::bytea[], $2::bytea[]) \
             ON CONFLICT (k) DO UPDATE SET v = EXCLUDED.v",
            self.table(table)
        )
    }

    pub(super) fn remove(self, table: &str) -> String {
        format!("DELETE FROM {} WHERE k = ANY ($1::bytea[])", self.table(table))
    }
}

/// A session.
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) address: Address,
    pub(super) warnings: Warnings,
    statements: Mutex<HashMap<String, Statement>>,
}

impl Session {
    pub(super) fn new(connected: Connected) -> Self {
        Self {
            client: connected.client,
            address: connected.address,
            warnings: connected.warnings,
            statements: Mutex::default(),
        }
    }

    /// The prepared statement. A store has few, so they are kept.
    pub(super) async fn prepare(&self, sql: &str) -> Result<Statement, PostgresError> {
        let known = {
            let statements = self.statements.lock().unwrap_or_else(PoisonError::into_inner);
            statements.get(sql).cloned()
        };
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare(sql).await?;
        let mut statements = self.statements.lock().unwrap_or_else(PoisonError::into_inner);
        statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// The rows of a query.
    pub(super) async fn query(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, PostgresError> {
        let statement = self.prepare(sql).await?;
        Ok(self.client.query(&statement, parameters).await?)
    }
}

/// The bytes of a column.
pub(super) fn bytes(row: &Row, at: usize) -> Result<&[u8], PostgresError> {
    Ok(row.try_get(at)?)
}
