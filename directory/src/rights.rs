//! `directory rights`: which key could fetch what on a day, from the log alone.
//!
//! The day is divided where a version comes into force, and where a permission, a body or a provider begins or ends. In
//! each part one version of the directory and one of the Registerlandkarte decide, by the same code with which
//! the broker decides. A right that lasts over several parts is printed once, with its times.
//!
//! An exchange may rely on a version for a minute after it was superseded, so a right can be used until then.

use std::collections::{BTreeMap, BTreeSet};

use output::Failure;
use record::{LegalDay, Timestamp, VerifyingKey};
use registerlandkarte::{Interval, Query, RegisterInstance, Registerlandkarte, Rule, Subject};
use serde::Serialize;
use trust::{Component, History, Section, TrustKind, TrustMap, Value, Version, Versions};

use crate::arguments::Rights;
use crate::log::Log;

/// What one key could fetch from one component.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Right {
    /// The component that could fetch.
    component: String,
    /// The body that answers for it.
    body: String,
    /// Its signing key.
    #[serde(with = "record::bytes")]
    key: [u8; 32],
    /// The component that provides.
    provider: String,
    /// The evidence type's identifier in messages.
    evidence_type: String,
    /// The purpose code.
    purpose: String,
    /// The permission, `id@version`.
    permission: String,
    /// The norms.
    legal_basis: String,
    /// How the areas must be related.
    area: &'static str,
    /// Whether the IDNr could be used.
    idnr: bool,
    /// Whether the person had to see a preview and decide.
    preview: bool,
    /// Whether a representative could act.
    representation: bool,
}

/// POSIX seconds: from the first to before the second.
type Span = (u64, u64);

/// One line of the output.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    right: &'a Right,
    /// In which parts of the day, POSIX seconds: from the first to before the second.
    times: &'a [Span],
}

pub(crate) async fn run(arguments: &Rights) -> Result<(), Failure> {
    let log = Log::read(&arguments.log).await?;
    let rights = rights(&log.anchored.history, arguments.on)?;
    let component = arguments.component.as_ref().map(ToString::to_string);
    for (right, times) in &rights {
        if component.as_ref().is_some_and(|wanted| *wanted != right.component)
            || arguments.key.is_some_and(|wanted| wanted.0 != right.key)
        {
            continue;
        }
        let line = serde_json::to_string(&Line { right, times });
        output::stdout!("{}", line.map_err(|error| Failure::Usage(error.to_string()))?)?;
    }
    Ok(())
}

/// The rights of a day, with the times in which each was in force.
fn rights(history: &History, day: LegalDay) -> Result<BTreeMap<Right, Vec<Span>>, Failure> {
    let (begin, end) = (day.begin().0, day.end().0);
    let mut rights: BTreeMap<Right, Vec<Span>> = BTreeMap::new();
    for (from, until) in parts(version_times(history), (begin, end)) {
        let Some(versions) = versions_at(history, from) else {
            continue;
        };
        let relation = history.relation(versions).map_err(Failure::refused)?;
        let directory = history.map_of(TrustKind::Directory, versions.directory);
        let directory = directory.map_err(Failure::refused)?;
        for (from, until) in parts(interval_times(&relation), (from, until)) {
            for right in rights_at(&directory, &relation, Timestamp(from)) {
                let times = rights.entry(right).or_default();
                match times.last_mut() {
                    Some(last) if last.1 == from => last.1 = until,
                    _ => times.push((from, until)),
                }
            }
        }
    }
    Ok(rights)
}

