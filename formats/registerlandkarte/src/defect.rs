//! What is wrong with one row by itself.

use std::collections::BTreeSet;

use crate::interval::Interval;
use crate::problem::ProblemKind;

/// Something that is wrong with a row, whatever the other rows are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// The field.
    pub field: &'static str,
    /// The position in a field with several values, from 0.
    pub element: Option<usize>,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// The intervals of a row that contain no time.
pub(crate) fn empty_intervals(valid: Interval, recorded: Interval) -> Vec<Defect> {
    let intervals = [("valid_until", valid), ("recorded_until", recorded)];
    let empty = intervals.into_iter().filter(|(_, interval)| interval.is_empty());
    empty
        .map(|(field, _)| Defect {
            field,
            element: None,
            kind: ProblemKind::EmptyInterval,
        })
        .collect()
}

/// What is wrong with a list that must have an element and may have none twice.
pub(crate) fn list_defects(field: &'static str, values: impl Iterator<Item = String>) -> Vec<Defect> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for (position, value) in values.enumerate() {
        if !seen.insert(value.clone()) {
            found.push(Defect {
                field,
                element: Some(position),
                kind: ProblemKind::Repeated(value),
            });
        }
    }
    if seen.is_empty() {
        found.push(Defect {
            field,
            element: None,
            kind: ProblemKind::EmptyList,
        });
    }
    found
}
