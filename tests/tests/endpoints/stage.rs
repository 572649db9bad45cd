//! The real processes, and callers with and without the right credentials.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use messages::{CallCredential, CallKind};
use record::{ParticipantId, SigningKey, Timestamp};
use reqwest::blocking::Client;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tests::certificates::Certificates;
use tests::citizen::Citizen;
use tests::keys::Keys;
use tests::processes::Processes;
use tests::{Process, http, program, secured, wait_for};

use crate::matrix::{ALERT, Row, Way, matrix, media_of, path_of};
use tests::change::{publish, tool};

const PROVIDER: &str = "bund:kba:zfzr";
const CONSUMER: &str = "rheinfurt";

/// Headers and body of a call.
#[derive(Default)]
pub(crate) struct Presented {
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// The client with the certificate, at a listener that demands one.
    client: Option<Client>,
}

/// The processes, and what callers have.
pub(crate) struct Stage {
    pub(crate) processes: Processes,
    /// The register's process with a credential for its operator.
    operated: String,
    operated_by: Option<Process>,
    /// Bearer credentials by role.
    bearer: BTreeMap<&'static str, String>,
    /// Cookies of sessions: the portal's and that of the online services.
    sessions: BTreeMap<&'static str, String>,
}

/// An upload with a form token of no session.
const MULTIPART: &str = "--b\r\ncontent-disposition: form-data; name=\"form\"\r\n\r\n0d\r\n--b--\r\n";
/// A checkpoint of a log that no witness knows, as a witness gets it.
pub(crate) const FOREIGN_CHECKPOINT: &str = "old 0\n\nexample.org/log\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\u{2014} \
    example.org/log AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
/// The folder of the process whose certificate a row demands.
fn certified(row: &Row) -> Option<&str> {
    row.who.strip_prefix("certificate ")
}

pub(crate) const OLD: &str = "0b";
pub(crate) const NEW: &str = "0c";

pub(crate) fn digest(byte: &str) -> String {
    hex::encode(Sha256::digest(hex::decode(byte.repeat(32)).unwrap()))
}

impl Stage {
    pub(crate) fn start(scratch: &std::path::Path) -> Result<Self> {
        let mut processes = Processes::seed(&scratch.join("demo"), "127.0.0.1:25500")?;
        processes.configure("connector-rheinfurt", |config| {
            config["role"]["consumer"]["credential_digest"] = digest(OLD).into();
        })?;
        processes.start_all()?;
        processes.start_portal()?;
        let (antrag, join) = (processes.info.antrag.clone(), processes.info.join.clone());
        processes.up("join", "join", &join)?;
        processes.up("antrag", "antrag", &antrag)?;
        processes.all_healthy()?;
        processes.healthy(&antrag)?;
        processes.healthy(&join)?;
        let keys = Keys::of(&processes.data);
        let mut bearer = BTreeMap::new();
        bearer.insert("connector", keys.bearer("connector-kba/register.credential")?);
        bearer.insert("authority", format!("Bearer {}", OLD.repeat(32)));
        bearer.insert("operator", format!("Bearer {}", OLD.repeat(32)));
        let operated = "http://127.0.0.1:25590".to_owned();
        Ok(Self {
            operated_by: Some(Self::operate(&processes, OLD)?),
            processes,
            operated,
            bearer,
            sessions: BTreeMap::new(),
        })
    }

    /// A mock whose operator needs a credential.
    pub(crate) fn operate(processes: &Processes, credential: &str) -> Result<Process> {
        let mut command = Command::new(program("connector"));
        command.args(["mock", "--listen", "127.0.0.1:25589", "--operations", "127.0.0.1:25590"]);
        command.args(["--operations-credential", &digest(credential)]);
        let process = Process::start(&mut command, &processes.data.join("operated.log"))?;
        processes.answers("http://127.0.0.1:25590")?;
        Ok(process)
    }

