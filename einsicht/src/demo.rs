//! The demonstration: all compartments in this process, over loopback HTTP.
//!
//! The first start on a directory creates keys and documents ([`crate::setup`]), writes the first log entries, makes
//! the example exchanges and records that it has made them. Every start rewrites the configuration files, since ports
//! may differ, and writes `demo.json` last.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use service::operations::{self, Operations};
use service::shutdown::Shutdown;
use service::{Clock, Health, Impairment, Listener};
use tlog::checkpoint::Origin;
use tlog::log_list;
use tokio::task::JoinSet;
use verifier::audit::{Access, Source};
use verifier::witness::Audit;

use crate::announce::{Facts, TestLogin};
use crate::clock::DemoClock;
use crate::compartments::{self, Compartment};
use crate::past::{Making, Progress};
use crate::ports::Ports;
use crate::setup::Setup;
use crate::world::{ORIGIN, Participant, WITNESSES, World};
use crate::{seed, setup};

/// How long the compartments may take to start.
const STARTUP_TIMEOUT: Duration = Duration::from_secs(30);

/// Options of `einsicht demo`.
#[derive(Args)]
pub(crate) struct Options {
    /// Data directory. It gets one subdirectory per compartment.
    #[arg(long)]
    data: PathBuf,
    /// First address to listen on. The following ports are used too. Default: free ports.
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// The operator's listener.
    #[command(flatten)]
    operations: operations::Arguments,
    /// Exit after the example exchanges.
    #[arg(long)]
    exit_after_seed: bool,
    /// Begin the log now instead of 27 months ago. Counts at the first start only.
    #[arg(long)]
    without_past: bool,
}

/// A process of a real installation.
struct DemoProcess {
    /// The name of its directory, under which its address is registered.
    name: String,
    /// The compartment. `None` is a witness, which is not a compartment.
    compartment: Option<Compartment>,
}

/// Runs the demonstration until shutdown is requested.
pub(crate) async fn run(options: &Options, shutdown: Shutdown) -> Result<()> {
    std::fs::create_dir_all(&options.data).with_context(|| options.data.display().to_string())?;
    let data = options.data.canonicalize()?;
    let _lock = lock(&data)?;
    // Remove the file of an earlier run, so that scripts never read outdated facts.
    remove_if_exists(&data.join("demo.json"))?;
    let past = Progress::of(&data, !options.without_past)?;
    let world = World::load(past.is_some())?;
    let seeded = data.join("seeded");
    let clock = match &past {
        Some(past) if !seeded.exists() => DemoClock::starting_at(past.resume_at()?),
        _ => DemoClock::starting_at(u64::MAX),
    };
    let parts = parts(&world);
    let names = parts.iter().map(|part| part.name.clone());
    let names: Vec<String> = names.chain([setup::WRITING.to_owned()]).collect();
    let mut ports = Ports::bind(&names, options.listen).await?;
    let operations = Operations::bind(&options.operations).await?;
    let operations_url = format!("http://{}", operations.local_addr()?);
    let setup = Setup::open_or_create(&data, &world)?;
    setup::configure(&setup, &world, &ports)?;
    let mut running = JoinSet::new();
    let mut members = Vec::new();
    for part in &parts {
        let health = Health::default();
        // A connector that is not in force stops its work. The demonstration does not.
        if !world.suspends(&part.name) {
            members.push((part.name.clone(), health.clone()));
        }
        let listener = Listener::new(ports.take(&part.name)?, health);
        let (name, compartment, shutdown) = (part.name.clone(), part.compartment, shutdown.clone());
        let folder = data.join(&part.name);
        let writing = match compartment {
            Some(Compartment::Ledger) => Some(ports.take(setup::WRITING)?),
            _ => None,
        };
        let audits = audits(&part.name, &setup, &ports)?;
        let clock: Arc<dyn Clock> = clock.clone();
        running.spawn(async move {
            let ended = match compartment {
                Some(compartment) => {
                    let config = folder.join("config.json");
                    compartments::run(compartment, &config, (listener, writing), shutdown, clock).await
                }
                None => witness(&folder, audits, listener, shutdown, clock).await,
            };
            (name, ended)
        });
    }
    operations.serve(members.clone(), shutdown.clone());
    let facts = facts(&setup, &world, &ports, &parts, operations_url)?;
    let making = Making {
        setup: &setup,
        world: &world,
        ledger: &facts.ledger,
        connectors: &facts.connectors,
        clock: &clock,
        members: &members,
    };
    let outcome = tokio::select! {
        outcome = start_up(&making, past.as_ref(), &seeded) => outcome,
        ended = running.join_next() => Err(exit_error(ended)),
        () = shutdown.wait() => Ok(()),
    };
    if outcome.is_ok() && !shutdown.is_triggered() {
        facts.write(&data)?;
        facts.print(&data)?;
        if options.exit_after_seed {
            shutdown.trigger();
        }
    } else {
        shutdown.trigger();
    }
    outcome.and(wait_for_all(running, shutdown).await)
}

/// Writes the first log entries, waits for all processes, and makes the past and the examples unless they have been
/// made.
async fn start_up(making: &Making<'_>, past: Option<&Progress>, seeded: &Path) -> Result<()> {
    making.setup.begin_log(making.ledger).await?;
    wait_until_started(making.members).await?;
    if !seeded.exists() {
        if let Some(past) = past {
            making.make(past).await?;
        }
        seed::seed(making.world, making.connectors, making.clock).await?;
        service::durable::write_atomic(seeded, b"the example exchanges have been made\n")?;
    }
    making.setup.published(making.ledger).await
}

