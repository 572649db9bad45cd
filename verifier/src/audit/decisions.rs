//! Judges decisions: whether the versions in force at the intent of an exchange permitted what its record says.
//!
//! The log has sealed records only, so an audit alone sees no decision. The holder of an opening or a bundle gives it
//! to the audit, which judges the records in it when it comes to their intents. At that place it has replayed exactly
//! the versions that were in force. The record names its version of the Registerlandkarte, which may be one that was
//! superseded a moment before the intent, so the audit keeps those of the last minutes.
//!
//! The rules of a decision are implemented here a second time. The record does not say where the person lives, so
//! whether a provider was in charge of that place cannot be judged.

use std::collections::{BTreeMap, VecDeque};

use record::{Entry, ExchangeRecord, ParticipantId, Subject, Timestamp};
use registerlandkarte::{AreaRelation, Consumer, EvidenceType, Provider, Rule};
use tlog::Hash;
use trust::{Body, Component, Key, SUPERSEDED_GRACE, Section, TrustKind, TrustMap, Value};

use super::opened::OpenedExchange;
use super::state::{EntryReporter, LogState};

/// Longest time between sealing a record and the time of its entry, in seconds. The expiry day may be that of either.
const SEALED_BEFORE: u64 = 120;

/// The opened records that the audit has not come to, and what it needs to judge them.
#[derive(Debug, Default)]
pub(crate) struct Decisions<'a> {
    /// The leaf that a file has proved at an index.
    leaves: BTreeMap<u64, Vec<Hash>>,
    /// The records by the index of the intent.
    records: BTreeMap<u64, Vec<&'a OpenedExchange>>,
    /// Versions of the Registerlandkarte that another one has superseded, and the time of that one's entry.
    superseded: VecDeque<(Version, Timestamp)>,
    newest: Option<Version>,
    /// The time of the entry before.
    before: Option<Timestamp>,
    /// How many records were judged.
    pub(crate) judged: u64,
}

/// A version of the Registerlandkarte.
#[derive(Debug, Clone)]
struct Version {
    number: trust::Version,
    /// SHA-256 of its set's signed header, by which records name it.
    header: Hash,
    map: TrustMap,
}

impl<'a> Decisions<'a> {
    pub(crate) fn new(opened: &'a [OpenedExchange]) -> Self {
        let mut decisions = Self::default();
        for exchange in opened {
            decisions.leaves.entry(exchange.index).or_default().push(exchange.leaf);
            decisions.records.entry(exchange.intent()).or_default().push(exchange);
        }
        decisions
    }

    /// How many records are still to be judged.
    pub(crate) fn remaining(&self) -> usize {
        self.records.values().map(Vec::len).sum()
    }

    /// Judges what an opened file says about the next entry. `state` is that before the entry.
    pub(crate) fn at(&mut self, entry: &Entry, leaf: Hash, state: &LogState, reporter: &mut EntryReporter<'_>) {
        let proved = self.leaves.remove(&reporter.index).unwrap_or_default();
        if proved.iter().any(|proved| *proved != leaf) {
            reporter.report("an opened file has another entry at this index: there are two versions of this log");
        }
        if self.records.is_empty() {
            return;
        }
        self.follow(state, entry.time);
        let Some(records) = self.records.remove(&reporter.index) else {
            return;
        };
        let known = TrustKind::ALL
            .into_iter()
            .all(|kind| state.sets.of(kind).map().is_some());
        let Some(directory) = state.sets.of(TrustKind::Directory).map().filter(|_| known) else {
            self.records.insert(reporter.index, records);
            return;
        };
        for exchange in records {
            self.judged += 1;
            let judged = self
                .named(&exchange.record, entry.time, state.tolerance)
                .and_then(|rules| Decision::new(exchange, entry.time, directory, rules)?.judge());
            if let Err(what) = judged {
                let what = format!("the decision in the record of entry {}: {what}", exchange.index);
                reporter.report(what);
            }
        }
    }

