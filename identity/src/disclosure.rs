//! `POST /disclosures`: a citizen's own labels and keys, for one session of the cockpit.
//!
//! ```text
//! ID token ─▶ person ─▶ inspection entry ─▶ its receipt ─▶ all labels and part keys of that person
//! ```
//!
//! The last step takes an [`Inspected`], which is created only when the `inspection` of that person is in the log. So
//! no reader, the citizen's own cockpit included, opens records without leaving a trace that the citizen sees.
//!
//! There is one inspection per reader, person and day. A second disclosure on the same day writes no second inspection.
//!
//! A record whose expiry day has passed can no longer be opened. It is listed without keys.
//!
//! The list comes with a proof of its completeness ([`crate::complete`]) once the witnesses have cosigned a `map`
//! entry.
//!
//! Identity builds the list as a verifier would. For each period whose secret exists and for both undelayed series, it
//! evaluates the numbers 0, 1, 2, … until one is not in the log. It uses the state only to find the keys: the state
//! records the class of each record and the days whose keys were given out. For a number that is missing in a restored
//! state, only a few keys are possible, and the answer contains all of them.

use std::sync::Arc;

use messages::{DisclosedEntry, Disclosure, DisclosureRequest, EntryKeys, PeriodInfo};
use record::{
    ExpiryDay, Idnr, InspectionRecord, Kind, Label, PartName, ParticipantId, Period, Phase, Receipt, RetentionClass,
    Series, SharedPart, SignedEntry, Timestamp,
};
use service::Problem;
use service::clock::Clock as _;
use tlog::Hash;
use tlog::merkle::Index;

use crate::catch_up::record_days;
use crate::complete::{LoggedNumber, SeriesNumbers};
use crate::day_keys;
use crate::identity::{Identity, LockKey, internal, log_problem, source_problem};
use crate::log::{AppendError, OwnKind, TransparencyLog};
use crate::periods::PeriodSecret;
use crate::persons::RegisteredPerson;
use crate::state::{Labels, NumberKey, NumberRow, Reservation, Reserved};

/// Retention class of inspections: they are kept as long as the records that they disclose (§ 9 (3) IDNrG).
const INSPECTION_CLASS: RetentionClass = RetentionClass::IdnrG2y;
/// The reason that an inspection by the citizen's own cockpit records.
const OWN_INSPECTION: &str = "own-login";
const MAX_ATTEMPTS: usize = 4;

/// Proof that the inspection of this person is in the log.
struct Inspected<'a> {
    person: &'a RegisteredPerson,
    index: u64,
}

impl<L: TransparencyLog> Identity<L> {
    /// Answers a disclosure request.
    ///
    /// # Errors
    /// 403 if the login is not accepted or belongs to no registered person, 503 if the log or the issuer is
    /// unavailable.
    pub async fn disclose(self: &Arc<Self>, request: &DisclosureRequest) -> Result<Disclosure, Problem> {
        self.check_clock()?;
        let subject = self.login.subject(&request.id_token, &request.nonce).await?;
        let person = self
            .persons
            .by_login(&subject)
            .await
            .map_err(source_problem)?
            .ok_or_else(|| Problem::forbidden("login", "the login belongs to no registered person"))?;
        let inspected = self.inspect(&person).await?;
        self.open(inspected).await
    }

