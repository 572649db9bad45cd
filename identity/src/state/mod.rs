//! Identity's durable state, `state.redb`.
//!
//! | Table | Key | Value |
//! | --- | --- | --- |
//! | `meta` | name | secret of the tokens and quotas (32 bytes) |
//! | `periods` | period | [`PeriodRow`]: start and wrapped VRF secret |
//! | `next` | period, series, IDNr | the person's next number |
//! | `numbers` | period, series, IDNr, number | [`NumberRow`]: what was handed out |
//! | `proofs` | period, series, IDNr, number | the VRF proof of the number's labels, which later numbers need again |
//! | `labels` | label | its owner: a key of `numbers`, and the phase |
//! | `pending` | label of phase 0 | key of `numbers`: handed out, not yet seen in the log |
//! | `leaves` | label of phase 0 | the entry's bytes, once it was seen |
//! | `answers` | consumer, message | [`AnswerRow`]: which S1 was answered with which label, until the S1 has expired |
//! | `answer_bytes` | label of phase 0 | the answer's bytes, until the log has the label |
//! | `quota` | period, consumer, keyed digest of the person | count of numbers handed out to the consumer |
//! | `quota_total` | period, keyed digest of the person | count of numbers handed out to all consumers |
//! | `inspections` | day, reader, IDNr | the label of that day's inspection |
//!
//! Invariants, each maintained by one transaction of [`IdentityState::reserve`]:
//!
//! * A number is handed out once. `next` is one more than the greatest number of its series. A reservation is refused
//!   ([`Reserved::Taken`]) if its number is no longer `next`.
//! * A number without a row in `numbers` was never part of an answer. A number with a row is `pending` until it is in
//!   the log. So a crash at any point leaves no gap: either nothing is reserved, or the sweep finds the label and voids
//!   it.
//! * The same S1 gets the same bytes, because the answer is stored in the same transaction as its reservation. Once the
//!   log has the label, nobody needs the bytes: the broker stores what it received before it uses the label.
//!
//! A state that was restored from a backup is older than the log and recovers the missing numbers from it
//! ([`crate::catch_up`]). A number below `next` may then have no row in `numbers`.
//!
//! `leaves` exists because chains consist of old entries. Fetching these from the ledger would reveal which entries
//! belong together.
//!
//! Numbers of nobody ([`Idnr::nobody`]) are written the same way, with random numbers instead of `next`.

mod forget;
mod rows;
mod tables;

use std::collections::BTreeMap;
use std::path::Path;

use record::{COUNTERS, ExpiryDay, Idnr, Label, ParticipantId, Period, Phase, Series};
use redb::{ReadableTable as _, WriteTransaction};
use uuid::Uuid;
use zeroize::Zeroizing;

use self::tables::{
    ANSWER_BYTES, ANSWERS, INSPECTIONS, LABELS, LEAVES, META, NEXT, NUMBERS, PENDING, PERIODS, PROOFS, QUOTA,
    QUOTA_TOTAL, digits, row,
};
use crate::committer::{GroupCommitStore, StoreError};

pub use rows::{AnswerRow, Labels, NewAnswer, NumberKey, NumberRow, PeriodRow, Quota, Reservation, Reserved};

/// A consumer may use this part of the numbers of a person that the others leave in a period (design §5.4).
const SHARES: u32 = 32;

/// The most numbers of a period that one consumer may use about one person, when the others have used `others`. Each
/// consumer gets a part of what the others leave, so no number of consumers uses up all of them quickly, and at least
/// one number while there is one.
#[must_use]
pub fn limit(others: u32) -> u32 {
    let left = COUNTERS.saturating_sub(others);
    (left / SHARES).max(1).min(left)
}

/// The state's store. Clones share it.
#[derive(Clone, Debug)]
pub struct IdentityState {
    store: GroupCommitStore,
}

