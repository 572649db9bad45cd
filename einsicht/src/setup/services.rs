//! The configuration of the online services. What they need and on which law comes from the Registerlandkarte.

use antrag::config::{Config, Law, Need, Service};
use anyhow::{Context, Result};
use registerlandkarte::{Provider, Tables};
use service::openid::LoginConfig;

use super::registers::labels;
use crate::ports::Ports;
use crate::world::{DemoNeed, DemoService, World};

/// The services, whose people log in with `login` and find what was recorded in the portal.
pub(super) fn services(world: &World, ports: &Ports, login: LoginConfig) -> Result<Config> {
    let services = world.services.iter().map(|service| one(service, world, ports));
    Ok(Config {
        public_url: ports.url("antrag")?,
        cockpit: format!("{}/", ports.url("portal")?),
        login,
        services: services.collect::<Result<_>>()?,
    })
}

fn one(service: &DemoService, world: &World, ports: &Ports) -> Result<Service> {
    let needs = service
        .needs
        .iter()
        .map(|wanted| need(wanted, &world.registerlandkarte));
    Ok(Service {
        id: service.id.clone(),
        title: service.title.clone(),
        authority: service.authority.clone(),
        about: service.about.clone(),
        connector: ports.url(&format!("connector-{}", service.connector))?,
        credential: None,
        official: service.official.clone(),
        needs: needs.collect::<Result<_>>()?,
    })
}

fn need(wanted: &DemoNeed, tables: &Tables) -> Result<Need> {
    let id = &wanted.permission;
    let rules = tables.permissions.iter().filter(|rule| rule.id.as_str() == id);
    let rule = rules.max_by_key(|rule| rule.version);
    let rule = rule.with_context(|| format!("the Registerlandkarte has no permission {id}"))?;
    let evidence = tables.evidence.iter().find(|evidence| evidence.id == rule.evidence);
    let evidence = evidence.with_context(|| format!("the permission {id} names no known evidence"))?;
    let register = match &rule.provider {
        Provider::Register(register) => tables.registers.iter().find(|row| row.id == *register),
        Provider::Component(_) => None,
    };
    let register = register.with_context(|| format!("the permission {id} names no known register"))?;
    let laws = rule
        .norms
        .iter()
        .filter_map(|norm| tables.norms.iter().find(|row| row.id == *norm));
    Ok(Need {
        title: evidence.title.to_string(),
        register: register.name.to_string(),
        categories: evidence.categories.iter().map(ToString::to_string).collect(),
        laws: laws
            .map(|norm| Law {
                citation: norm.citation(),
                permits: norm.permits.to_string(),
            })
            .collect(),
        labels: labels(evidence.identifier())?,
        evidence_type: evidence.identifier().to_owned(),
        purpose: rule.purpose.to_string(),
        place: wanted.place.as_ref().map(ToString::to_string),
        provider: wanted.provider.as_ref().map(ToString::to_string),
        asynchronous: wanted.asynchronous,
    })
}