    pub(crate) fn log_in(&mut self) -> Result<()> {
        let info = &self.processes.info;
        self.sessions
            .insert("portal", Citizen::log_in(info, "emma")?.cookie().to_owned());
        let antrag = Citizen::log_in_at(&format!("{}/anmelden?dienst=bewohnerparken", info.antrag), "emma")?;
        self.sessions.insert("antrag", antrag);
        Ok(())
    }

    /// The process of a row, and the role whose credential it demands.
    pub(crate) fn url(&self, row: &Row) -> Result<String> {
        let info = &self.processes.info;
        let file = row.route.file.as_str();
        Ok(match file.split('/').collect::<Vec<_>>()[..] {
            ["ledger", ..] if certified(row).is_some() => {
                format!("https://{}", secured::writing(&self.processes.data)?)
            }
            ["ledger", ..] => info.ledger.clone(),
            ["identity", ..] => info.identity.clone(),
            ["broker", ..] => info.broker.clone(),
            ["join", ..] => info.join.clone(),
            ["connector", "src", "provider", ..] => info.connectors["kba"].clone(),
            ["connector", ..] => info.connectors[CONSUMER].clone(),
            ["register", ..] => self.processes.register().to_owned(),
            ["service", ..] => self.operated.clone(),
            ["verifier", ..] => info.witnesses[0].clone(),
            ["citizen-ui", "test-login", ..] => self.processes.login()?,
            ["citizen-ui", ..] => info.portal.clone(),
            ["einsicht", ..] => info.antrag.clone(),
            _ => anyhow::bail!("no process for {file}"),
        })
    }

    pub(crate) fn credential(&self, row: &Row) -> Result<&str> {
        let role = row.who.strip_prefix("bearer ").context("a bearer credential")?;
        Ok(self.bearer.get(role).with_context(|| role.to_owned())?)
    }

    /// What a caller of the row presents in this way.
    pub(crate) fn presented(&self, row: &Row, way: Way) -> Result<Presented> {
        let bearer = |value: &str| Presented {
            headers: vec![("authorization", value.to_owned())],
            ..Presented::default()
        };
        let cookie = |value: &str| Presented {
            headers: vec![
                ("cookie", value.to_owned()),
                ("sec-fetch-site", "same-origin".to_owned()),
            ],
            ..Presented::default()
        };
        let kind = row.who.split(' ').next().unwrap_or_default();
        let is_form = row.route.file.starts_with("einsicht") && row.route.method == "POST";
        let form = |mut presented: Presented| {
            if is_form {
                let upload = row.route.path.ends_with("/hochladen");
                let body = if upload {
                    MULTIPART
                } else {
                    "form=0d&entscheidung=accept"
                };
                presented.body = body.as_bytes().to_vec();
            }
            presented
        };
        Ok(match (kind, way) {
            ("certificate", way) => Presented {
                client: Some(self.certified_client(row, way)?),
                ..Presented::default()
            },
            ("call", Way::None) => Presented {
                client: Some(self.processes.client("broker")?),
                ..Presented::default()
            },
            (_, Way::None) => form(Presented::default()),
            // A checkpoint that another log has signed.
            ("log", Way::Foreign) => Presented {
                body: FOREIGN_CHECKPOINT.as_bytes().to_vec(),
                ..Presented::default()
            },
            ("everyone" | "client" | "writer", Way::Foreign) => Presented {
                headers: vec![
                    ("authorization", format!("Bearer {}", "0d".repeat(32))),
                    ("cookie", "session=0d0d0d0d".to_owned()),
                ],
                ..Presented::default()
            },
            ("everyone", _) => Presented::default(),
            ("bearer", Way::Right) => bearer(self.credential(row)?),
            // What another process has, and this one has never accepted.
            ("bearer", Way::Foreign) => bearer(&format!("Bearer {}", "0e".repeat(32))),
            ("call", way) => {
                let keys = Keys::of(&self.processes.data);
                let key = match way {
                    Way::Foreign => keys.signing("connector-rheinfurt/signing.key")?,
                    _ => keys.writer("broker/writer.key")?,
                };
                let now = UNIX_EPOCH.elapsed()?.as_secs();
                let at = if way == Way::Expired { now - 3600 } else { now };
                let path = &row.route.path;
                let kind = if path == "/forward" {
                    CallKind::Forward
                } else {
                    CallKind::Outcome
                };
                let body = vec![0xa0];
                let to = ParticipantId::new(PROVIDER)?;
                let credential = CallCredential::sign(&key, kind, to, Timestamp(at), &body)?;
                Presented {
                    headers: vec![("authorization", credential.to_header())],
                    body,
                    client: Some(self.processes.client("broker")?),
                }
            }
            ("session", Way::Foreign) => {
                let (name, _) = self.session(row)?.split_once('=').context("a cookie")?;
                form(cookie(&format!("{name}={}", "0d".repeat(32))))
            }
            ("session", Way::Right) => form(cookie(self.session(row)?)),
            _ => anyhow::bail!("{way:?} of {} is not tried here", row.who),
        })
    }