impl IdentityState {
    /// Opens or creates the store file.
    ///
    /// # Errors
    /// If the file cannot be opened or is not a store.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let store = GroupCommitStore::open(path)?;
        store.write_now(|write| {
            write.open_table(META)?;
            write.open_table(PERIODS)?;
            write.open_table(NEXT)?;
            write.open_table(NUMBERS)?;
            write.open_table(PROOFS)?;
            write.open_table(LABELS)?;
            write.open_table(PENDING)?;
            write.open_table(LEAVES)?;
            write.open_table(ANSWERS)?;
            write.open_table(ANSWER_BYTES)?;
            write.open_table(QUOTA)?;
            write.open_table(QUOTA_TOTAL)?;
            write.open_table(INSPECTIONS)?;
            Ok(())
        })?;
        Ok(Self { store })
    }

    /// The secret of that name. If there is none yet, `fresh` is stored and returned.
    ///
    /// # Errors
    /// If the store fails.
    pub fn secret(&self, name: &str, fresh: [u8; 32]) -> Result<Zeroizing<[u8; 32]>, StoreError> {
        self.store.write_now(|write| {
            let mut table = write.open_table(META)?;
            let stored = table.get(name)?.map(|value| value.value().to_vec());
            if let Some(stored) = stored.map(Zeroizing::new) {
                let bytes = stored.as_slice().try_into().map_err(|_| StoreError::Corrupt("meta"))?;
                return Ok(Zeroizing::new(bytes));
            }
            table.insert(name, fresh.as_slice())?;
            Ok(Zeroizing::new(fresh))
        })
    }

    /// All periods of this identity, ascending.
    ///
    /// # Errors
    /// If the store fails.
    pub fn periods(&self) -> Result<Vec<(Period, PeriodRow)>, StoreError> {
        let table = self.store.read()?.open_table(PERIODS)?;
        let mut periods = Vec::new();
        for entry in table.range::<u32>(..)? {
            let (key, value) = entry?;
            periods.push((Period(key.value()), row("periods", value.value())?));
        }
        Ok(periods)
    }

    /// Stores a new period.
    ///
    /// # Errors
    /// If the store fails or already has the period.
    pub async fn add_period(&self, period: Period, value: PeriodRow) -> Result<(), StoreError> {
        let bytes = record::cbor::to_vec(&value);
        self.store
            .write(move |write| {
                let mut table = write.open_table(PERIODS)?;
                if table.get(period.0)?.is_some() {
                    return Err(StoreError::Corrupt("periods"));
                }
                table.insert(period.0, bytes.as_slice())?;
                Ok(())
            })
            .await
    }

    /// Stores another start of a period.
    ///
    /// # Errors
    /// If the store fails or does not have the period.
    pub async fn move_period(&self, period: Period, start: u64) -> Result<(), StoreError> {
        self.store
            .write(move |write| {
                let mut table = write.open_table(PERIODS)?;
                let known = table
                    .get(period.0)?
                    .map(|value| row::<PeriodRow>("periods", value.value()));
                let mut moved = known.ok_or(StoreError::Corrupt("periods"))??;
                moved.start = start;
                table.insert(period.0, record::cbor::to_vec(&moved).as_slice())?;
                Ok(())
            })
            .await
    }

    /// The person's next number.
    ///
    /// # Errors
    /// If the store fails.
    pub fn next(&self, idnr: &Idnr, period: Period, series: Series) -> Result<u32, StoreError> {
        let table = self.store.read()?.open_table(NEXT)?;
        let key = (period.0, series.code(), digits(idnr));
        Ok(table.get(key)?.map_or(0, |value| value.value()))
    }

    /// Raises the person's next number above `known`, because the log contains numbers that the state lacks: one for
    /// each of these proofs.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn advance(&self, known: &NumberKey, proofs: Vec<[u8; 80]>) -> Result<(), StoreError> {
        let (period, series, idnr, first) = known.tuple();
        self.store
            .write(move |write| {
                let (mut next, mut kept) = (write.open_table(NEXT)?, write.open_table(PROOFS)?);
                let mut number = first;
                for proof in proofs {
                    kept.insert((period, series, idnr, number), proof)?;
                    number += 1;
                }
                let key = (period, series, idnr);
                let reached = next.get(key)?.map_or(0, |value| value.value()).max(number);
                next.insert(key, reached)?;
                Ok(())
            })
            .await
    }

    /// The VRF proofs of these numbers, as far as they are kept.
    ///
    /// # Errors
    /// If the store fails.
    pub fn proofs(&self, keys: impl Iterator<Item = NumberKey>) -> Result<Vec<Option<[u8; 80]>>, StoreError> {
        let table = self.store.read()?.open_table(PROOFS)?;
        keys.map(|key| Ok(table.get(key.tuple())?.map(|value| value.value())))
            .collect()
    }

    /// The VRF proofs of a person's numbers in a period and series that are kept, by number: of those that were handed
    /// out, except after the backup from which this state was restored, and of those of
    /// [`IdentityState::keep_proofs`].
    ///
    /// # Errors
    /// If the store fails.
    pub fn kept_proofs(
        &self,
        idnr: &Idnr,
        period: Period,
        series: Series,
    ) -> Result<BTreeMap<u32, [u8; 80]>, StoreError> {
        let table = self.store.read()?.open_table(PROOFS)?;
        let key = |number| (period.0, series.code(), digits(idnr), number);
        let rows = table.range(key(0)..key(COUNTERS))?;
        rows.map(|row| {
            let (at, proof) = row?;
            Ok((at.value().3, proof.value()))
        })
        .collect()
    }

    /// Keeps the proofs of numbers that were not handed out, so that the next disclosure need not evaluate them again.
    /// Leaves out those of periods whose secret is destroyed.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn keep_proofs(&self, proofs: Vec<(NumberKey, [u8; 80])>) -> Result<(), StoreError> {
        self.store
            .write(move |write| {
                let (periods, mut kept) = (write.open_table(PERIODS)?, write.open_table(PROOFS)?);
                for (key, proof) in proofs {
                    let period = periods.get(key.period.0)?;
                    let period = period.map(|value| row::<PeriodRow>("periods", value.value()));
                    if period.transpose()?.is_some_and(|period| period.wrapped.is_some()) {
                        kept.insert(key.tuple(), proof)?;
                    }
                }
                Ok(())
            })
            .await
    }

    /// The row of a number. `None` if the number was handed out after the backup from which this state was restored.
    ///
    /// # Errors
    /// If the store fails.
    pub fn number(&self, key: &NumberKey) -> Result<Option<NumberRow>, StoreError> {
        let table = self.store.read()?.open_table(NUMBERS)?;
        table
            .get(key.tuple())?
            .map(|value| row("numbers", value.value()))
            .transpose()
    }

    /// The owner and the phase of a label.
    ///
    /// # Errors
    /// If the store fails.
    pub fn owner(&self, label: &Label) -> Result<Option<(NumberKey, Phase)>, StoreError> {
        let table = self.store.read()?.open_table(LABELS)?;
        let Some(value) = table.get(label.0)? else {
            return Ok(None);
        };
        let (tuple, phase) = value.value();
        let phase = phase_from(phase).ok_or(StoreError::Corrupt("labels"))?;
        Ok(Some((NumberKey::from_tuple(tuple)?, phase)))
    }

    /// The labels that were handed out and have not been seen in the log yet.
    ///
    /// # Errors
    /// If the store fails.
    pub fn pending(&self) -> Result<Vec<(Label, NumberKey)>, StoreError> {
        let table = self.store.read()?.open_table(PENDING)?;
        let mut pending = Vec::new();
        for entry in table.range::<[u8; 32]>(..)? {
            let (label, key) = entry?;
            pending.push((Label(label.value()), NumberKey::from_tuple(key.value())?));
        }
        Ok(pending)
    }

    /// Marks labels as settled, keeps the bytes of their entries, and deletes the bytes of the answers.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn settled(&self, entries: Vec<(Label, Vec<u8>)>) -> Result<(), StoreError> {
        self.store
            .write(move |write| {
                let mut pending = write.open_table(PENDING)?;
                let mut leaves = write.open_table(LEAVES)?;
                let mut answers = write.open_table(ANSWER_BYTES)?;
                for (label, leaf) in entries {
                    pending.remove(label.0)?;
                    answers.remove(label.0)?;
                    leaves.insert(label.0, leaf.as_slice())?;
                }
                Ok(())
            })
            .await
    }

    /// The bytes of the entry with this label of phase 0, if the label is settled.
    ///
    /// # Errors
    /// If the store fails.
    pub fn leaf(&self, label: &Label) -> Result<Option<Vec<u8>>, StoreError> {
        let table = self.store.read()?.open_table(LEAVES)?;
        Ok(table.get(label.0)?.map(|value| value.value().to_vec()))
    }

    /// How a consumer's message was answered.
    ///
    /// # Errors
    /// If the store fails.
    pub fn answer(&self, consumer: &ParticipantId, message: &Uuid) -> Result<Option<AnswerRow>, StoreError> {
        let table = self.store.read()?.open_table(ANSWERS)?;
        table
            .get((consumer.as_str(), *message.as_bytes()))?
            .map(|value| row("answers", value.value()))
            .transpose()
    }

    /// The bytes of the answer with this label; `None` once the log has the label.
    ///
    /// # Errors
    /// If the store fails.
    pub fn answer_bytes(&self, intent: &Label) -> Result<Option<Vec<u8>>, StoreError> {
        let table = self.store.read()?.open_table(ANSWER_BYTES)?;
        Ok(table.get(intent.0)?.map(|value| value.value().to_vec()))
    }

    /// The label of that day's inspection of the person by the reader.
    ///
    /// # Errors
    /// If the store fails.
    pub fn inspection(&self, day: u32, reader: &str, idnr: &Idnr) -> Result<Option<Label>, StoreError> {
        let table = self.store.read()?.open_table(INSPECTIONS)?;
        Ok(table
            .get((day, reader, digits(idnr)))?
            .map(|value| Label(value.value())))
    }

    /// Reserves a number. The reservation is on disk when this returns.
    ///
    /// # Errors
    /// If the store fails. Nothing is reserved then.
    pub async fn reserve(&self, reservation: Reservation) -> Result<Reserved, StoreError> {
        self.store.write(move |write| reserve(write, &reservation)).await
    }

    /// Records that the key of `day` was given out for a later record of this number.
    ///
    /// # Errors
    /// If the store fails or has no row for the number.
    pub async fn add_later_day(&self, key: NumberKey, day: ExpiryDay) -> Result<(), StoreError> {
        self.store
            .write(move |write| {
                let mut table = write.open_table(NUMBERS)?;
                let stored = table.get(key.tuple())?.map(|value| value.value().to_vec());
                let mut number: NumberRow = row("numbers", &stored.ok_or(StoreError::Corrupt("numbers"))?)?;
                if !number.later.contains(&day) {
                    number.later.push(day);
                    number.later.sort_unstable();
                    table.insert(key.tuple(), record::cbor::to_vec(&number).as_slice())?;
                }
                Ok(())
            })
            .await
    }
}

