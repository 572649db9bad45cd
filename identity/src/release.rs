//! Release of base data to a component: an entry for each person, and then the data.
//!
//! ```text
//! permit ─▶ reserved number ─▶ inspection entry in the log ─▶ RecordedRelease ─▶ the permitted data
//! ```
//!
//! SPEC: § 9 (1) IDNrG: identity records what it transmits. The entry is an `inspection` in the person's own series, so
//! it is in the person's list and in the proof that the list is complete. Its sealed record says who receives which
//! data, why, and by which permissions. Without the ledger nothing is released.
//!
//! There is one entry for a person, day and permit. A repetition on the same day, after a crash for example, uses the
//! same entry. A permit for other data, of another receiver or by another Registerlandkarte has an entry of its own, so
//! an entry never serves for more than it says.

use std::sync::Arc;

use record::{
    DisclosureClass, Idnr, Label, Lifecycle, Period, ReleaseRecord, ReleasedDatum, Series, SharedPart, Timestamp,
};
use service::Problem;
use service::clock::Clock as _;
use sha2::{Digest as _, Sha256};
use tokio::task::JoinSet;
use trust::BaseDataPermit;

use crate::base_data::{BaseData, RecordedRelease, Released};
use crate::identity::{Identity, LockKey, internal, log_problem};
use crate::log::{AppendError, OwnKind, TransparencyLog};
use crate::state::{NumberKey, NumberRow, Reservation, Reserved};

/// How many entries are written at the same time.
const CONCURRENT: usize = 64;
/// How often an entry is tried if its label was voided meanwhile.
const MAX_ATTEMPTS: usize = 4;

/// A permit with the name under which the state keeps the day's entries about it.
#[derive(Debug)]
struct Named {
    permit: Arc<BaseDataPermit>,
    name: String,
}

/// Where a person's entry is.
type Place = (Period, Label);

impl<L: TransparencyLog> Identity<L> {
    /// Records the release of these persons' base data by the permit, and returns what the receiver gets, in the same
    /// order. The caller bounds their number.
    ///
    /// # Errors
    /// 503 if the log or the ledger is unavailable. Then nothing is released; a repetition uses the entries that are in
    /// the log already.
    pub(crate) async fn release(
        self: &Arc<Self>,
        permit: &Arc<BaseDataPermit>,
        persons: &[BaseData],
    ) -> Result<Vec<Released>, Problem> {
        self.check_clock()?;
        let named = Arc::new(Named {
            name: format!(
                "release/{}",
                hex::encode(Sha256::digest(record::cbor::to_vec(&record_of(permit, Timestamp(0)))))
            ),
            permit: Arc::clone(permit),
        });
        let mut released: Vec<Option<Released>> = vec![None; persons.len()];
        for _ in 0..MAX_ATTEMPTS {
            let missing = (0..persons.len()).filter(|at| released[*at].is_none());
            let places = self.record_all(&named, persons, missing).await?;
            if places.is_empty() {
                break;
            }
            self.log.refresh().await.map_err(log_problem)?;
            for (at, (period, label)) in places {
                let person = &persons[at];
                let recorded = RecordedRelease::find(&self.log, (period, &label), &person.idnr, permit);
                released[at] = recorded
                    .map_err(log_problem)?
                    .and_then(|recorded| person.release(&recorded));
            }
        }
        let released: Option<Vec<Released>> = released.into_iter().collect();
        let released = released.ok_or_else(|| Problem::unavailable("busy", 1, "a release could not be recorded"))?;
        metrics::counter!("identity_releases_total").increment(released.len() as u64);
        Ok(released)
    }

    /// Writes the entries of some of the persons, a few at the same time.
    async fn record_all(
        self: &Arc<Self>,
        named: &Arc<Named>,
        persons: &[BaseData],
        mut missing: impl Iterator<Item = usize>,
    ) -> Result<Vec<(usize, Place)>, Problem> {
        let (mut writing, mut places) = (JoinSet::new(), Vec::new());
        loop {
            while writing.len() < CONCURRENT {
                let Some(at) = missing.next() else { break };
                let (this, named, idnr) = (Arc::clone(self), Arc::clone(named), persons[at].idnr.clone());
                writing.spawn(async move { Ok::<_, Problem>((at, this.record(&named, &idnr).await?)) });
            }
            match writing.join_next().await {
                Some(written) => places.push(written.map_err(internal)??),
                None => return Ok(places),
            }
        }
    }

