//! Keeps the claim: sends the heartbeat, notices a server that no longer answers, and claims again.
//!
//! A commit that waits for a standby must not be given up by the client: it would be neither done nor undone, and it
//! keeps its locks. So a waiting commit has no deadline. But a frozen server keeps its connections open and says
//! nothing, for hours if need be. While a commit waits, the keeper therefore asks the server on another connection.
//! Only if the server does not answer there either is the commit abandoned. Its outcome is unknown then, and the next
//! claim settles it: on the same server it waits for the commit's lock, and on a new primary the epoch is another.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ::store::postgres::{Address, Connector, NO_LEASE};
use tokio::sync::{Mutex, Notify, watch};
use tokio::time::timeout;

use super::claim::{Claiming, Holder, claim};
use super::session::Session;
use crate::store::{Batch, Durability, StoreError};

const HEARTBEAT: Duration = Duration::from_secs(1);
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(2);
/// The time between two attempts to claim again.
const RETRY_DELAY: Duration = Duration::from_millis(100);
/// How many times in a row a server may fail to answer on another connection while a commit waits.
const MAX_SILENCES: u32 = 2;

/// The server on which the log is claimed. The epoch tells the claims apart, so that no reading session outlives its
/// claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) address: Address,
    epoch: i64,
}

impl Server {
    fn of(session: &Session) -> Self {
        Self {
            address: session.address.clone(),
            epoch: session.epoch,
        }
    }
}

/// The state of the claim.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// The log can be written to and read.
    Claimed(Server),
    /// The connection is broken; the keeper is claiming again.
    Lost(String),
    /// Another ledger has claimed the log.
    Fenced(String),
}

/// The claim of a store.
pub(super) struct Kept {
    connector: Arc<Connector>,
    holder: Holder,
    session: Mutex<Option<Session>>,
    state: watch::Sender<State>,
    abandoned: Notify,
    lost: Notify,
}

impl Kept {
    /// Claims the log. Tries for at most `patience`, and while another ledger has the log open, for at most `in_use`.
    pub(super) async fn claim(
        connector: Arc<Connector>,
        holder: Holder,
        patience: Duration,
        in_use: Duration,
    ) -> Result<Arc<Self>, StoreError> {
        let started = Instant::now();
        let session = loop {
            match claim(&connector, &holder, Claiming::First).await {
                Err(StoreError::Unknown(_)) if started.elapsed() < patience => tokio::time::sleep(RETRY_DELAY).await,
                Err(StoreError::InUse) if started.elapsed() < in_use => tokio::time::sleep(RETRY_DELAY).await,
                done => break done?,
            }
        };
        let server = Server::of(&session);
        Ok(Arc::new(Self {
            connector,
            holder,
            session: Mutex::new(Some(session)),
            state: watch::Sender::new(State::Claimed(server)),
            abandoned: Notify::new(),
            lost: Notify::new(),
        }))
    }

    /// The claim of a store that only reads: it has none.
    pub(super) fn reading(connector: Arc<Connector>, address: Address) -> Arc<Self> {
        Arc::new(Self {
            connector,
            holder: Holder::default(),
            session: Mutex::new(None),
            state: watch::Sender::new(State::Claimed(Server { address, epoch: 0 })),
            abandoned: Notify::new(),
            lost: Notify::new(),
        })
    }

    /// For a store that only reads: reads go to this server from now on. `number` tells connections apart.
    pub(super) fn read_from(&self, address: Address, number: i64) {
        self.state
            .send_replace(State::Claimed(Server { address, epoch: number }));
    }

    /// For a store that only reads: its server is gone.
    pub(super) fn server_lost(&self, why: &str) {
        self.state.send_replace(State::Lost(why.to_owned()));
    }

    /// Waits until another ledger has claimed the log; returns the reason. Never returns for a store that only reads.
    pub(super) fn fenced(&self) -> impl Future<Output = String> + Send + use<> {
        let mut states = self.state.subscribe();
        async move {
            loop {
                if let State::Fenced(why) = &*states.borrow_and_update() {
                    return why.clone();
                }
                if states.changed().await.is_err() {
                    // The store is closed.
                    return std::future::pending().await;
                }
            }
        }
    }

