//! `landkarte explain`.

use std::path::PathBuf;

use record::{ParticipantId, Timestamp};
use registerlandkarte::Ars;
use registerlandkarte::{BodyId, Consumer, Denied, EvidenceTypeId, Provider, Query, Registerlandkarte, Rule, Subject};

use super::outcome::{Failure, Verdict, relation};

#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// Files, or folders with files; together they are one Registerlandkarte
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The body that would fetch
    #[arg(long, value_name = "BODY")]
    consumer: BodyId,
    /// The component that would provide; without it, the one that is competent for --place
    #[arg(long, value_name = "COMPONENT", required_unless_present = "place")]
    provider: Option<ParticipantId>,
    /// The type of evidence
    #[arg(long, value_name = "EVIDENCE")]
    evidence: EvidenceTypeId,
    /// The purpose; without it, every purpose of a rule for this evidence
    #[arg(long, value_name = "CODE")]
    purpose: Option<String>,
    /// The time whose law counts, such as 2026-11-29T12:00:00Z
    #[arg(long, value_name = "TIME")]
    at: Timestamp,
    /// The time whose knowledge counts; without it, everything that the files record until further notice
    #[arg(long, value_name = "TIME", default_value_t = Timestamp(u64::MAX), hide_default_value = true)]
    known: Timestamp,
    /// The area in which the person lives
    #[arg(long, value_name = "ARS")]
    place: Option<Ars>,
    /// The evidence is about a legal person
    #[arg(long)]
    legal: bool,
    /// The request uses the IDNr
    #[arg(long)]
    idnr: bool,
    /// A representative acts for the person
    #[arg(long)]
    represented: bool,
}

impl Explain {
    pub(crate) fn run(self) -> Result<Verdict, Failure> {
        let Some(relation) = relation(&self.files)? else {
            return Ok(Verdict::Bad);
        };
        self.parties(&relation)?;
        let Some(provider) = self.provider(&relation)? else {
            return Ok(Verdict::Bad);
        };
        let tables = relation.tables();
        let rules = tables.permissions.iter().filter(|rule| rule.evidence == self.evidence);
        let mut purposes: Vec<&str> = match &self.purpose {
            Some(purpose) => vec![purpose],
            None => rules.map(|rule| rule.purpose.as_str()).collect(),
        };
        purposes.sort_unstable();
        purposes.dedup();
        let mut verdict = Verdict::Bad;
        for purpose in purposes {
            if self.explain(&relation, &provider, purpose)? {
                verdict = Verdict::Good;
            }
        }
        Ok(verdict)
    }

    /// Says what consumer and evidence are.
    fn parties(&self, relation: &Registerlandkarte) -> Result<(), Failure> {
        match relation.body(&self.consumer, self.at, self.known) {
            Some(body) => {
                let classes: Vec<&str> = body.classes.iter().map(|class| class.as_str()).collect();
                let (name, area) = (&body.name, area(&body.area));
                output::stdout!("consumer {}: {name}, {area}, classes: {}", body.id, classes.join(", "))?;
            }
            None => output::stdout!("consumer {}: not listed at this time", self.consumer)?,
        }
        match relation.evidence(&self.evidence) {
            Some(evidence) => {
                output::stdout!(
                    "evidence {}: {}, from the register {}",
                    evidence.id,
                    evidence.title,
                    evidence.register
                )?;
            }
            None => output::stdout!("evidence {}: there is no such evidence type", self.evidence)?,
        }
        Ok(())
    }

    /// The provider that is given, or is competent.
    fn provider(&self, relation: &Registerlandkarte) -> Result<Option<ParticipantId>, Failure> {
        let place = match (&self.provider, &self.place) {
            (Some(provider), _) => {
                output::stdout!("provider {provider}")?;
                return Ok(Some(provider.clone()));
            }
            (None, Some(place)) => place,
            (None, None) => return Err(Failure::Usage("--provider or --place is needed".to_owned())),
        };
        match relation.competent(&self.evidence, place, self.at, self.known) {
            Ok(instance) => {
                output::stdout!("provider {}: competent for {}", instance.component, area(place))?;
                Ok(Some(instance.component.clone()))
            }
            Err(reason) => {
                output::stdout!("no provider: {reason}")?;
                Ok(None)
            }
        }
    }

    /// Explains the decision for one purpose. Returns whether it is permitted.
    fn explain(&self, relation: &Registerlandkarte, provider: &ParticipantId, purpose: &str) -> Result<bool, Failure> {
        let query = Query {
            consumer: &self.consumer,
            provider,
            evidence: &self.evidence,
            purpose,
            subject: if self.legal { Subject::Legal } else { Subject::Natural },
            idnr: self.idnr,
            represented: self.represented,
            place: self.place.as_ref(),
        };
        match relation.candidates(&query, self.at, self.known) {
            Ok(candidates) => {
                for candidate in candidates {
                    let verdict = candidate
                        .verdict
                        .map_or_else(|denied| denied.to_string(), |()| "it permits".to_owned());
                    output::stdout!(
                        "rule {} for {}: {verdict}",
                        candidate.rule.reference(),
                        who(candidate.rule)
                    )?;
                }
            }
            Err(denied) => output::stdout!("no rule was tried: {denied}")?,
        }
        match relation.decide(&query, self.at, self.known) {
            Ok(rule) => {
                permitted(relation, rule, purpose)?;
                Ok(true)
            }
            // Without a purpose, those for which no rule was tried would only hide the others.
            Err(Denied::NoRule) if self.purpose.is_none() => Ok(false),
            Err(denied) => {
                output::stdout!("{purpose}: not permitted: {denied}")?;
                Ok(false)
            }
        }
    }
}

fn permitted(relation: &Registerlandkarte, rule: &Rule, purpose: &str) -> Result<(), Failure> {
    output::stdout!("{purpose}: permitted by {} ({})", rule.reference(), rule.occasion)?;
    for norm in relation.norms_of(rule) {
        let heading = norm
            .heading
            .as_ref()
            .map_or(String::new(), |heading| format!(" ({heading})"));
        output::stdout!("  {}{heading}: {}", norm.citation(), norm.permits)?;
        let source = &norm.source;
        output::stdout!(
            "  read on {} in {} at {}: {}",
            source.read,
            source.repository,
            source.commit,
            source.path
        )?;
    }
    output::stdout!("  {}", landkarte::NOTICE)?;
    Ok(())
}

/// To whom a rule applies.
fn who(rule: &Rule) -> String {
    let consumer = match &rule.consumer {
        Consumer::Class(class) => format!("the class {class}"),
        Consumer::Body(body) => format!("the body {body}"),
    };
    match &rule.provider {
        Provider::Register(register) => format!("{consumer} and the register {register}"),
        Provider::Component(component) => format!("{consumer} and the component {component}"),
    }
}

fn area(area: &Ars) -> String {
    if area.as_str().is_empty() {
        "the Federation".to_owned()
    } else {
        format!("area {area}")
    }
}
