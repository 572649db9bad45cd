//! One citizen's entries, opened for one session.
//!
//! After the login, identity discloses which entries are the citizen's, and the keys of their records. For each entry,
//! the portal fetches the receipt and the sealed record from the ledger. It verifies them exactly as the browser will.
//! Accesses that verify are shown. Accesses that do not verify are shown as not proved,
//! with their indices and the reason, so that no entry is left out silently.
//!
//! Identity also sends the proof of completeness, without the entries and records. The portal adds them and verifies
//! the resulting bundle ([`citizen_ui::proof::statement`]). The bundle proves every access that it covers, so only the
//! newer ones are proved by their openings. Without a bundle that verifies, all of them are.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use citizen_ui::pages::Content;
use citizen_ui::proof::access::Access;
use citizen_ui::proof::complete;
use citizen_ui::proof::statement::{self, ListProof, MAX_LATER, ProvedList};
use citizen_ui::proof::verdict::ServerCheck;
use citizen_ui::proof::verify::{AccessVerifier, Failure, Trust};
use messages::{DisclosedEntry, Disclosure, EntryKeys};
use proof::bundle::{Bundle, CompletenessProof, Disclosed, EntryPath, Record};
use proof::opening::{Anchor, LabelProof, Opening};
use record::{Idnr, Kind, Period, Phase, Receipt, SealedRecord, Series};
use service::http::CallError;
use tlog::checkpoint::{Checkpoint, SignedCheckpoint};
use tokio::task::JoinSet;

use crate::anchor::CheckedAnchor;
use crate::ledger::{FetchedReceipt, LedgerReader};

/// The most entries that one login fetches concurrently.
const MAX_CONCURRENT_FETCHES: usize = 16;
/// How long a login waits for a published `map` entry after the newest entry of the list. The ledger writes one a
/// second after an entry, and the witnesses confirm it.
const ANCHOR_WAIT: Duration = Duration::from_secs(3);
/// How long the proof of a page waits for cosigned receipts.
const REFRESH_WAIT: Duration = Duration::from_secs(2);

/// The content of a citizen's session.
pub(crate) struct Citizen {
    /// Name of the citizen, for display.
    pub(crate) name: String,
    /// Proved accesses, newest first.
    pub(crate) accesses: Vec<Access>,
    /// Accesses that could not be opened or proved: their entries' log indices, and the reason.
    pub(crate) unopened: Vec<(Vec<u64>, Failure)>,
    /// The result of checking that the list is complete.
    pub(crate) check: ServerCheck,
    idnr: Option<Idnr>,
    /// The bundle; `None` if identity sent no proof of completeness.
    bundle: Option<KeptBundle>,
    materials: HashMap<u64, EntryMaterial>,
    period_begins: HashMap<Period, Mutex<FetchedReceipt>>,
}

/// A bundle file, whether it has verified or not.
struct KeptBundle {
    file: Vec<u8>,
    /// Its `map` entry.
    map: u64,
    /// Its checkpoint.
    checkpoint: Checkpoint,
}

/// One entry with everything that is needed to open it.
struct EntryMaterial {
    entry: DisclosedEntry,
    /// The keys of the record; `None` once it has expired.
    keys: Option<EntryKeys>,
    sealed_record: Vec<u8>,
    receipt: Mutex<FetchedReceipt>,
}

