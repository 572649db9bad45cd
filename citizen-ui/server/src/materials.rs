//! What a citizen's entries are opened and proved with: the entries, their sealed records, keys and receipts.
//!
//! Entries and records come from the ledger in few requests, because a person has two or three entries for each access.
//! Receipts are fetched one by one, and only when something needs them: the bundle proves what it covers without any.
//!
//! Nothing here is verified. A caller verifies what it shows.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use citizen_ui::proof::verify::Failure;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use messages::{DisclosedEntry, EntryKeys, PeriodInfo};
use proof::bundle::{Disclosed, Record};
use proof::opening::{Anchor, LabelProof, Opening};
use record::stored::MAX_BATCH;
use record::{Idnr, Label, Period, Receipt, SealedRecord, SignedEntry, StoredEntry};
use service::http::CallError;

use crate::ledger::{FetchedReceipt, LedgerReader};

/// The most requests that one login sends concurrently.
const MAX_CONCURRENT_FETCHES: usize = 16;

/// The materials of all entries that identity has disclosed, as far as the ledger has sent them.
#[derive(Default)]
pub(crate) struct Materials {
    entries: HashMap<u64, EntryMaterial>,
    period_begins: HashMap<Period, Mutex<FetchedReceipt>>,
}

/// One entry with everything that is needed to open it.
struct EntryMaterial {
    entry: DisclosedEntry,
    leaf: Vec<u8>,
    label: Label,
    sealed_record: Vec<u8>,
    /// `None` until something needs it.
    receipt: Mutex<Option<FetchedReceipt>>,
}

impl Materials {
    /// Fetches entries and records. Leaves out entries that the ledger does not have, or no longer has the record of.
    ///
    /// # Errors
    /// When the ledger does not respond.
    pub(crate) async fn fetch(
        ledger: &LedgerReader,
        entries: Vec<DisclosedEntry>,
        periods: Vec<PeriodInfo>,
    ) -> Result<Self, CallError> {
        let indices: Vec<u64> = entries.iter().map(|entry| entry.index).collect();
        let mut answers = Vec::with_capacity(indices.len());
        for batch in indices.chunks(MAX_BATCH) {
            answers.extend(ledger.stored(batch).await?);
        }
        let materials = entries.into_iter().zip(answers);
        let entries = materials.filter_map(|(entry, stored)| Some((entry.index, EntryMaterial::new(entry, stored?)?)));
        let begins = periods.into_iter().map(|info| {
            let fetched = FetchedReceipt {
                receipt: info.begin_receipt,
                witnessed: false,
            };
            (info.period, Mutex::new(fetched))
        });
        Ok(Self {
            entries: entries.collect(),
            period_begins: begins.collect(),
        })
    }

    /// Fetches the receipts of these entries. An entry whose receipt the ledger refuses stays without one.
    ///
    /// # Errors
    /// When the ledger does not respond.
    pub(crate) async fn fetch_receipts(&self, ledger: &LedgerReader, indices: &[u64]) -> Result<(), CallError> {
        let materials = indices.iter().filter_map(|index| self.entries.get(index));
        let requests: Vec<_> = materials.map(|material| material.fetch_receipt(ledger)).collect();
        stream::iter(requests)
            .buffer_unordered(MAX_CONCURRENT_FETCHES)
            .try_collect()
            .await
    }

    /// Whether this is one of the citizen's entries.
    pub(crate) fn contains(&self, index: u64) -> bool {
        self.entries.contains_key(&index)
    }

    /// An entry and its record, for the bundle. A record that no disclosed key opens is claimed to have expired, which
    /// verification accepts only if it has.
    ///
    /// # Errors
    /// [`Failure::Load`] for an entry that the ledger has not sent, [`Failure::Proof`] for bytes that are no record.
    pub(crate) fn disclosed(&self, index: u64) -> Result<Disclosed, Failure> {
        let material = self.entries.get(&index).ok_or(Failure::Load)?;
        let sealed = SealedRecord::parse(material.sealed_record.as_slice()).map_err(|_| Failure::Proof)?;
        let opened = |keys: &EntryKeys| sealed.unseal(&keys.shared, &keys.citizen, &material.label).ok();
        let record = match material.entry.keys.iter().find_map(opened) {
            Some(opened) => Record::Open(Box::new(opened)),
            None => Record::Expired(material.sealed_record.clone()),
        };
        Ok(Disclosed {
            leaf: material.leaf.clone(),
            record,
        })
    }

