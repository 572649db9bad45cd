//! Indexes over sorted tables: names become numbers once, so that a decision compares numbers.

use std::collections::HashMap;

use record::Timestamp;

use crate::interval::Interval;
use crate::rule::{Consumer, Provider};
use crate::tables::Tables;

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

/// The rows of one body or component, which are adjacent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows {
    pub(crate) start: Number,
    end: Number,
}

impl Rows {
    pub(crate) fn range(self) -> core::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// What a decision needs of a row, next to each other: most of the time of a decision is waiting for memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyRow {
    valid: Interval,
    recorded: Interval,
    classes: (Number, Number),
}

/// What a decision needs of a component's row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InstanceRow {
    valid: Interval,
    recorded: Interval,
    register: Number,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    classes: Names,
    registers: Names,
    pub(crate) evidence: Names,
    /// The number of each evidence type under its identifier in messages.
    pub(crate) identifiers: HashMap<Box<str>, Number>,
    pub(crate) purposes: Names,
    bodies: HashMap<Box<str>, Rows>,
    components: HashMap<Box<str>, Rows>,
    /// The register type of each evidence type.
    pub(crate) register_of: Vec<Number>,
    body_rows: Vec<BodyRow>,
    /// The classes of all rows of bodies, one row after the other, each ascending.
    classes_of_rows: Vec<Number>,
    instance_rows: Vec<InstanceRow>,
    /// The rules for an evidence type and purpose, sorted.
    rules: HashMap<(Number, Number), Vec<Slot>>,
    /// The rows that serve an area for a register type.
    competent: HashMap<(Number, u64), Vec<Number>>,
}

impl Index {
    /// Indexes tables that are sorted.
    pub(crate) fn of(tables: &Tables) -> Self {
        let mut index = Self::default();
        for class in &tables.classes {
            index.classes.add(class.id.as_str());
        }
        for register in &tables.registers {
            index.registers.add(register.id.as_str());
        }
        for evidence in &tables.evidence {
            let number = index.evidence.add(evidence.id.as_str());
            index.identifiers.insert(evidence.identifier().into(), number);
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
            add_row(&mut self.bodies, body.id.as_str(), row);
            let start = self.classes_of_rows.len();
            for class in &body.classes {
                let class = self.classes.add(class.as_str());
                self.classes_of_rows.push(class);
            }
            self.classes_of_rows[start..].sort_unstable();
            self.body_rows.push(BodyRow {
                valid: body.valid,
                recorded: body.recorded,
                classes: (number(start), number(self.classes_of_rows.len())),
            });
        }
    }

    fn add_instances(&mut self, tables: &Tables) {
        for (row, instance) in tables.instances.iter().enumerate() {
            add_row(&mut self.components, instance.component.as_str(), row);
            let register = self.registers.add(instance.register.as_str());
            self.instance_rows.push(InstanceRow {
                valid: instance.valid,
                recorded: instance.recorded,
                register,
            });
            for area in &instance.areas {
                let rows = self.competent.entry((register, digits(area.as_str()))).or_default();
                rows.push(number(row));
            }
        }
    }

    fn add_rules(&mut self, tables: &Tables) {
        for (row, rule) in tables.permissions.iter().enumerate() {
            // A rule for evidence of no register applies to nothing.
            let Some(evidence) = self.evidence.get(rule.evidence.as_str()) else {
                continue;
            };
            let purpose = self.purposes.add(&rule.purpose);
            let slot = Slot {
                consumer: match &rule.consumer {
                    Consumer::Body(body) => Who::Named(first_row(&self.bodies, body.as_str())),
                    Consumer::Class(class) => Who::General(self.classes.add(class.as_str())),
                },
                provider: match &rule.provider {
                    Provider::Component(component) => Who::Named(first_row(&self.components, component.as_str())),
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

    /// The number of a body, which is that of its first row, and its row that was in force.
    pub(crate) fn body(&self, name: &str, valid_at: Timestamp, known_at: Timestamp) -> Option<(Number, usize)> {
        let rows = self.bodies.get(name)?;
        let in_force = |row: &usize| {
            let row = &self.body_rows[*row];
            row.valid.contains(valid_at) && row.recorded.contains(known_at)
        };
        Some((rows.start, rows.range().find(in_force)?))
    }

    /// The classes in a row of bodies.
    pub(crate) fn classes_of(&self, row: usize) -> &[Number] {
        let (start, end) = self.body_rows[row].classes;
        &self.classes_of_rows[start as usize..end as usize]
    }

    /// The number of a component, which is that of its first row, and its row for a register that was in force.
    pub(crate) fn component(
        &self,
        name: &str,
        register: Number,
        valid_at: Timestamp,
        known_at: Timestamp,
    ) -> Option<(Number, usize)> {
        let rows = self.components.get(name)?;
        let in_force = |row: &usize| {
            let row = &self.instance_rows[*row];
            row.register == register && row.valid.contains(valid_at) && row.recorded.contains(known_at)
        };
        Some((rows.start, rows.range().find(in_force)?))
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

/// Adds a row to those of a name. The rows of a name follow each other.
fn add_row(names: &mut HashMap<Box<str>, Rows>, name: &str, row: usize) {
    let end = number(row + 1);
    let rows = names.entry(name.into()).or_insert(Rows {
        start: number(row),
        end,
    });
    rows.end = end;
}

/// The number of a body or component. Without a row it has none, and a rule for it applies to nothing.
fn first_row(names: &HashMap<Box<str>, Rows>, name: &str) -> Number {
    names.get(name).map_or(Number::MAX, |rows| rows.start)
}

/// The digits of an area as a number that differs for each area: a leading 1 keeps leading zeros.
fn digits(area: &str) -> u64 {
    area.bytes()
        .fold(1, |number, digit| number * 10 + u64::from(digit - b'0'))
}
