//! What the end-to-end tests share: the released programs, started as a user would start them.
//!
//! `cargo xtask test` builds the programs and sets `EINSICHT_PROGRAMS` to their folder. Without it the tests use
//! `target/release` of this checkout. Every process that a test starts is ended by the test, by its id.

pub mod certificates;
pub mod change;
pub mod citizen;
pub mod completeness;
pub mod forgery;
pub mod intermediary;
pub mod keys;
pub mod population;
pub mod processes;
pub mod public_log;
pub mod resealed;
pub mod routes;
pub mod secured;
pub mod surrounded;
pub mod wall_clock;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// An authority's request for evidence that needs a preview. Its person has logged in just now.
pub fn evidence_request() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = record::Timestamp(since.unwrap_or_default().as_secs());
    include_str!("../tests/evidence-request.json").replace("NOW", &now.to_string())
}

/// The same about Emma, by Deniz, who has a power of attorney and has logged in.
pub fn represented_request() -> String {
    let representative = r#""representative": {
    "person": {
      "idnr": "02476291358",
      "family_name": "Yıldız",
      "given_name": "Deniz",
      "date_of_birth": "1991-03-30",
      "postal_code": "73614",
      "place": "Rheinfurt"
    },
    "power": "attorney",
    "document_digest": "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",
    "valid_from": "2020-01-01"
  },
  "person": {
    "idnr": "08214967384""#;
    evidence_request().replacen("\"person\": {\n    \"idnr\": \"08214967384\"", representative, 1)
}

/// One of the released programs.
pub fn program(name: &str) -> PathBuf {
    let folder = std::env::var_os("EINSICHT_PROGRAMS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/release"),
        PathBuf::from,
    );
    folder.join(name)
}

/// The content of `demo.json`, which scripts read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemoInfo {
    /// Base URL of the ledger.
    pub ledger: String,
    /// Base URL of the broker.
    pub broker: String,
    /// Base URL of identity.
    pub identity: String,
    /// Base URL of the portal.
    pub portal: String,
    /// Base URL of the online services.
    pub antrag: String,
    /// Base URL of the issuer of certificates.
    pub join: String,
    /// Base URLs of the connectors, by participant.
    pub connectors: BTreeMap<String, String>,
    /// Base URL of the operator's listener of the demonstration.
    pub operations: String,
    /// Base URLs of the witnesses.
    pub witnesses: Vec<String>,
    /// Path of the trust policy.
    pub policy: PathBuf,
    /// The hash of the genesis entry.
    pub genesis: String,
    /// Verifier keys of log and witnesses.
    pub vkeys: BTreeMap<String, String>,
    /// The test logins.
    pub logins: Vec<Login>,
}

/// A demonstration citizen.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// Given and family name.
    pub name: String,
    /// The user name for the login.
    pub user: String,
    /// The (test) identification number.
    pub idnr: String,
}

/// A running process, ended on drop.
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts a program; its output goes to `log`.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        Ok(Self {
            child: command.spawn().with_context(|| format!("starting {command:?}"))?,
        })
    }

    /// Starts a program whose output has no reader, as after `| head`.
    pub fn start_unread(command: &mut Command) -> Result<Self> {
        let (reader, writer) = std::io::pipe()?;
        drop(reader);
        command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
        Ok(Self {
            child: command.spawn().with_context(|| format!("starting {command:?}"))?,
        })
    }

    /// Ends the process as an operator would (SIGTERM), and expects exit code 0.
    pub fn stop(mut self) -> Result<()> {
        let id = self.child.id().to_string();
        ensure!(
            Command::new("kill").args(["-TERM", &id]).status()?.success(),
            "cannot signal process {id}"
        );
        let since = Instant::now();
        while since.elapsed() < Duration::from_secs(30) {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the process ended with {status}");
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("the process did not end within 30 s of SIGTERM")
    }

    /// Ends the process without warning (SIGKILL).
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The most bytes of memory that it has used at any moment (`VmHWM`).
    pub fn peak_memory(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|text| text.trim().strip_suffix(" kB"));
        let kib: u64 = kib.context("the process has ended")?.parse()?;
        Ok(kib << 10)
    }

    /// Whether it has ended by itself.
    pub fn ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that the process has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running demonstration.
pub struct Demo {
    /// The content of its `demo.json`.
    pub info: DemoInfo,
    process: Process,
}

impl Demo {
    /// Starts the demonstration in `data`, without a past, and waits for its `demo.json`.
    pub fn start(data: &Path) -> Result<Self> {
        Self::begin(data, &["--without-past"], Duration::from_secs(90))
    }

    /// Starts the demonstration as a user does: its past of 27 months is made first.
    pub fn start_with_past(data: &Path) -> Result<Self> {
        Self::begin(data, &[], Duration::from_secs(600))
    }

    fn begin(data: &Path, options: &[&str], limit: Duration) -> Result<Self> {
        std::fs::create_dir_all(data)?;
        let json = data.join("demo.json");
        let _ = std::fs::remove_file(&json);
        let log = data.with_extension("log");
        let mut process = Process::start(
            Command::new(program("einsicht"))
                .args(["demo", "--data"])
                .arg(data)
                .args(options),
            &log,
        )?;
        wait_for(limit, || {
            ensure!(
                !process.ended()?,
                "the demonstration ended: {}",
                std::fs::read_to_string(&log)?
            );
            Ok(json.is_file())
        })?;
        Ok(Self {
            info: serde_json::from_slice(&std::fs::read(&json)?)?,
            process,
        })
    }

    /// Ends it cleanly.
    pub fn stop(self) -> Result<()> {
        self.process.stop()
    }
}

/// Runs a program to its end.
pub fn run(name: &str, arguments: &[&str]) -> Result<Output> {
    Command::new(program(name))
        .args(arguments)
        .output()
        .with_context(|| format!("starting {name}"))
}

/// Runs the verifier and returns exit code and the JSON it printed.
pub fn verifier(arguments: &[&str]) -> Result<(i32, serde_json::Value)> {
    let mut all = arguments.to_vec();
    all.push("--json");
    let output = run("verifier", &all)?;
    let code = output.status.code().context("the verifier was killed")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let json = serde_json::from_str(&text)
        .with_context(|| format!("exit {code}: {text} {}", String::from_utf8_lossy(&output.stderr)))?;
    Ok((code, json))
}

/// Waits until `condition` holds.
pub fn wait_for(limit: Duration, mut condition: impl FnMut() -> Result<bool>) -> Result<()> {
    let since = Instant::now();
    while since.elapsed() < limit {
        if condition()? {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    bail!("not within {limit:?}")
}

/// Every file below a folder.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path)
            } else {
                files.push(path)
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Copies a folder.
pub fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    for file in files_below(from)? {
        let target = to.join(file.strip_prefix(from)?);
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::copy(&file, &target)?;
    }
    Ok(())
}

/// An HTTP client for tests. It connects to this machine only, so it has no proxy and no certificates. It follows no
/// redirect.
pub fn http() -> Result<reqwest::blocking::Client> {
    // This fails only if a provider is already installed, which is just as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(reqwest::blocking::Client::builder()
        .timeout(Duration::from_secs(60))
        .redirect(reqwest::redirect::Policy::none())
        .tls_certs_only([])
        .no_proxy()
        .build()?)
}
