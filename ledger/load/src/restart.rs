//! Measures a start: the ledger is killed with SIGKILL, and started on the log that it has written.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::entries::{EntryShape, LoadWriter};
use crate::offer::Connection;
use crate::world::{LedgerChild, World};

/// How long a start may take until the run fails.
const START_TIMEOUT: Duration = Duration::from_secs(120);
const RETRY_DELAY: Duration = Duration::from_millis(2);

/// The time from executing the ledger until the receipt of the next entry of `writer`, which sends it from the
/// beginning. A ledger that does not accept entries yet refuses them.
pub(crate) async fn first_receipt(
    world: &World,
    program: &Path,
    running: LedgerChild,
    writer: &mut LoadWriter,
) -> Result<Duration> {
    let shape = EntryShape { record: 512, batch: 1 };
    let requests = writer.requests(1, shape)?;
    // Dropping it kills it.
    drop(running);
    let started = Instant::now();
    let mut ledger = world.execute(program)?;
    for request in requests {
        while send(&ledger, request.clone()).await.is_err() {
            ledger.still_runs()?;
            ensure!(started.elapsed() < START_TIMEOUT, "the ledger does not accept an entry");
            tokio::time::sleep(RETRY_DELAY).await;
        }
    }
    Ok(started.elapsed())
}

async fn send(ledger: &LedgerChild, request: crate::entries::Request) -> Result<()> {
    Connection::open(ledger.address).await?.send(request).await.map(drop)
}
