//! Loads the in-memory state of the rules from the store.

use std::collections::HashMap;
use std::ops::ControlFlow;

use record::{Body, LabelledKind, Period, SignedEntry};

use super::labels::Labels;
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

pub(super) fn load_intents(store: &dyn Store) -> Result<HashMap<u64, Period>, StoreError> {
    let mut intents = HashMap::new();
    let mut good = true;
    store.scan(Column::Intents, &[], &END, &mut |key, row| {
        match (key.try_into(), row.try_into()) {
            (Ok(index), Ok(period)) => {
                intents.insert(u64::from_be_bytes(index), Period(u32::from_be_bytes(period)));
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

/// The period of a durable entry if that entry is an intent.
pub(super) fn intent_period(rows: &Rows, index: u64) -> Result<Option<Period>, StoreError> {
    Ok(read_entry(rows, index)?.and_then(|entry| match entry.entry().body {
        Body::Labelled {
            kind: LabelledKind::Intent,
            period,
            ..
        } => Some(period),
        _ => None,
    }))
}
