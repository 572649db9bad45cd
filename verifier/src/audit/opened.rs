//! Records of exchanges that openings and bundles have proved, for the audit to judge.

use proof::bundle::{Complete, ProvedRecord};
use proof::opening::Proved;
use record::{ExchangeRecord, SharedPart, Timestamp};
use tlog::Hash;

/// The opened record of an exchange, with its entry. `Debug` shows nothing of the record.
#[derive(Clone)]
pub struct OpenedExchange {
    /// The index of its entry.
    pub(crate) index: u64,
    /// The leaf hash of its entry.
    pub(crate) leaf: Hash,
    /// The intent that the entry closes or is about; `None` if it is the intent itself.
    refers: Option<u64>,
    /// The time of its entry.
    pub(crate) time: Timestamp,
    pub(crate) record: Box<ExchangeRecord>,
}

impl std::fmt::Debug for OpenedExchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenedExchange")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

impl OpenedExchange {
    /// The record of an opening; `None` if it is not that of an exchange, or has expired.
    #[must_use]
    pub fn of_opening(proved: &Proved) -> Option<Self> {
        let Some(SharedPart::Exchange(record)) = &proved.shared else {
            return None;
        };
        Some(Self {
            index: proved.index.get(),
            leaf: proved.leaf,
            refers: proved.refers.map(tlog::merkle::Index::get),
            time: proved.time,
            record: record.clone(),
        })
    }

    /// The records of all exchanges in a bundle that have not expired.
    #[must_use]
    pub fn of_bundle(complete: &Complete) -> Vec<Self> {
        let entries = complete.entries.iter();
        let exchanges = entries.filter_map(|entry| match &entry.record {
            ProvedRecord::Open {
                shared: SharedPart::Exchange(record),
                ..
            } => Some(Self {
                index: entry.index.get(),
                leaf: entry.leaf,
                refers: entry.refers.map(tlog::merkle::Index::get),
                time: entry.time,
                record: record.clone(),
            }),
            _ => None,
        });
        exchanges.collect()
    }

    /// The index of the intent, where the exchange was decided.
    pub(crate) fn intent(&self) -> u64 {
        self.refers.unwrap_or(self.index)
    }
}