/// Why a citizen's entries cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// The ledger does not respond.
    #[error("ledger: {0}")]
    Ledger(#[from] CallError),
    /// Identity's disclosure does not verify against the log.
    #[error("the disclosure does not verify: {0}")]
    Disclosure(&'static str),
    /// The verification has stopped, because of a fault in the portal.
    #[error("the verification has stopped: {0}")]
    Stopped(tokio::task::JoinError),
}

impl Citizen {
    /// Fetches and verifies everything that identity has disclosed.
    ///
    /// # Errors
    /// [`LoadError`] if the ledger does not respond or the disclosure does not verify. A single access that does not
    /// verify is no error.
    pub(crate) async fn load(
        ledger: &Arc<LedgerReader>,
        trust: &Trust,
        disclosure: Disclosure,
    ) -> Result<Self, LoadError> {
        check_inspection(&disclosure, trust)?;
        check_checkpoint(&disclosure, trust)?;
        let anchor = ledger.anchors.reaching(newest_entry(&disclosure), ANCHOR_WAIT).await?;
        let period_begins = disclosure.periods.into_iter().map(|info| {
            let fetched = FetchedReceipt {
                receipt: info.begin_receipt,
                witnessed: false,
            };
            (info.period, Mutex::new(fetched))
        });
        let mut citizen = Self {
            name: disclosure.display_name,
            accesses: Vec::new(),
            unopened: Vec::new(),
            check: ServerCheck::Unwitnessed,
            idnr: Some(disclosure.idnr),
            bundle: None,
            materials: HashMap::new(),
            period_begins: period_begins.collect(),
        };
        let groups = group_by_access(&disclosure.entries);
        let missing = citizen.fetch(ledger, disclosure.entries).await?;
        let trust = trust.clone();
        let prove = move || {
            citizen.prove(groups, &missing, disclosure.complete, &anchor, &trust);
            citizen
        };
        tokio::task::spawn_blocking(prove).await.map_err(LoadError::Stopped)
    }

    /// Sorts the accesses `groups` (the log indices of the entries of each) into those that are proved and those that
    /// are not. `missing` are the entries that the ledger did not send.
    fn prove(
        &mut self,
        groups: Vec<Vec<u64>>,
        missing: &[u64],
        proof: Option<CompletenessProof<()>>,
        anchor: &CheckedAnchor,
        trust: &Trust,
    ) {
        let mut covered = HashMap::new();
        match proof.map(|proof| self.make_bundle(anchor, proof, &groups, trust)) {
            None => {}
            Some(Err(failure)) => self.check = ServerCheck::Failed(failure),
            Some(Ok(list)) => {
                self.check = ServerCheck::Complete(list.claim);
                covered.extend(list.accesses.into_iter().map(|access| (access.indices(), access)));
            }
        }
        let mut verifier = AccessVerifier::new(trust.clone());
        for indices in groups {
            // An access whose outcome is newer than the bundle has another index there, so its opening proves it.
            let access = match covered.remove(&indices) {
                Some(access) => Ok(access),
                None if indices.iter().any(|index| missing.contains(index)) => Err(Failure::Load),
                None => self.verify(&mut verifier, &indices, &anchor.anchor),
            };
            match access {
                Ok(access) => self.accesses.push(access),
                Err(failure) => self.unopened.push((indices, failure)),
            }
        }
        self.accesses
            .sort_by_key(|access| std::cmp::Reverse(access.first().index));
    }

    /// Makes the bundle file, verifies it and compares it with the list. A bundle that does not verify is kept, so that
    /// the browser reaches the same result.
    fn make_bundle(
        &mut self,
        anchor: &CheckedAnchor,
        proof: CompletenessProof<()>,
        listed: &[Vec<u64>],
        trust: &Trust,
    ) -> Result<ProvedList, Failure> {
        let proof = proof.fill(|index, ()| self.disclosed_entry(index))?;
        let idnr = self.idnr.clone().ok_or(Failure::Load)?;
        let anchor = Anchor::clone(&anchor.anchor);
        let map = proof.map.index;
        let verdict = trust.policy.verify_checkpoint(&proof.checkpoint);
        let checkpoint = verdict.map_err(|_| Failure::Proof)?.checkpoint().clone();
        let file = Bundle { idnr, anchor, proof }.to_bytes().map_err(complete::failure)?;
        let list = statement::prove_listed(&file, listed, trust);
        self.bundle = Some(KeptBundle { file, map, checkpoint });
        list
    }

    /// An entry and its opened record, for the bundle.
    fn disclosed_entry(&self, index: u64) -> Result<Disclosed, Failure> {
        let material = self.materials.get(&index).ok_or(Failure::Load)?;
        let receipt = Receipt::parse(&locked(&material.receipt).receipt).map_err(|_| Failure::Form)?;
        let label = receipt.entry().entry().body.label().ok_or(Failure::Entry)?;
        let sealed = &material.sealed_record;
        let record = match &material.keys {
            None => Record::Expired(sealed.clone()),
            Some(keys) => {
                let record = SealedRecord::parse(sealed.as_slice());
                let record = record.and_then(|record| record.unseal(&keys.shared, &keys.citizen, &label));
                Record::Open(Box::new(record.map_err(|_| Failure::Proof)?))
            }
        };
        Ok(Disclosed {
            leaf: receipt.entry().bytes().to_vec(),
            record,
        })
    }

    /// Whether both are the same person's.
    pub(crate) fn is_same_person(&self, other: &Self) -> bool {
        (&self.idnr, &self.name) == (&other.idnr, &other.name)
    }

    /// The bundle file, if there is one.
    pub(crate) fn bundle(&self) -> Option<&[u8]> {
        self.bundle.as_ref().map(|bundle| bundle.file.as_slice())
    }

    /// The person, if there is a bundle.
    pub(crate) fn person(&self) -> Option<&Idnr> {
        self.idnr.as_ref().filter(|_| self.bundle.is_some())
    }

    /// The size of the log as of the bundle; 0 without one.
    pub(crate) fn log_size(&self) -> u64 {
        self.bundle.as_ref().map_or(0, |bundle| bundle.checkpoint.size.get())
    }

    /// What a page or a file of this session is made of, as the server knows it.
    pub(crate) fn content<'a>(&'a self, path: Option<&'a EntryPath>) -> Content<'a> {
        Content {
            accesses: &self.accesses,
            unopened: &self.unopened,
            claim: match self.check {
                ServerCheck::Complete(claim) => Some(claim),
                ServerCheck::Unwitnessed | ServerCheck::Failed(_) => None,
            },
            person: self.person(),
            bundle: self.bundle().is_some(),
            size: self.log_size(),
            path,
            device: None,
        }
    }

    /// The way of an entry to the root of the log, if the bundle has it.
    pub(crate) fn path(&self, index: u64) -> Option<EntryPath> {
        let bundle = self.bundle.as_ref()?;
        Bundle::parse(&bundle.file).ok()?.path(index, &bundle.checkpoint)
    }

    /// Everything that proves the pages of this session: the bundle, openings of newer entries, with cosigned receipts
    /// if the ledger has them by now, and the proof that the log has only grown since it had `from` entries.
    ///
    /// # Errors
    /// Why there is nothing to prove them with.
    pub(crate) async fn list_proof(&self, ledger: &LedgerReader, from: u64) -> Result<ListProof, Failure> {
        let Some(bundle) = &self.bundle else {
            return Err(match self.check {
                ServerCheck::Failed(failure) => failure,
                ServerCheck::Complete(_) | ServerCheck::Unwitnessed => Failure::Witnesses,
            });
        };
        let newer = |index: &u64| *index > bundle.map;
        let later: Vec<u64> = self.listed().into_iter().flatten().filter(newer).collect();
        if later.len() > MAX_LATER {
            return Err(Failure::Witnesses);
        }
        // What has not arrived by then is sent without cosignatures, and the page says so.
        let refresh = async {
            for index in &later {
                self.refresh(ledger, *index).await;
            }
        };
        let _ = tokio::time::timeout(REFRESH_WAIT, refresh).await;
        let openings = later
            .iter()
            .map(|index| self.opening(*index, None).ok_or(Failure::Load));
        Ok(ListProof {
            bundle: bundle.file.clone(),
            later: openings.collect::<Result<_, _>>()?,
            consistency: ledger.consistency(from, &bundle.checkpoint).await,
        })
    }

    /// Log indices of the entries of all accesses, including those that could not be opened.
    pub(crate) fn listed(&self) -> Vec<Vec<u64>> {
        let indices = |access: &Access| access.stamps().iter().map(|stamp| stamp.index).collect();
        let opened = self.accesses.iter().map(indices);
        let unopened = self.unopened.iter().map(|(indices, _)| indices.clone());
        opened.chain(unopened).collect()
    }

    /// Fetches receipts and records. Returns the log indices of entries whose receipt or record the ledger refuses.
    async fn fetch(&mut self, ledger: &Arc<LedgerReader>, entries: Vec<DisclosedEntry>) -> Result<Vec<u64>, CallError> {
        let mut missing = Vec::new();
        let mut waiting = entries.into_iter();
        let mut running = JoinSet::new();
        loop {
            while running.len() < MAX_CONCURRENT_FETCHES {
                let Some(entry) = waiting.next() else { break };
                let ledger = Arc::clone(ledger);
                running.spawn(async move {
                    let (record, receipt) = tokio::join!(ledger.record(entry.index), ledger.receipt(entry.index));
                    (entry, record, receipt)
                });
            }
            let Some(done) = running.join_next().await else {
                return Ok(missing);
            };
            let (entry, record, receipt) = done.map_err(|error| CallError::Invalid(error.to_string()))?;
            match (record, receipt) {
                (Ok(sealed_record), Ok(receipt)) => {
                    let index = entry.index;
                    let material = EntryMaterial {
                        keys: opening_keys(&entry, &sealed_record, &receipt),
                        entry,
                        sealed_record,
                        receipt: Mutex::new(receipt),
                    };
                    self.materials.insert(index, material);
                }
                (Err(error), _) | (_, Err(error)) if error.retryable() => return Err(error),
                _ => missing.push(entry.index),
            }
        }
    }

    fn verify(&self, verifier: &mut AccessVerifier, indices: &[u64], anchor: &Anchor) -> Result<Access, Failure> {
        let files: Option<Vec<Vec<u8>>> = indices
            .iter()
            .map(|index| Some(self.opening(*index, Some(anchor))?.to_bytes()))
            .collect();
        verifier
            .verify(&files.ok_or(Failure::Load)?, indices)
            .map(|proved| proved.access)
    }

    /// The opening of one of the citizen's entries. `None` for any other entry.
    fn opening(&self, index: u64, anchor: Option<&Anchor>) -> Option<Opening> {
        let material = self.materials.get(&index)?;
        let entry = &material.entry;
        let begin = self.period_begins.get(&entry.period)?;
        Some(Opening {
            receipt: locked(&material.receipt).receipt.clone(),
            sealed_record: material.sealed_record.clone(),
            shared_key: material.keys.as_ref().map(|keys| keys.shared.clone()),
            citizen_key: material.keys.as_ref().map(|keys| keys.citizen.clone()),
            label_proof: Some(LabelProof {
                idnr: self.idnr.clone()?,
                period_begin_receipt: locked(begin).receipt.clone(),
                period: entry.period,
                series: entry.series,
                number: entry.number,
                phase: entry.phase,
                vrf_proof: entry.vrf_proof,
            }),
            anchor: anchor.cloned(),
        })
    }

    /// The opening file of an entry, with cosigned receipts if the ledger has them by now. `None` for an entry that is
    /// not the citizen's.
    pub(crate) async fn opening_file(&self, ledger: &LedgerReader, index: u64) -> Result<Option<Vec<u8>>, CallError> {
        if !self.materials.contains_key(&index) {
            return Ok(None);
        }
        let anchor = ledger.anchors.reaching(index, Duration::ZERO).await?;
        self.refresh(ledger, index).await;
        Ok(self
            .opening(index, Some(&anchor.anchor))
            .map(|opening| opening.to_bytes()))
    }

    /// Tries to get cosigned receipts of an entry and of the begin of its period.
    async fn refresh(&self, ledger: &LedgerReader, index: u64) {
        let Some(material) = self.materials.get(&index) else {
            return;
        };
        refresh(ledger, &material.receipt, Some(index)).await;
        if let Some(begin) = self.period_begins.get(&material.entry.period) {
            let at = Receipt::parse(&locked(begin).receipt)
                .ok()
                .map(|receipt| receipt.index().get());
            refresh(ledger, begin, at).await;
        }
    }

    /// The receipt of one of the citizen's entries, cosigned if the ledger has it by now. `None` for any other entry.
    pub(crate) async fn receipt_file(&self, ledger: &LedgerReader, index: u64) -> Option<Vec<u8>> {
        let material = self.materials.get(&index)?;
        refresh(ledger, &material.receipt, Some(index)).await;
        Some(locked(&material.receipt).receipt.clone())
    }

    /// A citizen without entries.
    #[cfg(test)]
    pub(crate) fn for_tests(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            accesses: Vec::new(),
            unopened: Vec::new(),
            check: ServerCheck::Unwitnessed,
            idnr: None,
            bundle: None,
            materials: HashMap::new(),
            period_begins: HashMap::new(),
        }
    }
}