    /// Takes note of a new version of the Registerlandkarte, and forgets those that no record can name any more.
    fn follow(&mut self, state: &LogState, now: Timestamp) {
        let in_force = state.sets.of(TrustKind::Registerlandkarte);
        let number = in_force.version;
        if self.newest.as_ref().is_none_or(|newest| newest.number != number) {
            // The entry before carries the set that has superseded the version.
            let superseded = self.newest.take().zip(self.before);
            self.superseded.extend(superseded);
            self.newest = in_force.map().cloned().map(|map| Version {
                number,
                header: Hash::of(&in_force.header),
                map,
            });
        }
        self.before = Some(now);
        let kept = SUPERSEDED_GRACE + 2 * state.tolerance;
        while self
            .superseded
            .front()
            .is_some_and(|(_, since)| now.since(*since) > kept)
        {
            self.superseded.pop_front();
        }
    }

    /// The version of the Registerlandkarte that a record names.
    fn named(&self, record: &ExchangeRecord, now: Timestamp, tolerance: u64) -> Result<&TrustMap, String> {
        let named = record.allowed_by.registerlandkarte;
        let newest = self.newest.iter().map(|version| (version, now));
        let superseded = self.superseded.iter().map(|(version, since)| (version, *since));
        let mut known = newest.chain(superseded);
        let (version, since) = known
            .find(|(version, _)| version.header == named)
            .ok_or("it names no version of the Registerlandkarte that was in force then or a moment before")?;
        let seconds = now.since(since);
        if seconds >= SUPERSEDED_GRACE + tolerance {
            return Err(format!(
                "it names a version of the Registerlandkarte that was superseded {seconds} s before"
            ));
        }
        Ok(&version.map)
    }
}

/// A component with the bodies that answer for it and operate it.
#[derive(Clone, Copy)]
struct Party<'a> {
    component: &'a Component,
    body: &'a Body,
    operator: &'a Body,
}

impl<'a> Party<'a> {
    fn of(id: &ParticipantId, directory: &'a TrustMap) -> Result<Self, String> {
        let component = directory.component(id).filter(|component| component.is_active());
        let component = component.ok_or_else(|| format!("{id} was no active component"))?;
        let body = |id| {
            directory
                .body(id)
                .ok_or_else(|| format!("the directory has no body {id}"))
        };
        Ok(Self {
            component,
            body: body(&component.body)?,
            operator: body(component.operating_body())?,
        })
    }

    /// Whether a record names the party as the directory does.
    fn is_named_by(&self, named: &record::Party) -> bool {
        *named == self.component.party(self.body, self.operator)
    }
}

/// A record with the values that its decision depends on.
struct Decision<'a> {
    record: &'a ExchangeRecord,
    /// The time of the record's own entry.
    written: Timestamp,
    /// The time of the intent.
    decided: Timestamp,
    consumer: Party<'a>,
    provider: Party<'a>,
    rule: &'a Rule,
    evidence: &'a EvidenceType,
    /// What the norms are called.
    rules: &'a TrustMap,
}

impl<'a> Decision<'a> {
    /// Finds the values that the record names.
    fn new(
        exchange: &'a OpenedExchange,
        decided: Timestamp,
        directory: &'a TrustMap,
        rules: &'a TrustMap,
    ) -> Result<Self, String> {
        let record = exchange.record.as_ref();
        let named = &record.allowed_by.permission;
        let rule = rules.permission(named);
        let rule = rule.ok_or_else(|| format!("the Registerlandkarte that it names has no permission {named}"))?;
        let evidence = Key::named(Section::Evidence, rule.evidence.as_str()).ok();
        let evidence = match evidence.and_then(|key| rules.get(&key)).map(|stored| stored.value()) {
            Some(Value::Evidence(evidence)) => evidence.as_ref(),
            _ => return Err(format!("the evidence of the permission {named} is not known")),
        };
        Ok(Self {
            record,
            written: exchange.time,
            decided,
            consumer: Party::of(&record.consumer.id, directory)?,
            provider: Party::of(&record.provider.id, directory)?,
            rule,
            evidence,
            rules,
        })
    }

