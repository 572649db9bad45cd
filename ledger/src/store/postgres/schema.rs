//! The tables.
//!
//! Each column of the store is a table `(k bytea PRIMARY KEY, v bytea)`; `bytea` is ordered bytewise, as keys are. The
//! tables whose keys begin with a number are partitioned by it, so that a closed period's labels leave the cache and
//! old entries can be moved or dropped as a whole:
//!
//! | Table | Partition |
//! | --- | --- |
//! | `entries`, `records` | 2^26 entries |
//! | `tiles` | 2^18 tiles of one level; at level 0 these are 2^26 entries |
//! | `labels` | one period |
//!
//! A write creates the partitions that it needs in its own transaction, before it inserts. It attaches them, because
//! `CREATE TABLE … PARTITION OF` would wait for every reader of the whole table. Values are stored as they
//! are: hashes, signatures and ciphertexts do not compress.
//!
//! The table `claim` has one row: the layout of the tables, who may write, and where writers reach that ledger. See
//! [`super::claim`].

use std::collections::BTreeSet;

use crate::store::Column;

/// The version of the tables.
pub(super) const LAYOUT: i32 = 2;

/// A partition: its column and its number among the partitions.
pub(super) type Partition = (Column, u128);

/// How a column is partitioned: the number of leading bytes of the key, of which the lowest bits are left out.
fn partitioning(column: Column) -> Option<(usize, u32)> {
    match column {
        Column::Entries | Column::Records => Some((8, 26)),
        Column::Tiles => Some((9, 18)),
        Column::Labels => Some((4, 0)),
        _ => None,
    }
}

/// The partition that a key belongs to; `None` if its column has none. A shorter key counts as followed by zeros.
pub(super) fn partition_of(column: Column, key: &[u8]) -> Option<Partition> {
    let (length, left_out) = partitioning(column)?;
    let number = (0..length).fold(0u128, |number, at| {
        number << 8 | u128::from(key.get(at).copied().unwrap_or(0))
    });
    Some((column, number >> left_out))
}

/// The statements that create all tables in an empty database.
pub(super) fn create() -> String {
    let mut sql = String::from(
        "CREATE TABLE claim (one bool PRIMARY KEY DEFAULT true CHECK (one), layout int4 NOT NULL, \
         epoch int8 NOT NULL, holder bytea NOT NULL, address text NOT NULL, writing text NOT NULL, \
         since timestamptz NOT NULL DEFAULT now());",
    );
    sql.push_str(&format!(
        "INSERT INTO claim (layout, epoch, holder, address, writing) VALUES ({LAYOUT}, 0, '', '', '');"
    ));
    for column in Column::ALL {
        let (name, partitioned) = (column.name(), partitioning(column).is_some());
        let by = if partitioned { " PARTITION BY RANGE (k)" } else { "" };
        sql.push_str(&format!(
            "CREATE TABLE {name} (k bytea PRIMARY KEY, v bytea NOT NULL){by};\
             ALTER TABLE {name} ALTER COLUMN v SET STORAGE EXTERNAL;"
        ));
    }
    sql
}

/// Lists the partitions by name.
pub(super) const LIST_PARTITIONS: &str = "SELECT child.relname::text FROM pg_inherits JOIN pg_class child ON \
     child.oid = inhrelid JOIN pg_class parent ON parent.oid = inhparent WHERE parent.relkind = 'p'";

/// The partition of this name.
pub(super) fn partition_named(name: &str) -> Option<Partition> {
    let (table, number) = name.rsplit_once('_')?;
    let column = Column::ALL.into_iter().find(|column| column.name() == table)?;
    Some((column, u128::from_str_radix(number, 16).ok()?))
}

/// The statements that create these partitions.
pub(super) fn create_partitions(partitions: &BTreeSet<Partition>) -> String {
    partitions.iter().map(create_partition).collect()
}

fn create_partition((column, number): &Partition) -> String {
    let Some((length, left_out)) = partitioning(*column) else {
        return String::new();
    };
    // A bound is the smallest key that counts as the number, so it has no zero bytes at its end.
    let bound = |number: u128| {
        let hex = hex::encode(&(number << left_out).to_be_bytes()[16 - length..]);
        format!("'\\x{}'", hex.trim_end_matches("00"))
    };
    // The first partition also has the keys that are a prefix of its first number; the last one has no end.
    let last = (1u128 << (8 * length as u32 - left_out)) - 1;
    let from = if *number == 0 {
        "MINVALUE".into()
    } else {
        bound(*number)
    };
    let to = if *number == last {
        "MAXVALUE".into()
    } else {
        bound(number + 1)
    };
    // The rightmost tiles are rewritten in each commit; room in their page keeps the index from growing.
    let how = if *column == Column::Tiles {
        " WITH (fillfactor = 50)"
    } else {
        ""
    };
    let table = column.name();
    let name = format!("{table}_{number:x}");
    format!(
        "CREATE TABLE {name} (LIKE {table} INCLUDING ALL){how}; \
         ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({from}) TO ({to});"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_follow_the_numbers_in_the_keys() {
        let number = |column, key: &[u8]| partition_of(column, key).map(|(_, number)| number);
        assert_eq!(number(Column::Meta, b"head"), None);
        assert_eq!(number(Column::Entries, &((1u64 << 26) - 1).to_be_bytes()), Some(0));
        assert_eq!(number(Column::Entries, &(1u64 << 26).to_be_bytes()), Some(1));
        assert_eq!(number(Column::Labels, &[0, 0, 0, 7, 99]), Some(7));
        assert_eq!(number(Column::Labels, &[7]), Some(7 << 24));
        let tile = |level: u8, tile: u64| [&[level][..], &tile.to_be_bytes()].concat();
        assert_eq!(number(Column::Tiles, &tile(0, 1 << 18)), Some(1));
        assert_eq!(number(Column::Tiles, &tile(1, 5)), Some(1 << 46));
    }

    #[test]
    fn partitions_are_known_by_their_names() {
        assert_eq!(partition_named("labels_ff"), Some((Column::Labels, 255)));
        assert_eq!(partition_named("labels_pkey"), None);
        assert_eq!(partition_named("other_1"), None);
    }

    #[test]
    fn bounds_are_half_open_and_without_trailing_zeros() {
        let sql = |column, number| create_partition(&(column, number));
        assert!(sql(Column::Labels, 0).contains("FROM (MINVALUE) TO ('\\x00000001')"));
        assert!(sql(Column::Labels, 255).contains("labels_ff FOR VALUES FROM ('\\x000000ff') TO ('\\x000001')"));
        assert!(sql(Column::Labels, u128::from(u32::MAX)).contains("TO (MAXVALUE)"));
        assert!(sql(Column::Entries, 1).contains("FROM ('\\x0000000004') TO ('\\x0000000008')"));
        assert!(sql(Column::Entries, (1 << 38) - 1).contains("TO (MAXVALUE)"));
    }
}