/// The disclosed keys that open the record, if any does. Without keys the opening claims that the record has expired,
/// which verification accepts only if it has.
fn opening_keys(entry: &DisclosedEntry, sealed_record: &[u8], receipt: &FetchedReceipt) -> Option<EntryKeys> {
    let receipt = Receipt::parse(&receipt.receipt).ok()?;
    let label = receipt.entry().entry().body.label()?;
    let record = SealedRecord::parse(sealed_record).ok()?;
    let opens = |keys: &&EntryKeys| record.open_shared(&keys.shared, Some(&label)).is_ok();
    entry.keys.iter().find(opens).cloned()
}

/// Tries to replace a receipt without cosignatures by a cosigned one. On failure it keeps the old receipt, which proves
/// inclusion without the quorum.
async fn refresh(ledger: &LedgerReader, held: &Mutex<FetchedReceipt>, index: Option<u64>) {
    let Some(index) = index.filter(|_| !locked(held).witnessed) else {
        return;
    };
    match ledger.receipt(index).await {
        Ok(fetched) => *locked(held) = fetched,
        Err(error) => tracing::debug!(%error, "cannot refresh a receipt"),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Groups entries by access: intent, outcome and preview of one number are one access.
fn group_by_access(entries: &[DisclosedEntry]) -> Vec<Vec<u64>> {
    let mut groups: BTreeMap<(Period, Series, u32), BTreeMap<Phase, u64>> = BTreeMap::new();
    for entry in entries {
        let key = (entry.period, entry.series, entry.number);
        groups.entry(key).or_default().insert(entry.phase, entry.index);
    }
    groups
        .into_values()
        .map(|phases| phases.into_values().collect())
        .collect()
}

/// Checks the receipt of the inspection. Identity may disclose keys only after the inspection is in the log.
fn check_inspection(disclosure: &Disclosure, trust: &Trust) -> Result<(), LoadError> {
    let verified = Receipt::parse(&disclosure.inspection_receipt)
        .and_then(|receipt| receipt.verify(&trust.policy))
        .map_err(|_| LoadError::Disclosure("inspection receipt"))?;
    if verified.entry().entry().body.kind() == Kind::Inspection {
        Ok(())
    } else {
        Err(LoadError::Disclosure("kind of the inspection entry"))
    }
}

/// The newest entry whose writer's right the list and the bundle must prove.
fn newest_entry(disclosure: &Disclosure) -> u64 {
    let entries = disclosure.entries.iter().map(|entry| entry.index);
    let map = disclosure.complete.iter().map(|proof| proof.map.index);
    entries.chain(map).max().unwrap_or_default()
}

fn check_checkpoint(disclosure: &Disclosure, trust: &Trust) -> Result<(), LoadError> {
    let policy = &trust.policy;
    let mut origins = policy.logs().iter().map(|log| log.origin());
    let signed = |origin| SignedCheckpoint::open(&disclosure.checkpoint, &origin, &policy.log_keys(&origin)).is_ok();
    if origins.any(signed) {
        Ok(())
    } else {
        Err(LoadError::Disclosure("checkpoint"))
    }
}
