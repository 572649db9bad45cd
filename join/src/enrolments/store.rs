//! The table of enrolments.
//!
//! Each enrolment is a [`Dossier`] in the table `enrolments` of `enrolments.redb`, by the hash of its invitation. A
//! step is on disk before it is answered. The service decides nothing: it checks each statement as the registrars' tool
//! will check it again, and the authorities sign the change set. It learns no secret.
//!
//! There are at most [`MAX_ENROLMENTS`]. When the table is full, those that have ended or are in the directory and were
//! issued more than [`KEPT`] seconds ago are removed; if there are none, a new invitation is refused.

use std::path::Path;
use std::sync::Arc;

use enrolment::{Dossier, Invitation, InvitationId, PAGE, Query, Refused, Signed, Stage, dossier};
use ledger_client::{LiveTrust, TrustNotReady};
use record::Timestamp;
use service::Clock;
use service::failpoints::reach;
use store::{Encoding, Store, StoreConfig, Table, TableError};
use tlog::Hash;
use tokio::sync::Mutex;
use trust::{History, TrustState};

use crate::points;

/// The file in the process's own directory.
const STORE: &str = "enrolments";
/// The most enrolments that are kept.
const MAX_ENROLMENTS: u64 = 1 << 15;
/// How long after its invitation an enrolment that has ended is kept at least, in seconds: 30 days.
const KEPT: u64 = 30 * 86_400;

/// All enrolments.
pub(crate) struct Enrolments {
    table: Table<[u8; 32], Dossier>,
    /// One step at a time, because a step reads a dossier and then writes it.
    turn: Mutex<()>,
    genesis: Hash,
    live: LiveTrust,
    clock: Arc<dyn Clock>,
    /// [`MAX_ENROLMENTS`]; tests have fewer.
    pub(super) capacity: u64,
}

/// Why a step is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StepError {
    /// A step that is not right.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// No enrolment has this name.
    #[error("there is no such enrolment")]
    Unknown,
    /// There are too many enrolments.
    #[error("there are too many enrolments: withdraw some")]
    Full,
    /// The directory is not confirmed.
    #[error(transparent)]
    NotReady(#[from] TrustNotReady),
    /// The table cannot be read or written.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl Enrolments {
    /// Opens the table in `data`.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) fn open(
        data: &Path,
        genesis: Hash,
        live: LiveTrust,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, TableError> {
        let store = Store::open(&StoreConfig::Redb, data, STORE)?;
        let encoding = Encoding {
            encode: Dossier::to_bytes,
            decode: |bytes| Dossier::from_bytes(bytes).map_err(|error| error.to_string()),
        };
        Ok(Arc::new(Self {
            table: Table::open(&store, "enrolments", encoding)?,
            turn: Mutex::new(()),
            genesis,
            live,
            clock,
            capacity: MAX_ENROLMENTS,
        }))
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.clock.now())
    }

    fn history(&self) -> Result<Arc<History>, StepError> {
        Ok(self.live.confirmed()?)
    }

    /// Begins an enrolment. The same invitation again changes nothing.
    pub(super) async fn begin(&self, invitation: Signed<Invitation>) -> Result<Dossier, StepError> {
        let history = self.history()?;
        if invitation.statement.network.genesis != self.genesis {
            return Err(Refused::OtherLog.into());
        }
        let dossier = Dossier::begin(invitation, history.state(), self.now())?;
        let id = dossier.invited().id();
        let _turn = self.turn.lock().await;
        if self.table.get(id.0).await?.is_some() {
            return self.get(id).await;
        }
        if self.table.count().await? >= self.capacity && self.sweep(history.state()).await? == 0 {
            return Err(StepError::Full);
        }
        self.keep(id, &dossier).await?;
        Ok(dossier)
    }

    /// Takes a step of an enrolment. `take` may change the dossier although it refuses.
    pub(super) async fn step(
        &self,
        id: InvitationId,
        take: impl FnOnce(&mut Dossier, &TrustState) -> Result<(), Refused>,
    ) -> Result<Dossier, StepError> {
        let history = self.history()?;
        let _turn = self.turn.lock().await;
        let before = self.table.get(id.0).await?.ok_or(StepError::Unknown)?;
        let mut dossier = before.clone();
        dossier.refresh(history.state(), self.now());
        let taken = take(&mut dossier, history.state());
        if dossier != before {
            self.keep(id, &dossier).await?;
        }
        taken?;
        Ok(dossier)
    }

    async fn keep(&self, id: InvitationId, dossier: &Dossier) -> Result<(), TableError> {
        reach(points::CHECKED);
        self.table.put(id.0, dossier).await?;
        reach(points::KEPT);
        Ok(())
    }

    /// An enrolment as it is now.
    pub(super) async fn get(&self, id: InvitationId) -> Result<Dossier, StepError> {
        let mut dossier = self.table.get(id.0).await?.ok_or(StepError::Unknown)?;
        dossier.refresh(self.history()?.state(), self.now());
        Ok(dossier)
    }

    /// The enrolments that a registrar asks for.
    pub(super) async fn list(&self, query: &Signed<Query>) -> Result<Vec<Dossier>, StepError> {
        let (history, now) = (self.history()?, self.now());
        if query.statement.genesis != self.genesis {
            return Err(Refused::OtherLog.into());
        }
        dossier::check_query(query, history.state(), now)?;
        let after = query.statement.after.map(|id| id.0);
        let rows = self.table.page(after, PAGE).await?.into_iter();
        let rows = rows.map(|(_, mut dossier)| {
            dossier.refresh(history.state(), now);
            dossier
        });
        Ok(rows.collect())
    }

    /// Removes enrolments that have ended long ago. Returns how many.
    async fn sweep(&self, state: &TrustState) -> Result<usize, StepError> {
        let (mut after, mut removed, now) = (None, 0, self.now());
        loop {
            let rows = self.table.page(after, PAGE).await?;
            let Some((last, _)) = rows.last() else {
                return Ok(removed);
            };
            after = Some(*last);
            for (id, mut dossier) in rows {
                dossier.refresh(state, now);
                let over = matches!(dossier.stage, Stage::Listed | Stage::Ended(_));
                if over && now.since(dossier.invited().issued) > KEPT {
                    self.table.remove(id).await?;
                    removed += 1;
                }
            }
        }
    }
}
