//! Whether tables fit each other. Each check reports every problem that it finds, so that an editor of the tables
//! corrects them in one go.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::defect::{Defect, empty_intervals};
use crate::name::{BodyClassId, NormId, RegisterTypeId};
use crate::placed::{ListedBody, RegisterInstance};
use crate::problem::{Place, Problem, ProblemKind, Table};
use crate::rule::{Consumer, Provider, Rule, Subjects};
use crate::tables::Tables;

/// All problems, in the order of tables and rows.
#[must_use]
pub fn check(tables: &Tables) -> Vec<Problem> {
    let mut check = Check {
        known: Known::of(tables),
        tables,
        problems: Vec::new(),
    };
    check.catalogue();
    check.permissions();
    check.versions();
    check.ambiguous();
    check.bodies();
    check.instances();
    check.ambiguous_for_bodies();
    let mut problems = check.problems;
    problems.sort_by_key(|problem| problem.place);
    problems
}

/// What the names refer to.
struct Known<'a> {
    classes: BTreeSet<&'a str>,
    registers: BTreeMap<&'a str, Subjects>,
    evidence: BTreeMap<&'a str, &'a RegisterTypeId>,
    norms: BTreeSet<&'a str>,
    bodies: BTreeSet<&'a str>,
    served: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> Known<'a> {
    fn of(tables: &'a Tables) -> Self {
        let serves = |instance: &'a RegisterInstance| (instance.component.as_str(), instance.register.as_str());
        Self {
            classes: tables.classes.iter().map(|class| class.id.as_str()).collect(),
            registers: tables
                .registers
                .iter()
                .map(|register| (register.id.as_str(), register.subjects))
                .collect(),
            evidence: tables
                .evidence
                .iter()
                .map(|evidence| (evidence.id.as_str(), &evidence.register))
                .collect(),
            norms: tables.norms.iter().map(|norm| norm.id.as_str()).collect(),
            bodies: tables.bodies.iter().map(|body| body.id.as_str()).collect(),
            served: tables.instances.iter().map(serves).collect(),
        }
    }
}

struct Check<'a> {
    known: Known<'a>,
    tables: &'a Tables,
    problems: Vec<Problem>,
}

const fn at(table: Table, row: usize, field: &'static str) -> Place {
    Place {
        table,
        row,
        field,
        element: None,
    }
}

const fn element(table: Table, row: usize, field: &'static str, element: usize) -> Place {
    Place {
        table,
        row,
        field,
        element: Some(element),
    }
}

