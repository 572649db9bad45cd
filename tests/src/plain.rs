//! The processes of a demonstration without TLS: plain HTTP, with bearer credentials in the place of certificates.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};
use service::secret::Credential;

use crate::DemoInfo;

/// Rewrites the configurations below `data`, and the addresses in `info`. No process may be running.
///
/// # Errors
/// A file cannot be read or written.
pub fn configure(data: &Path, info: &mut DemoInfo) -> Result<()> {
    let digest = |file: &str| created(&data.join(file));
    let (broker, portal) = (
        digest("broker/identity.credential")?,
        digest("portal/identity.credential")?,
    );
    let at_ledger = digest("portal/ledger.credential")?;
    for url in [&mut info.broker, &mut info.identity]
        .into_iter()
        .chain(info.connectors.values_mut())
    {
        *url = url.replacen("https://", "http://", 1);
    }
    for name in folders(data)? {
        rewrite(data, &name, |config| {
            plain_urls(config);
            let Some(config) = config.as_object_mut() else { return };
            for field in ["tls", "writing", "ledger_writing", "cockpit", "component"] {
                config.remove(field);
            }
            config.extend(match name.as_str() {
                "ledger" => fields(json!({ "records_credentials": [at_ledger] })),
                "identity" => fields(json!({ "broker_credential": broker, "portal_credential": portal })),
                "broker" => fields(json!({ "identity_credential": "identity.credential" })),
                "portal" => fields(json!({
                    "identity_credential": "identity.credential",
                    "ledger_credential": "ledger.credential",
                })),
                _ => Map::new(),
            });
        })?;
    }
    Ok(())
}

/// Changes the configuration of the process with the folder `name`.
///
/// # Errors
/// A file cannot be read or written.
pub fn rewrite(data: &Path, name: &str, change: impl FnOnce(&mut Value)) -> Result<()> {
    let path = data.join(name).join("config.json");
    let mut config = serde_json::from_slice(&std::fs::read(&path)?)?;
    change(&mut config);
    Ok(std::fs::write(&path, serde_json::to_vec_pretty(&config)?)?)
}

/// Creates a credential and returns its digest.
fn created(path: &Path) -> Result<String> {
    let credential = Credential::create(path).with_context(|| path.display().to_string())?;
    Ok(hex::encode(credential.digest().0))
}

/// The folders whose processes may use TLS.
fn folders(data: &Path) -> Result<Vec<String>> {
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(data)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // The connector of a component that is out of service has keys alone.
        if !entry.path().join("config.json").exists() {
            continue;
        }
        if ["ledger", "identity", "broker", "portal"].contains(&name.as_str()) || name.starts_with("connector-") {
            folders.push(name);
        }
    }
    Ok(folders)
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn plain_urls(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(rest) = text.strip_prefix("https://127.0.0.1") {
                *text = format!("http://127.0.0.1{rest}");
            }
        }
        Value::Array(values) => values.iter_mut().for_each(plain_urls),
        Value::Object(fields) => fields.values_mut().for_each(plain_urls),
        _ => {}
    }
}
