//! Measures the time from the receipt of an entry until a published `map` entry covers its label.
//!
//! A `map` entry binds the labels of all entries before it, and is published when the checkpoint at `/checkpoint`
//! covers it. The watch polls the map writer's newest entry and, when there is a new one, reads the checkpoint. The
//! time at which the checkpoint arrives counts. A measured lag is therefore too long by at most one poll interval and
//! two requests, and never too short.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use ledger_client::api::LedgerApi as _;
use ledger_client::{HttpLedger, Trust};
use record::WriterId;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::offer::Recorded;

/// Time between two polls.
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// How long to wait for the next `map` entry before the run fails.
const MAP_ENTRY_TIMEOUT: Duration = Duration::from_secs(60);

/// A published `map` entry.
struct PublishedMapEntry {
    /// Its index; it covers all entries with a smaller index.
    index: u64,
    /// When it was seen to be published.
    at: Instant,
}

/// Watches the `map` entries of a ledger.
pub(crate) struct MapWatch {
    task: JoinHandle<Result<()>>,
    published: UnboundedReceiver<PublishedMapEntry>,
}

impl MapWatch {
    /// Starts watching.
    pub(crate) fn start(api: HttpLedger, trust: Trust, writer: WriterId) -> Self {
        let (sender, published) = unbounded_channel();
        let task = tokio::spawn(watch(api, trust, writer, sender));
        Self { task, published }
    }

    /// Waits until published `map` entries cover all of `recorded`; returns the time since the receipt of each, in
    /// microseconds, sorted.
    pub(crate) async fn lags(mut self, mut recorded: Vec<Recorded>) -> Result<Vec<u32>> {
        recorded.sort_unstable_by_key(|entry| entry.index);
        let mut lags = Vec::with_capacity(recorded.len());
        while lags.len() < recorded.len() {
            let next = timeout(MAP_ENTRY_TIMEOUT, self.published.recv());
            let Some(map) = next.await.context("the ledger no longer writes map entries")? else {
                self.task.await??;
                bail!("watching the map entries ended early");
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

/// The time from the receipt to the `map` entry; zero if the `map` entry was seen before the receipt arrived.
fn lag(entry: &Recorded, map: &PublishedMapEntry) -> u32 {
    let lag = map.at.saturating_duration_since(entry.at).as_micros();
    u32::try_from(lag).unwrap_or(u32::MAX)
}

async fn watch(
    api: HttpLedger,
    trust: Trust,
    writer: WriterId,
    seen: UnboundedSender<PublishedMapEntry>,
) -> Result<()> {
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
        // The receiver is dropped when all entries are covered.
        if seen.send(PublishedMapEntry { index, at }).is_err() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_label_is_covered_by_the_first_map_entry_after_it() {
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
