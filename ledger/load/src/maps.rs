//! How long after its receipt a label stands in a published `map` entry.
//!
//! A `map` entry binds the labels of all entries before it, and is published when the checkpoint at `/checkpoint` covers it. The watch
//! asks for the map writer's newest entry and, when that is a new one, for the checkpoint; what counts is the moment when the
//! checkpoint has come. So a lag is too long by one pause and two requests at most, and never too short.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use ledger_client::api::Ledger as _;
use ledger_client::{LedgerApi, Trust};
use record::WriterId;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::offer::Recorded;

/// Between two looks.
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// How long after the last receipt its `map` entry may take before the run is given up.
const MAP_ENTRY_TIMEOUT: Duration = Duration::from_secs(60);

/// A published `map` entry.
struct PublishedMapEntry {
    /// It covers the entries with a smaller index.
    index: u64,
    /// When that was seen.
    at: Instant,
}

/// Watches the `map` entries of a ledger.
pub(crate) struct MapWatch {
    task: JoinHandle<Result<()>>,
    published: UnboundedReceiver<PublishedMapEntry>,
}

impl MapWatch {
    /// Watches from now on.
    pub(crate) fn start(api: LedgerApi, trust: Trust, writer: WriterId) -> Self {
        let (sender, published) = unbounded_channel();
        let task = tokio::spawn(watch(api, trust, writer, sender));
        Self { task, published }
    }

    /// Waits until all of these stand under a published `map` entry: of each the time since its receipt, microseconds, sorted.
    pub(crate) async fn lags(mut self, mut recorded: Vec<Recorded>) -> Result<Vec<u32>> {
        recorded.sort_unstable_by_key(|entry| entry.index);
        let mut lags = Vec::with_capacity(recorded.len());
        while lags.len() < recorded.len() {
            let next = timeout(MAP_ENTRY_TIMEOUT, self.published.recv());
            let Some(map) = next.await.context("the ledger writes no map entry any more")? else {
                self.task.await??;
                bail!("the watch of the map entries ended early");
            };
            let covered = recorded
                .iter()
                .skip(lags.len())
                .take_while(|entry| entry.index < map.index);
            let covered: Vec<u32> = covered.map(|entry| lag(entry, &map)).collect();
            lags.extend(covered);
        }
        self.task.abort();
        lags.sort_unstable();
        Ok(lags)
    }
}

/// A `map` entry may be there before the receipt of what it covers has come: then there was nothing to wait for.
fn lag(entry: &Recorded, map: &PublishedMapEntry) -> u32 {
    let lag = map.at.saturating_duration_since(entry.at).as_micros();
    u32::try_from(lag).unwrap_or(u32::MAX)
}

async fn watch(api: LedgerApi, trust: Trust, writer: WriterId, seen: UnboundedSender<PublishedMapEntry>) -> Result<()> {
    let mut last = None;
    loop {
        sleep(POLL_INTERVAL).await;
        let Some(head) = api.writer_head(&writer).await? else {
            continue;
        };
        let index = head.index.get();
        if last == Some(index) {
            continue;
        }
        let published = trust.checkpoint(api.checkpoint().await?)?;
        if published.checkpoint().size.get() <= index {
            continue;
        }
        last = Some(index);
        let at = Instant::now();
        // Nobody listens any more when all have been covered.
        if seen.send(PublishedMapEntry { index, at }).is_err() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_label_waits_for_the_first_map_entry_behind_it() {
        let start = Instant::now();
        let after = |milliseconds| start + Duration::from_millis(milliseconds);
        let (sender, published) = unbounded_channel();
        let recorded = [(7, 30), (5, 10), (9, 20)].map(|(index, at)| Recorded {
            index,
            at: after(at),
            micros: 0,
        });
        for (index, at) in [(6, 100), (8, 25), (10, 300)] {
            assert!(sender.send(PublishedMapEntry { index, at: after(at) }).is_ok());
        }
        let task = tokio::spawn(async { Ok(()) });
        let lags = MapWatch { task, published }.lags(recorded.to_vec()).await;
        assert_eq!(lags.ok(), Some(vec![0, 90_000, 280_000]));
    }
}
