//! Every compartment as a process of its own, so that a test can end one or change its messages.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use messages::{CallCredential, CallKind};
use record::{ParticipantId, Timestamp};

use crate::certificates::Certificates;
use crate::keys::Keys;
use crate::wall_clock::WallClock;
use crate::{DemoInfo, Process, http, program, run, verifier, wait_for};

/// The demonstration's compartments, each a process.
pub struct Processes {
    /// The demonstration's folder.
    pub data: PathBuf,
    /// Addresses and paths of the demonstration.
    pub info: DemoInfo,
    /// The running processes, by the name of their folder.
    pub running: BTreeMap<String, Process>,
    /// The wall clocks of processes that do not have the machine's, by the name of their folder.
    pub clocks: BTreeMap<String, WallClock>,
    /// Where processes die that are started from now on (`service::failpoints`), by the name of their folder.
    pub failpoints: BTreeMap<String, String>,
    /// Base URL of the KBA's register, whatever a test configures its connector with.
    register: String,
}

impl Processes {
    /// Seeds a demonstration, ends it, and starts its compartments one by one.
    ///
    /// The demonstration uses the ports from `base` on. They must be far from the ephemeral range and different for
    /// each test.
    pub fn start(data: &Path, base: &str) -> Result<Self> {
        let mut this = Self::seed(data, base)?;
        this.start_all()?;
        Ok(this)
    }

    /// Seeds a demonstration and ends it. Nothing is running afterwards, so that the test can change configurations.
    /// Its processes have stored certificates that are valid for a day, and need no join service until then.
    pub fn seed(data: &Path, base: &str) -> Result<Self> {
        let output = run(
            "einsicht",
            &[
                "demo",
                "--data",
                data.to_str().context("a path in UTF-8")?,
                "--listen",
                base,
                "--exit-after-seed",
                "--without-past",
            ],
        )?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let info: DemoInfo = serde_json::from_slice(&std::fs::read(data.join("demo.json"))?)?;
        Ok(Self {
            register: register_of(data, "kba")?,
            data: data.to_path_buf(),
            info,
            running: BTreeMap::new(),
            clocks: BTreeMap::new(),
            failpoints: BTreeMap::new(),
        })
    }

    /// Changes a compartment's configuration before it is started.
    pub fn configure(&self, name: &str, change: impl FnOnce(&mut serde_json::Value)) -> Result<()> {
        let path = self.data.join(name).join("config.json");
        let mut config = serde_json::from_slice(&std::fs::read(&path)?)?;
        change(&mut config);
        Ok(std::fs::write(&path, serde_json::to_vec_pretty(&config)?)?)
    }

    /// A client with the certificate of the process in this folder.
    pub fn client(&self, name: &str) -> Result<reqwest::blocking::Client> {
        Certificates::of(&self.data).client(name)
    }

    /// Starts the processes that an exchange between Rheinfurt and the KBA needs.
    pub fn start_all(&mut self) -> Result<()> {
        for (number, url) in self.info.witnesses.clone().iter().enumerate() {
            self.witness(&format!("witness-{}", number + 1), url)?;
        }
        let info = self.info.clone();
        self.up("ledger", "ledger", &info.ledger)?;
        self.up("identity", "identity", &info.identity)?;
        self.up("broker", "broker", &info.broker)?;
        self.up("register-kba", "register", &self.register.clone())?;
        for name in ["rheinfurt", "kba"] {
            self.up(&format!("connector-{name}"), "connector", &info.connectors[name])?;
        }
        Ok(())
    }

    /// Starts the processes that an exchange between Seewalde and the residents' register needs in addition, and waits
    /// for them.
    pub fn start_residents(&mut self) -> Result<()> {
        self.up(
            "register-meldewesen",
            "register",
            &register_of(&self.data, "meldewesen")?,
        )?;
        for name in ["seewalde", "meldewesen"] {
            let url = self.info.connectors[name].clone();
            self.up(&format!("connector-{name}"), "connector", &url)?;
            self.healthy(&url)?;
        }
        Ok(())
    }

    /// Kills the broker and starts it again. Returns when the new one serves. The old one's slot in `running` keeps the
    /// new process.
    pub fn kill_and_start_broker(&mut self) -> Result<()> {
        self.running.remove("broker").context("the broker runs")?.kill()?;
        self.start_broker()
    }

