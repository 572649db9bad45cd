//! The anchor of the portal's proofs: the path from the genesis hash to the writers' rights
//! ([`proof::opening::Anchor`]).
//!
//! [`LiveTrust`] follows the directory while the portal runs, so a change of the log's writers needs no restart. Which
//! versions and values an anchor needs follows from its history ([`proof::opening::plan`]); the ledger has the receipts
//! and the signed headers. Entries never change, so each is fetched once and kept as long as the plan has it.
//!
//! An anchor proves rights up to its `map` entry. The portal uses one anchor for all citizens until it needs one that
//! reaches further. It uses an anchor only after it has verified it with the witnesses' quorum, so a wrong answer of
//! the ledger is not kept.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use citizen_ui::proof::verify::Trust;
use ledger_client::LiveTrust;
use proof::opening::{Anchor, AnchorVersion, PlannedVersion, PreparedKeys, ProvedAnchor, plan};
use record::{Body, Receipt};
use service::cached::{CacheError, Cached};
use service::http::{CallError, Client};
use tlog::Hash;
use tlog::merkle::Index;
use tokio::time::Instant;
use trust::{History, TrustKind, Version};

/// How often the ledger is asked for a newer `map` entry at most, however many citizens need one.
const POLL_INTERVAL: Duration = Duration::from_millis(300);

/// An anchor that has verified. Cheap to clone.
#[derive(Clone)]
pub(crate) struct CheckedAnchor {
    /// The anchor.
    pub(crate) anchor: Arc<Anchor>,
    /// What it proves, with the tables of the writers' keys.
    pub(crate) proved: Arc<ProvedAnchor>,
    /// The `map` entry up to which it proves rights.
    pub(crate) reach: u64,
}

/// Makes anchors and keeps the newest one.
pub(crate) struct AnchorSource {
    maker: Arc<Maker>,
    fetched: Cached<CheckedAnchor>,
}

struct Maker {
    /// The ledger's base URL.
    base: String,
    client: Client,
    trust: Trust,
    live: LiveTrust,
    newest: Mutex<Option<CheckedAnchor>>,
    /// The tables of the writers' keys of the last anchor.
    keys: Mutex<PreparedKeys>,
    /// Used by one task at a time, because [`AnchorSource::fetched`] has at most one under way.
    parts: tokio::sync::Mutex<Parts>,
}

/// What an anchor consists of, besides the receipt of its `map` entry.
#[derive(Default)]
struct Parts {
    /// The receipt of entry 0 and its document.
    genesis: Option<(Vec<u8>, Vec<u8>)>,
    /// The plan of this version of the directory.
    planned: Option<(Version, Vec<PlannedVersion>)>,
    /// The receipts and headers of the plan's versions.
    versions: BTreeMap<Version, (Vec<u8>, Vec<u8>)>,
}

impl AnchorSource {
    pub(crate) fn new(base: String, client: Client, trust: Trust, live: LiveTrust) -> Self {
        Self {
            maker: Arc::new(Maker {
                base,
                client,
                trust,
                live,
                newest: Mutex::default(),
                keys: Mutex::default(),
                parts: tokio::sync::Mutex::default(),
            }),
            fetched: Cached::new(POLL_INTERVAL, POLL_INTERVAL),
        }
    }

