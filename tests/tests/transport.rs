//! Mutual TLS between connectors, broker, identity and the ledger's writing entrance, with real processes: exchanges
//! run, foreign clients with the certificate of a component get in, and all others get a TLS alert.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::certificates::Certificates;
use tests::change::publish;
use tests::intermediary::Intermediary;
use tests::processes::{Processes, address};
use tests::secured;
use tests::wait_for;

const BASE: &str = "127.0.0.1:26300";
const CONSUMER: &str = "connector-rheinfurt";

/// Sends an empty request with the certificate in the fourth argument, and prints the first line of the answer.
const PYTHON: &str = r#"
import socket, ssl, sys
address, path, authority, certificate = (sys.argv[1:] + [None])[:4]
host, port = address.split(":")
context = ssl.create_default_context(cafile=authority)
if certificate:
    context.load_cert_chain(certificate)
with socket.create_connection((host, int(port)), 20) as plain, context.wrap_socket(plain, server_hostname=host) as tls:
    tls.sendall(f"POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
    line = tls.makefile("rb").readline()
if not line:
    sys.exit("no answer")
print(line.decode())
"#;

/// One server, and certificates for its foreign clients.
struct Server {
    folder: PathBuf,
    issuer: Certificates,
    authority: PathBuf,
    /// The server's address.
    server: String,
    /// What is posted to, as an empty body.
    path: &'static str,
}

impl Server {
    /// A certificate of the real authority, for one name, valid from `age` seconds ago for a day.
    fn issue(&self, file: &str, uri: &str, age: i64) -> Result<PathBuf> {
        let path = self.folder.join(file);
        std::fs::write(&path, self.issuer.issue(uri, age)?)?;
        Ok(path)
    }

    /// The status that curl gets, or nothing if the connection fails.
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
            .args(["--data", "", &format!("https://{}{}", self.server, self.path)])
            .output()?;
        let status = String::from_utf8(output.stdout)?;
        Ok(output.status.success().then_some(status))
    }

    /// The first line of the answer that Python's `ssl` gets, or nothing if the connection fails.
    fn python(&self, certificate: Option<&Path>) -> Result<Option<String>> {
        let mut command = Command::new("python3");
        command
            .args(["-c", PYTHON, &self.server, self.path])
            .arg(&self.authority);
        command.args(certificate);
        let output = command.output()?;
        let line = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        ensure!(output.status.success() == line.starts_with("HTTP/1.1 "), "{output:?}");
        Ok(output.status.success().then_some(line))
    }

    /// Whether `openssl verify` accepts a certificate for both ends of a connection.
    fn verifies(&self, certificate: &Path) -> Result<bool> {
        let mut accepted = true;
        for purpose in ["sslclient", "sslserver"] {
            let mut command = Command::new("openssl");
            command.args(["verify", "-x509_strict", "-purpose", purpose, "-CAfile"]);
            let output = command.arg(&self.authority).arg(certificate).output()?;
            accepted &= output.status.success();
        }
        Ok(accepted)
    }

    /// What `openssl s_client` prints when it connects and sends a request.
    fn s_client(&self, certificate: Option<&Path>) -> Result<String> {
        let mut command = Command::new("openssl");
        command.args([
            "s_client",
            "-connect",
            &self.server,
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
        let path = self.path;
        let request = format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        // A client that was refused may have ended already.
        let _ = std::io::Write::write_all(child.stdin.as_mut().context("stdin")?, request.as_bytes());
        let output = child.wait_with_output()?;
        let texts = [output.stdout, output.stderr].concat();
        Ok(String::from_utf8_lossy(&texts).into_owned())
    }
}

/// The provider's connector admits the broker alone, identity the broker and the cockpit, and the ledger's writing
/// entrance the writers and the cockpit. `component` is the certificate of another component.
fn others_admit_their_callers_alone(processes: &Processes, certificates: &Server, component: &Path) -> Result<()> {
    let info = &processes.info;
    let cockpit = certificates.issue(
        "cockpit.pem",
        &format!("urn:einsicht:component:{}", secured::PORTAL),
        60,
    )?;
    let broker = processes.data.join("broker/tls.pem");
    let at = |server: String, path| Server {
        folder: certificates.folder.clone(),
        issuer: certificates.issuer.clone(),
        authority: certificates.authority.clone(),
        server,
        path,
    };
    let writing = secured::writing(&processes.data)?;
    let identity = address(&info.identity)?.to_owned();
    // Its certificate names no host, because the directory has no endpoint for it, so curl does not connect.
    let connector = at(address(&info.connectors["kba"])?.to_owned(), "/forward");
    let refused = connector.s_client(Some(component))?;
    ensure!(refused.contains("access denied"), "{refused}");
    // An admitted caller gets the status of an empty request, 403 where another one is meant, or nothing.
    for (server, path, of_broker, of_cockpit) in [
        (identity.clone(), "/labels", Some("400"), Some("403")),
        (identity, "/disclosures", Some("403"), Some("400")),
        (writing.clone(), "/entries", Some("415"), Some("415")),
        (writing, "/records/batch", Some("403"), Some("400")),
    ] {
        let certificates = at(server, path);
        for certificate in [None, Some(component)] {
            assert_eq!(certificates.curl(certificate)?, None, "{path}");
        }
        let refused = certificates.s_client(Some(component))?;
        ensure!(refused.contains("access denied"), "{path}: {refused}");
        assert_eq!(certificates.curl(Some(&broker))?.as_deref(), of_broker, "{path}");
        assert_eq!(certificates.curl(Some(&cockpit))?.as_deref(), of_cockpit, "{path}");
    }
    Ok(())
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
    let issuer = Certificates::of(&processes.data);
    let certificates = Server {
        folder: scratch.path().to_path_buf(),
        authority: issuer.authority(),
        issuer,
        server: address(&processes.info.broker)?.to_owned(),
        path: "/exchanges",
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
    let spoken = certificates.python(Some(&own))?;
    ensure!(
        spoken.as_deref().is_some_and(|line| line.contains(" 400 ")),
        "{spoken:?}"
    );
    for name in ["broker", "identity", "ledger", "portal", CONSUMER, "connector-kba"] {
        let stored = processes.data.join(name).join("tls.pem");
        ensure!(certificates.verifies(&stored)?, "openssl verify refuses that of {name}");
    }
    let fresh = certificates.issue("fresh.pem", &subject, 60)?;
    assert_eq!(certificates.curl(Some(&fresh))?.as_deref(), Some("400"));
    let expired = certificates.issue("expired.pem", &subject, 86_400 + 60)?;
    let stranger = certificates.issue("stranger.pem", "urn:einsicht:component:niemand", 60)?;
    ensure!(!certificates.verifies(&expired)?, "it has expired");
    for (certificate, alert) in [
        (None, "certificate required"),
        (Some(&*expired), "certificate expired"),
        (Some(&*stranger), "access denied"),
    ] {
        assert_eq!(certificates.curl(certificate)?, None, "{alert}");
        assert_eq!(certificates.python(certificate)?, None, "{alert}");
        let refused = certificates.s_client(certificate)?;
        ensure!(
            refused.contains(alert) && !refused.contains("HTTP/1.1"),
            "{alert}: {refused}"
        );
    }
    others_admit_their_callers_alone(&processes, &certificates, &own)?;
    // A suspended component cannot connect any more, although its certificate is valid for a day.
    publish(&processes, &json!({ "suspend": [config["participant"]] }))?;
    wait_for(Duration::from_secs(60), || Ok(certificates.curl(Some(&own))?.is_none()))?;
    let refused = certificates.s_client(Some(&own))?;
    ensure!(refused.contains("access denied"), "{refused}");
    assert_eq!(certificates.python(Some(&own))?, None);
    ensure!(
        certificates.verifies(&own)?,
        "that it is suspended is in the directory alone"
    );
    ensure!(processes.ask()?.0 != 200, "a suspended consumer gets nothing");
    Ok(())
}

#[test]
fn an_intermediary_without_the_certificates_of_both_ends_gets_nowhere() -> Result<()> {
    const OTHER: &str = "connector-seewalde";
    let scratch = tempfile::tempdir()?;
    let data = scratch.path().join("data");
    let mut processes = Processes::start(&data, "127.0.0.1:28900")?;
    processes.all_healthy()?;
    processes.ask_until_delivered()?;
    let (broker, asked) = (processes.info.broker.clone(), processes.register_asked()?);
    // It belongs to another component, or has stolen the broker's certificate, but not the consumer's.
    for (server, reached) in [(OTHER, false), ("broker", true)] {
        let between = Intermediary::between(&data, OTHER, (server, &broker))?;
        processes.configure(CONSUMER, |config| {
            config["role"]["consumer"]["broker"] = between.url.clone().into();
        })?;
        let url = processes.kill_and_start(CONSUMER)?;
        processes.healthy(&url)?;
        let (status, body) = processes.ask()?;
        ensure!(
            status != 200 && body["evidence"].is_null(),
            "{server}: {status} {body:#}"
        );
        ensure!(
            between.last("/exchanges").is_some() == reached,
            "{server}: {status} {body:#}"
        );
    }
    ensure!(processes.register_asked()? == asked, "the register was asked");
    Ok(())
}