    fn start_broker(&mut self) -> Result<()> {
        let url = self.info.broker.clone();
        self.up("broker", "broker", &url)?;
        self.healthy(&url)
    }

    /// The names of the processes that an exchange needs, without the witnesses.
    pub const COMPARTMENTS: [&'static str; 6] = [
        "ledger",
        "identity",
        "broker",
        "register-kba",
        "connector-rheinfurt",
        "connector-kba",
    ];

    /// Kills one of [`Processes::COMPARTMENTS`] and starts it again at once. Returns its URL without waiting for it.
    pub fn kill_and_start(&mut self, name: &str) -> Result<String> {
        self.running.remove(name).context("it runs")?.kill()?;
        self.start_again(name)
    }

    /// Starts one of [`Processes::COMPARTMENTS`] that does not run. Returns its URL without waiting for it.
    pub fn start_again(&mut self, name: &str) -> Result<String> {
        let (compartment, url) = match name {
            "ledger" => ("ledger", self.info.ledger.clone()),
            "identity" => ("identity", self.info.identity.clone()),
            "broker" => ("broker", self.info.broker.clone()),
            "register-kba" => ("register", self.register.clone()),
            name => {
                let short = name.strip_prefix("connector-").context("a connector")?;
                ("connector", self.info.connectors[short].clone())
            }
        };
        self.up(name, compartment, &url)?;
        Ok(url)
    }

    /// Starts the portal and the test login too.
    pub fn start_portal(&mut self) -> Result<()> {
        let (login, portal) = (self.login()?, self.info.portal.clone());
        self.up("test-login", "test-login", &login)?;
        self.up("portal", "portal", &portal)?;
        self.healthy(&login)?;
        self.healthy(&portal)
    }

    /// Starts a witness with the verifier's program, as everybody can run it.
    fn witness(&mut self, name: &str, url: &str) -> Result<()> {
        let folder = self.data.join(name);
        let mut command = Command::new(program("verifier"));
        command.args(["witness", "--listen", url.strip_prefix("http://").context("url")?]);
        command.args(["--operations", &operations_address(url)?]);
        command.arg("--state").arg(folder.join("state"));
        command.arg("--key").arg(folder.join("witness.key"));
        command.arg("--logs").arg(folder.join("logs"));
        if let Some(clock) = self.clocks.get(name) {
            clock.rule(&mut command);
        }
        let process = Process::start(&mut command, &self.data.join(format!("{name}.log")))?;
        self.running.insert(name.to_owned(), process);
        Ok(())
    }

    /// Starts a compartment from its folder's configuration.
    pub fn up(&mut self, name: &str, compartment: &str, url: &str) -> Result<()> {
        let folder = self.data.join(name);
        let address = address(url)?;
        let mut command = Command::new(program("einsicht"));
        command
            .args(["run", compartment, "--config"])
            .arg(folder.join("config.json"))
            .args(["--listen", address, "--operations", &operations_address(url)?]);
        if let Some(clock) = self.clocks.get(name) {
            clock.rule(&mut command);
        }
        if let Some(points) = self.failpoints.get(name) {
            command.env("FAILPOINTS", points);
        }
        let process = Process::start(&mut command, &self.data.join(format!("{name}.log")))?;
        self.running.insert(name.to_owned(), process);
        Ok(())
    }

    /// Base URL of the KBA's register.
    #[must_use]
    pub fn register(&self) -> &str {
        &self.register
    }

    /// Base URL of the test login.
    pub fn login(&self) -> Result<String> {
        let config = std::fs::read(self.data.join("test-login/config.json"))?;
        let config: serde_json::Value = serde_json::from_slice(&config)?;
        Ok(config["issuer"].as_str().context("the login's own URL")?.to_owned())
    }

    /// Waits until something answers at this URL, healthy or not.
    pub fn answers(&self, url: &str) -> Result<()> {
        let client = http()?;
        wait_for(Duration::from_secs(60), || Ok(client.get(url).send().is_ok())).with_context(|| url.to_owned())
    }