    fn judge(&self) -> Result<(), String> {
        let permission = &self.record.allowed_by.permission;
        let rules: [(bool, &str); 12] = [
            (self.consumer.component.consumer, "the consumer may request nothing"),
            (self.provider.component.provider, "the provider may provide nothing"),
            (self.concerns_consumer(), "{} does not concern the consumer"),
            (self.concerns_provider(), "{} does not concern the provider"),
            (self.areas_fit(), "{} demands areas that fit, and they do not"),
            (self.is_in_force(), "{} was not in force"),
            (self.concerns_subject(), "{} does not permit it for this person"),
            (
                self.rule.idnr || !self.record.idnr_used,
                "{} does not permit the use of the IDNr",
            ),
            (
                self.record.evidence == self.evidence.info(),
                "its evidence is not that of {}",
            ),
            (self.has_reasons(), "its purpose or law is not that of {}"),
            (self.has_lifecycle(), "its retention or disclosure is not that of {}"),
            (
                self.names_parties(),
                "it names the parties otherwise than the directory",
            ),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, broken)) => Err(broken.replace("{}", &format!("the permission {permission}"))),
            None => Ok(()),
        }
    }

    fn concerns_consumer(&self) -> bool {
        let body = self.consumer.body;
        match &self.rule.consumer {
            Consumer::Class(class) => body.classes.contains(class),
            Consumer::Body(id) => body.id == *id,
        }
    }

    fn concerns_provider(&self) -> bool {
        let component = self.provider.component;
        let mut served = component.serves.iter();
        served.any(|served| served.register == self.evidence.register)
            && match &self.rule.provider {
                Provider::Register(register) => *register == self.evidence.register,
                Provider::Component(id) => component.id == *id,
            }
    }

    fn areas_fit(&self) -> bool {
        let served = self.provider.component.serves.iter();
        let served = served.filter(|served| served.register == self.evidence.register);
        let mut areas = served.flat_map(|served| served.areas.iter());
        match self.rule.area {
            AreaRelation::Any | AreaRelation::Person => true,
            AreaRelation::Own => areas.any(|area| area.is_nested_with(&self.consumer.body.ars)),
        }
    }

    fn is_in_force(&self) -> bool {
        self.rule.valid.contains(self.decided) && self.rule.recorded.contains(self.decided)
    }

    fn concerns_subject(&self) -> bool {
        let represented = self.record.representation.is_some();
        let permitted = match self.record.subject {
            Subject::Natural => self.rule.subjects.natural(),
            Subject::Legal => self.rule.subjects.legal(),
        };
        permitted && (self.rule.representation || !represented)
    }

    fn has_reasons(&self) -> bool {
        let norms = self.rule.norms.iter().filter_map(|id| {
            let key = Key::named(Section::Norm, id.as_str()).ok()?;
            match self.rules.get(&key)?.value() {
                Value::Norm(norm) => Some(norm.as_ref()),
                _ => None,
            }
        });
        self.record.why == self.rule.why(&norms.collect::<Vec<_>>())
    }

    fn has_lifecycle(&self) -> bool {
        let (lifecycle, rule) = (&self.record.lifecycle, self.rule);
        let written = [
            self.written.before(SEALED_BEFORE),
            self.written,
            self.written.after(SEALED_BEFORE),
        ];
        lifecycle.retention == rule.retention
            && lifecycle.disclosure == rule.disclosure
            && written
                .iter()
                .any(|time| rule.retention.expiry(*time) == lifecycle.expiry)
    }

    fn names_parties(&self) -> bool {
        self.consumer.is_named_by(&self.record.consumer) && self.provider.is_named_by(&self.record.provider)
    }
}
