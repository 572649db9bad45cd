//! The processes of an exchange with mutual TLS.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::DemoInfo;
use crate::processes::Processes;

const PROVIDER: &str = "bund:kba:zfzr";

/// The component that stands for the cockpit.
pub const COCKPIT: &str = "bund:bva:datenschutzcockpit";
/// How far above the ledger's port that of its writing entrance is.
const WRITING: u16 = 70;

/// Starts the processes of an exchange between Rheinfurt and the KBA, all with certificates, and the join service.
///
/// # Errors
/// A process does not start.
pub fn start(data: &Path, base: &str) -> Result<Processes> {
    start_with(data, base, |_| Ok(()))
}

/// The same, with a further change of the configurations.
///
/// # Errors
/// As [`start`], and those of `change`.
pub fn start_with(data: &Path, base: &str, change: impl FnOnce(&Processes) -> Result<()>) -> Result<Processes> {
    let mut processes = Processes::seed(data, base)?;
    let info = processes.info.clone();
    let writing = writing(&info)?;
    processes.configure("ledger", |config| {
        remove(config, &["records_credentials"]);
        config["writing"] = json!({ "listen": writing, "tls": tls(&info, &["127.0.0.1"]), "records": [COCKPIT] });
    })?;
    processes.configure("identity", |config| {
        remove(config, &["broker_credential", "portal_credential"]);
        config["tls"] = tls(&info, &["127.0.0.1"]);
        config["ledger_writing"] = format!("https://{writing}").into();
        config["cockpit"] = COCKPIT.into();
    })?;
    processes.configure("broker", |config| {
        remove(config, &["identity_credential"]);
        config["tls"] = tls(&info, &["127.0.0.1"]);
        config["ledger_writing"] = format!("https://{writing}").into();
        config["identity"] = secure(&info.identity);
        config["routes"][PROVIDER] = secure(&info.connectors["kba"]);
    })?;
    consumer(&processes, "connector-rheinfurt")?;
    processes.configure("connector-kba", |config| config["tls"] = tls(&info, &[]))?;
    change(&processes)?;
    processes.start_all()?;
    processes.up("join", "join", &info.join)?;
    processes.all_healthy()?;
    Ok(processes)
}

/// The address of the ledger's writing entrance.
///
/// # Errors
/// The demonstration's facts name no address of the ledger.
pub fn writing(info: &DemoInfo) -> Result<SocketAddr> {
    let public: SocketAddr = info.ledger.strip_prefix("http://").context("http")?.parse()?;
    Ok(SocketAddr::new(public.ip(), public.port() + WRITING))
}

fn remove(config: &mut Value, fields: &[&str]) {
    for field in fields {
        config.as_object_mut().and_then(|config| config.remove(*field));
    }
}

/// Lets a consumer's connector call the broker with a certificate. It must not have been started.
///
/// # Errors
/// Its configuration cannot be changed.
pub fn consumer(processes: &Processes, name: &str) -> Result<()> {
    let info = &processes.info;
    processes.configure(name, |config| {
        config["tls"] = tls(info, &[]);
        config["role"]["consumer"]["broker"] = secure(&info.broker);
    })
}

fn secure(url: &str) -> Value {
    url.replacen("http://", "https://", 1).into()
}

fn tls(info: &DemoInfo, hosts: &[&str]) -> Value {
    json!({ "issuer": info.join, "authorities": "../join/authority.pem", "hosts": hosts })
}