#[cfg(test)]
impl IdentityState {
    /// Overwrites the person's next number, to simulate a full series or a state that was set back.
    pub(crate) fn set_next(&self, idnr: &Idnr, period: Period, series: Series, next: u32) -> Result<(), StoreError> {
        self.store.write_now(|write| {
            write
                .open_table(NEXT)?
                .insert((period.0, series.code(), digits(idnr)), next)?;
            Ok(())
        })
    }
}

fn reserve(write: &WriteTransaction, reservation: &Reservation) -> Result<Reserved, StoreError> {
    let Reservation { key, row, .. } = reservation;
    let mut numbers = write.open_table(NUMBERS)?;
    let mut next = write.open_table(NEXT)?;
    let series = (key.period.0, key.series.code(), digits(&key.idnr));
    let nobody = key.idnr.is_nobody();
    let expected = next.get(series)?.map_or(0, |value| value.value());
    if numbers.get(key.tuple())?.is_some() || (!nobody && expected != key.number) {
        return Ok(Reserved::Taken);
    }
    if let Some(quota) = &reservation.quota {
        let (mut own, mut all) = (write.open_table(QUOTA)?, write.open_table(QUOTA_TOTAL)?);
        let own_key = (key.period.0, row.consumer.as_str(), quota.person);
        let all_key = (key.period.0, quota.person);
        let used = own.get(own_key)?.map_or(0, |value| value.value());
        let total = all.get(all_key)?.map_or(0, |value| value.value());
        if used >= limit(total.saturating_sub(used)) {
            return Ok(Reserved::Limit);
        }
        own.insert(own_key, used + 1)?;
        all.insert(all_key, total + 1)?;
    }
    // Nobody has no next number. The row is written all the same, so that the work does not differ.
    next.insert(series, if nobody { 0 } else { key.number + 1 })?;
    numbers.insert(key.tuple(), record::cbor::to_vec(row).as_slice())?;
    write.open_table(PROOFS)?.insert(key.tuple(), reservation.proof)?;
    let mut labels = write.open_table(LABELS)?;
    for phase in Phase::ALL {
        labels.insert(row.labels.of(phase).0, (key.tuple(), phase.code()))?;
    }
    write.open_table(PENDING)?.insert(row.labels.intent.0, key.tuple())?;
    if let Some(answer) = &reservation.answer {
        write.open_table(ANSWERS)?.insert(
            (row.consumer.as_str(), *answer.message.as_bytes()),
            record::cbor::to_vec(&answer.row).as_slice(),
        )?;
        write
            .open_table(ANSWER_BYTES)?
            .insert(answer.row.intent.0, answer.bytes.as_slice())?;
    }
    if let Some((day, reader)) = &reservation.inspection {
        write
            .open_table(INSPECTIONS)?
            .insert((*day, reader.as_str(), series.2), row.labels.intent.0)?;
    }
    Ok(Reserved::Done)
}

fn phase_from(code: u8) -> Option<Phase> {
    Phase::ALL.into_iter().find(|phase| phase.code() == code)
}
