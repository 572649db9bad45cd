//! The decision, and which component is competent for a place.

use record::{Ars, BodyId, ParticipantId, Subject, Timestamp};
use thiserror::Error;
use tlog::Hash;

use crate::catalogue::EvidenceType;
use crate::check::check;
use crate::index::{Index, Who, slots_of};
use crate::name::EvidenceTypeId;
use crate::norm::Norm;
use crate::permission::Permission;
use crate::placed::{ListedBody, RegisterInstance};
use crate::problem::Problem;
use crate::rule::{AreaRelation, Rule};
use crate::tables::Tables;

/// Permissions by class, with the bodies and components that they apply to.
#[derive(Debug, Clone)]
pub struct Registerlandkarte {
    /// Sorted, and without problems.
    tables: Tables,
    index: Index,
}

/// What a decision depends on: everything that the broker knows about a request. It names no person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query<'a> {
    /// The body that requests the evidence.
    pub consumer: &'a BodyId,
    /// The component that would provide it.
    pub provider: &'a ParticipantId,
    /// The type of evidence.
    pub evidence: &'a EvidenceTypeId,
    /// The purpose code.
    pub purpose: &'a str,
    /// What it is about.
    pub subject: Subject,
    /// Whether the request uses the IDNr.
    pub idnr: bool,
    /// Whether a representative acts for the person.
    pub represented: bool,
    /// The area in which the person lives, if the request names it.
    pub place: Option<&'a Ars>,
}

/// Why a transmission is not permitted. The requester only learns that it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Denied {
    /// At the given times the consumer was no body of the relation.
    #[error("the consumer is not listed")]
    Consumer,
    /// At the given times the provider did not serve the register of the evidence type.
    #[error("the provider does not serve the evidence's register")]
    Provider,
    /// At the given times there was no rule for this consumer, provider, evidence and purpose.
    #[error("no rule permits this")]
    NoRule,
    /// The rule does not permit evidence of such a person.
    #[error("the rule does not permit evidence of such a person")]
    Subject,
    /// The rule does not permit using the IDNr.
    #[error("the rule does not permit using the IDNr")]
    Idnr,
    /// The rule does not permit that a representative acts.
    #[error("the rule does not permit that a representative acts")]
    Representation,
    /// The rule demands the place of the person, and the query does not name it.
    #[error("the rule depends on the place of the person, which the query does not name")]
    NoPlace,
    /// The areas are not related as the rule demands.
    #[error("the areas are not related as the rule demands")]
    Area,
}

/// Why no component is competent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotCompetent {
    /// There is no such evidence type.
    #[error("there is no such evidence type")]
    Evidence,
    /// At the given times no component served the place.
    #[error("no component serves this place")]
    Place,
}

/// A rule that a decision tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// Whether it permits the query.
    pub verdict: Result<(), Denied>,
}