    /// Waits until the compartment at this URL is healthy.
    pub fn healthy(&self, url: &str) -> Result<()> {
        let (client, operations) = (http()?, operations(url)?);
        wait_for(Duration::from_secs(30), || {
            Ok(client
                .get(format!("{operations}/health"))
                .send()
                .is_ok_and(|a| a.status() == 200))
        })
        .with_context(|| url.to_owned())
    }

    /// Waits until the compartment at this URL says that it does not continue without an operator.
    pub fn halted(&self, url: &str) -> Result<()> {
        self.impaired(url, "halted")
    }

    /// Waits until the health of the compartment at this URL is a problem with this slug.
    pub fn impaired(&self, url: &str, slug: &str) -> Result<()> {
        let (client, operations) = (http()?, operations(url)?);
        let kind = format!("urn:einsicht:problem:{slug}");
        wait_for(Duration::from_secs(30), || {
            let Ok(answer) = client.get(format!("{operations}/health")).send() else {
                return Ok(false);
            };
            Ok(answer.status() == 503 && answer.text()?.contains(&kind))
        })
        .with_context(|| url.to_owned())
    }

    /// Waits until all processes answer.
    pub fn all_healthy(&self) -> Result<()> {
        let info = &self.info;
        for url in [
            &info.ledger,
            &info.identity,
            &info.broker,
            &info.connectors["rheinfurt"],
            &info.connectors["kba"],
        ] {
            self.healthy(url)?;
        }
        Ok(())
    }

    /// Sends Rheinfurt's request to the KBA about Emma. Returns status and body of the answer.
    pub fn ask(&self) -> Result<(u16, serde_json::Value)> {
        self.ask_about(|_| {})
    }

    /// Sends the request in a thread of its own, so that the test can act meanwhile.
    pub fn ask_meanwhile(&self) -> JoinHandle<Result<(u16, serde_json::Value)>> {
        let url = self.consumer();
        std::thread::spawn(move || ask(&url, |_| {}))
    }

    /// Sends the request for another person. `change` receives its `person`.
    pub fn ask_about(&self, change: impl FnOnce(&mut serde_json::Value)) -> Result<(u16, serde_json::Value)> {
        ask(&self.consumer(), change)
    }

    /// Sends a request to Rheinfurt's connector as it is.
    pub fn ask_with(&self, question: String) -> Result<(u16, serde_json::Value)> {
        send(&self.consumer(), question)
    }

    fn consumer(&self) -> String {
        format!("{}/evidence", self.info.connectors["rheinfurt"])
    }

    /// Repeats the request until the KBA's evidence is delivered.
    pub fn ask_until_delivered(&self) -> Result<()> {
        let mut last = None;
        wait_for(Duration::from_secs(40), || {
            last = Some(self.ask()?);
            Ok(last
                .as_ref()
                .is_some_and(|(status, body)| *status == 200 && body["outcome"] == "delivered"))
        })
        .with_context(|| format!("{last:?}"))
    }

    /// Calls the KBA's connector as the broker does, with the broker's signature.
    pub fn call_provider(&self, kind: CallKind, body: &[u8]) -> Result<reqwest::blocking::Response> {
        let key = Keys::of(&self.data).writer("broker/writer.key")?;
        let now = Timestamp(UNIX_EPOCH.elapsed()?.as_secs());
        let credential = CallCredential::sign(&key, kind, ParticipantId::new("bund:kba:zfzr")?, now, body)?;
        let url = format!("{}{}", self.info.connectors["kba"], kind.path());
        let request = self.client("broker")?.post(url);
        let request = request.header("content-type", "application/cbor");
        let request = request.header("authorization", credential.to_header());
        Ok(request.body(body.to_vec()).send()?)
    }

    /// The number of requests in the register's access log.
    pub fn register_asked(&self) -> Result<usize> {
        Ok(std::fs::read_to_string(self.data.join("register-kba/access.log"))?
            .lines()
            .count())
    }

