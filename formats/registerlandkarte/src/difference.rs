//! What a change of the tables newly permits and forbids.
//!
//! Two relations are compared for every body, component, evidence type and purpose, each at its own time. What differs
//! is grouped by the rules that decide before and after, so that the change of one rule is one line and not a million.
//!
//! Bodies with the same classes and components without a rule of their own are alike, except for their areas. So the
//! relations are asked once for each kind of pair, and the other pairs of the kind are only counted.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use record::{BodyId, ParticipantId, Subject, Timestamp};

use crate::name::{BodyClassId, EvidenceTypeId};
use crate::placed::{ListedBody, RegisterInstance};
use crate::relation::{Query, Registerlandkarte};
use crate::rule::{Consumer, Provider, Rule};

/// A relation, and the times whose law and knowledge count.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The relation.
    pub relation: &'a Registerlandkarte,
    /// The time whose law counts.
    pub valid_at: Timestamp,
    /// The time whose knowledge counts.
    pub known_at: Timestamp,
}

/// What changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// What was not permitted is.
    Permits,
    /// What was permitted is not.
    Forbids,
    /// It is permitted as before, but with another preview, retention, disclosure, occasion or norm.
    Alters,
}

/// What a request may have besides its parties, evidence type and purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// Whether it is about a legal person.
    pub legal: bool,
    /// Whether it uses the IDNr.
    pub idnr: bool,
    /// Whether a representative acts.
    pub represented: bool,
    /// Whether it names the place of the person, which the provider serves.
    pub place: bool,
}

impl Request {
    /// All that are possible: legal persons have no IDNr.
    fn all() -> impl Iterator<Item = Self> {
        let all = (0..16_u8).map(|bits| Self {
            legal: bits & 1 != 0,
            idnr: bits & 2 != 0,
            represented: bits & 4 != 0,
            place: bits & 8 != 0,
        });
        all.filter(|request| !(request.legal && request.idnr))
    }

    /// Whether this request has all that `other` has, and something more, about the same kind of person.
    #[must_use]
    pub fn has_more_than(&self, other: &Self) -> bool {
        let all = |request: &Self| [request.idnr, request.represented, request.place];
        let covers = all(self)
            .into_iter()
            .zip(all(other))
            .all(|(mine, theirs)| mine || !theirs);
        self.legal == other.legal && covers && self != other
    }
}

/// What changes, and by which rules.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangeKey {
    /// The type of evidence.
    pub evidence: EvidenceTypeId,
    /// The purpose.
    pub purpose: String,
    /// What changes.
    pub effect: Effect,
    /// The rule that decided before, if it was permitted.
    pub before: Option<String>,
    /// The rule that decides after, if it is permitted.
    pub after: Option<String>,
}

/// For whom something changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// The number of pairs of body and component.
    pub pairs: u64,
    /// For which requests.
    pub requests: BTreeSet<Request>,
    /// The first pair.
    pub example: (BodyId, ParticipantId),
}

/// All changes from one relation to another.
#[must_use]
pub fn difference(before: View<'_>, after: View<'_>) -> BTreeMap<ChangeKey, Extent> {
    let (before, after) = (Side::of(before), Side::of(after));
    let changed = Changed::of(&before, &after);
    let mut changes = BTreeMap::new();
    let topics: BTreeSet<Topic<'_>> = before.rules.keys().chain(after.rules.keys()).copied().collect();
    for topic in topics {
        Comparison::of(&before, &after, topic).run(&changed, &mut changes);
    }
    changes
}

/// An evidence type and a purpose.
type Topic<'a> = (&'a EvidenceTypeId, &'a str);

/// What was in force on one side.
struct Side<'a> {
    view: View<'a>,
    bodies: BTreeMap<&'a BodyId, &'a ListedBody>,
    /// By register type and component.
    instances: BTreeMap<(&'a str, &'a ParticipantId), &'a RegisterInstance>,
    rules: BTreeMap<Topic<'a>, Vec<&'a Rule>>,
}

impl<'a> Side<'a> {
    fn of(view: View<'a>) -> Self {
        let tables = view.relation.tables();
        let (mut bodies, mut instances, mut rules) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for body in &tables.bodies {
            if body.valid.contains(view.valid_at) && body.recorded.contains(view.known_at) {
                bodies.insert(&body.id, body);
            }
        }
        for instance in &tables.instances {
            if instance.valid.contains(view.valid_at) && instance.recorded.contains(view.known_at) {
                instances.insert((instance.register.as_str(), &instance.component), instance);
            }
        }
        for rule in &tables.permissions {
            if rule.valid.contains(view.valid_at) && rule.recorded.contains(view.known_at) {
                let topic = (&rule.evidence, rule.purpose.as_str());
                rules.entry(topic).or_insert_with(Vec::new).push(rule);
            }
        }
        Self {
            view,
            bodies,
            instances,
            rules,
        }
    }