    /// The server to read from. Waits at most `patience` while the claim is lost.
    pub(super) async fn server(&self, patience: Duration) -> Result<Server, StoreError> {
        let mut states = self.state.subscribe();
        let settled = timeout(patience, states.wait_for(|state| !matches!(state, State::Lost(_)))).await;
        match settled {
            Ok(Ok(state)) => match &*state {
                State::Claimed(server) => Ok(server.clone()),
                State::Fenced(why) | State::Lost(why) => Err(StoreError::Fenced(why.clone())),
            },
            _ => match &*self.state.borrow() {
                State::Lost(why) => Err(StoreError::Unknown(why.clone())),
                _ => Err(StoreError::Unknown("the store is closing".into())),
            },
        }
    }

    /// Waits until the log is no longer claimed on this server as it was.
    pub(super) async fn left(&self, server: &Server) {
        let mut states = self.state.subscribe();
        let claimed = |state: &State| matches!(state, State::Claimed(claimed) if claimed == server);
        let _ = states.wait_for(|state| !claimed(state)).await;
    }

    /// Reports that a read found the server of this state gone.
    pub(super) fn suspect(&self) {
        self.lost.notify_one();
    }

    /// Applies a batch with the writer's session.
    pub(super) async fn write(&self, batch: &Batch, durability: Durability) -> Result<(), StoreError> {
        let mut kept = self.session.lock().await;
        if let State::Fenced(why) = &*self.state.borrow() {
            return Err(StoreError::Fenced(why.clone()));
        }
        let Some(session) = kept.as_mut() else {
            return Err(StoreError::Unknown("there is no connection".into()));
        };
        let written = tokio::select! {
            written = session.commit(batch, durability) => written,
            () = self.abandoned.notified() => Err(StoreError::Unknown("the server does not answer".into())),
        };
        if let Err(error) = &written {
            *kept = None;
            self.set_lost(error);
        }
        written
    }

    fn set_lost(&self, error: &StoreError) {
        self.state.send_replace(match error {
            StoreError::Fenced(why) => State::Fenced(why.clone()),
            _ => State::Lost(error.to_string()),
        });
        self.lost.notify_one();
    }

    /// Keeps the claim until another ledger has it.
    pub(super) async fn keep(self: Arc<Self>) {
        let mut silences = 0;
        loop {
            let pause = match *self.state.borrow() {
                State::Claimed(_) => HEARTBEAT,
                State::Lost(_) => RETRY_DELAY,
                State::Fenced(_) => return,
            };
            let _ = timeout(pause, self.lost.notified()).await;
            match self.session.try_lock() {
                Ok(mut session) => {
                    silences = 0;
                    self.renew(&mut session).await;
                }
                Err(_) => silences = if self.answers().await { 0 } else { silences + 1 },
            }
            if silences >= MAX_SILENCES {
                self.abandoned.notify_waiters();
            }
        }
    }

    /// Sends the heartbeat, or claims again.
    async fn renew(&self, kept: &mut Option<Session>) {
        if let Some(session) = kept {
            let beat = timeout(HEARTBEAT_TIMEOUT, session.beat()).await;
            match beat.unwrap_or_else(|_| Err(StoreError::Unknown("no answer to the heartbeat".into()))) {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(%error, "the connection to the database broke; claiming the log again");
                    *kept = None;
                    self.set_lost(&error);
                }
            }
        }
        if matches!(*self.state.borrow(), State::Fenced(_)) {
            return;
        }
        match claim(&self.connector, &self.holder, Claiming::Again).await {
            Ok(session) => {
                self.state.send_replace(State::Claimed(Server::of(&session)));
                *kept = Some(session);
            }
            Err(fenced @ StoreError::Fenced(_)) => self.set_lost(&fenced),
            Err(error) => {
                tracing::debug!(%error, "the log cannot be claimed yet");
                self.state.send_replace(State::Lost(error.to_string()));
            }
        }
    }

    /// Whether the writer's server answers on another connection.
    async fn answers(&self) -> bool {
        let State::Claimed(server) = self.state.borrow().clone() else {
            return true;
        };
        self.connector.server(&server.address, NO_LEASE).await.is_ok()
    }
}