impl Registerlandkarte {
    /// Checks tables, sorts and indexes them.
    ///
    /// # Errors
    /// All problems of the tables.
    pub fn new(tables: Tables) -> Result<Self, Vec<Problem>> {
        let problems = check(&tables);
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self::indexed(tables))
    }

    /// Sorts and indexes tables that were checked before, or row by row. A row that names something that the tables do
    /// not have applies to nothing.
    #[must_use]
    pub fn indexed(mut tables: Tables) -> Self {
        tables.sort();
        let index = Index::of(&tables);
        Self { tables, index }
    }

    /// The tables, sorted by name.
    #[must_use]
    pub const fn tables(&self) -> &Tables {
        &self.tables
    }

    pub(crate) const fn index(&self) -> &Index {
        &self.index
    }

    /// The norms of a rule.
    #[must_use]
    pub fn norms_of(&self, rule: &Rule) -> Vec<&Norm> {
        let norms = &self.tables.norms;
        let find = |id| norms.binary_search_by(|norm| norm.id.cmp(id)).ok();
        rule.norms.iter().filter_map(find).map(|at| &norms[at]).collect()
    }

    /// The evidence type of this name.
    #[must_use]
    pub fn evidence(&self, id: &EvidenceTypeId) -> Option<&EvidenceType> {
        let at = self.index.evidence.get(id.as_str())?;
        self.tables.evidence.get(at as usize)
    }

    /// The evidence type with this identifier, which messages and records contain ([`EvidenceType::identifier`]).
    #[must_use]
    pub fn identified(&self, identifier: &str) -> Option<&EvidenceType> {
        let at = *self.index.identifiers.get(identifier)?;
        self.tables.evidence.get(at as usize)
    }

    /// The permission that a rule gives. `registerlandkarte` is the digest of the signed header of the version that
    /// contains it.
    #[must_use]
    pub fn permission(&self, rule: &Rule, registerlandkarte: Hash) -> Option<Permission> {
        Some(Permission {
            rule: rule.clone(),
            evidence: self.evidence(&rule.evidence)?.info(),
            why: rule.why(&self.norms_of(rule)),
            registerlandkarte,
        })
    }

    /// The body's entry that was in force.
    #[must_use]
    pub fn body(&self, id: &BodyId, valid_at: Timestamp, known_at: Timestamp) -> Option<&ListedBody> {
        let (_, row) = self.index.body(id.as_str(), valid_at, known_at)?;
        self.tables.bodies.get(row)
    }

    /// Decides under the law at `valid_at`, as recorded at `known_at`. The decision depends on nothing else.
    ///
    /// # Errors
    /// See [`Denied`].
    pub fn decide(&self, query: &Query<'_>, valid_at: Timestamp, known_at: Timestamp) -> Result<&Rule, Denied> {
        let mut denied = None;
        for candidate in self.candidates(query, valid_at, known_at)? {
            match candidate.verdict {
                Ok(()) => return Ok(candidate.rule),
                Err(reason) => denied = denied.or(Some(reason)),
            }
        }
        Err(denied.unwrap_or(Denied::NoRule))
    }

    /// The rules that were in force for this consumer, provider, evidence and purpose, in the order in which a decision
    /// tries them.
    ///
    /// # Errors
    /// [`Denied::Consumer`], [`Denied::Provider`].
    pub fn candidates<'a, 'q>(
        &'a self,
        query: &Query<'q>,
        valid_at: Timestamp,
        known_at: Timestamp,
    ) -> Result<impl Iterator<Item = Candidate<'a>> + use<'a, 'q>, Denied> {
        let index = &self.index;
        let body = index.body(query.consumer.as_str(), valid_at, known_at);
        let (consumer, body) = body.ok_or(Denied::Consumer)?;
        let evidence = index.evidence.get(query.evidence.as_str()).ok_or(Denied::NoRule)?;
        let register = index.register_of[evidence as usize];
        let provider = index.component(query.provider.as_str(), register, valid_at, known_at);
        let (component, instance) = provider.ok_or(Denied::Provider)?;
        let classes = index.classes_of(body).iter().map(|class| Who::General(*class));
        let (body, instance) = (&self.tables.bodies[body], &self.tables.instances[instance]);
        let slots = match index.purposes.get(query.purpose) {
            Some(purpose) => index.rules_for(evidence, purpose),
            None => &[],
        };
        let consumers = std::iter::once(Who::Named(consumer)).chain(classes);
        let pairs = consumers.flat_map(move |consumer| {
            [Who::Named(component), Who::General(register)].map(|provider| (consumer, provider))
        });
        let rules = pairs.flat_map(move |(consumer, provider)| slots_of(slots, consumer, provider));
        let rules = rules.map(|slot| &self.tables.permissions[slot.rule as usize]);
        let in_force = move |rule: &&Rule| rule.valid.contains(valid_at) && rule.recorded.contains(known_at);
        let query = *query;
        Ok(rules.filter(in_force).map(move |rule| Candidate {
            rule,
            verdict: verdict(rule, body, instance, &query),
        }))
    }

    /// The component that is competent for an evidence type at a place (Registerdatennavigation): of those that serve
    /// the place, the one with the smallest area.
    ///
    /// # Errors
    /// See [`NotCompetent`].
    pub fn competent(
        &self,
        evidence: &EvidenceTypeId,
        place: &Ars,
        valid_at: Timestamp,
        known_at: Timestamp,
    ) -> Result<&RegisterInstance, NotCompetent> {
        let evidence = self
            .index
            .evidence
            .get(evidence.as_str())
            .ok_or(NotCompetent::Evidence)?;
        let register = self.index.register_of[evidence as usize];
        let rows = place.enclosing().flat_map(|area| self.index.serving(register, area));
        let mut instances = rows.map(|row| &self.tables.instances[*row as usize]);
        instances
            .find(|instance| instance.valid.contains(valid_at) && instance.recorded.contains(known_at))
            .ok_or(NotCompetent::Place)
    }
}

/// Whether a rule permits a query.
fn verdict(rule: &Rule, body: &ListedBody, instance: &RegisterInstance, query: &Query<'_>) -> Result<(), Denied> {
    let subject_fits = match query.subject {
        Subject::Natural => rule.subjects.natural(),
        Subject::Legal => rule.subjects.legal(),
    };
    if !subject_fits {
        return Err(Denied::Subject);
    }
    if query.idnr && !rule.idnr {
        return Err(Denied::Idnr);
    }
    if query.represented && !rule.representation {
        return Err(Denied::Representation);
    }
    let mut areas = instance.areas.iter();
    let areas_fit = match (rule.area, query.place) {
        (AreaRelation::Any, _) => true,
        (AreaRelation::Own, _) => areas.any(|area| area.is_nested_with(&body.area)),
        (AreaRelation::Person, Some(place)) => areas.any(|area| area.contains(place)),
        (AreaRelation::Person, None) => return Err(Denied::NoPlace),
    };
    if areas_fit { Ok(()) } else { Err(Denied::Area) }
}
