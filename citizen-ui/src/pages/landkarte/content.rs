//! One version of the Registerlandkarte with the bodies of one version of the directory, prepared for search.

use std::collections::BTreeSet;

use record::content::OWN_REQUEST;
use record::{BodyId, ParticipantId, Timestamp};
use registerlandkarte::{
    BodyClass, BodyClassId, Consumer, EvidenceType, Norm, NormId, Provider, RegisterType, RegisterTypeId,
    Registerlandkarte, Rule, Tables,
};
use tlog::Hash;
use trust::{Body, Key, TrustMap, Value, relation};

use super::super::own_data::OwnRegister;
use super::query::LandkarteQuery;
use super::search::{folded, matches, words};

/// Where a version comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Number of the version.
    pub version: u32,
    /// Digest of the signed header of its change set, by which records name the version.
    pub header: Hash,
    /// The root over all values of the version.
    pub root: Hash,
    /// Index of the entry of the log that published it.
    pub entry: u64,
    /// The time of that entry.
    pub published: Timestamp,
}

/// One version.
#[derive(Debug)]
pub struct Landkarte {
    /// Where it comes from.
    pub source: Source,
    directory: TrustMap,
    relation: Registerlandkarte,
    /// What each permission says, in the form in which it is searched.
    search: Vec<String>,
}

impl Landkarte {
    /// Prepares a version.
    pub fn of(source: Source, directory: &TrustMap, registerlandkarte: &TrustMap) -> Self {
        let relation = relation(directory, registerlandkarte);
        let mut prepared = Self {
            source,
            directory: directory.clone(),
            relation,
            search: Vec::new(),
        };
        let rules = prepared.tables().permissions.iter();
        prepared.search = rules.map(|rule| prepared.searchable(rule)).collect();
        prepared
    }

    /// The tables.
    pub fn tables(&self) -> &Tables {
        self.relation.tables()
    }

    /// The permissions that are valid at an instant, with the position of each in the tables.
    pub(super) fn in_force(&self, at: Timestamp) -> impl Iterator<Item = (usize, &Rule)> {
        let rules = self.tables().permissions.iter().enumerate();
        rules.filter(move |(_, rule)| rule.valid.contains(at) && rule.recorded.contains(at))
    }

    /// The permissions that a query asks for, as of an instant.
    pub fn found(&self, query: &LandkarteQuery, at: Timestamp) -> Vec<&Rule> {
        let words = words(&query.words);
        let law = |rule: &Rule| {
            let mut norms = self.norms_of(rule).into_iter();
            query.law.is_empty() || norms.any(|norm| norm.law.as_str() == query.law)
        };
        let found = self.in_force(at).filter(|(at, rule)| {
            (query.consumer.is_empty() || self.has_consumer(rule, &query.consumer))
                && (query.provider.is_empty() || self.has_provider(rule, &query.provider))
                && law(rule)
                && matches(&self.search[*at], &words)
        });
        found.map(|(_, rule)| rule).collect()
    }

    /// Whether a permission is one of a class or body: by its name, or for a body also by a class that it belongs to.
    pub(super) fn has_consumer(&self, rule: &Rule, id: &str) -> bool {
        match &rule.consumer {
            Consumer::Body(body) => body.as_str() == id,
            Consumer::Class(class) => {
                class.as_str() == id || self.body(id).is_some_and(|body| body.classes.contains(class))
            }
        }
    }

    fn has_provider(&self, rule: &Rule, id: &str) -> bool {
        match &rule.provider {
            Provider::Component(component) => component.as_str() == id,
            Provider::Register(register) => register.as_str() == id,
        }
    }

    /// Everything that a permission says, for the search.
    fn searchable(&self, rule: &Rule) -> String {
        let mut text = vec![rule.reference(), rule.purpose.to_string(), rule.occasion.to_string()];
        text.push(self.consumer_name(&rule.consumer));
        text.push(self.provider_name(&rule.provider));
        if let Some(evidence) = self.evidence_of(rule) {
            text.push(evidence.title.to_string());
            text.extend(evidence.categories.iter().map(ToString::to_string));
            text.extend(
                self.register(evidence.register.as_str())
                    .map(|register| register.name.to_string()),
            );
        }
        for norm in self.norms_of(rule) {
            text.push(norm.citation());
            text.extend(norm.heading.iter().map(ToString::to_string));
        }
        folded(&text.join(" "))
    }

    /// The name of who may retrieve.
    pub(super) fn consumer_name(&self, consumer: &Consumer) -> String {
        match consumer {
            Consumer::Class(class) => self
                .class(class.as_str())
                .map_or_else(|| class.to_string(), |class| class.name.to_string()),
            Consumer::Body(body) => self
                .body(body.as_str())
                .map_or_else(|| body.to_string(), |body| body.name.to_string()),
        }
    }

    /// The name of who provides.
    pub(super) fn provider_name(&self, provider: &Provider) -> String {
        match provider {
            Provider::Register(register) => self
                .register(register.as_str())
                .map_or_else(|| register.to_string(), |register| register.name.to_string()),
            Provider::Component(component) => {
                let body = self
                    .directory
                    .component(component)
                    .and_then(|component| self.body(component.body.as_str()));
                body.map_or_else(|| component.to_string(), |body| body.name.to_string())
            }
        }
    }

    /// The body of the component that provides.
    pub(super) fn provider_body(&self, provider: &Provider) -> Option<&Body> {
        match provider {
            Provider::Component(component) => self.body(self.directory.component(component)?.body.as_str()),
            Provider::Register(_) => None,
        }
    }