    /// Writes today's entry about the permit for one person unless it was written. Returns its label.
    async fn record(self: &Arc<Self>, named: &Named, idnr: &Idnr) -> Result<Place, Problem> {
        let secret = self.periods.current(self.clock.now());
        let secret =
            secret.ok_or_else(|| Problem::unavailable("no-period", 1, "no period has begun in the log yet"))?;
        let series = match named.permit.disclosure() {
            DisclosureClass::Immediate => Series::Inspections,
            DisclosureClass::Delayed => Series::DelayedInspections,
        };
        let lock = LockKey::Person(idnr.clone(), secret.period(), series);
        let _person = self.locks.lock(lock).await;
        if let Some(place) = self.todays_release(named, idnr).await? {
            return Ok(place);
        }
        for _ in 0..MAX_ATTEMPTS {
            let number = self.free_number(idnr, &secret, series).await?;
            let evaluated = secret.evaluate(idnr, series, number);
            let now = self.clock.now();
            let class = named.permit.retention();
            let expiry = class.expiry(Timestamp(now));
            // The day key must be on disk before a record is sealed under it.
            self.day_keys.get(class, expiry, self.today()).await.map_err(internal)?;
            let key = NumberKey {
                idnr: idnr.clone(),
                period: secret.period(),
                series,
                number,
            };
            if self.is_used(&secret, &key, &evaluated).await? {
                continue;
            }
            let row = NumberRow {
                labels: evaluated.labels,
                class,
                expiry,
                later: Vec::new(),
                consumer: named.permit.receiver().id.clone(),
                s1: [0; 32],
                reserved_at: now,
            };
            let reservation = Reservation {
                key: key.clone(),
                row: row.clone(),
                proof: evaluated.proof,
                quota: None,
                answer: None,
                inspection: Some((self.today().0, named.name.clone())),
            };
            if self.state.reserve(reservation).await.map_err(internal)? == Reserved::Done {
                return self.write_release(named, key.period, &row).await;
            }
        }
        Err(Problem::unavailable("busy", 1, "a release could not be recorded"))
    }

    /// Today's entry, if it was reserved and its label is not voided. One that was reserved and is not in the log, as
    /// after a crash, is written again: the ledger accepts one of the two.
    async fn todays_release(&self, named: &Named, idnr: &Idnr) -> Result<Option<Place>, Problem> {
        let label = self.state.inspection(self.today().0, &named.name, idnr);
        let Some(label) = label.map_err(internal)? else {
            return Ok(None);
        };
        let Some((key, _)) = self.state.owner(&label).map_err(internal)? else {
            return Ok(None);
        };
        let Some(row) = self.state.number(&key).map_err(internal)? else {
            return Ok(None);
        };
        match self.log.locate(key.period, &label).map_err(log_problem)? {
            Some(located) if located.kind == record::Kind::Inspection => Ok(Some((key.period, label))),
            Some(_) => Ok(None),
            None => self.write_release(named, key.period, &row).await.map(Some),
        }
    }

    async fn write_release(&self, named: &Named, period: Period, row: &NumberRow) -> Result<Place, Problem> {
        let label = row.labels.intent;
        let content = record_of(&named.permit, Timestamp(row.reserved_at));
        let sealed = self.seal(row, SharedPart::Release(Box::new(content)))?;
        match self.log.append(OwnKind::Inspection, period, label, sealed).await {
            // A void may have used the label. The caller finds out when it looks the entry up.
            Ok(()) | Err(AppendError::LabelUsed) => Ok((period, label)),
            Err(AppendError::Unavailable(reason)) => {
                tracing::warn!(%reason, "a release cannot be recorded at present");
                Err(Problem::unavailable(
                    "log",
                    1,
                    "a release cannot be recorded at present",
                ))
            }
            Err(AppendError::Refused(reason)) => {
                tracing::error!(%reason, "the ledger refused the entry about a release");
                Err(Problem::internal())
            }
        }
    }
}

/// What the sealed record says about a release at this time.
fn record_of(permit: &BaseDataPermit, at: Timestamp) -> ReleaseRecord {
    let data = permit.permissions().map(|(_, permission)| ReleasedDatum {
        title: permission.evidence.title.clone(),
        legal_basis: permission.why.legal_basis.clone(),
        permission: permission.rule.reference(),
    });
    ReleaseRecord {
        receiver: permit.receiver().clone(),
        why: permit.why().clone(),
        data: data.collect(),
        registerlandkarte: permit.registerlandkarte(),
        lifecycle: Lifecycle {
            retention: permit.retention(),
            expiry: permit.retention().expiry(at),
            disclosure: permit.disclosure(),
        },
    }
}
