//! All compartments in this process, each on threads of its own that have its name.
//!
//! A compartment is a process of its own in production. Here each has a runtime of its own, so that the time of a
//! thread is the time of a compartment, and the profile needs no tool.

use std::net::TcpListener;
use std::path::Path;
use std::thread::JoinHandle;

use anyhow::{Context as _, Result};
use service::config::{base, load};
use service::{Listener, Shutdown, SystemClock};

use crate::world::{COMPARTMENTS, World};

/// The running compartments.
pub(crate) struct Compartments {
    threads: Vec<(&'static str, JoinHandle<Result<()>>)>,
    shutdown: Shutdown,
}

impl Compartments {
    /// Starts all of them.
    pub(crate) fn start(world: &World) -> Result<Self> {
        let shutdown = Shutdown::new();
        let mut threads = Vec::new();
        for (name, listener) in COMPARTMENTS.into_iter().zip(&world.addresses.listeners) {
            let (listener, config, shutdown) = (listener.try_clone()?, world.config(name), shutdown.clone());
            let thread = std::thread::Builder::new()
                .name(name.into())
                .spawn(move || run(name, &config, listener, &shutdown))?;
            threads.push((name, thread));
        }
        Ok(Self { threads, shutdown })
    }

    /// Requests shutdown, and waits for it.
    pub(crate) fn stop(self) -> Result<()> {
        self.shutdown.trigger();
        for (name, thread) in self.threads {
            let ended = thread.join();
            ended
                .map_err(|_| anyhow::anyhow!("{name} has panicked"))?
                .context(name)?;
        }
        Ok(())
    }
}

fn run(name: &'static str, config: &Path, listener: TcpListener, shutdown: &Shutdown) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name(name)
        .enable_all()
        .build()?;
    let ended = runtime.block_on(serve(name, config, listener, shutdown.clone()));
    // The run cannot succeed without this compartment.
    shutdown.trigger();
    ended
}

async fn serve(name: &str, config: &Path, listener: TcpListener, shutdown: Shutdown) -> Result<()> {
    listener.set_nonblocking(true)?;
    let listener = Listener::from(tokio::net::TcpListener::from_std(listener)?);
    let (at, clock) = (base(config), SystemClock::shared());
    match name {
        "ledger" => ledger::run(load::<ledger::Config>(config)?.resolved(&at), listener, shutdown, clock).await?,
        "identity" => {
            identity::run(
                load::<identity::Config>(config)?.resolved(&at),
                listener,
                shutdown,
                clock,
            )
            .await?
        }
        "broker" => broker::run(load::<broker::Config>(config)?.resolved(&at), listener, shutdown, clock).await?,
        "register" => {
            register::run(
                load::<register::Config>(config)?.resolved(&at),
                listener,
                shutdown,
                clock,
            )
            .await?
        }
        _ => {
            connector::run(
                load::<connector::Config>(config)?.resolved(&at),
                listener,
                shutdown,
                clock,
            )
            .await?
        }
    }
    Ok(())
}