    /// The number of alarms of this kind that a connector has raised since it was started.
    pub fn alarms(&self, connector: &str, kind: &str) -> Result<u64> {
        let operations = operations(&self.info.connectors[connector])?;
        let text = http()?.get(format!("{operations}/metrics")).send()?.text()?;
        let wanted = format!("connector_alarms_total{{kind=\"{kind}\"}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&wanted));
        Ok(line.map_or(Ok(0), str::parse)?)
    }

    /// What `connector protocol export` prints for a connector, which may run meanwhile.
    pub fn protocol(&self, connector: &str, arguments: &[&str]) -> Result<Vec<serde_json::Value>> {
        let mut command = Command::new(program("connector"));
        command.args(["protocol", "export", "--config"]);
        command
            .arg(self.data.join(connector).join("config.json"))
            .args(arguments);
        let output = command.output()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{connector}: {errors}");
        let text = String::from_utf8(output.stdout)?;
        text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    /// Ends the broker and starts it again. It continues the exchanges that it had left open.
    pub fn restart_broker(&mut self) -> Result<()> {
        self.running.remove("broker").context("the broker is running")?.stop()?;
        self.start_broker()
    }

    /// Exit code and report of an audit of the log.
    pub fn audit(&self) -> Result<(i32, serde_json::Value)> {
        let policy = self.info.policy.to_str().context("a path in UTF-8")?;
        verifier(&["audit", "--log", &self.info.ledger, "--policy", policy])
    }

    /// Waits until the audit is sound and no intent is open.
    pub fn every_intent_is_closed(&self) -> Result<()> {
        wait_for(Duration::from_secs(40), || {
            let (code, report) = self.audit()?;
            ensure!(code == 0, "{report:#}");
            Ok(report["open_intents"] == 0)
        })
    }
}

/// The version that the process at this URL relies on: of the `directory`, or of the `registry`.
pub fn version_of(url: &str, kind: &str) -> Result<u64> {
    let text = http()?.get(format!("{}/metrics", operations(url)?)).send()?.text()?;
    let wanted = format!("directory_version{{kind=\"{kind}\"}} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&wanted));
    Ok(line.context("no such metric")?.parse()?)
}

/// The base URL of the operator's listener of the process at `url`. Its port is 30 above the process's own.
pub fn operations(url: &str) -> Result<String> {
    Ok(format!("http://{}", operations_address(url)?))
}

/// The address in a base URL.
///
/// # Errors
/// It is neither `http` nor `https`.
pub fn address(url: &str) -> Result<&str> {
    let address = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    address.with_context(|| url.to_owned())
}

fn operations_address(url: &str) -> Result<String> {
    let address: std::net::SocketAddr = address(url)?.parse()?;
    Ok(std::net::SocketAddr::new(address.ip(), address.port() + 30).to_string())
}

fn ask(url: &str, change: impl FnOnce(&mut serde_json::Value)) -> Result<(u16, serde_json::Value)> {
    let mut question: serde_json::Value = serde_json::from_str(&crate::evidence_request())?;
    change(&mut question["person"]);
    send(url, question.to_string())
}

/// Sends a request to a consumer's connector. Where the permission demands a preview, the person accepts. A decision
/// that the broker does not take yet is sent again for a minute, as an online service does. The answer to the last one
/// is returned: it can be a refusal, where the log is away or its clock stands still.
pub fn send(url: &str, question: String) -> Result<(u16, serde_json::Value)> {
    let (status, awaiting) = post(url, question.clone())?;
    if status != 202 {
        return Ok((status, awaiting));
    }
    let question: serde_json::Value = serde_json::from_str(&question)?;
    let exchange = awaiting["exchange"].as_str().context("an exchange")?;
    let decision = serde_json::json!({ "login": question["login"], "decision": "accept" });
    let started = Instant::now();
    loop {
        let answer = post(&format!("{url}/{exchange}/decision"), decision.to_string())?;
        if answer.0 != 503 || started.elapsed() >= Duration::from_secs(60) {
            return Ok(answer);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Sends JSON. Returns status and body of the answer.
pub fn post(url: &str, body: String) -> Result<(u16, serde_json::Value)> {
    let request = http()?.post(url).header("content-type", "application/json");
    let answer = request.timeout(Duration::from_secs(120)).body(body).send()?;
    Ok((answer.status().as_u16(), serde_json::from_str(&answer.text()?)?))
}

/// The register that a connector is configured with.
fn register_of(data: &Path, short: &str) -> Result<String> {
    let config = std::fs::read(data.join(format!("connector-{short}/config.json")))?;
    let config: serde_json::Value = serde_json::from_slice(&config)?;
    let url = config["role"]["provider"]["register"]
        .as_str()
        .context("the connector's configuration names its register")?;
    Ok(url.to_owned())
}
