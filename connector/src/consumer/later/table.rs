//! The asynchronous exchanges, durably.
//!
//! A row passes through these stages:
//!
//! 1. [`Stage::Sent`]: the request may be with the broker. After its deadline the sweep asks what became of it.
//! 2. [`Stage::Waiting`]: the log has the intent, and the provider has named a time.
//! 3. [`Stage::Available`]: the exchange is closed, its completion is checked and kept, sealed to the answer key. It
//!    waits for its caller.
//! 4. [`Stage::Withdrawing`], [`Stage::Withdrawn`]: the authority wants no answer any more. What would open one is
//!    gone.
//!
//! The answer key and the XNachweis message are sealed with the idempotency key, which the connector does not have. So
//! neither its disk nor the sweep can open an answer.
//!
//! There are three tables, so that a start reads no request and no completion: the rows, the requests and the
//! completions. A row comes first and goes last; a row without its request was never sent. The rows are bounded by
//! [`messages::limits::MAX_LATER`], and the completions by [`MAX_BYTES`]. What is due when is also in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use messages::limits::{MAX_LATER, MAX_LATER_SECONDS};
use messages::xnachweis::EvidenceRequest0101;
use messages::{Completion, ExchangeRequest, SealingKey};
use record::Timestamp;
use serde::{Deserialize, Serialize};
use service::Problem;
use store::{Store, TableError};
use tlog::Hash;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::consumer::idempotency::key::{KeyId, KeySeal, KeyedRequest};
use crate::consumer::idempotency::{ExchangeKey, JournalKey, KEY_RETENTION};
use crate::consumer::request::PendingRequest;
use crate::state::{self, StateTable, exchange_key};

/// The most bytes of completions that wait for their callers. With more, the connector takes none from the broker.
const MAX_BYTES: u64 = 1 << 30;
/// What waits for its caller is destroyed after this many seconds.
pub(crate) const ANSWER_RETENTION: u64 = 7 * 86_400;
/// The broker is asked for this many seconds longer than an exchange can wait. It has closed or dropped it by then.
const ASKED_LONGER: u64 = 7 * 86_400;
/// The broker gets the answer a moment after the time that the provider has named.
const AFTER_AVAILABLE: u64 = 10;
/// The least and the most seconds between two questions about an exchange whose time has come.
const PAUSES: (u64, u64) = (60, 3600);

/// One exchange: what is needed to know what is due.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LaterRow {
    /// What its idempotency key is kept under.
    #[serde(with = "record::bytes")]
    pub(crate) key: KeyId,
    /// Which body came with the key.
    #[serde(with = "record::bytes")]
    pub(crate) fingerprint: Hash,
    /// How far it has come.
    pub(crate) stage: Stage,
}

/// How far an exchange has come.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// The broker may have the request.
    Sent {
        /// When the broker begins nothing for it any more.
        deadline: Timestamp,
    },
    /// The provider answers later.
    Waiting {
        /// Index of the intent.
        intent: u64,
        /// Time of the intent.
        begun: Timestamp,
        /// When the provider can answer.
        available: Timestamp,
    },
    /// The completion is here.
    Available {
        /// Index of the intent.
        intent: u64,
        /// Index of the outcome.
        outcome: u64,
        /// When it came.
        at: Timestamp,
        /// Bytes of the completion.
        bytes: u64,
        /// Whether the broker has the acknowledgement.
        acknowledged: bool,
        /// Whether there is no one to be called any more.
        called: bool,
    },
    /// The broker does not have the withdrawal yet.
    Withdrawing {
        /// Index of the intent.
        intent: u64,
        /// When it was withdrawn.
        at: Timestamp,
    },
    /// It is closed.
    Withdrawn {
        /// Index of the intent.
        intent: u64,
        /// Index of the outcome; `None` if the broker does not know the exchange any more.
        outcome: Option<u64>,
        /// When it was closed.
        at: Timestamp,
    },
}

impl LaterRow {
    /// When there is something to do for the row without a caller.
    fn due(&self) -> Timestamp {
        match self.stage {
            Stage::Sent { deadline } => deadline,
            Stage::Waiting { available, .. } => available.after(AFTER_AVAILABLE),
            Stage::Available {
                at,
                acknowledged: true,
                called: true,
                ..
            } => at.after(ANSWER_RETENTION),
            Stage::Available { at, .. } | Stage::Withdrawing { at, .. } => at,
            Stage::Withdrawn { at, .. } => at.after(KEY_RETENTION),
        }
    }

    /// Whether the broker cannot have an answer any more.
    pub(crate) fn is_lost(&self, now: Timestamp) -> bool {
        match self.stage {
            Stage::Sent { deadline } => now.since(deadline) > ASKED_LONGER,
            Stage::Waiting { begun, .. } => now.since(begun) > MAX_LATER_SECONDS + ASKED_LONGER,
            Stage::Withdrawing { at, .. } => now.since(at) > ASKED_LONGER,
            Stage::Available { .. } | Stage::Withdrawn { .. } => false,
        }
    }

