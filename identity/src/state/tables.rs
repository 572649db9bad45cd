//! The tables of `state.redb`, and the encoding of their keys and rows.

use record::Idnr;
use redb::TableDefinition;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::committer::StoreError;

pub(super) type NumberTuple = (u32, u8, [u8; 11], u32);
pub(super) type SeriesTuple = (u32, u8, [u8; 11]);

pub(super) const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
pub(super) const PERIODS: TableDefinition<u32, &[u8]> = TableDefinition::new("periods");
pub(super) const NEXT: TableDefinition<SeriesTuple, u32> = TableDefinition::new("next");
pub(super) const NUMBERS: TableDefinition<NumberTuple, &[u8]> = TableDefinition::new("numbers");
pub(super) const PROOFS: TableDefinition<NumberTuple, [u8; 80]> = TableDefinition::new("proofs");
pub(super) const LABELS: TableDefinition<[u8; 32], (NumberTuple, u8)> = TableDefinition::new("labels");
pub(super) const PENDING: TableDefinition<[u8; 32], NumberTuple> = TableDefinition::new("pending");
pub(super) const LEAVES: TableDefinition<[u8; 32], &[u8]> = TableDefinition::new("leaves");
pub(super) const ANSWERS: TableDefinition<(&str, [u8; 16]), &[u8]> = TableDefinition::new("answers");
pub(super) const ANSWER_BYTES: TableDefinition<[u8; 32], &[u8]> = TableDefinition::new("answer_bytes");
pub(super) const QUOTA: TableDefinition<(u32, &str, [u8; 32]), u32> = TableDefinition::new("quota");
pub(super) const QUOTA_TOTAL: TableDefinition<(u32, [u8; 32]), u32> = TableDefinition::new("quota_total");
pub(super) const INSPECTIONS: TableDefinition<(u32, &str, [u8; 11]), [u8; 32]> = TableDefinition::new("inspections");

pub(super) fn row<T: DeserializeOwned + Serialize>(table: &'static str, bytes: &[u8]) -> Result<T, StoreError> {
    record::cbor::from_slice(bytes).map_err(|_| StoreError::Corrupt(table))
}

/// The eleven digits of an IDNr as bytes.
pub(super) fn digits(idnr: &Idnr) -> [u8; 11] {
    let mut bytes = [b'0'; 11];
    for (place, digit) in bytes.iter_mut().zip(idnr.expose().bytes()) {
        *place = digit;
    }
    bytes
}