/// Waits until all processes have ended. If one fails or ends early, shuts down the others.
async fn wait_for_all(mut running: JoinSet<(String, Result<()>)>, shutdown: Shutdown) -> Result<()> {
    let mut first = Ok(());
    while let Some(ended) = running.join_next().await {
        if let Ok((_, Ok(()))) = ended
            && shutdown.is_triggered()
        {
            continue;
        }
        let error = exit_error(Some(ended));
        shutdown.trigger();
        if first.is_ok() {
            first = Err(error);
        }
    }
    first
}

fn exit_error(ended: Option<Result<(String, Result<()>), tokio::task::JoinError>>) -> anyhow::Error {
    match ended {
        Some(Ok((name, Err(error)))) => error.context(format!("{name} failed")),
        Some(Ok((name, Ok(())))) => anyhow::anyhow!("{name} ended before shutdown was requested"),
        Some(Err(error)) => anyhow::Error::new(error).context("a compartment was aborted"),
        None => anyhow::anyhow!("no compartment is running"),
    }
}

/// The processes, in the order of their ports.
fn parts(world: &World) -> Vec<DemoProcess> {
    let part = |name: &str, compartment| DemoProcess {
        name: name.to_owned(),
        compartment: Some(compartment),
    };
    let mut parts = vec![
        part("portal", Compartment::Portal),
        part("ledger", Compartment::Ledger),
        part("broker", Compartment::Broker),
        part("identity", Compartment::Identity),
        part("test-login", Compartment::TestLogin),
    ];
    let antrag = part("antrag", Compartment::Antrag);
    parts.extend(WITNESSES.iter().map(|name| DemoProcess {
        name: (*name).to_owned(),
        compartment: None,
    }));
    for participant in world.participants.iter().filter(|participant| participant.runs) {
        parts.push(part(
            &format!("connector-{}", participant.short),
            Compartment::Connector,
        ));
        if !participant.consumer {
            parts.push(part(&format!("register-{}", participant.short), Compartment::Register));
        }
    }
    parts.push(antrag);
    parts.push(part("join", Compartment::Join));
    parts
}

/// The last witness audits the log: it reads the log itself and recomputes the maps before it cosigns.
fn audits(name: &str, setup: &Setup, ports: &Ports) -> Result<BTreeMap<Origin, Audit>> {
    if WITNESSES.last() != Some(&name) {
        return Ok(BTreeMap::new());
    }
    let audit = Audit {
        source: Source::new(&ports.url("ledger")?, Access::default())?,
        genesis: Some(setup.genesis_hash()),
    };
    Ok(BTreeMap::from([(ORIGIN.parse()?, audit)]))
}

/// Runs a witness.
async fn witness(
    folder: &Path,
    audits: BTreeMap<Origin, Audit>,
    listener: Listener,
    shutdown: Shutdown,
    clock: Arc<dyn Clock>,
) -> Result<()> {
    let config = verifier::witness::Config {
        state: folder.join("state"),
        key: verifier::witness::load_signer(&folder.join("witness.key"))?,
        logs: log_list::parse(&std::fs::read(folder.join("logs"))?)?,
        audits,
        clock,
    };
    verifier::witness::run(config, listener, shutdown).await?;
    Ok(())
}

fn facts(setup: &Setup, world: &World, ports: &Ports, parts: &[DemoProcess], operations: String) -> Result<Facts> {
    let mut connectors = BTreeMap::new();
    for part in parts {
        if let Some(short) = part.name.strip_prefix("connector-") {
            // The broker does not call these.
            let plain = |participant: &Participant| {
                participant.short == short && (participant.consumer || participant.collects)
            };
            let url = if world.participants.iter().any(plain) {
                ports.url(&part.name)?
            } else {
                ports.secure_url(&part.name)?
            };
            connectors.insert(short.to_owned(), url);
        }
    }
    let login = |person: &crate::world::DemoPerson| TestLogin {
        name: format!("{} {}", person.given_name, person.family_name),
        user: person.subject.clone(),
        idnr: person.idnr.clone(),
    };
    Ok(Facts {
        ledger: ports.url("ledger")?,
        broker: ports.secure_url("broker")?,
        identity: ports.secure_url("identity")?,
        portal: ports.url("portal")?,
        antrag: ports.url("antrag")?,
        join: ports.url("join")?,
        connectors,
        operations,
        witnesses: WITNESSES.iter().map(|name| ports.url(name)).collect::<Result<_>>()?,
        policy: setup.policy_path(),
        genesis: setup.genesis_hash().to_string(),
        vkeys: setup.verifier_keys()?,
        // Blocked persons have no test login, because an office handles their requests.
        logins: world
            .persons
            .iter()
            .filter(|person| !person.blocked)
            .map(login)
            .collect(),
    })
}

/// Waits until every process serves and has its certificate. One that is behind for another reason does not keep the
/// demonstration from starting.
async fn wait_until_started(members: &[(String, Health)]) -> Result<()> {
    let since = std::time::Instant::now();
    loop {
        let late = since.elapsed() >= STARTUP_TIMEOUT;
        match service::health::report_all(members) {
            Ok(()) => return Ok(()),
            Err(Impairment::Halted(reason)) => bail!("{reason}"),
            Err(Impairment::Starting(reason)) if late => bail!("not within {STARTUP_TIMEOUT:?}: {reason}"),
            Err(Impairment::Behind(_)) if late => return Ok(()),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// The lock keeps a second demonstration from using the same directory.
fn lock(data: &Path) -> Result<std::fs::File> {
    let file = std::fs::File::create(data.join("lock"))?;
    file.try_lock()
        .with_context(|| format!("another demonstration is running in {}", data.display()))?;
    Ok(file)
}

fn remove_if_exists(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).context(path.display().to_string()),
        _ => Ok(()),
    }
}
