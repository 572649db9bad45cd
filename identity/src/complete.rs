//! All entries of a person, and the proof that there are no others (`docs/bundle.cddl`).
//!
//! The proof is valid as of the last `map` entry under the published checkpoint, which the witnesses have cosigned.
//! That is some seconds behind the head. Entries after it are listed but not covered by the proof, and the cockpit says
//! so. Identity waits a few seconds for a `map` entry after the inspection of this disclosure, so that the proof
//! usually covers it.
//!
//! The order matters. Identity chooses the `map` entry first and searches for labels afterwards, so it cannot miss an
//! entry before the `map` entry. It leaves entries found after the `map` entry out of the proof. If another `map` entry
//! is published meanwhile, identity starts again.

use std::sync::Arc;
use std::time::Duration;

use proof::bundle::{CompletenessProof, Item, NumberProof, PeriodProof, Placed, SeriesProof};
use record::{COUNTERS, Idnr, Label, Period, PeriodEvent, Phase, Series, label, period_label};
use service::Problem;
use service::clock::Clock as _;
use tlog::merkle::Index;
use tokio::time::Instant;

use crate::identity::{Identity, internal, log_problem};
use crate::log::{LocatedLabel, PublishedProofs, TransparencyLog, Wanted};
use crate::periods::{Evaluated, PeriodSecret};
use crate::state::NumberKey;

/// The series whose entries are disclosed without delay.
const DISCLOSED_SERIES: [Series; 2] = [Series::Exchanges, Series::Inspections];
/// How long to wait for a published `map` entry that covers the inspection.
const MAP_WAIT: Duration = Duration::from_secs(5);
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// How often to build the proof if another `map` entry is published meanwhile.
const MAX_ATTEMPTS: usize = 4;

/// A person's numbers of one series in one period, as far as they are in the log.
pub(crate) struct SeriesNumbers {
    pub(crate) secret: Arc<PeriodSecret>,
    pub(crate) series: Series,
    pub(crate) numbers: Vec<LoggedNumber>,
    /// The numbers whose absence proves that there are no more, as of the `map` entry.
    absent: Vec<Evaluated>,
    /// The proofs of absent numbers that the state does not keep yet.
    unkept: Vec<(NumberKey, [u8; 80])>,
}

/// One number and the entries of its phases.
pub(crate) struct LoggedNumber {
    pub(crate) number: u32,
    pub(crate) evaluated: Evaluated,
    located: [Option<LocatedLabel>; 3],
}

impl LoggedNumber {
    /// The phases that are in the log.
    pub(crate) fn present(&self) -> impl Iterator<Item = (Phase, &LocatedLabel)> {
        let phases = Phase::ALL.into_iter().zip(&self.located);
        phases.filter_map(|(phase, located)| Some((phase, located.as_ref()?)))
    }

    /// The entry of a phase, if it is before the `map` entry.
    fn before(&self, phase: Phase, map: u64) -> Option<Item<()>> {
        let (_, located) = self.present().find(|(present, _)| *present == phase)?;
        let index = located.index;
        (index < map).then_some(Item { index, content: () })
    }
}

impl<L: TransparencyLog> Identity<L> {
    /// Everything in the log about a person, and the completeness proof if one is available.
    pub(crate) async fn all_entries_of(
        self: &Arc<Self>,
        idnr: &Idnr,
        inspection: u64,
    ) -> Result<(Vec<SeriesNumbers>, Option<CompletenessProof<()>>), Problem> {
        let mut rows = Vec::new();
        for _ in 0..MAX_ATTEMPTS {
            let map = self.provable_map_after(inspection).await?;
            rows = self.rows(idnr, map).await?;
            let Some(map) = map else { break };
            if let Some(proof) = self.prove(&rows, map).await? {
                return Ok((rows, Some(proof)));
            }
        }
        Ok((rows, None))
    }

    /// The index of the published `map` entry. Waits up to [`MAP_WAIT`] for one after the entry `index`.
    async fn provable_map_after(&self, index: u64) -> Result<Option<u64>, Problem> {
        let until = Instant::now() + MAP_WAIT;
        loop {
            let map = self.log.provable_map().map_err(log_problem)?;
            if map.is_none_or(|map| map > index) || Instant::now() > until {
                return Ok(map);
            }
            tokio::time::sleep(POLL_INTERVAL).await;
            self.log.refresh().await.map_err(log_problem)?;
        }
    }

