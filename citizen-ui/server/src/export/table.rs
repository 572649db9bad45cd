//! The list as CSV for spreadsheets and as JSON for programs.

use std::io;

use citizen_ui::paper::list::{ExportGroup, ExportRow, ListExport, joined};
use record::Timestamp;
use serde_json::{Value, json};

use crate::csv_file;

const COLUMNS: [&str; 12] = [
    "eintrag",
    "zeit",
    "gruppe",
    "satz",
    "wer",
    "bei",
    "unterlage",
    "grund",
    "gesetz",
    "zeichen",
    "ergebnis",
    "nicht_geoeffnet",
];

/// Writes the list as a table. An access that could not be opened has a row with its reason in the last column.
pub(super) fn csv(list: &ListExport) -> io::Result<Vec<u8>> {
    let unopened = list.unopened.iter().map(|(indices, reason)| {
        let mut row = [const { String::new() }; COLUMNS.len()];
        row[0] = joined(indices);
        row[COLUMNS.len() - 1] = (*reason).to_owned();
        row
    });
    let rows = list.groups.iter().flat_map(|group| {
        let rows = group.rows.iter();
        rows.map(|row| csv_row(group, row))
    });
    csv_file::write(COLUMNS, rows.chain(unopened))
}

fn csv_row(group: &ExportGroup, row: &ExportRow) -> [String; COLUMNS.len()] {
    [
        joined(&row.entries),
        row.time.iso.clone(),
        group.title.clone(),
        row.said.text(),
        row.who.clone(),
        row.at.clone(),
        row.evidence.clone(),
        row.occasion.clone(),
        row.law.clone(),
        row.reference.clone(),
        row.result.to_owned(),
        String::new(),
    ]
}

/// Writes the list as data. `at` is the time in POSIX seconds.
pub(super) fn json(list: &ListExport, at: u64, portal: &str) -> serde_json::Result<Vec<u8>> {
    let chosen = list.chosen.iter();
    let chosen: Vec<Value> = chosen
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    let unopened = list.unopened.iter();
    let unopened: Vec<Value> = unopened
        .map(|(entries, reason)| json!({ "entries": entries, "reason": reason }))
        .collect();
    let complete = list.claim.map(|claim| {
        json!({
            "exchanges": claim.exchanges,
            "inspections": claim.inspections,
            "as_of": Timestamp(claim.as_of).to_string(),
            "since": claim.since.map(|since| Timestamp(since).to_string()),
            "checked_by": "server",
        })
    });
    serde_json::to_vec_pretty(&json!({
        "made": Timestamp(at).to_string(),
        "portal": portal,
        "chosen": chosen,
        "all": list.all,
        "matching": list.matching,
        "complete": complete,
        "groups": list.groups.iter().map(json_group).collect::<Vec<_>>(),
        "unopened": unopened,
    }))
}

fn json_group(group: &ExportGroup) -> Value {
    let rows: Vec<Value> = group.rows.iter().map(json_row).collect();
    json!({ "title": group.title, "rows": rows })
}

fn json_row(row: &ExportRow) -> Value {
    json!({
        "entries": row.entries,
        "time": row.time.iso,
        "sentence": row.said.text(),
        "consumer": row.who,
        "provider": row.at,
        "evidence": row.evidence,
        "reason": row.occasion,
        "law": row.law,
        "reference": row.reference,
        "result": row.result,
    })
}
