//! The processes of an exchange with mutual TLS.

use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

use crate::processes::Processes;

const PROVIDER: &str = "bund:kba:zfzr";

/// Starts the processes of an exchange between Rheinfurt and the KBA, all with certificates, and the join service.
///
/// # Errors
/// A process does not start.
pub fn start(data: &Path, base: &str) -> Result<Processes> {
    let mut processes = Processes::seed(data, base)?;
    let info = processes.info.clone();
    let secure = |url: &str| Value::from(url.replacen("http://", "https://", 1));
    let tls = |hosts: &[&str]| json!({ "issuer": info.join, "authorities": "../join/authority.pem", "hosts": hosts });
    processes.configure("broker", |config| {
        config["tls"] = tls(&["127.0.0.1"]);
        config["routes"][PROVIDER] = secure(&info.connectors["kba"]);
    })?;
    processes.configure("connector-rheinfurt", |config| {
        config["tls"] = tls(&[]);
        config["role"]["consumer"]["broker"] = secure(&info.broker);
    })?;
    processes.configure("connector-kba", |config| config["tls"] = tls(&[]))?;
    processes.start_all()?;
    processes.up("join", "join", &info.join)?;
    processes.all_healthy()?;
    Ok(processes)
}