    /// The numbers of all periods whose secret exists, ascending.
    async fn rows(self: &Arc<Self>, idnr: &Idnr, map: Option<u64>) -> Result<Vec<SeriesNumbers>, Problem> {
        let (this, idnr) = (Arc::clone(self), idnr.clone());
        let search = move || {
            let mut rows = Vec::new();
            for secret in this.periods.all() {
                if secret.begin().is_some() {
                    for series in DISCLOSED_SERIES {
                        rows.push(this.row(&idnr, &secret, series, map)?);
                    }
                }
            }
            Ok::<_, Problem>(rows)
        };
        let mut rows: Vec<SeriesNumbers> = tokio::task::spawn_blocking(search).await.map_err(internal)??;
        self.keep_absences(&mut rows).await;
        Ok(rows)
    }

    /// Keeps the proofs of absent numbers of periods that have ended: the next disclosure to the person needs the same
    /// ones. In the current period another number becomes the first absent one with each exchange.
    async fn keep_absences(&self, rows: &mut [SeriesNumbers]) {
        let current = self.periods.current(self.clock.now()).map(|secret| secret.period());
        let ended = rows.iter_mut().filter(|row| Some(row.secret.period()) != current);
        let unkept: Vec<_> = ended.flat_map(|row| std::mem::take(&mut row.unkept)).collect();
        if unkept.is_empty() {
            return;
        }
        // Nothing depends on them: without them, the next disclosure takes longer.
        if let Err(error) = self.state.keep_proofs(unkept).await {
            tracing::warn!(%error, "proofs of absent numbers cannot be kept");
        }
    }

    fn row(
        &self,
        idnr: &Idnr,
        secret: &Arc<PeriodSecret>,
        series: Series,
        map: Option<u64>,
    ) -> Result<SeriesNumbers, Problem> {
        let period = secret.period();
        let kept = self.state.kept_proofs(idnr, period, series).map_err(internal)?;
        let evaluate = |number: u32| {
            kept.get(&number).map_or_else(
                || secret.evaluate(idnr, series, number),
                |proof| Evaluated::of_own_proof(*proof),
            )
        };
        let mut numbers = Vec::new();
        // The first number that is not in the log. It is in the absence set too, and evaluating it costs a proof.
        let mut beyond = None;
        for number in 0..COUNTERS {
            let evaluated = evaluate(number);
            let locate = |phase| self.log.locate(period, evaluated.labels.of(phase));
            let Some(intent) = locate(Phase::Intent).map_err(log_problem)? else {
                beyond = Some((number, evaluated));
                break;
            };
            let outcome = locate(Phase::Outcome).map_err(log_problem)?;
            let preview = locate(Phase::Preview).map_err(log_problem)?;
            numbers.push(LoggedNumber {
                number,
                evaluated,
                located: [Some(intent), outcome, preview],
            });
        }
        let absent: Vec<(u32, Evaluated)> = map.map_or_else(Vec::new, |map| {
            let count = numbers
                .iter()
                .take_while(|number| number.before(Phase::Intent, map).is_some())
                .count();
            let absent = label::absence_set(u32::try_from(count).unwrap_or(COUNTERS));
            let known = |number: u32| beyond.as_ref().filter(|(first, _)| *first == number);
            let evaluated = |number| known(number).map_or_else(|| evaluate(number), |(_, known)| known.clone());
            absent.into_iter().map(|number| (number, evaluated(number))).collect()
        });
        let unkept = absent.iter().filter(|(number, _)| !kept.contains_key(number));
        let key = |number| NumberKey {
            period,
            idnr: idnr.clone(),
            series,
            number,
        };
        let unkept = unkept
            .map(|(number, evaluated)| (key(*number), evaluated.proof))
            .collect();
        Ok(SeriesNumbers {
            secret: Arc::clone(secret),
            series,
            numbers,
            absent: absent.into_iter().map(|(_, evaluated)| evaluated).collect(),
            unkept,
        })
    }

