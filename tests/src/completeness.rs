//! What an identity that lies about a person's entries would send. Everything that it shows is proved as well as it can
//! be proved.
//!
//! Identity has the periods' secrets, and everybody has the public log. So the strongest lie is to *leave out* entries
//! and to prove the rest correctly.

use anyhow::{Context, Result};
use proof::bundle::{CompletenessProof, PeriodProof, SeriesProof};
use record::{Idnr, Period, PeriodEvent, Phase, Series, label, period_label};
use tlog::map::{Key, prove_lookups};
use tlog::merkle::{Index, inclusion_batch};

use crate::keys::Secrets;
use crate::public_log::{Maps, PublicLog, claimed};

/// Replaces all proofs by proofs for the entries that are in `proof` now, under its checkpoint and its `map` entry.
pub fn prove_again(proof: &mut CompletenessProof<()>, idnr: &Idnr, secrets: &Secrets, log: &PublicLog) -> Result<()> {
    let mut maps = log.maps_before(proof.map.index)?;
    let first = proof.first.0;
    for (period, part) in (first..).map(Period).zip(&mut proof.periods) {
        prove_period(period, part, idnr, secrets, &mut maps)?;
    }
    let last = first + u32::try_from(proof.periods.len())? - 1;
    // SPEC docs/bundle.cddl: begin and final of each period, and the begin of the next. No period is destroyed yet.
    let events = (first..=last).flat_map(|period| [(period, PeriodEvent::BEGIN), (period, PeriodEvent::FINAL)]);
    let events: Vec<Key> = events
        .chain([(last + 1, PeriodEvent::BEGIN)])
        .map(|(period, event)| period_label(Period(period), event).0)
        .collect();
    proof.map0 = prove_lookups(maps.get_mut(&Period::MAP0).context("map 0")?, &events);
    prove_tree(proof, log)
}

/// Replaces the proof that the entries are in the checkpoint's tree.
pub fn prove_tree(proof: &mut CompletenessProof<()>, log: &PublicLog) -> Result<()> {
    let mut indices = vec![proof.map.index];
    for part in &proof.periods {
        indices.push(part.begin.index);
        indices.extend(part.end.iter().map(|end| end.index));
        for number in part.exchanges.numbers.iter().chain(&part.inspections.numbers) {
            let items = [Some(&number.intent), number.outcome.as_ref(), number.preview.as_ref()];
            indices.extend(items.into_iter().flatten().map(|item| item.index));
        }
    }
    indices.sort_unstable();
    indices.dedup();
    let indices: Vec<Index> = indices.into_iter().map(Index::new).collect::<Result<_, _>>()?;
    let size = claimed(&proof.checkpoint)?.size;
    proof.tree = inclusion_batch(&mut log.tree(size)?, &indices, size)?;
    Ok(())
}

fn prove_period(
    period: Period,
    part: &mut PeriodProof<()>,
    idnr: &Idnr,
    secrets: &Secrets,
    maps: &mut Maps,
) -> Result<()> {
    let secret = secrets.get(&period).context("the period's secret")?;
    let mut absent = Vec::new();
    for (series, row) in [
        (Series::Exchanges, &mut part.exchanges),
        (Series::Inspections, &mut part.inspections),
    ] {
        let prove = |number| secret.prove(&label::alpha(idnr, period, series, number));
        absent.extend(absent_phases(series, row, &prove));
        let beyond = label::absence_set(u32::try_from(row.numbers.len())?);
        row.absent = Vec::with_capacity(beyond.len());
        for number in beyond {
            let (proof, output) = prove(number);
            row.absent.push(proof.0);
            absent.push(label::label(&output, Phase::Intent).0);
        }
    }
    part.map = prove_lookups(maps.get_mut(&period).context("the period's map")?, &absent);
    Ok(())
}

/// The labels of the phases that a series does not show.
fn absent_phases(
    series: Series,
    row: &SeriesProof<()>,
    prove: &impl Fn(u32) -> (tlog::vrf::Proof, tlog::vrf::Output),
) -> Vec<Key> {
    let mut absent = Vec::new();
    for (number, shown) in (0..).zip(&row.numbers) {
        let missing = [(Phase::Outcome, &shown.outcome), (Phase::Preview, &shown.preview)];
        for (phase, _) in missing.into_iter().filter(|(_, item)| item.is_none()) {
            // An inspection has one phase only.
            if series == Series::Exchanges {
                absent.push(label::label(&prove(number).1, phase).0);
            }
        }
    }
    absent
}