    fn rules_of(&self, topic: Topic<'a>) -> &[&'a Rule] {
        self.rules.get(&topic).map_or(&[], Vec::as_slice)
    }

    fn register(&self, evidence: &EvidenceTypeId) -> Option<&'a str> {
        let evidence = self.view.relation.evidence(evidence)?;
        Some(evidence.register.as_str())
    }

    fn components(&self, evidence: &EvidenceTypeId) -> BTreeMap<&'a ParticipantId, &'a RegisterInstance> {
        let Some(register) = self.register(evidence) else {
            return BTreeMap::new();
        };
        let of_register = self.instances.iter().filter(|((of, _), _)| *of == register);
        of_register
            .map(|((_, component), instance)| (*component, *instance))
            .collect()
    }
}

/// The bodies and components whose entries differ. All other pairs differ only if a rule does.
struct Changed<'a> {
    bodies: BTreeSet<&'a BodyId>,
    /// By register type and component.
    components: BTreeSet<(&'a str, &'a ParticipantId)>,
}

impl<'a> Changed<'a> {
    fn of(before: &Side<'a>, after: &Side<'a>) -> Self {
        let body = |side: &Side<'a>, id: &BodyId| side.bodies.get(id).map(|body| (&body.area, &body.classes));
        let areas = |side: &Side<'a>, key: &(&'a str, &'a ParticipantId)| {
            side.instances.get(key).map(|instance| &instance.areas)
        };
        let mut changed = Self {
            bodies: before.bodies.keys().chain(after.bodies.keys()).copied().collect(),
            components: before.instances.keys().chain(after.instances.keys()).copied().collect(),
        };
        changed.bodies.retain(|id| body(before, id) != body(after, id));
        changed.components.retain(|key| areas(before, key) != areas(after, key));
        changed
    }
}

/// What decisions depend on in a body, except for its area: the classes that rules name, and the body if rules name it.
type BodyKind<'a> = (Option<Vec<&'a BodyClassId>>, Option<&'a BodyId>);

/// The same for a component: whether it serves the register, and the component if rules name it.
type ComponentKind<'a> = (bool, Option<&'a ParticipantId>);

