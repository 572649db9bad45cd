//! Requests that a caller may send again: with the header `Idempotency-Key`, the same key and body have the same
//! exchange and the same answer, and never a second exchange.
//!
//! * While the first request runs, the others wait for it ([`KeptAnswers::turn`]).
//! * If the first one got an error that may be retried, or the connector was restarted, the exchange is in the journal
//!   with its key, and the next request continues it. The broker recognises it by its id.
//! * Once the exchange is closed, its answer is kept before the journal forgets it. It is sealed with the key, which
//!   the connector does not have ([`key`]).
//! * An exchange that was closed when no caller waited for it has no evidence any more. Its key has a 409.
//!
//! A request that was refused before its exchange began leaves nothing, so that its key may come with a corrected body.
//!
//! Keys are kept for [`KEY_RETENTION`]. At most [`MAX_KEYS`] of them and [`MAX_BYTES`] of answers are kept: beyond, the
//! connector begins no exchange with a new key (503 `busy`).

pub(crate) mod key;
pub(crate) mod turns;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use record::Timestamp;
use serde::{Deserialize, Serialize};
use service::Problem;
use store::{Store, TableError};
use tlog::Hash;
use uuid::Uuid;

use super::query::EvidenceResult;
use crate::state::{self, StateTable};
use key::{KeyId, KeySeal, KeyedRequest, closed_without_caller, key_reused};
use turns::{Turn, Turns};

/// A key is kept for this many seconds after its exchange was closed.
pub(crate) const KEY_RETENTION: u64 = 86_400;
/// The most keys.
const MAX_KEYS: usize = 65_536;
/// The most bytes of answers.
const MAX_BYTES: u64 = 256 << 20;

/// What the journal has of a key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JournalKey {
    /// What the key is kept under.
    #[serde(with = "record::bytes")]
    pub(crate) id: KeyId,
    /// Which body came with the key.
    #[serde(with = "record::bytes")]
    pub(crate) fingerprint: Hash,
    /// The XNachweis message as sent, sealed with the key.
    #[serde(with = "record::bytes")]
    pub(crate) message: Vec<u8>,
}

/// The key of an exchange that has begun.
#[derive(Debug, Clone)]
pub(crate) struct ExchangeKey {
    /// What the journal has.
    pub(crate) kept: JournalKey,
    /// Only while a caller with the key waits.
    pub(crate) seal: Option<KeySeal>,
}

impl ExchangeKey {
    /// The key of a new exchange with this XNachweis message. `None` when the message cannot be sealed.
    pub(crate) fn new(keyed: &KeyedRequest, exchange: Uuid, message: &[u8]) -> Option<Self> {
        Some(Self {
            kept: JournalKey {
                id: keyed.id,
                fingerprint: keyed.fingerprint,
                message: keyed.seal.seal(exchange, message)?,
            },
            seal: Some(keyed.seal.clone()),
        })
    }

