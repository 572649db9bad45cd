//! `connector doctor`: tries what a connector needs, and says what to do about what it lacks.
//!
//! It reads the configuration and the keys, asks ledger and broker or register, and writes nothing. So it can run
//! beside the connector, whose state it does not open. A check that needs an earlier one that failed is left out.
//!
//! | Check | Passed means |
//! | --- | --- |
//! | configuration | its limits fit together |
//! | keys | both seed files can be read, and have the mode of secrets |
//! | trust root | policy and genesis hash can be read |
//! | log | the ledger is reached, and its log begins with the genesis hash |
//! | quorum | the newest checkpoint has the quorum's cosignatures |
//! | clock | this machine's time and the quorum's differ by [`MAX_CLOCK_DIFFERENCE`] seconds at most |
//! | directory | the newest version lists this participant in its role, with these keys |
//! | broker, register | an HTTP server answers there; with `tls`, the broker accepts a connection. A provider is asked
//! for the broker only if it collects its calls there |
//! | permission | the newest versions permit what the command line names |

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Uri;
use ledger_client::anchor::Anchored;
use ledger_client::{HttpLedger, LedgerApi, Trust};
use record::{Ars, ParticipantId, Subject, Timestamp};
use service::Clock;
use service::http::{CallError, Client};
use tokio::net::TcpStream;
use trust::{History, TrustKind};

use crate::config::{Config, Role};
use crate::keys::Keys;

/// As far as the clocks of a connector and of the witnesses may differ, in seconds.
const MAX_CLOCK_DIFFERENCE: u64 = 120;
/// How long one request may take.
const LIMIT: Duration = Duration::from_secs(10);

/// An exchange to try against the permissions, without making it.
#[derive(Debug, Clone)]
pub struct DryRun {
    /// The provider.
    pub provider: ParticipantId,
    /// The evidence type.
    pub evidence_type: String,
    /// The purpose code.
    pub purpose: String,
    /// Whether it is about a legal person.
    pub legal: bool,
    /// Whether it uses the IDNr.
    pub idnr: bool,
    /// The place of the person, where the permission depends on it.
    pub place: Option<Ars>,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check.
    pub check: &'static str,
    /// What was found, or what is wrong and what to do.
    pub result: Result<String, String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verdict, what) = match &self.result {
            Ok(what) => ("ok  ", what),
            Err(what) => ("FAIL", what),
        };
        write!(f, "{verdict} {:<13} {what}", self.check)
    }
}

/// All findings, in the order of the checks.
#[derive(Debug, Default)]
pub struct Report(pub Vec<Finding>);

impl Report {
    /// Whether every check has passed.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.0.iter().all(|finding| finding.result.is_ok())
    }

    fn add(&mut self, check: &'static str, result: Result<String, String>) {
        self.0.push(Finding { check, result });
    }

    /// Adds the finding of a check, and returns what later checks need of it.
    fn take<T>(&mut self, check: &'static str, result: Result<(T, String), String>) -> Option<T> {
        match result {
            Ok((value, what)) => {
                self.add(check, Ok(what));
                Some(value)
            }
            Err(what) => {
                self.add(check, Err(what));
                None
            }
        }
    }
}

/// Runs all checks.
pub async fn examine(config: &Config, dry_run: Option<&DryRun>, clock: &dyn Clock) -> Report {
    let mut report = Report::default();
    let limits = config.check().map_err(|error| error.to_string());
    report.add("configuration", limits.map(|()| config.role.name().to_owned()));
    let keys = report.take("keys", keys(config));
    let trust = Trust::load(&config.policy, &config.genesis).map_err(|error| error.to_string());
    let trust = report.take(
        "trust root",
        trust.map(|trust| (trust, "policy and genesis hash".to_owned())),
    );
    if let Some(trust) = trust {
        let history = log(&mut report, config, &trust, clock).await;
        if let (Some(history), Some(keys)) = (&history, &keys) {
            report.add("directory", listed(config, history, keys));
        }
        if let (Some(history), Some(dry_run)) = (&history, dry_run) {
            let now = Timestamp(clock.now());
            report.add("permission", permitted(config, history, dry_run, now));
        }
    }
    let broker = match &config.role {
        Role::Consumer(role) => Some(&role.broker),
        Role::Provider(role) => {
            report.add("register", answers(&role.register).await);
            role.collects_from.as_ref()
        }
    };
    if let Some(broker) = broker {
        // The certificate for the broker is the running connector's own.
        let found = match &config.tls {
            Some(_) => accepts(broker).await,
            None => answers(broker).await,
        };
        report.add("broker", found);
    }
    report
}

fn keys(config: &Config) -> Result<(Keys, String), String> {
    let keys = Keys::open(config).map_err(|error| error.to_string())?;
    Ok((keys, "signing and sealing key".to_owned()))
}