/// Pairs of one kind get the same answers: the kinds on both sides, and whether the areas are nested on each side.
type PairKind<'a> = ([BodyKind<'a>; 2], [ComponentKind<'a>; 2], [bool; 2]);

/// The comparison for one topic.
struct Comparison<'c, 'a> {
    sides: [&'c Side<'a>; 2],
    topic: Topic<'a>,
    /// The components that serve the evidence's register, on each side.
    components: [BTreeMap<&'a ParticipantId, &'a RegisterInstance>; 2],
    /// The classes, bodies and components that the rules of either side name.
    classes: BTreeSet<&'a BodyClassId>,
    named_bodies: BTreeSet<&'a BodyId>,
    named_components: BTreeSet<&'a ParticipantId>,
}

impl<'c, 'a> Comparison<'c, 'a> {
    fn of(before: &'c Side<'a>, after: &'c Side<'a>, topic: Topic<'a>) -> Self {
        let mut comparison = Self {
            sides: [before, after],
            topic,
            components: [before, after].map(|side| side.components(topic.0)),
            classes: BTreeSet::new(),
            named_bodies: BTreeSet::new(),
            named_components: BTreeSet::new(),
        };
        for rule in before.rules_of(topic).iter().chain(after.rules_of(topic)) {
            match &rule.consumer {
                Consumer::Class(class) => drop(comparison.classes.insert(class)),
                Consumer::Body(body) => drop(comparison.named_bodies.insert(body)),
            }
            if let Provider::Component(component) = &rule.provider {
                comparison.named_components.insert(component);
            }
        }
        comparison
    }

    fn run(&self, changed: &Changed<'a>, changes: &mut BTreeMap<ChangeKey, Extent>) {
        let [before, after] = self.sides;
        let rules_differ = before.rules_of(self.topic) != after.rules_of(self.topic)
            || before.register(self.topic.0) != after.register(self.topic.0);
        let all_components: BTreeSet<_> = self.components.iter().flat_map(|side| side.keys().copied()).collect();
        let register = before.register(self.topic.0);
        let components: Vec<_> = all_components
            .into_iter()
            .map(|component| {
                let has_changed = register.is_none_or(|register| changed.components.contains(&(register, component)));
                (component, has_changed, self.component_kinds(component))
            })
            .collect();
        let mut known: HashMap<PairKind<'a>, Vec<(ChangeKey, BTreeSet<Request>)>> = HashMap::new();
        let bodies: BTreeSet<_> = self.sides.iter().flat_map(|side| side.bodies.keys().copied()).collect();
        for body in bodies.into_iter().filter(|body| self.is_concerned(body)) {
            let body_changed = rules_differ || changed.bodies.contains(body);
            let body_kinds = self.body_kinds(body);
            for (component, component_changed, component_kinds) in &components {
                if !body_changed && !component_changed {
                    continue;
                }
                let nested = [0, 1].map(|side| self.is_nested(side, body, component));
                let kind = (body_kinds.clone(), *component_kinds, nested);
                let found = known.entry(kind).or_insert_with(|| self.ask(body, component));
                for (key, requests) in found {
                    let extent = changes.entry(key.clone()).or_insert_with(|| Extent {
                        pairs: 0,
                        requests: BTreeSet::new(),
                        example: (body.clone(), (*component).clone()),
                    });
                    extent.pairs += 1;
                    extent.requests.extend(requests.iter().copied());
                }
            }
        }
    }

    fn body_kinds(&self, body: &'a BodyId) -> [BodyKind<'a>; 2] {
        self.sides.map(|side| {
            let classes = side.bodies.get(body).map(|listed| {
                let named = listed.classes.iter().filter(|class| self.classes.contains(class));
                named.collect()
            });
            (classes, self.named_bodies.get(body).copied())
        })
    }

    fn component_kinds(&self, component: &'a ParticipantId) -> [ComponentKind<'a>; 2] {
        let named = self.named_components.get(component).copied();
        [0, 1].map(|side| (self.components[side].contains_key(component), named))
    }

    fn is_nested(&self, side: usize, body: &BodyId, component: &ParticipantId) -> bool {
        let pair = (self.sides[side].bodies.get(body), self.components[side].get(component));
        let (Some(listed), Some(instance)) = pair else {
            return false;
        };
        instance.areas.iter().any(|area| area.is_nested_with(&listed.area))
    }

    /// Whether a rule names the body or one of its classes.
    fn is_concerned(&self, body: &BodyId) -> bool {
        let of_class = |side: &&Side<'a>| {
            let listed = side.bodies.get(body);
            listed.is_some_and(|listed| listed.classes.iter().any(|class| self.classes.contains(class)))
        };
        self.named_bodies.contains(body) || self.sides.iter().any(of_class)
    }

    /// Asks both sides every request of one pair.
    fn ask(&self, body: &BodyId, component: &ParticipantId) -> Vec<(ChangeKey, BTreeSet<Request>)> {
        let mut found: BTreeMap<ChangeKey, BTreeSet<Request>> = BTreeMap::new();
        for request in Request::all() {
            let [before, after] = [0, 1].map(|side| {
                let View {
                    relation,
                    valid_at,
                    known_at,
                } = self.sides[side].view;
                let instance = self.components[side].get(component);
                let query = Query {
                    consumer: body,
                    provider: component,
                    evidence: self.topic.0,
                    purpose: self.topic.1,
                    subject: if request.legal {
                        Subject::Legal
                    } else {
                        Subject::Natural
                    },
                    idnr: request.idnr,
                    represented: request.represented,
                    place: instance
                        .and_then(|instance| instance.areas.first())
                        .filter(|_| request.place),
                };
                relation.decide(&query, valid_at, known_at).ok()
            });
            let effect = match (before, after) {
                (None, Some(_)) => Effect::Permits,
                (Some(_), None) => Effect::Forbids,
                (Some(before), Some(after)) if terms(before) != terms(after) => Effect::Alters,
                _ => continue,
            };
            let key = ChangeKey {
                evidence: self.topic.0.clone(),
                purpose: self.topic.1.to_owned(),
                effect,
                before: before.map(Rule::reference),
                after: after.map(Rule::reference),
            };
            found.entry(key).or_default().insert(request);
        }
        found.into_iter().collect()
    }
}

/// What a rule says of a transmission that it permits.
fn terms(rule: &Rule) -> impl PartialEq {
    (
        rule.preview,
        rule.retention,
        rule.disclosure,
        rule.occasion.clone(),
        rule.procedure.clone(),
        rule.norms.clone(),
    )
}
