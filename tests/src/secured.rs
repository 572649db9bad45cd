//! The processes of an exchange with mutual TLS.

use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

use crate::DemoInfo;
use crate::processes::Processes;

const PROVIDER: &str = "bund:kba:zfzr";

/// Starts the processes of an exchange between Rheinfurt and the KBA, all with certificates, and the join service.
///
/// # Errors
/// A process does not start.
pub fn start(data: &Path, base: &str) -> Result<Processes> {
    let mut processes = Processes::seed(data, base)?;
    let info = processes.info.clone();
    processes.configure("broker", |config| {
        config["tls"] = tls(&info, &["127.0.0.1"]);
        config["routes"][PROVIDER] = secure(&info.connectors["kba"]);
    })?;
    consumer(&processes, "connector-rheinfurt")?;
    processes.configure("connector-kba", |config| config["tls"] = tls(&info, &[]))?;
    processes.start_all()?;
    processes.up("join", "join", &info.join)?;
    processes.all_healthy()?;
    Ok(processes)
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