    /// Its key, without the secret.
    pub(crate) fn key(&self) -> ExchangeKey {
        ExchangeKey {
            kept: JournalKey {
                id: self.key,
                fingerprint: self.fingerprint,
                message: Vec::new(),
            },
            seal: None,
        }
    }

    fn bytes(&self) -> u64 {
        match self.stage {
            Stage::Available { bytes, .. } => bytes,
            _ => 0,
        }
    }
}

/// The request as sent, with what its caller needs to open the answer.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LaterRequest {
    request: ExchangeRequest,
    /// What only the caller can open; `None` when no one may.
    sealed: Option<Sealed>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    #[serde(with = "record::bytes")]
    answer_key: Vec<u8>,
    #[serde(with = "record::bytes")]
    message: Vec<u8>,
}

impl LaterRequest {
    fn of(pending: &PendingRequest) -> Option<Self> {
        let key = pending.key.as_ref()?;
        let seal = key.seal.as_ref()?;
        Some(Self {
            request: pending.request.clone(),
            sealed: Some(Sealed {
                answer_key: seal.seal(pending.exchange(), pending.answer_key.seed())?,
                message: key.kept.message.clone(),
            }),
        })
    }

    fn open(self, keyed: &KeyedRequest) -> Option<PendingRequest> {
        let exchange = self.request.metadata.exchange;
        let Sealed { answer_key, message } = self.sealed?;
        let opened = |seal: &KeySeal, sealed: &[u8]| -> Option<Zeroizing<Vec<u8>>> { seal.open(exchange, sealed) };
        let seed = Zeroizing::new(<[u8; 32]>::try_from(opened(&keyed.seal, &answer_key)?.as_slice()).ok()?);
        let xnachweis = EvidenceRequest0101::parse(&opened(&keyed.seal, &message)?).ok()?;
        Some(PendingRequest {
            request: self.request,
            answer_key: SealingKey::from_seed(*seed),
            xnachweis: Some(xnachweis),
            key: Some(ExchangeKey {
                kept: JournalKey {
                    id: keyed.id,
                    fingerprint: keyed.fingerprint,
                    message,
                },
                seal: Some(keyed.seal.clone()),
            }),
        })
    }
}

#[derive(Debug, Clone, Copy)]
struct Indexed {
    due: Timestamp,
    /// When this process first asked in vain. The pauses double from then on.
    asked: Option<Timestamp>,
    key: KeyId,
    bytes: u64,
}

#[derive(Debug, Default)]
struct Index {
    rows: BTreeMap<Uuid, Indexed>,
    keys: HashMap<KeyId, Uuid>,
    reserved: usize,
    bytes: u64,
}

impl Index {
    fn put(&mut self, exchange: Uuid, indexed: Indexed) {
        self.remove(exchange);
        self.bytes += indexed.bytes;
        self.keys.insert(indexed.key, exchange);
        self.rows.insert(exchange, indexed);
    }

    fn remove(&mut self, exchange: Uuid) {
        if let Some(old) = self.rows.remove(&exchange) {
            self.bytes -= old.bytes;
            self.keys.remove(&old.key);
        }
    }
}

/// The place of an exchange that is not in the table yet. Dropping it gives the place back.
#[derive(Debug)]
pub(crate) struct Place(Arc<Mutex<Index>>);

impl Drop for Place {
    fn drop(&mut self) {
        locked(&self.0).reserved -= 1;
    }
}

fn locked(index: &Mutex<Index>) -> MutexGuard<'_, Index> {
    index.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The asynchronous exchanges of a connector. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct LaterTable {
    rows: StateTable<LaterRow>,
    requests: StateTable<LaterRequest>,
    completions: StateTable<Completion>,
    index: Arc<Mutex<Index>>,
}

impl LaterTable {
    /// Opens the tables in a connector's file, and reads what an earlier run has left.
    pub(crate) async fn open(store: &Store) -> Result<Self, TableError> {
        let this = Self {
            rows: state::open_table(store, "later")?,
            requests: state::open_table(store, "later-requests")?,
            completions: state::open_table(store, "later-completions")?,
            index: Arc::default(),
        };
        for (key, row) in this.rows.all().await? {
            this.index(Uuid::from_bytes(key), &row);
        }
        Ok(this)
    }

    fn index(&self, exchange: Uuid, row: &LaterRow) {
        let indexed = Indexed {
            due: row.due(),
            asked: None,
            key: row.key,
            bytes: row.bytes(),
        };
        locked(&self.index).put(exchange, indexed);
    }

    /// Reserves a place for an exchange that is about to begin.
    ///
    /// # Errors
    /// 503 while there are too many.
    pub(crate) fn reserve(&self) -> Result<Place, Problem> {
        let mut index = locked(&self.index);
        if index.rows.len() + index.reserved >= MAX_LATER {
            tracing::error!("too many asynchronous exchanges are open: no other one is begun");
            return Err(Problem::unavailable(
                "busy",
                60,
                "too many asynchronous exchanges are open",
            ));
        }
        index.reserved += 1;
        Ok(Place(self.index.clone()))
    }

