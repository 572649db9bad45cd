//! Deletion of rows that are no longer needed, and of everything about a destroyed period.

use record::Period;
use redb::ReadableTable as _;

use super::IdentityState;
use super::rows::{AnswerRow, PeriodRow};
use super::tables::{
    ANSWER_BYTES, ANSWERS, INSPECTIONS, LABELS, LEAVES, NEXT, NUMBERS, PENDING, PERIODS, PROOFS, QUOTA, QUOTA_TOTAL,
    row,
};
use crate::committer::StoreError;

impl IdentityState {
    /// Deletes answers that no request can need again, the quotas of periods before `period`, and the inspections of
    /// days before `day`.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn prune(&self, now: u64, day: u32, period: Option<Period>) -> Result<(), StoreError> {
        self.store
            .write(move |write| {
                let mut expired = Vec::new();
                write.open_table(ANSWERS)?.retain(|_, value| {
                    let answer = row::<AnswerRow>("answers", value)
                        .ok()
                        .filter(|answer| answer.until < now);
                    expired.extend(answer.iter().map(|answer| answer.intent));
                    answer.is_none()
                })?;
                let mut bytes = write.open_table(ANSWER_BYTES)?;
                for label in expired {
                    bytes.remove(label.0)?;
                }
                let current = period.map_or(0, |period| period.0);
                write.open_table(QUOTA)?.retain(|key, _| key.0 >= current)?;
                write.open_table(QUOTA_TOTAL)?.retain(|key, _| key.0 >= current)?;
                write.open_table(INSPECTIONS)?.retain(|key, _| key.0 >= day)?;
                Ok(())
            })
            .await
    }

    /// Deletes a period's secret and the owners of its labels. Keeps only the period's number and start.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn forget_period(&self, period: Period, start: u64) -> Result<(), StoreError> {
        let bytes = record::cbor::to_vec(&PeriodRow { start, wrapped: None });
        self.store
            .write(move |write| {
                let mut labels = Vec::new();
                for entry in write.open_table(LABELS)?.iter()? {
                    let (label, value) = entry?;
                    if value.value().0.0 == period.0 {
                        labels.push(label.value());
                    }
                }
                let (mut by_label, mut leaves) = (write.open_table(LABELS)?, write.open_table(LEAVES)?);
                let mut answers = write.open_table(ANSWER_BYTES)?;
                for label in &labels {
                    by_label.remove(label)?;
                    leaves.remove(label)?;
                    answers.remove(label)?;
                }
                write.open_table(NEXT)?.retain(|key, _| key.0 != period.0)?;
                write.open_table(NUMBERS)?.retain(|key, _| key.0 != period.0)?;
                write.open_table(PROOFS)?.retain(|key, _| key.0 != period.0)?;
                write.open_table(PENDING)?.retain(|_, key| key.0 != period.0)?;
                write.open_table(PERIODS)?.insert(period.0, bytes.as_slice())?;
                Ok(())
            })
            .await
    }
}