    pub(crate) fn session(&self, row: &Row) -> Result<&str> {
        let name = if row.route.file.starts_with("einsicht") {
            "antrag"
        } else {
            "portal"
        };
        Ok(self.sessions.get(name).context("a session")?)
    }

    /// The path of the portal's style sheet, which has a digest in it.
    pub(crate) fn stylesheet(&self) -> Result<String> {
        let page = http()?
            .get(format!("{}/de/", self.processes.info.portal))
            .send()?
            .text()?;
        let (_, rest) = page.split_once("rel=\"stylesheet\" href=\"").context("a style sheet")?;
        Ok(rest.split('"').next().unwrap_or_default().to_owned())
    }

    /// The status of a call.
    pub(crate) fn status(&self, row: &Row, presented: Presented) -> Result<u16> {
        let path = if row.route.path == "&path" {
            self.stylesheet()?
        } else {
            path_of(row)
        };
        let url = format!("{}{path}", self.url(row)?);
        let client = presented.client.map_or_else(http, Ok)?;
        let mut request = client.request(row.route.method.parse()?, &url);
        for (name, value) in presented.headers {
            request = request.header(name, value);
        }
        if row.route.method == "POST" {
            request = request.header("content-type", media_of(row));
        }
        match request.body(presented.body).send() {
            Ok(answer) => Ok(answer.status().as_u16()),
            Err(error) if url.starts_with("https") && !error.is_timeout() => Ok(ALERT),
            Err(error) => Err(error).context(url),
        }
    }

    /// A client for a row that demands a certificate.
    fn certified_client(&self, row: &Row, way: Way) -> Result<Client> {
        let certificates = Certificates::of(&self.processes.data);
        let right = certified(row).context("a role with a certificate")?;
        match way {
            Way::None => certificates.client_without(),
            Way::Foreign => certificates.client("connector-rheinfurt"),
            Way::Expired => certificates.expired_client(right),
            Way::Revoked | Way::Right => certificates.client(right),
        }
    }

    /// Calls each route behind mutual TLS without a certificate, with an expired one, and with that of a stranger.
    /// Returns those that answer.
    pub(crate) fn let_in_without_the_right_certificate(&self) -> Result<Vec<String>> {
        let certificates = Certificates::of(&self.processes.data);
        let mut let_in = Vec::new();
        for row in matrix() {
            let url = self.url(&row)?;
            if !url.starts_with("https") {
                continue;
            }
            let of_caller = certified(&row).unwrap_or("broker");
            let clients = [
                ("no certificate", certificates.client_without()?),
                ("an expired certificate", certificates.expired_client(of_caller)?),
                (
                    "a stranger's certificate",
                    certificates.client_named("urn:einsicht:component:niemand")?,
                ),
            ];
            for (what, client) in clients {
                let client = Some(client);
                let status = self.status(
                    &row,
                    Presented {
                        client,
                        ..Presented::default()
                    },
                )?;
                if status != ALERT {
                    let_in.push(format!("{:?} with {what}: {status}", row.route));
                }
            }
        }
        Ok(let_in)
    }

