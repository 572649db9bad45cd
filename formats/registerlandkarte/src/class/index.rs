//! Indexes over sorted tables: names become numbers once, so that a decision compares numbers.

use std::collections::HashMap;

use super::rule::{Consumer, Provider};
use super::tables::Tables;

/// The position of a row, or the number of a name.
pub(crate) type Number = u32;

/// Consumer or provider of a rule. Named ones come first, because their rules are tried first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Who {
    /// A body or a component.
    Named(Number),
    /// A class or a type of register.
    General(Number),
}

/// A rule under its evidence type and purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot {
    pub(crate) consumer: Who,
    pub(crate) provider: Who,
    pub(crate) rule: Number,
}

/// Names with their numbers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(HashMap<Box<str>, Number>);

impl Names {
    fn add(&mut self, name: &str) -> Number {
        let next = number(self.0.len());
        *self.0.entry(name.into()).or_insert(next)
    }

    pub(crate) fn get(&self, name: &str) -> Option<Number> {
        self.0.get(name).copied()
    }
}

/// The bound on rows is that of the files, far below `u32::MAX`; a larger number would name no row and find nothing.
fn number(position: usize) -> Number {
    Number::try_from(position).unwrap_or(Number::MAX)
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    classes: Names,
    registers: Names,
    pub(crate) evidence: Names,
    pub(crate) purposes: Names,
    pub(crate) bodies: Names,
    pub(crate) components: Names,
    /// The register type of each evidence type.
    pub(crate) register_of: Vec<Number>,
    /// The rows of each body.
    pub(crate) rows_of_body: Vec<Vec<Number>>,
    /// The classes in each row of bodies, ascending.
    pub(crate) classes_of_row: Vec<Box<[Number]>>,
    /// The rows of a component and register type.
    pub(crate) rows_of_component: HashMap<(Number, Number), Vec<Number>>,
    /// The rules for an evidence type and purpose, sorted.
    rules: HashMap<(Number, Number), Vec<Slot>>,
    /// The rows that serve an area for a register type.
    competent: HashMap<(Number, u64), Vec<Number>>,
}

impl Index {
    /// Indexes tables that are sorted and without problems.
    pub(crate) fn of(tables: &Tables) -> Self {
        let mut index = Self::default();
        for class in &tables.classes {
            index.classes.add(class.id.as_str());
        }
        for register in &tables.registers {
            index.registers.add(register.id.as_str());
        }
        for evidence in &tables.evidence {
            index.evidence.add(evidence.id.as_str());
            let register = index.registers.add(evidence.register.as_str());
            index.register_of.push(register);
        }
        index.add_bodies(tables);
        index.add_instances(tables);
        index.add_rules(tables);
        index
    }

    fn add_bodies(&mut self, tables: &Tables) {
        for (row, body) in tables.bodies.iter().enumerate() {
            let number_of_body = self.bodies.add(body.id.as_str()) as usize;
            self.rows_of_body
                .resize(self.rows_of_body.len().max(number_of_body + 1), Vec::new());
            self.rows_of_body[number_of_body].push(number(row));
            let mut classes: Vec<Number> = body
                .classes
                .iter()
                .map(|class| self.classes.add(class.as_str()))
                .collect();
            classes.sort_unstable();
            self.classes_of_row.push(classes.into());
        }
    }

    fn add_instances(&mut self, tables: &Tables) {
        for (row, instance) in tables.instances.iter().enumerate() {
            let component = self.components.add(instance.component.as_str());
            let register = self.registers.add(instance.register.as_str());
            self.rows_of_component
                .entry((component, register))
                .or_default()
                .push(number(row));
            for area in &instance.areas {
                let rows = self.competent.entry((register, digits(area.as_str()))).or_default();
                rows.push(number(row));
            }
        }
    }

    fn add_rules(&mut self, tables: &Tables) {
        for (row, rule) in tables.permissions.iter().enumerate() {
            let evidence = self.evidence.add(rule.evidence.as_str());
            let purpose = self.purposes.add(&rule.purpose);
            let slot = Slot {
                consumer: match &rule.consumer {
                    Consumer::Body(body) => Who::Named(self.bodies.add(body.as_str())),
                    Consumer::Class(class) => Who::General(self.classes.add(class.as_str())),
                },
                provider: match &rule.provider {
                    Provider::Component(component) => Who::Named(self.components.add(component.as_str())),
                    Provider::Register(register) => Who::General(self.registers.add(register.as_str())),
                },
                rule: number(row),
            };
            self.rules.entry((evidence, purpose)).or_default().push(slot);
        }
        for slots in self.rules.values_mut() {
            slots.sort_unstable();
        }
    }

    /// The rules for an evidence type and purpose.
    pub(crate) fn rules_for(&self, evidence: Number, purpose: Number) -> &[Slot] {
        self.rules.get(&(evidence, purpose)).map_or(&[], Vec::as_slice)
    }

    /// The rows that serve exactly this area.
    pub(crate) fn serving(&self, register: Number, area: &str) -> &[Number] {
        self.competent.get(&(register, digits(area))).map_or(&[], Vec::as_slice)
    }
}

/// The slots of one consumer and provider.
pub(crate) fn slots_of(slots: &[Slot], consumer: Who, provider: Who) -> &[Slot] {
    let start = slots.partition_point(|slot| (slot.consumer, slot.provider) < (consumer, provider));
    let rest = &slots[start..];
    let end = rest.partition_point(|slot| (slot.consumer, slot.provider) == (consumer, provider));
    &rest[..end]
}

/// The digits of an area as a number that differs for each area: a leading 1 keeps leading zeros.
fn digits(area: &str) -> u64 {
    area.bytes()
        .fold(1, |number, digit| number * 10 + u64::from(digit - b'0'))
}