/// The checks that ask the ledger. Returns the newest directory and Registerlandkarte.
async fn log(report: &mut Report, config: &Config, trust: &Trust, clock: &dyn Clock) -> Option<Arc<History>> {
    let api = match HttpLedger::of(&config.ledger) {
        Ok(api) => api,
        Err(error) => {
            report.add("log", Err(error.to_string()));
            return None;
        }
    };
    let fetched = tokio::time::timeout(LIMIT, Anchored::fetch(&api, trust)).await;
    let anchored = match fetched {
        Ok(Ok(anchored)) => Ok(anchored),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("{} does not answer within {LIMIT:?}", config.ledger)),
    };
    let origin = |anchored: Anchored| {
        let origin = anchored.genesis.origin.clone();
        (anchored, origin)
    };
    let anchored = report.take("log", anchored.map(origin))?;
    let head = tokio::time::timeout(LIMIT, api.checkpoint()).await;
    let head = head.map_err(|_| "the ledger does not answer".to_owned());
    let head = head.and_then(|head| head.map_err(|error| error.to_string()));
    let head = head.and_then(|bytes| trust.checkpoint(bytes).map_err(|error| error.to_string()));
    let quorum = head.and_then(|head| match head.quorum_time() {
        Some(time) => Ok((time, format!("of {} entries", head.checkpoint().size.get()))),
        None => Err("the newest checkpoint has no quorum: see to the witnesses".to_owned()),
    });
    if let Some(witnessed) = report.take("quorum", quorum) {
        report.add("clock", clocks(clock.now(), witnessed));
    }
    Some(anchored.history)
}

fn clocks(now: u64, witnessed: u64) -> Result<String, String> {
    let difference = now.abs_diff(witnessed);
    let what = format!("{difference} s from the time of the witnesses");
    if difference <= MAX_CLOCK_DIFFERENCE {
        Ok(what)
    } else {
        Err(format!(
            "{what}: set the clock of this machine, or see to the witnesses"
        ))
    }
}

fn listed(config: &Config, history: &History, keys: &Keys) -> Result<String, String> {
    let me = &config.participant;
    let component = history.state().directory().component(me);
    let component = component.ok_or_else(|| format!("the directory has no component {me}: have it added"))?;
    if !keys.are_of(component) {
        return Err(format!("the directory lists other keys of {me}: have these rotated in"));
    }
    if !config.role.is_open_to(component) {
        return Err(format!(
            "the directory does not let {me} be a {} now",
            config.role.name()
        ));
    }
    let version = |kind| history.state().map(kind).version();
    Ok(format!(
        "version {}, Registerlandkarte {}",
        version(TrustKind::Directory),
        version(TrustKind::Registerlandkarte)
    ))
}

fn permitted(config: &Config, history: &History, dry_run: &DryRun, now: Timestamp) -> Result<String, String> {
    let transmission = trust::Transmission {
        consumer: &config.participant,
        provider: &dry_run.provider,
        evidence_type: &dry_run.evidence_type,
        purpose: &dry_run.purpose,
        subject: if dry_run.legal {
            Subject::Legal
        } else {
            Subject::Natural
        },
        idnr: dry_run.idnr,
        represented: false,
        place: dry_run.place.as_ref(),
    };
    let permission = history.permit(history.newest_versions(), &transmission, now);
    let permission = permission.map_err(|error| error.to_string())?;
    let preview = if permission.rule.preview {
        ", with a preview"
    } else {
        ""
    };
    Ok(format!("{}{preview}", permission.rule.reference()))
}

/// Whether something accepts a connection at the URL's host and port.
async fn accepts(url: &str) -> Result<String, String> {
    let parsed: Uri = url.parse().map_err(|error| format!("{url}: {error}"))?;
    let host = parsed.host().ok_or_else(|| format!("{url} has no host"))?;
    let port = parsed.port_u16().unwrap_or(443);
    let connected = tokio::time::timeout(LIMIT, TcpStream::connect((host, port))).await;
    match connected {
        Ok(Ok(_)) => Ok(format!("{url}, which the running connector asks with its certificate")),
        Ok(Err(error)) => Err(format!("{url}: {error}")),
        Err(_) => Err(format!("{url} does not answer within {LIMIT:?}")),
    }
}

/// Whether an HTTP server answers at this URL, whatever it answers.
async fn answers(url: &str) -> Result<String, String> {
    let client = Client::new().map_err(|error| error.to_string())?;
    match client.with_timeout(LIMIT).get(url).await {
        Ok(_) | Err(CallError::Refused(_) | CallError::Invalid(_)) => Ok(url.to_owned()),
        Err(error @ (CallError::NotConnected(_) | CallError::Unreachable(_))) => Err(format!("{url}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn clocks_that_differ_by_minutes_are_found() {
        assert!(clocks(1000, 1000).is_ok() && clocks(1000, 1120).is_ok() && clocks(1120, 1000).is_ok());
        assert!(clocks(1000, 1121).is_err() && clocks(1121, 1000).is_err());
    }

    #[tokio::test]
    async fn a_broker_with_tls_must_accept_a_connection() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        assert!(accepts(&url).await.unwrap().contains("certificate"));
        drop(listener);
        assert!(accepts(&url).await.unwrap_err().contains(&url));
        assert!(accepts("https://").await.is_err());
    }

    #[test]
    fn a_report_is_sound_only_if_every_check_has_passed() {
        let mut report = Report::default();
        report.add("log", Ok("log.example".into()));
        assert!(report.is_sound());
        assert_eq!(report.0[0].to_string(), "ok   log           log.example");
        report.add("clock", Err("600 s".into()));
        assert!(!report.is_sound());
        assert_eq!(report.0[1].to_string(), "FAIL clock         600 s");
    }
}