    /// The key without its secret.
    pub(crate) fn without_seal(&self) -> Self {
        Self {
            kept: self.kept.clone(),
            seal: None,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyRow {
    #[serde(with = "record::bytes")]
    fingerprint: Hash,
    exchange: Uuid,
    at: Timestamp,
    /// Bytes of the answer.
    bytes: u64,
}

/// An answer as kept. Problems have no personal data.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeptAnswer {
    Sealed(#[serde(with = "record::bytes")] Vec<u8>),
    Problem {
        status: u16,
        slug: String,
        title: String,
        detail: String,
        retry_after: Option<u32>,
    },
}

impl KeptAnswer {
    fn of(answer: &Result<EvidenceResult, Problem>, exchange: Uuid, seal: Option<&KeySeal>) -> Option<Self> {
        match (answer, seal) {
            (Ok(result), Some(seal)) => {
                let plain = zeroize::Zeroizing::new(serde_json::to_vec(result).ok()?);
                seal.seal(exchange, &plain).map(Self::Sealed)
            }
            (Ok(_), None) => Some(Self::problem(&closed_without_caller())),
            (Err(problem), _) => Some(Self::problem(problem)),
        }
    }

    fn problem(problem: &Problem) -> Self {
        let Problem {
            status,
            slug,
            title,
            detail,
            retry_after,
        } = problem.clone();
        Self::Problem {
            status,
            slug,
            title,
            detail,
            retry_after,
        }
    }

    fn read(self, exchange: Uuid, seal: &KeySeal) -> Result<EvidenceResult, Problem> {
        match self {
            Self::Sealed(sealed) => {
                let plain = seal.open(exchange, &sealed).ok_or_else(Problem::internal)?;
                text::json::from_slice(&plain).map_err(|_| Problem::internal())
            }
            Self::Problem {
                status,
                slug,
                title,
                detail,
                retry_after,
            } => Err(Problem {
                retry_after,
                ..Problem::new(status, &slug, &title, detail)
            }),
        }
    }
}

#[derive(Debug, Default)]
struct Index {
    keys: HashMap<KeyId, KeyRow>,
    bytes: u64,
}

/// The keys whose exchanges are closed, with their answers. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct KeptAnswers {
    rows: StateTable<KeyRow>,
    answers: StateTable<KeptAnswer>,
    index: Arc<Mutex<Index>>,
    turns: Turns,
}

impl KeptAnswers {
    /// Opens the tables in a connector's file, and reads what an earlier run has left.
    pub(crate) async fn open(store: &Store) -> Result<Self, TableError> {
        let this = Self {
            rows: state::open_table(store, "idempotency-keys")?,
            answers: state::open_table(store, "idempotency-answers")?,
            index: Arc::default(),
            turns: Turns::default(),
        };
        for (id, row) in this.rows.all().await? {
            this.index().add(id, row);
        }
        Ok(this)
    }

    /// Waits until no other request with the key runs.
    pub(crate) async fn turn(&self, id: KeyId) -> Turn {
        self.turns.wait(id).await
    }

    /// As [`turn`](Self::turn), but does not wait.
    pub(crate) fn try_turn(&self, id: KeyId) -> Option<Turn> {
        self.turns.try_take(id)
    }

    /// The answer of a request whose exchange is closed.
    ///
    /// # Errors
    /// The outer one: 422 if the key came with another body, 503 if the state cannot be read.
    pub(crate) async fn find(
        &self,
        keyed: &KeyedRequest,
    ) -> Result<Option<Result<EvidenceResult, Problem>>, FindError> {
        let Some(row) = self.index().keys.get(&keyed.id).cloned() else {
            return Ok(None);
        };
        if row.fingerprint != keyed.fingerprint {
            return Err(FindError::Problem(key_reused()));
        }
        let answer = self.answers.get(keyed.id).await?;
        let answer = answer.ok_or_else(|| FindError::Problem(Problem::internal()))?;
        Ok(Some(answer.read(row.exchange, &keyed.seal)))
    }

    /// Whether the answer of a key is kept, and is that of this exchange.
    pub(crate) fn has(&self, id: &KeyId, exchange: Uuid) -> bool {
        self.index().keys.get(id).is_some_and(|row| row.exchange == exchange)
    }

    /// Refuses a new key while there are too many.
    ///
    /// # Errors
    /// 503.
    pub(crate) fn has_room(&self) -> Result<(), Problem> {
        let index = self.index();
        if index.keys.len() < MAX_KEYS && index.bytes < MAX_BYTES {
            return Ok(());
        }
        tracing::error!("too many idempotency keys are kept: no exchange with a new one is begun");
        Err(Problem::unavailable("busy", 60, "too many idempotency keys are kept"))
    }

    /// Keeps the answer of an exchange, if it has a key; durable on return. The first answer stays.
    pub(crate) async fn keep(
        &self,
        key: Option<&ExchangeKey>,
        exchange: Uuid,
        answer: &Result<EvidenceResult, Problem>,
        now: Timestamp,
    ) -> Result<(), TableError> {
        let Some(ExchangeKey { kept, seal }) = key else {
            return Ok(());
        };
        if self.has(&kept.id, exchange) {
            return Ok(());
        }
        let answer = KeptAnswer::of(answer, exchange, seal.as_ref());
        let answer = answer.unwrap_or_else(|| KeptAnswer::problem(&closed_without_caller()));
        let bytes = record::cbor::to_vec(&answer).len();
        let row = KeyRow {
            fingerprint: kept.fingerprint,
            exchange,
            at: now,
            bytes: u64::try_from(bytes).unwrap_or(u64::MAX),
        };
        // The row comes last: without it the exchange is still in the journal, and is closed again.
        self.answers.put(kept.id, &answer).await?;
        self.rows.put(kept.id, &row).await?;
        self.index().add(kept.id, row);
        Ok(())
    }

    /// Forgets the keys that are old enough.
    pub(crate) async fn sweep(&self, now: Timestamp) -> Result<(), TableError> {
        let old: Vec<KeyId> = {
            let index = self.index();
            let old = index.keys.iter().filter(|(_, row)| now.since(row.at) > KEY_RETENTION);
            old.map(|(id, _)| *id).collect()
        };
        for id in old {
            self.answers.remove(id).await?;
            self.rows.remove(id).await?;
            self.index().remove(&id);
        }
        Ok(())
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index {
    fn add(&mut self, id: KeyId, row: KeyRow) {
        self.remove(&id);
        self.bytes += row.bytes;
        self.keys.insert(id, row);
    }

    fn remove(&mut self, id: &KeyId) {
        if let Some(row) = self.keys.remove(id) {
            self.bytes -= row.bytes;
        }
    }
}

/// Why an answer cannot be found.
#[derive(Debug)]
pub(crate) enum FindError {
    /// The caller gets this problem.
    Problem(Problem),
    /// The state cannot be read.
    State(TableError),
}

impl From<TableError> for FindError {
    fn from(error: TableError) -> Self {
        Self::State(error)
    }
}

#[cfg(test)]
mod tests;