/// A span divided at times.
fn parts(times: impl Iterator<Item = u64>, (begin, end): Span) -> Vec<Span> {
    let mut cuts: BTreeSet<u64> = times.filter(|time| (begin..end).contains(time)).collect();
    cuts.extend([begin, end]);
    let cuts: Vec<u64> = cuts.into_iter().collect();
    cuts.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

/// When each version came into force.
fn version_times(history: &History) -> impl Iterator<Item = u64> {
    let kinds = [TrustKind::Directory, TrustKind::Registerlandkarte];
    kinds
        .into_iter()
        .flat_map(|kind| history.applied(kind).map(|set| set.position.time.0))
}

/// When the rows of a relation begin and end.
fn interval_times(relation: &Registerlandkarte) -> impl Iterator<Item = u64> {
    let tables = relation.tables();
    let rules = tables.permissions.iter().flat_map(|row| [row.valid, row.recorded]);
    let instances = tables.instances.iter().flat_map(|row| [row.valid, row.recorded]);
    let bodies = tables.bodies.iter().flat_map(|row| [row.valid, row.recorded]);
    let times = |interval: Interval| [Some(interval.from), interval.until];
    rules
        .chain(instances)
        .chain(bodies)
        .flat_map(times)
        .flatten()
        .map(|time| time.0)
}

/// The versions in force at a time. `None` before the first ones.
fn versions_at(history: &History, time: u64) -> Option<Versions> {
    let at = |kind| -> Option<Version> {
        let sets = history.applied(kind);
        Some(sets.take_while(|set| set.position.time.0 <= time).last()?.version)
    };
    Some(Versions {
        directory: at(TrustKind::Directory)?,
        registerlandkarte: at(TrustKind::Registerlandkarte)?,
    })
}

fn rights_at(directory: &TrustMap, relation: &Registerlandkarte, at: Timestamp) -> Vec<Right> {
    let mut rights = Vec::new();
    for value in directory.section(Section::Component) {
        let Value::Component(consumer) = value else { continue };
        if !consumer.may_request() {
            continue;
        }
        for rule in &relation.tables().permissions {
            let providers = relation.tables().instances.iter();
            let providers = providers.filter(|provider| permits(relation, rule, (consumer, provider), at));
            for provider in providers {
                let keys = consumer.signing_keys();
                rights.extend(keys.filter_map(|key| right(relation, rule, (consumer, key), provider)));
            }
        }
    }
    rights
}

/// Whether the rule lets the component fetch from the provider, if the person and the request are as the rule wants.
fn permits(
    relation: &Registerlandkarte,
    rule: &Rule,
    (consumer, provider): (&Component, &RegisterInstance),
    at: Timestamp,
) -> bool {
    let subject = if rule.subjects.natural() {
        Subject::Natural
    } else {
        Subject::Legal
    };
    let query = Query {
        consumer: &consumer.body,
        provider: &provider.component,
        evidence: &rule.evidence,
        purpose: &rule.purpose,
        subject,
        idnr: rule.idnr && subject == Subject::Natural,
        represented: false,
        place: provider.areas.iter().next(),
    };
    let Ok(mut candidates) = relation.candidates(&query, at, at) else {
        return false;
    };
    candidates.any(|candidate| candidate.rule == rule && candidate.verdict.is_ok())
}

fn right(
    relation: &Registerlandkarte,
    rule: &Rule,
    (consumer, key): (&Component, &VerifyingKey),
    provider: &RegisterInstance,
) -> Option<Right> {
    Some(Right {
        component: consumer.id.to_string(),
        body: consumer.body.to_string(),
        key: *key.as_bytes(),
        provider: provider.component.to_string(),
        evidence_type: relation.evidence(&rule.evidence)?.identifier().to_owned(),
        purpose: rule.purpose.to_string(),
        permission: rule.reference(),
        legal_basis: rule.why(&relation.norms_of(rule)).legal_basis,
        area: rule.area.as_str(),
        idnr: rule.idnr,
        preview: rule.preview,
        representation: rule.representation,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_divided_at_the_times_within_it() {
        let parts_at = |times: &[u64]| parts(times.iter().copied(), (10, 20));
        assert_eq!(parts_at(&[]), [(10, 20)]);
        assert_eq!(parts_at(&[15, 12, 15, 10, 20, 3, 30]), [(10, 12), (12, 15), (15, 20)]);
    }
}
