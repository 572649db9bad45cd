//! The mark of a log that is moved from one store to another, so that never both can be served.
//!
//! It is the row `move` of `Meta`. A log that has never been moved has none.
//!
//! | Mark | The store | Served |
//! | --- | --- | --- |
//! | `arriving ID` | has a copy that is not complete | no |
//! | `arrived ID` | has the log | yes |
//! | `moved ID PLACE` | had the log, which is now in another store | no |
//!
//! The number tells moves apart: source and target have the same one.

use super::rows::Rows;
use crate::store::{Batch, Column, Durability, StoreError};

/// The key of the row.
pub(crate) const KEY: &[u8] = b"move";

/// The mark of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Arriving(String),
    Arrived(String),
    /// The second text says where the log is now.
    Moved(String, String),
}

impl Mark {
    fn text(&self) -> String {
        match self {
            Self::Arriving(id) => format!("arriving {id}"),
            Self::Arrived(id) => format!("arrived {id}"),
            Self::Moved(id, place) => format!("moved {id} {place}"),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(' ')?;
        Some(match (kind, rest.split_once(' ')) {
            ("arriving", None) => Self::Arriving(rest.into()),
            ("arrived", None) => Self::Arrived(rest.into()),
            ("moved", Some((id, place))) => Self::Moved(id.into(), place.into()),
            _ => return None,
        })
    }

    /// The mark of a store.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for a mark that cannot be read.
    pub(crate) fn of(rows: &Rows) -> Result<Option<Self>, StoreError> {
        let Some(row) = rows.store().get(Column::Meta, KEY)? else {
            return Ok(None);
        };
        let mark = String::from_utf8(row).ok().and_then(|text| Self::parse(&text));
        let damaged = || StoreError::damaged("the mark of a moved log is damaged");
        mark.map(Some).ok_or_else(damaged)
    }

    /// Replaces the mark, durably; `None` removes it.
    pub(crate) fn set(rows: &Rows, mark: Option<&Self>) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        match mark {
            Some(mark) => batch.put(Column::Meta, KEY, mark.text().as_bytes()),
            None => batch.delete(Column::Meta, KEY),
        }
        rows.write(&batch, Durability::Synced)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        let id = || "0a".to_owned();
        for mark in [
            Mark::Arriving(id()),
            Mark::Arrived(id()),
            Mark::Moved(id(), "RocksDB in /a b".into()),
        ] {
            assert_eq!(Mark::parse(&mark.text()), Some(mark));
        }
        for text in ["", "moved", "moved 0a", "arrived 0a b", "left 0a"] {
            assert_eq!(Mark::parse(text), None, "{text}");
        }
    }
}