impl Check<'_> {
    fn report(&mut self, place: Place, kind: ProblemKind) {
        self.problems.push(Problem { place, kind });
    }

    fn catalogue(&mut self) {
        self.duplicates(Table::Class, self.tables.classes.iter().map(|class| class.id.as_str()));
        self.duplicates(
            Table::Register,
            self.tables.registers.iter().map(|register| register.id.as_str()),
        );
        self.duplicates(
            Table::Evidence,
            self.tables.evidence.iter().map(|evidence| evidence.id.as_str()),
        );
        self.duplicates(Table::Norm, self.tables.norms.iter().map(|norm| norm.id.as_str()));
        let mut numbers = BTreeMap::new();
        for (row, register) in self.tables.registers.iter().enumerate() {
            self.norm(at(Table::Register, row, "norm"), &register.norm);
            let Some(vip) = register.vip else { continue };
            if let Some(other) = numbers.insert(vip, &register.id) {
                self.report(
                    at(Table::Register, row, "vip"),
                    ProblemKind::DuplicateVip(other.clone()),
                );
            }
        }
        let mut identifiers = BTreeMap::new();
        for (row, evidence) in self.tables.evidence.iter().enumerate() {
            if let Some(other) = identifiers.insert(evidence.identifier(), &evidence.id)
                && *other != evidence.id
            {
                let kind = ProblemKind::DuplicateIdentifier(other.clone());
                self.report(at(Table::Evidence, row, "uri"), kind);
            }
            self.register(at(Table::Evidence, row, "register"), &evidence.register);
            self.defects(Table::Evidence, row, evidence.defects());
        }
    }

    fn duplicates<'n>(&mut self, table: Table, names: impl Iterator<Item = &'n str>) {
        let mut seen = BTreeSet::new();
        for (row, name) in names.enumerate() {
            if !seen.insert(name) {
                self.report(at(table, row, "id"), ProblemKind::Duplicate(name.to_owned()));
            }
        }
    }

    fn defects(&mut self, table: Table, row: usize, defects: Vec<Defect>) {
        for Defect { field, element, kind } in defects {
            let place = Place {
                table,
                row,
                field,
                element,
            };
            self.report(place, kind);
        }
    }

    fn norm(&mut self, place: Place, norm: &NormId) {
        if !self.known.norms.contains(norm.as_str()) {
            self.report(place, ProblemKind::UnknownNorm(norm.clone()));
        }
    }

    fn register(&mut self, place: Place, register: &RegisterTypeId) {
        if !self.known.registers.contains_key(register.as_str()) {
            self.report(place, ProblemKind::UnknownRegister(register.clone()));
        }
    }

    fn class(&mut self, place: Place, class: &BodyClassId) {
        if !self.known.classes.contains(class.as_str()) {
            self.report(place, ProblemKind::UnknownClass(class.clone()));
        }
    }

    fn permissions(&mut self) {
        for (row, rule) in self.tables.permissions.iter().enumerate() {
            self.defects(Table::Permission, row, rule.defects());
            for (position, norm) in rule.norms.iter().enumerate() {
                self.norm(element(Table::Permission, row, "norms", position), norm);
            }
            match &rule.consumer {
                Consumer::Class(class) => self.class(at(Table::Permission, row, "class"), class),
                Consumer::Body(body) if self.known.bodies.contains(body.as_str()) => {}
                Consumer::Body(body) => {
                    self.report(
                        at(Table::Permission, row, "body"),
                        ProblemKind::UnknownBody(body.clone()),
                    );
                }
            }
            self.evidence_of(row, rule);
        }
    }

    /// Checks that evidence type, register and subjects fit each other.
    fn evidence_of(&mut self, row: usize, rule: &Rule) {
        let evidence_at = at(Table::Permission, row, "evidence");
        let register = self.known.evidence.get(rule.evidence.as_str()).copied();
        if register.is_none() {
            self.report(evidence_at, ProblemKind::UnknownEvidence(rule.evidence.clone()));
        }
        match (&rule.provider, register) {
            (Provider::Register(named), _) if !self.known.registers.contains_key(named.as_str()) => {
                self.register(at(Table::Permission, row, "register"), named);
            }
            (Provider::Register(named), Some(register)) if named != register => {
                let kind = ProblemKind::OtherRegister(rule.evidence.clone(), register.clone());
                self.report(at(Table::Permission, row, "register"), kind);
            }
            (Provider::Component(component), Some(register))
                if !self.known.served.contains(&(component.as_str(), register.as_str())) =>
            {
                let kind = ProblemKind::UnknownComponent(component.to_string(), register.clone());
                self.report(at(Table::Permission, row, "component"), kind);
            }
            _ => {}
        }
        let Some(register) = register else { return };
        let Some(subjects) = self.known.registers.get(register.as_str()) else {
            return;
        };
        if (rule.subjects.natural() && !subjects.natural()) || (rule.subjects.legal() && !subjects.legal()) {
            self.report(
                at(Table::Permission, row, "subjects"),
                ProblemKind::OtherSubjects(register.clone()),
            );
        }
    }

    /// Checks that the versions of a permission are 1, 2, 3 ….
    fn versions(&mut self) {
        let rules = &self.tables.permissions;
        let mut seen = BTreeSet::new();
        for (row, rule) in rules.iter().enumerate() {
            if !seen.insert((&rule.id, rule.version)) {
                let kind = ProblemKind::DuplicateVersion(rule.reference());
                self.report(at(Table::Permission, row, "id"), kind);
            }
        }
        for (row, rule) in rules.iter().enumerate() {
            if rule.version > 1 && !seen.contains(&(&rule.id, rule.version - 1)) {
                let kind = ProblemKind::VersionGap(rule.reference());
                self.report(at(Table::Permission, row, "version"), kind);
            }
        }
    }

    fn ambiguous(&mut self) {
        let rules = &self.tables.permissions;
        // Two with one id and version are reported as such.
        let clash = |a: &Rule, b: &Rule| a.overlaps(b) && (&a.id, a.version) != (&b.id, b.version);
        for (first, second) in overlapping(rules, Rule::key, clash) {
            let kind = ProblemKind::Ambiguous(rules[first].reference());
            self.report(at(Table::Permission, second, "id"), kind);
        }
    }

    fn bodies(&mut self) {
        let bodies = &self.tables.bodies;
        for (row, body) in bodies.iter().enumerate() {
            self.defects(Table::Body, row, empty_intervals(body.valid, body.recorded));
            for (position, class) in body.classes.iter().enumerate() {
                self.class(element(Table::Body, row, "classes", position), class);
            }
        }
        let clash = |a: &ListedBody, b: &ListedBody| a.valid.overlaps(&b.valid) && a.recorded.overlaps(&b.recorded);
        for (_, second) in overlapping(bodies, |body| body.id.as_str(), clash) {
            let kind = ProblemKind::BodyTwice(bodies[second].id.clone());
            self.report(at(Table::Body, second, "id"), kind);
        }
    }

    fn instances(&mut self) {
        let instances = &self.tables.instances;
        let mut areas: Vec<(usize, &str, &str)> = Vec::new();
        for (row, instance) in instances.iter().enumerate() {
            self.defects(Table::Instance, row, empty_intervals(instance.valid, instance.recorded));
            self.register(at(Table::Instance, row, "register"), &instance.register);
            if !self.known.bodies.contains(instance.body.as_str()) {
                let kind = ProblemKind::UnknownBody(instance.body.clone());
                self.report(at(Table::Instance, row, "body"), kind);
            }
            if instance.areas.is_empty() {
                self.report(at(Table::Instance, row, "areas"), ProblemKind::EmptyList);
            }
            areas.extend(
                instance
                    .areas
                    .iter()
                    .map(|area| (row, instance.register.as_str(), area.as_str())),
            );
        }
        let clash = |a: usize, b: usize| {
            let (a, b) = (&instances[a], &instances[b]);
            a.valid.overlaps(&b.valid) && a.recorded.overlaps(&b.recorded)
        };
        let rows: Vec<usize> = (0..instances.len()).collect();
        let key = |row: &usize| (&instances[*row].component, &instances[*row].register);
        for (_, second) in overlapping(&rows, key, |a, b| clash(*a, *b)) {
            let instance = &instances[second];
            let kind = ProblemKind::ComponentTwice(instance.component.to_string(), instance.register.clone());
            self.report(at(Table::Instance, second, "component"), kind);
        }
        let other = |a: usize, b: usize| instances[a].component != instances[b].component && clash(a, b);
        for (first, second) in overlapping(&areas, |area| (area.1, area.2), |a, b| other(a.0, b.0)) {
            let kind = ProblemKind::TwoCompetent(instances[areas[first].0].component.to_string());
            self.report(at(Table::Instance, areas[second].0, "areas"), kind);
        }
    }

    /// Checks that no two classes of one body have permissions for the same, so that a reader need not know the order
    /// in which the decision tries them.
    fn ambiguous_for_bodies(&mut self) {
        let rules = &self.tables.permissions;
        let mut of_class: HashMap<&BodyClassId, Vec<usize>> = HashMap::new();
        for (row, rule) in rules.iter().enumerate() {
            if let Consumer::Class(class) = &rule.consumer {
                of_class.entry(class).or_default().push(row);
            }
        }
        // Bodies with the same classes have the same rules.
        let bodies: BTreeMap<_, _> = self
            .tables
            .bodies
            .iter()
            .rev()
            .map(|body| (&body.classes, &body.id))
            .collect();
        let mut found = BTreeMap::new();
        for (classes, body) in bodies {
            let mut rows: Vec<usize> = classes
                .iter()
                .filter_map(|class| of_class.get(class))
                .flatten()
                .copied()
                .collect();
            rows.sort_unstable();
            let topic = |row: &usize| {
                (
                    &rules[*row].provider,
                    &rules[*row].evidence,
                    rules[*row].purpose.as_str(),
                )
            };
            let clash =
                |a: &usize, b: &usize| rules[*a].consumer != rules[*b].consumer && rules[*a].overlaps(&rules[*b]);
            for (first, second) in overlapping(&rows, topic, clash) {
                found.entry(rows[second]).or_insert((rows[first], body));
            }
        }
        for (second, (first, body)) in found {
            let kind = ProblemKind::AmbiguousForBody(rules[first].reference(), body.clone());
            self.report(at(Table::Permission, second, "class"), kind);
        }
    }
}

/// Pairs of rows with one key that clash. Only rows with one key are compared.
fn overlapping<'t, T, K: std::hash::Hash + Eq>(
    rows: &'t [T],
    key: impl Fn(&'t T) -> K,
    clash: impl Fn(&T, &T) -> bool,
) -> Vec<(usize, usize)> {
    let mut groups: HashMap<K, Vec<usize>> = HashMap::new();
    let mut found = Vec::new();
    for (row, value) in rows.iter().enumerate() {
        let group = groups.entry(key(value)).or_default();
        // One report for each row is enough to find both.
        if let Some(first) = group.iter().find(|other| clash(&rows[**other], value)) {
            found.push((*first, row));
        }
        group.push(row);
    }
    found
}