    /// Writes today's inspection of the person unless it is already in the log.
    async fn inspect<'a>(self: &Arc<Self>, person: &'a RegisteredPerson) -> Result<Inspected<'a>, Problem> {
        let secret = self
            .periods
            .current(self.clock.now())
            .ok_or_else(|| Problem::unavailable("no-period", 1, "no period has begun in the log yet"))?;
        let lock = LockKey::Person(person.idnr().clone(), secret.period(), Series::Inspections);
        let _person = self.locks.lock(lock).await;
        if let Some(index) = self.todays_inspection(person).await? {
            return Ok(Inspected { person, index });
        }
        for _ in 0..MAX_ATTEMPTS {
            let number = self.free_number(person.idnr(), &secret, Series::Inspections).await?;
            let evaluated = secret.evaluate(person.idnr(), Series::Inspections, number);
            let (key, row) = self.inspection_row(person, &secret, number, evaluated.labels).await?;
            if self.is_used(&secret, &key, &evaluated).await? {
                continue;
            }
            let reservation = Reservation {
                key: key.clone(),
                row: row.clone(),
                proof: evaluated.proof,
                quota: None,
                answer: None,
                inspection: Some((self.today().0, self.reader.clone())),
            };
            if self.state.reserve(reservation).await.map_err(internal)? != Reserved::Done {
                continue;
            }
            // A void may have come first if the ledger was unavailable for long. The next number is then taken.
            if let Some(index) = self.write_inspection(&key, &row).await? {
                metrics::counter!("identity_inspections_total").increment(1);
                return Ok(Inspected { person, index });
            }
        }
        Err(Problem::unavailable("busy", 1, "the inspection could not be recorded"))
    }

    /// The index of today's inspection, if it was reserved and is in the log.
    async fn todays_inspection(&self, person: &RegisteredPerson) -> Result<Option<u64>, Problem> {
        let label = self
            .state
            .inspection(self.today().0, &self.reader, person.idnr())
            .map_err(internal)?;
        let Some(label) = label else {
            return Ok(None);
        };
        let Some((key, _)) = self.state.owner(&label).map_err(internal)? else {
            return Ok(None);
        };
        self.log.refresh().await.map_err(log_problem)?;
        self.inspection_index(key.period, &label)
    }

    fn inspection_index(&self, period: Period, label: &Label) -> Result<Option<u64>, Problem> {
        let located = self.log.locate(period, label).map_err(log_problem)?;
        Ok(located
            .filter(|located| located.kind == Kind::Inspection)
            .map(|located| located.index))
    }

    async fn inspection_row(
        &self,
        person: &RegisteredPerson,
        secret: &PeriodSecret,
        number: u32,
        labels: Labels,
    ) -> Result<(NumberKey, NumberRow), Problem> {
        let now = self.clock.now();
        let expiry = INSPECTION_CLASS.expiry(Timestamp(now));
        // The day key must be on disk before a record is sealed under it.
        self.day_keys
            .get(INSPECTION_CLASS, expiry, self.today())
            .await
            .map_err(internal)?;
        let key = NumberKey {
            idnr: person.idnr().clone(),
            period: secret.period(),
            series: Series::Inspections,
            number,
        };
        let row = NumberRow {
            labels,
            class: INSPECTION_CLASS,
            expiry,
            later: Vec::new(),
            consumer: ParticipantId::new("identity").map_err(internal)?,
            s1: [0; 32],
            reserved_at: now,
        };
        Ok((key, row))
    }

    /// Appends the inspection. Returns its index, or `None` if another entry has used the label.
    async fn write_inspection(&self, key: &NumberKey, row: &NumberRow) -> Result<Option<u64>, Problem> {
        let shared = SharedPart::Inspection(InspectionRecord {
            reader: self.reader.clone(),
            reason: OWN_INSPECTION.to_owned(),
            day: self.today().0,
        });
        let label = row.labels.intent;
        let record = self.seal(row, shared)?;
        match self.log.append(OwnKind::Inspection, key.period, label, record).await {
            Ok(()) | Err(AppendError::LabelUsed) => {}
            Err(AppendError::Unavailable(reason)) => {
                tracing::warn!(%reason, "an inspection cannot be recorded at present");
                return Err(Problem::unavailable(
                    "log",
                    1,
                    "the inspection cannot be recorded at present",
                ));
            }
            Err(AppendError::Refused(reason)) => {
                tracing::error!(%reason, "the ledger refused an inspection");
                return Err(Problem::internal());
            }
        }
        self.log.refresh().await.map_err(log_problem)?;
        self.inspection_index(key.period, &label)
    }

    /// Lists all entries that concern the person.
    async fn open(self: &Arc<Self>, inspected: Inspected<'_>) -> Result<Disclosure, Problem> {
        let Inspected { person, index } = inspected;
        let (rows, complete) = self.all_entries_of(person.idnr(), index).await?;
        let mut entries = Vec::new();
        for row in &rows {
            for number in &row.numbers {
                self.disclose_number(person.idnr(), row, number, &mut entries)?;
            }
        }
        entries.sort_by_key(|entry| entry.index);
        let mut periods: Vec<Arc<PeriodSecret>> = Vec::new();
        for row in rows.iter().filter(|row| !row.numbers.is_empty()) {
            if periods.last().is_none_or(|last| last.period() != row.secret.period()) {
                periods.push(Arc::clone(&row.secret));
            }
        }
        let begins: Vec<_> = periods.iter().filter_map(|secret| secret.begin()).collect();
        let mut indices = vec![index];
        indices.extend(begins.iter().map(|(begin, _)| *begin));
        let inspection = self.log.leaf(index).await.map_err(log_problem)?;
        let proofs = self.log.prove(&indices).map_err(log_problem)?;
        let mut hashes = proofs.hashes.into_iter();
        let mut next = |leaf: &[u8], index| receipt(leaf, index, hashes.next().unwrap_or_default(), &proofs.checkpoint);
        let inspection_receipt = next(&inspection, index)?;
        let mut infos = Vec::with_capacity(periods.len());
        for (secret, (begin, leaf)) in periods.iter().zip(begins) {
            infos.push(PeriodInfo {
                period: secret.period(),
                begin_receipt: next(leaf, begin)?,
            });
        }
        Ok(Disclosure {
            idnr: person.idnr().clone(),
            display_name: person.display_name().to_owned(),
            date_of_birth: person.date_of_birth(),
            inspection_receipt,
            checkpoint: proofs.checkpoint,
            periods: infos,
            entries,
            complete,
        })
    }

    /// Adds the entries of a number, with the keys of their records.
    fn disclose_number(
        &self,
        idnr: &Idnr,
        row: &SeriesNumbers,
        number: &LoggedNumber,
        entries: &mut Vec<DisclosedEntry>,
    ) -> Result<(), Problem> {
        let key = NumberKey {
            idnr: idnr.clone(),
            period: row.secret.period(),
            series: row.series,
            number: number.number,
        };
        let kept = self.state.number(&key).map_err(internal)?;
        for (phase, located) in number.present() {
            entries.push(DisclosedEntry {
                index: located.index,
                kind: located.kind,
                period: key.period,
                series: key.series,
                number: key.number,
                phase,
                vrf_proof: number.evaluated.proof,
                keys: self.entry_keys(kept.as_ref(), number.evaluated.labels.of(phase), phase, located.time)?,
            });
        }
        Ok(())
    }

    /// The keys of an entry's record: of the day that the state names, or, for a number that a restored state does not
    /// have, of every day that is possible. Some of those may never have had a key.
    fn entry_keys(
        &self,
        kept: Option<&NumberRow>,
        label: &Label,
        phase: Phase,
        time: Timestamp,
    ) -> Result<Vec<EntryKeys>, Problem> {
        let Some(kept) = kept else {
            return Ok(self.part_keys(&record_days(time), label));
        };
        let day = record_day(kept, phase, time);
        let keys = self.part_keys(&[(kept.class, day)], label);
        if keys.is_empty() && !day_keys::passed(day, self.today()) {
            tracing::error!("a day key that is not due for destruction is missing; restore the day keys");
            return Err(Problem::internal());
        }
        Ok(keys)
    }

    /// The part keys of a record that was sealed under one of these days' keys. Days that have passed or have no key
    /// yield none.
    fn part_keys(&self, days: &[(RetentionClass, ExpiryDay)], label: &Label) -> Vec<EntryKeys> {
        let today = self.today();
        let living = days
            .iter()
            .filter_map(|(class, day)| self.day_keys.existing(*class, *day, today));
        living
            .map(|day_key| {
                let record_key = day_key.record_key(label);
                EntryKeys {
                    shared: record_key.part(PartName::Shared),
                    citizen: record_key.part(PartName::Citizen),
                }
            })
            .collect()
    }
}

/// The day whose key the record was sealed under, according to the state. For phase 0 that is the day of the
/// reservation; for later phases it is the newest day whose key was given out, but none after the entry's own time.
fn record_day(row: &NumberRow, phase: Phase, time: Timestamp) -> ExpiryDay {
    let latest = row.class.expiry(time);
    match phase {
        Phase::Intent => row.expiry,
        Phase::Outcome | Phase::Preview => row
            .later
            .iter()
            .copied()
            .filter(|day| *day <= latest)
            .max()
            .unwrap_or(row.expiry),
    }
}

/// The receipt of an entry that has been followed and checked.
fn receipt(leaf: &[u8], index: u64, hashes: Vec<Hash>, checkpoint: &[u8]) -> Result<Vec<u8>, Problem> {
    let signed = SignedEntry::parse(leaf).map_err(internal)?;
    let index = Index::new(index).map_err(internal)?;
    let checkpoint = String::from_utf8(checkpoint.to_vec()).map_err(internal)?;
    Ok(Receipt::new(signed, index, hashes, checkpoint).to_bytes())
}
