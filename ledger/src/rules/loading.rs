//! Loads the in-memory state of the rules from the store.

use std::collections::HashMap;
use std::ops::ControlFlow;

use record::{Body, Label, LabelledKind, Period, SignedEntry};

use super::labels::{self, Labels};
use super::periods::Periods;
use crate::engine::rows::Rows;
use crate::store::{Column, END, Store, StoreError};

/// Loads the periods from their entries; map 0 has the index of every `period` entry.
pub(super) fn load_periods(rows: &Rows, labels: &mut Labels) -> Result<Periods, StoreError> {
    let mut indexes = Vec::new();
    labels.load(rows.store().as_ref(), Period::MAP0, |index| indexes.push(index))?;
    indexes.sort_unstable();
    let mut periods = Periods::default();
    for index in indexes {
        let entry = read_entry(rows, index)?;
        match entry.as_ref().map(|entry| &entry.entry().body) {
            Some(Body::Period { period, event }) => periods.apply(*period, event),
            _ => {
                return Err(StoreError::Damaged(format!(
                    "map 0 names entry {index}, which is not a period entry"
                )));
            }
        }
    }
    Ok(periods)
}

/// Loads period and label of each open intent. Column `Intents`: u64 index, then the key of the label row.
pub(super) fn load_intents(store: &dyn Store) -> Result<HashMap<u64, (Period, Label)>, StoreError> {
    let mut intents = HashMap::new();
    let mut good = true;
    store.scan(Column::Intents, &[], &END, &mut |key, row| {
        match (key.try_into(), labels::parse_key(row)) {
            (Ok(index), Some(intent)) => {
                intents.insert(u64::from_be_bytes(index), intent);
            }
            _ => good = false,
        }
        ControlFlow::Continue(())
    })?;
    if good {
        Ok(intents)
    } else {
        Err(StoreError::damaged("a row of open intents is damaged"))
    }
}

pub(super) fn read_entry(rows: &Rows, index: u64) -> Result<Option<SignedEntry>, StoreError> {
    let leaf = rows.entry(index)?;
    let entry =
        leaf.map(|leaf| SignedEntry::parse(leaf).map_err(|error| StoreError::failed(format!("entry {index}"), error)));
    entry.transpose()
}

/// Period and label of a durable entry if that entry is an intent.
pub(super) fn closed_intent(rows: &Rows, index: u64) -> Result<Option<(Period, Label)>, StoreError> {
    Ok(read_entry(rows, index)?.and_then(|entry| match entry.entry().body {
        Body::Labelled {
            kind: LabelledKind::Intent,
            period,
            label,
            ..
        } => Some((period, label)),
        _ => None,
    }))
}