    /// An anchor that reaches the entry `index`. After `wait` it is the newest one, which may not reach it: then the
    /// ledger has no published `map` entry after that entry yet, and its proof says so.
    ///
    /// # Errors
    /// [`CallError`] if there is no anchor at all.
    pub(crate) async fn reaching(&self, index: u64, wait: Duration) -> Result<CheckedAnchor, CallError> {
        let until = Instant::now() + wait;
        loop {
            if let Some(newest) = self.maker.newest().filter(|newest| newest.reach >= index) {
                return Ok(newest);
            }
            let maker = Arc::clone(&self.maker);
            let fetched = self.fetched.get(async move { maker.make().await }).await;
            if let Err(error) = &fetched {
                tracing::debug!(%error, "no newer anchor");
            }
            let newest = self.maker.newest();
            if newest.as_ref().is_some_and(|newest| newest.reach >= index) || Instant::now() >= until {
                let fetched = fetched.map(|fetched| CheckedAnchor::clone(&fetched));
                return newest.map_or_else(|| fetched.map_err(call_error), Ok);
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

fn call_error(error: CacheError<CallError>) -> CallError {
    match error {
        CacheError::Fetch(error) => error,
        CacheError::RecentFailure => CallError::Unreachable("the last attempt failed a moment ago".into()),
    }
}

impl Maker {
    fn newest(&self) -> Option<CheckedAnchor> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes an anchor with the newest published `map` entry, verifies it, and keeps it if it reaches further.
    async fn make(&self) -> Result<CheckedAnchor, CallError> {
        let map_receipt = self.get("/trust/newest").await?;
        let history = self.live.history();
        // The history is a moment behind the ledger or ahead of its answer while the directory changes.
        let known = history.newest(TrustKind::Directory).map(|set| set.position.index);
        if known != Some(named_directory(&map_receipt)?) {
            return Err(CallError::Unreachable("the directory is changing".into()));
        }
        let mut parts = self.parts.lock().await;
        let anchor = self.anchor(&mut parts, &history, map_receipt).await?;
        let checked = match self.check(anchor) {
            Ok(checked) => checked,
            Err(error) => {
                // One of the parts is wrong, so all are fetched again.
                *parts = Parts::default();
                return Err(error);
            }
        };
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.as_ref().is_none_or(|newest| newest.reach < checked.reach) {
            *newest = Some(checked.clone());
        }
        Ok(checked)
    }

    fn check(&self, anchor: Anchor) -> Result<CheckedAnchor, CallError> {
        let proved = anchor.verify(&self.trust.policy, Some(&self.trust.genesis));
        let mut proved = proved.map_err(|error| invalid(format!("the anchor does not verify: {error}")))?;
        if !proved.quorum() {
            return Err(CallError::Unreachable("the anchor has no quorum of witnesses".into()));
        }
        // The next anchor needs the same keys, unless the directory has changed.
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        *keys = proved.prepare(&keys).clone();
        Ok(CheckedAnchor {
            reach: proved.reach().get(),
            anchor: Arc::new(anchor),
            proved: Arc::new(proved),
        })
    }

    async fn anchor(
        &self,
        parts: &mut Parts,
        history: &Arc<History>,
        map_receipt: Vec<u8>,
    ) -> Result<Anchor, CallError> {
        let (genesis_receipt, genesis_document) = match &parts.genesis {
            Some(genesis) => genesis.clone(),
            None => {
                let receipt = self.get("/entries/0/receipt?witnessed").await?;
                let document = self.document(&document_of(&receipt)?).await?;
                parts.genesis.insert((receipt, document)).clone()
            }
        };
        let planned = parts.plan(history).await?;
        let mut versions = Vec::with_capacity(planned.len());
        for planned in planned {
            let (receipt, header) = match parts.versions.get(&planned.version) {
                Some(version) => version.clone(),
                None => {
                    let receipt = self
                        .get(&format!("/entries/{}/receipt?witnessed", planned.index))
                        .await?;
                    let header = self.document(&planned.header).await?;
                    parts
                        .versions
                        .insert(planned.version, (receipt.clone(), header.clone()));
                    (receipt, header)
                }
            };
            versions.push(AnchorVersion {
                receipt,
                header,
                values: planned.values,
            });
        }
        Ok(Anchor {
            genesis_receipt,
            genesis_document,
            versions,
            map_receipt,
        })
    }

    async fn document(&self, digest: &Hash) -> Result<Vec<u8>, CallError> {
        let bytes = self.get(&format!("/documents/{digest}")).await?;
        if Hash::of(&bytes) == *digest {
            Ok(bytes)
        } else {
            Err(CallError::Invalid("other bytes than the document asked for".into()))
        }
    }

    async fn get(&self, path: &str) -> Result<Vec<u8>, CallError> {
        self.client.get_bytes(&format!("{}{path}", self.base)).await
    }
}

impl Parts {
    /// The plan for the newest version of the directory. Drops what the plan does not have.
    async fn plan(&mut self, history: &Arc<History>) -> Result<Vec<PlannedVersion>, CallError> {
        let version = history.state().directory().version();
        if let Some((_, planned)) = self.planned.as_ref().filter(|(of, _)| *of == version) {
            return Ok(planned.clone());
        }
        // Earlier versions of a large directory are built, which takes a while.
        let history = Arc::clone(history);
        let planned = tokio::task::spawn_blocking(move || plan(&history)).await;
        let planned = planned.map_err(invalid)?.map_err(invalid)?;
        self.versions
            .retain(|version, _| planned.iter().any(|planned| planned.version == *version));
        self.planned = Some((version, planned.clone()));
        Ok(planned)
    }
}

fn invalid(error: impl std::fmt::Display) -> CallError {
    CallError::Invalid(error.to_string())
}

fn receipt(bytes: &[u8]) -> Result<Receipt, CallError> {
    Receipt::parse(bytes).map_err(invalid)
}

/// The entry that a `map` entry names as that of the directory's newest version.
fn named_directory(map_receipt: &[u8]) -> Result<Index, CallError> {
    match receipt(map_receipt)?.entry().entry().body {
        Body::Map { newest, .. } => Ok(newest.directory),
        _ => Err(CallError::Invalid("the receipt is not that of a map entry".into())),
    }
}

fn document_of(bytes: &[u8]) -> Result<Hash, CallError> {
    match receipt(bytes)?.entry().entry().body {
        Body::Document { digest, .. } => Ok(digest),
        _ => Err(CallError::Invalid("the entry has no document".into())),
    }
}