    /// The opening of an entry. `None` if its receipt has not been fetched, or the entry is another person's.
    pub(crate) fn opening(&self, idnr: &Idnr, index: u64, anchor: Option<&Anchor>) -> Option<Opening> {
        let material = self.entries.get(&index)?;
        let entry = &material.entry;
        let begin = self.period_begins.get(&entry.period)?;
        let keys = material.opening_keys();
        Some(Opening {
            receipt: locked(&material.receipt).as_ref()?.receipt.clone(),
            sealed_record: material.sealed_record.clone(),
            shared_key: keys.map(|keys| keys.shared.clone()),
            citizen_key: keys.map(|keys| keys.citizen.clone()),
            label_proof: Some(LabelProof {
                idnr: idnr.clone(),
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

    /// Tries to get cosigned receipts of an entry and of the begin of its period.
    pub(crate) async fn refresh(&self, ledger: &LedgerReader, index: u64) {
        let Some(material) = self.entries.get(&index) else {
            return;
        };
        material.refresh(ledger).await;
        let Some(begin) = self.period_begins.get(&material.entry.period) else {
            return;
        };
        let held = locked(begin).clone();
        if held.witnessed {
            return;
        }
        let Ok(receipt) = Receipt::parse(&held.receipt) else {
            return;
        };
        match ledger.receipt(receipt.index().get()).await {
            Ok(fetched) => *locked(begin) = fetched,
            Err(error) => tracing::debug!(%error, "cannot refresh a receipt"),
        }
    }

    /// The receipt of an entry, cosigned if the ledger has it by now.
    pub(crate) async fn receipt(&self, ledger: &LedgerReader, index: u64) -> Option<Vec<u8>> {
        let material = self.entries.get(&index)?;
        material.refresh(ledger).await;
        let receipt = locked(&material.receipt);
        Some(receipt.as_ref()?.receipt.clone())
    }
}

impl EntryMaterial {
    fn new(entry: DisclosedEntry, stored: StoredEntry) -> Option<Self> {
        let sealed_record = stored.record?;
        let signed = SignedEntry::parse(stored.leaf).ok()?;
        let label = signed.entry().body.label()?;
        Some(Self {
            entry,
            leaf: signed.bytes().to_vec(),
            label,
            sealed_record,
            receipt: Mutex::new(None),
        })
    }

    /// The disclosed keys that open the record, if any does. Without keys the opening claims that the record has
    /// expired, which verification accepts only if it has.
    fn opening_keys(&self) -> Option<&EntryKeys> {
        let record = SealedRecord::parse(self.sealed_record.as_slice()).ok()?;
        let opens = |keys: &&EntryKeys| record.open_shared(&keys.shared, Some(&self.label)).is_ok();
        self.entry.keys.iter().find(opens)
    }

    /// Fetches the receipt, unless the ledger refuses it.
    async fn fetch_receipt(&self, ledger: &LedgerReader) -> Result<(), CallError> {
        match ledger.receipt(self.entry.index).await {
            Ok(fetched) => *locked(&self.receipt) = Some(fetched),
            Err(error) if error.retryable() => return Err(error),
            Err(error) => tracing::warn!(%error, "the ledger refuses a receipt"),
        }
        Ok(())
    }

    /// Tries to get a cosigned receipt. On failure it keeps the old one, which proves inclusion without the quorum.
    async fn refresh(&self, ledger: &LedgerReader) {
        if locked(&self.receipt).as_ref().is_some_and(|held| held.witnessed) {
            return;
        }
        match ledger.receipt(self.entry.index).await {
            Ok(fetched) => *locked(&self.receipt) = Some(fetched),
            Err(error) => tracing::debug!(%error, "cannot fetch a receipt"),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