    /// Calls every row whose kind and way fit. Returns the differences.
    pub(crate) fn differences(&self, wanted: impl Fn(&Row, Way) -> bool) -> Result<Vec<String>> {
        let mut differences = Vec::new();
        for row in matrix() {
            for (way, expected) in &row.expected {
                if wanted(&row, *way) {
                    let status = self.status(&row, self.presented(&row, *way)?)?;
                    if status != *expected {
                        differences.push(format!("{:?} {way:?}: {status}, not {expected}", row.route));
                    }
                }
            }
        }
        Ok(differences)
    }

    /// Replaces every credential in the configurations, and logs out. What callers have is revoked then.
    pub(crate) fn revoke(&mut self) -> Result<()> {
        let new = digest(NEW);
        let names = [
            ("register-kba", vec!["credential_digest"]),
            ("connector-rheinfurt", Vec::new()),
        ];
        for (name, fields) in names {
            self.processes.configure(name, |config| {
                for field in fields {
                    config[field] = json!(new);
                }
                if name.starts_with("connector") {
                    config["role"]["consumer"]["credential_digest"] = json!(new);
                }
            })?;
            let url = self.processes.kill_and_start(name)?;
            self.processes.answers(&url)?;
        }
        // The port must be free before the next process binds it.
        self.operated_by.take().context("the mock runs")?.kill()?;
        self.operated_by = Some(Self::operate(&self.processes, NEW)?);
        let info = &self.processes.info;
        let page = http()?
            .get(format!("{}/bewohnerparken", info.antrag))
            .header("cookie", &self.sessions["antrag"]);
        let page = page.send()?.text()?;
        let form = page
            .split_once("name=\"form\" value=\"")
            .context("a form")?
            .1
            .split('"')
            .next()
            .unwrap_or_default();
        for (name, url) in [
            ("portal", format!("{}/de/abmelden", info.portal)),
            ("antrag", format!("{}/abmelden", info.antrag)),
        ] {
            let request = http()?.post(url).header("cookie", &self.sessions[name]);
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            let request = request
                .header("sec-fetch-site", "same-origin")
                .body(format!("form={form}"));
            let status = request.send()?.status();
            ensure!(status.is_redirection() || status.is_success(), "{name}: {status}");
        }
        Ok(())
    }
}

impl Stage {
    /// The broker's key is rotated in the directory, and the portal is suspended: the broker's calls with the old key
    /// are refused, and so are the certificates of both.
    pub(crate) fn after_a_change_of_the_directory(&self) -> Result<Vec<String>> {
        let info = &self.processes.info;
        let shown = tool(&self.processes, "show").args(["--kind", "directory"]).output()?;
        let shown: Value = serde_json::from_slice(&shown.stdout)?;
        let values = shown["values"].as_array().context("values")?;
        let writer = values
            .iter()
            .find(|value| value["key"].as_str().is_some_and(|key| key.contains("writer/broker")));
        let mut writer = writer.context("the broker's grant")?["value"].clone();
        let key = SigningKey::from_seed([202; 32]).public();
        writer["writer"]["key"] = hex::encode(key.as_bytes()).into();
        publish(
            &self.processes,
            &json!({ "put": [writer], "suspend": [secured::PORTAL] }),
        )?;
        let kba = info.connectors["kba"].clone();
        // A call with the old key over a new connection gets no further than its certificate.
        let revoked = |row: &Row| row.who == "call broker" || certified(row).is_some();
        let mut last = Vec::new();
        wait_for(Duration::from_secs(60), || {
            last.clear();
            for row in matrix().iter().filter(|row| revoked(row)) {
                let status = self.status(row, self.presented(row, Way::Right)?)?;
                if Some(&status) != row.expected.get(&Way::Revoked) {
                    last.push(format!("{:?} revoked: {status} at {kba}", row.route));
                }
            }
            Ok(last.is_empty())
        })
        .or_else(|_| anyhow::Ok(()))?;
        Ok(last)
    }
}
