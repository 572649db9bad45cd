//! The relations of two versions, by which decisions are made.
//!
//! A relation is made when its versions first decide, and kept for the next decisions. A few are kept, because an
//! exchange may still rely on versions that were superseded a moment ago.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use record::Timestamp;
use registerlandkarte::{Interval, ListedBody, RegisterInstance, Registerlandkarte, Tables};
use tlog::Hash;

use crate::key::Section;
use crate::trust_map::TrustMap;
use crate::value::Value;

/// How many relations are kept.
const KEPT: usize = 4;

/// The digests of the signed headers of two versions. Unlike their numbers, they differ for two histories that diverge.
type Headers = [Hash; 2];

/// The relations that were made last, the newest first. A history shares them with those that were made from it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Relations(Arc<Mutex<VecDeque<Kept>>>);

type Kept = (Headers, Arc<Registerlandkarte>);

impl Relations {
    pub(crate) fn get(&self, headers: &Headers) -> Option<Arc<Registerlandkarte>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().find(|(of, _)| of == headers);
        found.map(|(_, relation)| relation.clone())
    }

    pub(crate) fn keep(&self, headers: Headers, relation: &Arc<Registerlandkarte>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_front((headers, relation.clone()));
        kept.truncate(KEPT);
    }
}

/// The relation of a version of the directory and one of the Registerlandkarte. [`crate::History::relation`] keeps
/// those that decide.
#[must_use]
pub fn relation(directory: &TrustMap, registerlandkarte: &TrustMap) -> Registerlandkarte {
    Registerlandkarte::indexed(tables(directory, registerlandkarte))
}

/// What two versions say, as rows. A body or component is valid in the versions of the directory that have it, so its
/// row has no end.
fn tables(directory: &TrustMap, registerlandkarte: &TrustMap) -> Tables {
    let mut tables = Tables::default();
    for section in [Section::Body, Section::Component] {
        for value in directory.section(section) {
            add(&mut tables, value);
        }
    }
    for (_, stored) in registerlandkarte.iter() {
        add(&mut tables, stored.value());
    }
    tables
}

fn add(tables: &mut Tables, value: &Value) {
    let always = Interval::since(Timestamp(0));
    match value {
        Value::Class(class) => tables.classes.push(class.clone()),
        Value::Register(register) => tables.registers.push(register.as_ref().clone()),
        Value::Evidence(evidence) => tables.evidence.push(evidence.as_ref().clone()),
        Value::Norm(norm) => tables.norms.push(norm.as_ref().clone()),
        Value::Permission(rule) => tables.permissions.push(rule.as_ref().clone()),
        Value::Body(body) => tables.bodies.push(ListedBody {
            id: body.id.clone(),
            name: body.name.clone(),
            area: body.ars.clone(),
            classes: body.classes.clone(),
            valid: always,
            recorded: always,
        }),
        Value::Component(component) if component.may_provide() => {
            tables
                .instances
                .extend(component.serves.iter().map(|served| RegisterInstance {
                    component: component.id.clone(),
                    register: served.register.clone(),
                    body: component.body.clone(),
                    areas: served.areas.clone(),
                    valid: always,
                    recorded: always,
                }));
        }
        _ => {}
    }
}
