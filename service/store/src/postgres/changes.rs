//! The changes of a group.

use std::collections::BTreeMap;

/// The changes to one table: new values, and `None` for removed rows.
pub(super) type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

pub(super) type Split<'c> = (Vec<&'c [u8]>, Vec<&'c [u8]>, Vec<&'c [u8]>);

/// Keys and values to be written, and keys to be removed.
pub(super) fn split(changes: &Changes) -> Split<'_> {
    let (mut keys, mut values, mut removed) = Split::default();
    for (key, value) in changes {
        match value {
            Some(value) => {
                keys.push(key.as_slice());
                values.push(value.as_slice());
            }
            None => removed.push(key.as_slice()),
        }
    }
    (keys, values, removed)
}
