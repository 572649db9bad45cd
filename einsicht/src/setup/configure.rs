//! The configuration files. Every start rewrites them, because addresses may differ.
//!
//! A compartment needs only its own directory, which holds its keys, a copy of the trust policy, and its `config.json`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use identity::persons::import::import;
use record::TestNumbers;
use serde_json::{Value, json};
use service::durable::{private_directory, write_atomic, write_private};
use service::openid::LoginConfig;
use tlog::log_list::{self, ListedLog};

use super::Setup;
use super::registers::REGISTERS;
use super::services::services;
use crate::ports::Ports;
use crate::world::{COCKPIT, ORIGIN, PERSONS, PORTAL, Participant, WITNESSES, World};

/// Who runs the demonstration's witnesses.
const WITNESS_OPERATOR: &str = "Demonstration (derselbe Rechner)";
const CLIENT_ID: &str = "einsicht-portal";
/// The client id of the online services.
const ANTRAG: &str = "einsicht-antrag";
/// The level of assurance "hoch" as an eIDAS URI.
const ACR: &str = "http://eidas.europa.eu/LoA/high";

/// The name under which the ledger's writing entrance has its port.
pub(crate) const WRITING: &str = "ledger-writing";
/// The hosts of the listeners with TLS whose host the directory does not have.
const HOSTS: [&str; 1] = ["127.0.0.1"];

/// Writes the files of every compartment.
pub(crate) fn configure(setup: &Setup, world: &World, ports: &Ports) -> Result<()> {
    let policy = policy(setup, ports)?;
    write_atomic(&setup.policy_path(), policy.as_bytes())?;
    let authorities = std::fs::read_to_string(setup.data.join("join/authority.pem"))?;
    let files = Files {
        setup,
        policy: &policy,
        authorities: &authorities,
    };
    witnesses(setup, &files)?;
    files.compartment("ledger", &ledger(setup, ports)?)?;
    files.compartment("broker", &broker(setup, world, ports)?)?;
    files.compartment("identity", &identity(setup, ports)?)?;
    files.compartment("join", &join(setup, ports)?)?;
    population(setup)?;
    let portal = portal(setup, world, ports)?;
    let antrag = services(world, ports, login(ports, ANTRAG)?)?;
    files.compartment("test-login", &test_login(world, &portal, &antrag, ports)?)?;
    files.compartment("antrag", &serde_json::to_value(&antrag)?)?;
    files.compartment("portal", &portal)?;
    for participant in world.participants.iter().filter(|participant| participant.runs) {
        connector(setup, world, participant, (ports, &files))?;
    }
    Ok(())
}

struct Files<'a> {
    setup: &'a Setup,
    policy: &'a str,
    /// The certificate of the certificate authority.
    authorities: &'a str,
}

impl Files<'_> {
    fn compartment(&self, name: &str, config: &Value) -> Result<()> {
        let folder = self.setup.data.join(name);
        private_directory(&folder)?;
        write_atomic(&folder.join("trust.policy"), self.policy.as_bytes())?;
        write_atomic(&folder.join("authorities.pem"), self.authorities.as_bytes())?;
        write(&folder.join("config.json"), config)
    }
}

fn write(path: &Path, value: &Value) -> Result<()> {
    let mut json = serde_json::to_vec_pretty(value)?;
    json.push(b'\n');
    write_atomic(path, &json).with_context(|| path.display().to_string())
}

/// The trust policy (c2sp.org/tlog-policy): the log, and three witnesses of which two are a quorum.
fn policy(setup: &Setup, ports: &Ports) -> Result<String> {
    let mut policy = format!("log {}\n", setup.secrets.log.verifier_key()?);
    for (name, key) in WITNESSES.iter().zip(&setup.secrets.witnesses) {
        policy.push_str(&format!(
            "witness {name} {} {}\n",
            key.verifier_key()?,
            ports.url(name)?
        ));
    }
    policy.push_str(&format!(
        "group witnesses 2 {}\nquorum witnesses\n",
        WITNESSES.join(" ")
    ));
    Ok(policy)
}

fn witnesses(setup: &Setup, files: &Files<'_>) -> Result<()> {
    let logs = log_list::emit(&[ListedLog::new(setup.secrets.log.verifier_key()?)]);
    for name in WITNESSES {
        let folder = files.setup.data.join(name);
        private_directory(&folder)?;
        write_atomic(&folder.join("logs"), logs.as_bytes())?;
    }
    Ok(())
}