    /// The proof as of a `map` entry. `None` if another one has been published since.
    async fn prove(&self, rows: &[SeriesNumbers], map: u64) -> Result<Option<CompletenessProof<()>>, Problem> {
        let mut wanted = Wanted::default();
        let mut entries = vec![map];
        let mut periods = Vec::new();
        for pair in rows.chunks_exact(DISCLOSED_SERIES.len()) {
            let [exchanges, inspections] = pair else { continue };
            let Some(begin) = exchanges.secret.begin().filter(|(index, _)| *index < map) else {
                continue;
            };
            let period = exchanges.secret.period();
            let mut absent = Vec::new();
            let exchanges = series_proof(exchanges, map, &mut absent, &mut entries);
            let inspections = series_proof(inspections, map, &mut absent, &mut entries);
            wanted.lookups.push((period, absent));
            let proof = PeriodProof {
                begin: Placed {
                    index: begin.0,
                    leaf: begin.1.to_vec(),
                },
                end: self.public(&period_label(period, PeriodEvent::FINAL), map).await?,
                map: Vec::new(),
                exchanges,
                inspections,
            };
            entries.push(begin.0);
            entries.extend(proof.end.iter().map(|end| end.index));
            periods.push((period, proof));
        }
        let shown: Vec<Period> = periods.iter().map(|(period, _)| *period).collect();
        let (Some(first), Some(labels)) = (shown.first().copied(), self.map0_labels(&shown, map)?) else {
            return Ok(None);
        };
        wanted.lookups.push((Period::MAP0, labels));
        entries.sort_unstable();
        wanted.entries = entries.into_iter().filter_map(|index| Index::new(index).ok()).collect();
        let leaf = self.log.leaf(map).await.map_err(log_problem)?;
        let Some(PublishedProofs {
            checkpoint,
            mut maps,
            tree,
        }) = self.log.prove_published(map, &wanted).map_err(log_problem)?
        else {
            return Ok(None);
        };
        let map0 = maps.pop().unwrap_or_default();
        let filled = periods
            .into_iter()
            .zip(maps)
            .map(|((_, proof), map)| PeriodProof { map, ..proof });
        Ok(Some(CompletenessProof {
            checkpoint,
            tree,
            map: Placed { index: map, leaf },
            map0,
            first,
            periods: filled.collect(),
        }))
    }

    /// The labels to look up in map 0: `destroyed` of every period before the first one shown, `begin` and `final` of
    /// every period shown, and `begin` of the period after them. `None` while the `map` entry does not cover a
    /// destruction.
    fn map0_labels(&self, shown: &[Period], map: u64) -> Result<Option<Vec<Label>>, Problem> {
        let (Some(first), Some(last)) = (shown.first(), shown.last()) else {
            return Ok(None);
        };
        let mut labels: Vec<Label> = (Period::FIRST.0..first.0)
            .map(|period| period_label(Period(period), PeriodEvent::DESTROYED))
            .collect();
        for label in &labels {
            // The secret is destroyed, but the log does not say so yet. A later `map` entry will cover it.
            if self.public_index(label, map)?.is_none() {
                return Ok(None);
            }
        }
        labels.extend(shown.iter().map(|period| period_label(*period, PeriodEvent::BEGIN)));
        labels.extend(shown.iter().map(|period| period_label(*period, PeriodEvent::FINAL)));
        labels.push(period_label(last.next(), PeriodEvent::BEGIN));
        Ok(Some(labels))
    }

    /// The index of a `period` entry, if it is before the `map` entry.
    fn public_index(&self, label: &Label, map: u64) -> Result<Option<u64>, Problem> {
        let located = self.log.locate(Period::MAP0, label).map_err(log_problem)?;
        Ok(located.map(|located| located.index).filter(|index| *index < map))
    }

    /// The index and the bytes of a `period` entry, if it is before the `map` entry.
    async fn public(&self, label: &Label, map: u64) -> Result<Option<Placed>, Problem> {
        let Some(index) = self.public_index(label, map)? else {
            return Ok(None);
        };
        let leaf = self.log.leaf(index).await.map_err(log_problem)?;
        Ok(Some(Placed { index, leaf }))
    }
}

/// The proof for one series as of the `map` entry. Collects the labels to be proved absent and the entries to be proved
/// included.
fn series_proof(row: &SeriesNumbers, map: u64, absent: &mut Vec<Label>, entries: &mut Vec<u64>) -> SeriesProof<()> {
    let mut numbers = Vec::new();
    for number in &row.numbers {
        let Some(intent) = number.before(Phase::Intent, map) else {
            break;
        };
        let [outcome, preview] = [Phase::Outcome, Phase::Preview].map(|phase| number.before(phase, map));
        entries.extend(
            [Some(&intent), outcome.as_ref(), preview.as_ref()]
                .into_iter()
                .flatten()
                .map(|item| item.index),
        );
        if row.series == Series::Exchanges {
            let missing = [(Phase::Outcome, &outcome), (Phase::Preview, &preview)].into_iter();
            let missing = missing.filter(|(_, item)| item.is_none());
            absent.extend(missing.map(|(phase, _)| *number.evaluated.labels.of(phase)));
        }
        numbers.push(NumberProof {
            vrf_proof: number.evaluated.proof,
            intent,
            outcome,
            preview,
        });
    }
    absent.extend(row.absent.iter().map(|evaluated| evaluated.labels.intent));
    SeriesProof {
        numbers,
        absent: row.absent.iter().map(|evaluated| evaluated.proof).collect(),
    }
}