    /// The registers that a component may ask for a person's own data at an instant, each with the component that
    /// answers, by the name of the register.
    pub fn own_registers(&self, me: &ParticipantId, at: Timestamp) -> Vec<OwnRegister> {
        let Some(me) = self.directory.consumer(me) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let rules = self.in_force(at).map(|(_, rule)| rule);
        for rule in
            rules.filter(|rule| rule.purpose.as_str() == OWN_REQUEST && self.has_consumer(rule, me.body.as_str()))
        {
            let Some(evidence) = self.evidence_of(rule) else {
                continue;
            };
            let instances = self.tables().instances.iter().filter(|instance| {
                let asked = match &rule.provider {
                    Provider::Register(register) => instance.register == *register,
                    Provider::Component(component) => instance.component == *component,
                };
                asked && instance.valid.contains(at) && instance.recorded.contains(at)
            });
            // A component that serves several areas is asked once.
            let components: BTreeSet<&ParticipantId> = instances.map(|instance| &instance.component).collect();
            found.extend(components.into_iter().filter_map(|component| {
                let body = self.body(self.directory.provider(component)?.body.as_str())?;
                Some(OwnRegister {
                    component: component.to_string(),
                    evidence: evidence.identifier().to_owned(),
                    register: self.register(evidence.register.as_str())?.name.to_string(),
                    body: body.name.to_string(),
                    contact: body.contact.to_string(),
                    categories: evidence.categories.iter().map(ToString::to_string).collect(),
                    permission: rule.reference(),
                })
            }));
        }
        found.sort_by(|one, other| (&one.register, &one.component).cmp(&(&other.register, &other.component)));
        found
    }

    /// The type of evidence of a permission.
    pub fn evidence_of(&self, rule: &Rule) -> Option<&EvidenceType> {
        self.relation.evidence(&rule.evidence)
    }

    /// The norms of a permission.
    pub fn norms_of(&self, rule: &Rule) -> Vec<&Norm> {
        self.relation.norms_of(rule)
    }

    pub(super) fn norm(&self, id: &NormId) -> Option<&Norm> {
        self.tables().norms.iter().find(|norm| norm.id == *id)
    }

    /// The name of who may retrieve by a permission.
    pub fn name_of_consumer(&self, rule: &Rule) -> String {
        self.consumer_name(&rule.consumer)
    }

    /// The name of who provides by a permission.
    pub fn name_of_provider(&self, rule: &Rule) -> String {
        self.provider_name(&rule.provider)
    }

    /// The class of this name.
    pub fn class(&self, id: &str) -> Option<&BodyClass> {
        self.tables().classes.iter().find(|class| class.id.as_str() == id)
    }

    /// The type of register of this name.
    pub fn register(&self, id: &str) -> Option<&RegisterType> {
        self.tables()
            .registers
            .iter()
            .find(|register| register.id.as_str() == id)
    }

    /// The body of this name.
    pub fn body(&self, id: &str) -> Option<&Body> {
        let id: BodyId = id.parse().ok()?;
        match self.directory.get(&Key::body(&id))?.value() {
            Value::Body(body) => Some(body),
            _ => None,
        }
    }

    /// The bodies that belong to a class.
    pub(super) fn members(&self, class: &BodyClassId) -> Vec<&Body> {
        let bodies = self.tables().bodies.iter().filter(|body| body.classes.contains(class));
        bodies.filter_map(|body| self.body(body.id.as_str())).collect()
    }

    /// The bodies whose components serve a register.
    pub(super) fn serving(&self, register: &RegisterTypeId) -> Vec<&Body> {
        let instances = self
            .tables()
            .instances
            .iter()
            .filter(|instance| instance.register == *register);
        let bodies: BTreeSet<&str> = instances.map(|instance| instance.body.as_str()).collect();
        bodies.into_iter().filter_map(|body| self.body(body)).collect()
    }

    /// The registers that a body's components serve.
    pub(super) fn served_by(&self, body: &BodyId) -> Vec<&RegisterType> {
        let instances = self.tables().instances.iter().filter(|instance| instance.body == *body);
        let registers: BTreeSet<&str> = instances.map(|instance| instance.register.as_str()).collect();
        registers
            .into_iter()
            .filter_map(|register| self.register(register))
            .collect()
    }

    /// Name and id of everyone who may retrieve, by name.
    pub(super) fn consumers(&self) -> Vec<(String, String)> {
        let consumers = self.tables().permissions.iter().map(|rule| match &rule.consumer {
            Consumer::Class(class) => (self.consumer_name(&rule.consumer), class.to_string()),
            Consumer::Body(body) => (self.consumer_name(&rule.consumer), body.to_string()),
        });
        consumers.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Name and id of every register that has to provide, by name.
    pub(super) fn providers(&self) -> Vec<(String, String)> {
        let providers = self.tables().permissions.iter().map(|rule| match &rule.provider {
            Provider::Register(register) => (self.provider_name(&rule.provider), register.to_string()),
            Provider::Component(component) => (self.provider_name(&rule.provider), component.to_string()),
        });
        providers.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The laws that permit something.
    pub(super) fn laws(&self) -> BTreeSet<&str> {
        let rules = self.tables().permissions.iter();
        let ids: BTreeSet<&NormId> = rules.flat_map(|rule| &rule.norms).collect();
        ids.into_iter()
            .filter_map(|id| Some(self.norm(id)?.law.as_str()))
            .collect()
    }
}