/// How a process gets its certificates. `hosts` are those of its listener, if the directory does not say so.
fn tls(ports: &Ports, hosts: &[&str]) -> Result<Value> {
    Ok(json!({ "issuer": ports.url("join")?, "authorities": "authorities.pem", "hosts": hosts }))
}

fn ledger(setup: &Setup, ports: &Ports) -> Result<Value> {
    Ok(json!({
        "data": ".",
        "origin": ORIGIN,
        "log_keys": [{ "file": "log.key" }],
        "writer_key": "writer.key",
        "policy": "trust.policy",
        "genesis": setup.genesis_hash().to_string(),
        "writing": { "listen": ports.address(WRITING)?, "tls": tls(ports, &HOSTS)?, "records": [PORTAL] },
        // The witnesses are in the same process. A short interval makes the past faster.
        "witness_interval_ms": 50,
    }))
}

fn broker(setup: &Setup, world: &World, ports: &Ports) -> Result<Value> {
    let mut routes = serde_json::Map::new();
    for participant in world.participants.iter().filter(|participant| !participant.collects) {
        let url = if participant.runs {
            ports.secure_url(&format!("connector-{}", participant.short))?
        } else {
            // Out of service: no process listens on port 1 (RFC 6335 assigns it to tcpmux, which is not in use).
            "https://127.0.0.1:1".to_owned()
        };
        routes.insert(participant.id.to_string(), url.into());
    }
    Ok(json!({
        "data": ".",
        "ledger": ports.url("ledger")?,
        "ledger_writing": ports.secure_url(WRITING)?,
        "identity": ports.secure_url("identity")?,
        "tls": tls(ports, &HOSTS)?,
        "routes": routes,
        "policy": "trust.policy",
        "genesis": setup.genesis_hash().to_string(),
        "writer_key": "writer.key",
    }))
}

fn identity(setup: &Setup, ports: &Ports) -> Result<Value> {
    Ok(json!({
        "data": ".",
        "persons": "persons.redb",
        "test_numbers": "allowed",
        "ledger": ports.url("ledger")?,
        "policy": "trust.policy",
        "genesis": setup.genesis_hash().to_string(),
        "writer_key": "writer.key",
        "signing_key": "signing.key",
        "sealing_key": "sealing.key",
        "ledger_writing": ports.secure_url(WRITING)?,
        "tls": tls(ports, &HOSTS)?,
        "cockpit": PORTAL,
        "login": { "issuer": ports.url("test-login")?, "client_id": CLIENT_ID, "acr": ACR },
    }))
}

fn join(setup: &Setup, ports: &Ports) -> Result<Value> {
    Ok(json!({
        "data": ".",
        "ledger": ports.url("ledger")?,
        "policy": "trust.policy",
        "genesis": setup.genesis_hash().to_string(),
        "authorities": [{ "key": "authority.key", "certificate": "authority.pem" }],
        "hosts": { "broker": HOSTS, "identity": HOSTS, "ledger": HOSTS },
    }))
}

/// Imports the citizens into identity's store.
fn population(setup: &Setup) -> Result<()> {
    let folder = setup.data.join("identity");
    let file = folder.join("persons.json");
    write_private(&file, PERSONS.as_bytes())?;
    import(&file, &folder.join("persons.redb"), TestNumbers::Allowed)?;
    Ok(())
}

/// How a client logs people in.
fn login(ports: &Ports, client_id: &str) -> Result<LoginConfig> {
    Ok(LoginConfig {
        issuer: ports.url("test-login")?,
        client_id: client_id.to_owned(),
        client_secret: None,
        acr: ACR.to_owned(),
    })
}

fn test_login(world: &World, portal: &Value, antrag: &antrag::Config, ports: &Ports) -> Result<Value> {
    let users: Vec<Value> = world
        .persons
        .iter()
        .filter(|person| !person.blocked)
        .map(|person| {
            json!({
                "sub": person.subject,
                "user": person.subject,
                "name": format!("{} {}", person.given_name, person.family_name),
                "person": {
                    "given_name": person.given_name,
                    "family_name": person.family_name,
                    "birthdate": person.date_of_birth,
                    "postal_code": person.postal_code,
                    "locality": person.place,
                },
            })
        })
        .collect();
    let portal: citizen_ui_server::Config = serde_json::from_value(portal.clone())?;
    Ok(json!({
        "issuer": ports.url("test-login")?,
        "users": users,
        "clients": [
            { "client_id": CLIENT_ID, "redirect_uris": [portal.redirect_uri()] },
            { "client_id": ANTRAG, "redirect_uris": [antrag.redirect_uri()], "person": true },
        ],
        "acr": ACR,
    }))
}

