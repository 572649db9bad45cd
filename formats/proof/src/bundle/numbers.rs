//! Steps 5 to 7 of the module's documentation: the numbers of one period.

use record::{
    Body, Counter, ExpiryDay, Idnr, Label, Period, PeriodEvent, Phase, SealedRecord, Series, Timestamp, label,
};
use tlog::Hash;
use tlog::map::{Key, verify_lookups};
use tlog::merkle::Index;
use tlog::vrf::{self, PublicKey};

use super::complete::{ProvedEntry, ProvedRecord};
use super::error::{BundleError, BundleFault, Place};
use super::periods::compare;
use super::tree::{InTree, Tree};
use super::{NumberProof, PeriodProof, Record, SeriesProof};
use crate::opening::{belongs, fits, has_expired};

/// The values against which the numbers of a period are checked.
pub(super) struct PeriodContext<'a> {
    pub(super) idnr: &'a Idnr,
    pub(super) period: Period,
    pub(super) tree: &'a Tree,
    /// The index of the `map` entry.
    pub(super) before: Index,
    /// The time that a quorum of witnesses states, if one does.
    pub(super) witnessed: Option<Timestamp>,
}

/// The results of checking a period.
#[derive(Default)]
struct PeriodFindings {
    entries: Vec<ProvedEntry>,
    /// The labels that must be absent.
    absent: Vec<(Key, Place)>,
}

