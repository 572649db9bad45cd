//! Mutual TLS between the consumer's connector, the broker and the provider's connector, with real processes: exchanges
//! run, foreign clients with the certificate of a component get in, and all others get a TLS alert.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use rcgen::{CertificateParams, Issuer, KeyPair, SanType};
use serde_json::{Value, json};
use tests::change::publish;
use tests::secured;
use tests::wait_for;
use time::OffsetDateTime;

const BASE: &str = "127.0.0.1:26300";
const CONSUMER: &str = "connector-rheinfurt";

/// Certificates for foreign clients.
struct Certificates {
    folder: PathBuf,
    authority: PathBuf,
    broker: String,
}

impl Certificates {
    /// A certificate of the real authority, for one name, valid from `age` seconds ago for a day.
    fn issue(&self, file: &str, uri: &str, age: i64) -> Result<PathBuf> {
        let key = std::fs::read_to_string(self.authority.with_extension("key"))?;
        let authority = std::fs::read_to_string(&self.authority)?;
        let issuer = Issuer::from_ca_cert_pem(&authority, KeyPair::from_pem(&key)?)?;
        let mut params = CertificateParams::default();
        params.subject_alt_names.push(SanType::URI(uri.try_into()?));
        let from = i64::try_from(UNIX_EPOCH.elapsed()?.as_secs())? - age;
        params.not_before = OffsetDateTime::from_unix_timestamp(from)?;
        params.not_after = OffsetDateTime::from_unix_timestamp(from + 86_400)?;
        let key = KeyPair::generate()?;
        let pem = params.signed_by(&key, &issuer)?.pem() + &key.serialize_pem();
        let path = self.folder.join(file);
        std::fs::write(&path, pem)?;
        Ok(path)
    }

    /// The status that curl gets from the broker, or nothing if the connection fails.
    fn curl(&self, certificate: Option<&Path>) -> Result<Option<String>> {
        let mut command = Command::new("curl");
        command.args([
            "--silent",
            "--max-time",
            "20",
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code}",
        ]);
        command.arg("--cacert").arg(&self.authority);
        if let Some(certificate) = certificate {
            command.arg("--cert").arg(certificate);
        }
        let output = command
            .args(["--data", "", &format!("{}/exchanges", self.broker)])
            .output()?;
        let status = String::from_utf8(output.stdout)?;
        Ok(output.status.success().then_some(status))
    }

    /// What `openssl s_client` prints when it connects to the broker and sends a request.
    fn s_client(&self, certificate: Option<&Path>) -> Result<String> {
        let address = self.broker.strip_prefix("https://").context("https")?;
        let mut command = Command::new("openssl");
        command.args([
            "s_client",
            "-connect",
            address,
            "-verify_return_error",
            "-ign_eof",
            "-CAfile",
        ]);
        command.arg(&self.authority);
        if let Some(certificate) = certificate {
            command.arg("-cert").arg(certificate).arg("-key").arg(certificate);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let request = "POST /exchanges HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        // A client that was refused may have ended already.
        let _ = std::io::Write::write_all(child.stdin.as_mut().context("stdin")?, request.as_bytes());
        let output = child.wait_with_output()?;
        let texts = [output.stdout, output.stderr].concat();
        Ok(String::from_utf8_lossy(&texts).into_owned())
    }
}

#[test]
fn exchanges_run_over_mutual_tls_and_only_active_components_connect() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let processes = secured::start(&scratch.path().join("data"), BASE)?;
    processes.ask_until_delivered()?;
    let consumers = processes.data.join(CONSUMER);
    let config: Value = serde_json::from_slice(&std::fs::read(consumers.join("config.json"))?)?;
    let subject = format!(
        "urn:einsicht:component:{}",
        config["participant"].as_str().context("an id")?
    );
    let certificates = Certificates {
        folder: scratch.path().to_path_buf(),
        authority: processes.data.join("join/authority.pem"),
        broker: processes.info.broker.replacen("http://", "https://", 1),
    };
    // The component's own certificate, with its key, as the connector has stored it.
    let own = consumers.join("tls.pem");
    assert_eq!(
        certificates.curl(Some(&own))?.as_deref(),
        Some("400"),
        "an empty request is malformed"
    );
    let talked = certificates.s_client(Some(&own))?;
    ensure!(
        talked.contains("HTTP/1.1 400") && talked.contains("TLSv1.3"),
        "{talked}"
    );
    let fresh = certificates.issue("fresh.pem", &subject, 60)?;
    assert_eq!(certificates.curl(Some(&fresh))?.as_deref(), Some("400"));
    let expired = certificates.issue("expired.pem", &subject, 86_400 + 60)?;
    let stranger = certificates.issue("stranger.pem", "urn:einsicht:component:niemand", 60)?;
    for (certificate, alert) in [
        (None, "certificate required"),
        (Some(&*expired), "certificate expired"),
        (Some(&*stranger), "access denied"),
    ] {
        assert_eq!(certificates.curl(certificate)?, None, "{alert}");
        let refused = certificates.s_client(certificate)?;
        ensure!(
            refused.contains(alert) && !refused.contains("HTTP/1.1"),
            "{alert}: {refused}"
        );
    }
    // The provider's connector admits the broker alone.
    let provider = Certificates {
        broker: processes.info.connectors["kba"].replacen("http://", "https://", 1),
        ..certificates
    };
    let refused = provider.s_client(Some(&own))?;
    ensure!(refused.contains("access denied"), "{refused}");
    let certificates = Certificates {
        broker: processes.info.broker.replacen("http://", "https://", 1),
        ..provider
    };
    // A suspended component cannot connect any more, although its certificate is valid for a day.
    publish(&processes, &json!({ "suspend": [config["participant"]] }))?;
    wait_for(Duration::from_secs(60), || Ok(certificates.curl(Some(&own))?.is_none()))?;
    let refused = certificates.s_client(Some(&own))?;
    ensure!(refused.contains("access denied"), "{refused}");
    ensure!(processes.ask()?.0 != 200, "a suspended consumer gets nothing");
    Ok(())
}
