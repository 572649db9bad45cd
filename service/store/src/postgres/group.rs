//! A table within a group: what the database has, under the changes that the group keeps in memory.

use std::iter::Peekable;
use std::ops::ControlFlow;

use tokio_postgres::Row;

use super::changes::Changes;
use super::session::{FIRST_PART, MAX_PART, bytes};
use super::writer::Writer;
use crate::error::TableError;
use crate::rows::{ReadRows, Visit, WriteRows};

/// A table of the present group.
pub(crate) struct GroupRows<'w> {
    writer: &'w Writer,
    table: &'static str,
}

impl<'w> GroupRows<'w> {
    /// Opens a table.
    pub(crate) fn open(writer: &'w Writer, table: &'static str) -> Result<Self, TableError> {
        writer.open_table(table)?;
        Ok(Self { writer, table })
    }

    /// The group's change of a row; `Some(None)` if it has removed it.
    fn changed(&self, key: &[u8]) -> Option<Option<Vec<u8>>> {
        self.writer
            .with_changes(self.table, |changes| changes.get(key).cloned())
    }

    fn change(&self, key: &[u8], value: Option<Vec<u8>>) {
        self.writer
            .with_changes(self.table, |changes| changes.insert(key.to_vec(), value));
    }

    fn changes_from(&self, from: &[u8]) -> Changes {
        let copy = |(key, value): (&Vec<u8>, &Option<Vec<u8>>)| (key.clone(), value.clone());
        self.writer
            .with_changes(self.table, |changes| changes.range(from.to_vec()..).map(copy).collect())
    }
}

impl Drop for GroupRows<'_> {
    fn drop(&mut self) {
        self.writer.close_table(self.table);
    }
}

impl ReadRows for GroupRows<'_> {
    fn get(&self, key: &[u8], read: &mut dyn FnMut(&[u8])) -> Result<(), TableError> {
        if let Some(changed) = self.changed(key) {
            if let Some(value) = changed {
                read(&value);
            }
            return Ok(());
        }
        let rows = self.writer.query(&self.writer.names().get(self.table), &[&key])?;
        if let Some(row) = rows.first() {
            read(bytes(row, 0).map_err(TableError::database)?);
        }
        Ok(())
    }

    fn scan(&self, from: &[u8], visit: &mut Visit<'_>) -> Result<(), TableError> {
        let mut changes = self.changes_from(from).into_iter().peekable();
        let sql = self.writer.names().scan(self.table);
        let read = |from: &[u8], part| self.writer.query(&sql, &[&from, &part]);
        let ended = parts(from, read, &mut |key, value| {
            if let ControlFlow::Break(()) = visit_changes(&mut changes, Some(key), visit)? {
                return Ok(ControlFlow::Break(()));
            }
            // A changed row counts as it is after the change.
            match changes.next_if(|(changed, _)| changed == key) {
                Some((_, Some(new))) => visit(key, &new),
                Some((_, None)) => Ok(ControlFlow::Continue(())),
                None => visit(key, value),
            }
        })?;
        if ended.is_continue() {
            let _ = visit_changes(&mut changes, None, visit)?;
        }
        Ok(())
    }

    fn len(&self) -> Result<u64, TableError> {
        let mut count = 0;
        self.scan(&[], &mut |_, _| {
            count += 1;
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(count)
    }
}

impl WriteRows for GroupRows<'_> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), TableError> {
        self.change(key, Some(value.to_vec()));
        Ok(())
    }

    fn remove(&mut self, key: &[u8]) -> Result<(), TableError> {
        self.change(key, None);
        Ok(())
    }
}

/// Visits rows that the group has written, up to the key `before`.
fn visit_changes(
    changes: &mut Peekable<impl Iterator<Item = (Vec<u8>, Option<Vec<u8>>)>>,
    before: Option<&[u8]>,
    visit: &mut Visit<'_>,
) -> Result<ControlFlow<()>, TableError> {
    while let Some((key, value)) = changes.next_if(|(key, _)| before.is_none_or(|before| key.as_slice() < before)) {
        if let Some(value) = value
            && visit(&key, &value)?.is_break()
        {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Reads a table in parts, from a key on.
pub(super) fn parts(
    from: &[u8],
    read: impl Fn(&[u8], i64) -> Result<Vec<Row>, TableError>,
    visit: &mut Visit<'_>,
) -> Result<ControlFlow<()>, TableError> {
    let (mut next, mut part) = (from.to_vec(), FIRST_PART);
    loop {
        let rows = read(&next, part)?;
        for row in &rows {
            let (key, value) = (bytes(row, 0), bytes(row, 1));
            let (key, value) = (key.map_err(TableError::database)?, value.map_err(TableError::database)?);
            if visit(key, value)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        match rows.last() {
            Some(last) if rows.len() as i64 == part => {
                next = [bytes(last, 0).map_err(TableError::database)?, &[0]].concat();
            }
            _ => return Ok(ControlFlow::Continue(())),
        }
        part = (part * 4).min(MAX_PART);
    }
}