impl PeriodContext<'_> {
    /// Checks both series under the root of the period's map and returns the entries.
    pub(super) fn check(&self, part: &PeriodProof, root: &Hash) -> Result<Vec<ProvedEntry>, BundleError> {
        let key = self.key(part)?;
        let mut findings = PeriodFindings::default();
        for (series, row) in part.series() {
            self.check_series(&key, series, row, &mut findings)?;
        }
        let keys: Vec<Key> = findings.absent.iter().map(|(key, _)| *key).collect();
        let found = verify_lookups(root, &keys, &part.map).map_err(|error| Place::Map(self.period).because(error))?;
        for ((_, place), found) in findings.absent.iter().zip(found) {
            compare(None, found).map_err(|fault| place.because(fault))?;
        }
        Ok(findings.entries)
    }

    /// The period's VRF key from its `begin` entry.
    fn key(&self, part: &PeriodProof) -> Result<PublicKey, BundleError> {
        let place = Place::Begin(self.period);
        match &self.tree.get(part.begin.index, place)?.signed.entry().body {
            Body::Period {
                event: PeriodEvent::Begin { vrf_key, .. },
                ..
            } => PublicKey::from_bytes(*vrf_key).map_err(|_| place.because(BundleFault::Key)),
            _ => Err(place.because(BundleFault::Kind)),
        }
    }

    fn check_series(
        &self,
        key: &PublicKey,
        series: Series,
        row: &SeriesProof,
        findings: &mut PeriodFindings,
    ) -> Result<(), BundleError> {
        let place = Place::Series(self.period, series);
        for (number, shown) in (0..).zip(&row.numbers) {
            // SPEC design §5.1: a person has numbers below 4096.
            Counter::new(number).map_err(|_| place.because(BundleFault::Count))?;
            self.check_number(key, series, number, shown, findings)?;
        }
        let count = u32::try_from(row.numbers.len()).map_err(|_| place.because(BundleFault::Count))?;
        let beyond = label::absence_set(count);
        if beyond.len() != row.absent.len() {
            return Err(place.because(BundleFault::Absences(beyond.len())));
        }
        for (number, proof) in beyond.into_iter().zip(&row.absent) {
            let place = Place::Number(self.period, series, number, Phase::Intent);
            let output = self.evaluate(key, series, number, proof)?;
            findings.absent.push((label::label(&output, Phase::Intent).0, place));
        }
        Ok(())
    }

    fn check_number(
        &self,
        key: &PublicKey,
        series: Series,
        number: u32,
        shown: &NumberProof,
        findings: &mut PeriodFindings,
    ) -> Result<(), BundleError> {
        let output = self.evaluate(key, series, number, &shown.vrf_proof)?;
        for (phase, item) in shown.phases() {
            let place = Place::Number(self.period, series, number, phase);
            let label = label::label(&output, phase);
            match item {
                Some(item) => {
                    let entry = self.tree.get(item.index, place)?;
                    self.check_entry(entry, &label, (series, phase), shown.intent.index)
                        .map_err(|fault| place.because(fault))?;
                    let record = self
                        .check_record(entry, &label, &item.content.record)
                        .map_err(|fault| place.because(fault))?;
                    findings
                        .entries
                        .push(self.proved(entry, (series, number, phase), record));
                }
                // An inspection has only one phase, so there is no absence to prove.
                None if series == Series::Exchanges => findings.absent.push((label.0, place)),
                None => {}
            }
        }
        Ok(())
    }

    fn evaluate(
        &self,
        key: &PublicKey,
        series: Series,
        number: u32,
        proof: &[u8; 80],
    ) -> Result<vrf::Output, BundleError> {
        let alpha = label::alpha(self.idnr, self.period, series, number);
        key.verify(&alpha, &vrf::Proof(*proof))
            .map_err(|error| Place::Number(self.period, series, number, Phase::Intent).because(BundleFault::Vrf(error)))
    }

    /// Checks that the entry has this label in this period, has a kind that fits the series and phase, refers to this
    /// intent, and came before the `map` entry.
    fn check_entry(
        &self,
        entry: &InTree,
        wanted: &Label,
        (series, phase): (Series, Phase),
        intent: u64,
    ) -> Result<(), BundleFault> {
        let Body::Labelled {
            kind,
            period,
            label,
            refers,
            ..
        } = &entry.signed.entry().body
        else {
            return Err(BundleFault::Kind);
        };
        if *period != self.period || label != wanted {
            return Err(BundleFault::Label);
        }
        if !belongs(*kind, series, phase) {
            return Err(BundleFault::Kind);
        }
        // The label alone decides whose entry it is. An outcome that refers to another intent must not be shown as the
        // outcome of this one.
        if phase != Phase::Intent && refers.is_none_or(|index| index.get() != intent) {
            return Err(BundleFault::Refers(intent));
        }
        if entry.index < self.before {
            Ok(())
        } else {
            Err(BundleFault::Later)
        }
    }

    fn proved(
        &self,
        entry: &InTree,
        (series, number, phase): (Series, u32, Phase),
        (expiry, record): (ExpiryDay, ProvedRecord),
    ) -> ProvedEntry {
        let signed = entry.signed.entry();
        ProvedEntry {
            index: entry.index,
            leaf: entry.signed.leaf_hash(),
            kind: signed.body.kind(),
            time: signed.time,
            writer: entry.writer.clone(),
            refers: signed.body.refers(),
            period: self.period,
            series,
            number,
            phase,
            expiry,
            record,
        }
    }

    /// Checks that the record is the one to which the entry committed, and that its content fits the entry's kind.
    /// Returns the day at whose end it expires, too.
    fn check_record(
        &self,
        entry: &InTree,
        label: &Label,
        record: &Record,
    ) -> Result<(ExpiryDay, ProvedRecord), BundleFault> {
        let Body::Labelled { kind, commitment, .. } = &entry.signed.entry().body else {
            return Err(BundleFault::Kind);
        };
        let sealed = match record {
            Record::Open(unsealed) => unsealed.reseal(label)?,
            Record::Expired(sealed) => SealedRecord::parse(sealed.as_slice())?,
        };
        if sealed.commitment() != *commitment {
            return Err(BundleFault::Record);
        }
        let expiry = sealed.header().expiry;
        let proved = match record {
            Record::Expired(_) if has_expired(expiry, self.witnessed) => ProvedRecord::Expired,
            Record::Expired(_) => return Err(BundleFault::Withheld(expiry)),
            Record::Open(unsealed) if fits(*kind, &unsealed.shared.content) => ProvedRecord::Open {
                shared: unsealed.shared.content.clone(),
                citizen: unsealed.citizen.content.clone(),
            },
            Record::Open(_) => return Err(BundleFault::Kind),
        };
        Ok((expiry, proved))
    }
}