fn portal(setup: &Setup, world: &World, ports: &Ports) -> Result<Value> {
    let cockpit = world
        .participants
        .iter()
        .find(|participant| participant.short == COCKPIT);
    let cockpit = cockpit.context("the demonstration has no cockpit")?;
    let operators: serde_json::Map<String, Value> = WITNESSES
        .iter()
        .map(|name| ((*name).to_owned(), WITNESS_OPERATOR.into()))
        .collect();
    Ok(json!({
        "public_url": ports.url("portal")?,
        "ledger": ports.url("ledger")?,
        "identity": ports.secure_url("identity")?,
        "component": {
            "id": PORTAL,
            "signing_key": "signing.key",
            "data": ".",
            "tls": tls(ports, &[])?,
            "ledger_writing": ports.secure_url(WRITING)?,
        },
        "policy": "trust.policy",
        "genesis": setup.genesis_hash().to_string(),
        "login": { "issuer": ports.url("test-login")?, "client_id": CLIENT_ID, "acr": ACR },
        "witness_operators": operators,
        "security_contact": "mailto:sicherheit@einsicht.example",
        "own_requests": {
            "connector": ports.url(&format!("connector-{COCKPIT}"))?,
            "credential": "connector.credential",
            "participant": cockpit.id,
        },
        "verifier": verifier(),
    }))
}

/// The verifier beside the running program, if it was built.
fn verifier() -> Option<PathBuf> {
    let beside = std::env::current_exe().ok()?.with_file_name("verifier");
    beside.is_file().then_some(beside)
}

fn connector(
    setup: &Setup,
    world: &World,
    participant: &Participant,
    (ports, files): (&Ports, &Files<'_>),
) -> Result<()> {
    let short = &participant.short;
    let role = if participant.short == COCKPIT {
        let digest = hex::encode(setup.secrets.portal_at_connector.digest().0);
        json!({ "consumer": { "broker": ports.secure_url("broker")?, "credential_digest": digest, "deadline_seconds": 15 } })
    } else if participant.consumer {
        json!({ "consumer": { "broker": ports.secure_url("broker")? } })
    } else {
        let collects_from = participant.collects.then(|| ports.secure_url("broker")).transpose()?;
        json!({ "provider": {
            "register": ports.url(&format!("register-{short}"))?,
            "register_credential": "register.credential",
            "collects_from": collects_from,
        } })
    };
    let config = json!({
        "participant": participant.id,
        "data": ".",
        "ledger": ports.url("ledger")?,
        "policy": "trust.policy",
        "genesis": setup.genesis_hash().to_string(),
        "signing_key": "signing.key",
        "sealing_key": "sealing.key",
        "tls": tls(ports, &[])?,
        "test": true,
        "role": role,
    });
    files.compartment(&format!("connector-{short}"), &config)?;
    if participant.consumer {
        return Ok(());
    }
    register(setup, world, short)
}

fn register(setup: &Setup, world: &World, short: &str) -> Result<()> {
    let (_, schema, data) = REGISTERS
        .iter()
        .find(|(name, _, _)| *name == short)
        .with_context(|| format!("no register data for {short}"))?;
    let credential = setup
        .secrets
        .at_registers
        .get(short)
        .context("a provider has no credential for its register")?;
    let preparation = world.past.as_ref().and_then(|past| past.preparation_seconds.get(short));
    let folder = setup.data.join(format!("register-{short}"));
    private_directory(&folder)?;
    write_atomic(&folder.join("schema.json"), schema.as_bytes())?;
    write_private(&folder.join("data.json"), data.as_bytes())?;
    let config = json!({
        "directory": ".",
        "schema": "schema.json",
        "data": "data.json",
        "credential_digest": hex::encode(credential.digest().0),
        "banner": "Demonstrator – alle Personen sind erfunden",
        "preparation_seconds": preparation.cloned().unwrap_or_default(),
    });
    write(&folder.join("config.json"), &config)
}