    /// Whether there is room for another completion.
    pub(crate) fn has_room(&self) -> bool {
        locked(&self.index).bytes < MAX_BYTES
    }

    /// Records a request that is about to be sent; it is on disk on return.
    ///
    /// # Errors
    /// [`BeginError`].
    pub(crate) async fn begin(&self, pending: &PendingRequest) -> Result<(), BeginError> {
        let exchange = pending.exchange();
        let request = LaterRequest::of(pending).ok_or(BeginError::Seal)?;
        let key = &pending.key.as_ref().ok_or(BeginError::Seal)?.kept;
        let row = LaterRow {
            key: key.id,
            fingerprint: key.fingerprint,
            stage: Stage::Sent {
                deadline: pending.request.metadata.deadline,
            },
        };
        self.put(exchange, &row).await?;
        Ok(self.requests.put(exchange_key(exchange), &request).await?)
    }

    /// The exchange of an idempotency key.
    pub(crate) fn with_key(&self, id: KeyId) -> Option<Uuid> {
        locked(&self.index).keys.get(&id).copied()
    }

    /// The row of an exchange.
    pub(crate) async fn get(&self, exchange: Uuid) -> Result<Option<LaterRow>, TableError> {
        self.rows.get(exchange_key(exchange)).await
    }

    /// Writes a row; it is on disk on return.
    pub(crate) async fn put(&self, exchange: Uuid, row: &LaterRow) -> Result<(), TableError> {
        self.rows.put(exchange_key(exchange), row).await?;
        self.index(exchange, row);
        Ok(())
    }

    /// The request of an exchange, as sent.
    pub(crate) async fn request(&self, exchange: Uuid) -> Result<Option<ExchangeRequest>, TableError> {
        let found = self.requests.get(exchange_key(exchange)).await?;
        Ok(found.map(|found| found.request))
    }

    /// The request of an exchange, opened for a caller with its key.
    pub(crate) async fn pending(
        &self,
        exchange: Uuid,
        keyed: &KeyedRequest,
    ) -> Result<Option<PendingRequest>, TableError> {
        let found = self.requests.get(exchange_key(exchange)).await?;
        Ok(found.and_then(|found| found.open(keyed)))
    }

    /// Destroys what could open the answer of an exchange.
    pub(crate) async fn close_to_everyone(&self, exchange: Uuid) -> Result<(), TableError> {
        let key = exchange_key(exchange);
        self.completions.remove(key).await?;
        let close = |request: &mut LaterRequest| {
            request.sealed = None;
            true
        };
        self.requests.update(key, close).await
    }

    /// Keeps a completion. Its row is to be written after it.
    pub(crate) async fn keep(&self, exchange: Uuid, completion: &Completion) -> Result<(), TableError> {
        self.completions.put(exchange_key(exchange), completion).await
    }

    /// The completion of an exchange.
    pub(crate) async fn completion(&self, exchange: Uuid) -> Result<Option<Completion>, TableError> {
        self.completions.get(exchange_key(exchange)).await
    }

    /// Removes an exchange.
    pub(crate) async fn remove(&self, exchange: Uuid) -> Result<(), TableError> {
        let key = exchange_key(exchange);
        self.completions.remove(key).await?;
        self.requests.remove(key).await?;
        self.rows.remove(key).await?;
        locked(&self.index).remove(exchange);
        Ok(())
    }

    /// Lets a row rest until it is due again, without a write.
    pub(crate) fn rest(&self, exchange: Uuid, row: &LaterRow, now: Timestamp) {
        if let Some(indexed) = locked(&self.index).rows.get_mut(&exchange) {
            let asked = *indexed.asked.get_or_insert(now);
            let pause = now.since(asked).clamp(PAUSES.0, PAUSES.1);
            indexed.due = now.after(pause).max(row.due());
        }
    }

    /// Lets a row rest, without a write.
    pub(crate) fn rest_until(&self, exchange: Uuid, until: Timestamp) {
        if let Some(indexed) = locked(&self.index).rows.get_mut(&exchange) {
            indexed.due = until;
        }
    }

    /// The exchanges for which something is due.
    pub(crate) fn due(&self, now: Timestamp) -> Vec<Uuid> {
        let index = locked(&self.index);
        let due = index.rows.iter().filter(|(_, row)| row.due < now);
        due.map(|(exchange, _)| *exchange).collect()
    }
}

/// Why an asynchronous exchange cannot be begun.
#[derive(Debug)]
pub(crate) enum BeginError {
    /// Its answer key cannot be sealed.
    Seal,
    /// The state cannot be written.
    State(TableError),
}

impl From<TableError> for BeginError {
    fn from(error: TableError) -> Self {
        Self::State(error)
    }
}
