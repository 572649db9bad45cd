//! A writer with the in-memory ledger, in simulated time.

use std::path::Path;
use std::sync::Arc;

use ledger_client::recorded::Intent;
use ledger_client::{AppendError, Draft, Recorded, Writer};
use record::Body;

use super::log::START;
use super::{FakeLedger, FakeLog, TokioClock, intent, start_writer};

/// Runs a test in its own runtime, whose time advances while all tasks wait. Dropping the runtime simulates a crash.
pub fn simulate<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(test)
}

pub struct Bench {
    pub ledger: Arc<FakeLedger>,
    pub dir: tempfile::TempDir,
}

impl Bench {
    pub fn new() -> Self {
        Self {
            ledger: FakeLedger::new(FakeLog::begun()),
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub fn writer(&self) -> Writer {
        start_writer(&self.ledger, self.dir.path(), TokioClock::starting_at(START))
    }

    pub fn writer_in(&self, dir: &Path) -> Writer {
        start_writer(&self.ledger, dir, TokioClock::starting_at(START))
    }

    /// The indexes of the entries with this body.
    pub fn positions(&self, body: &Body) -> Vec<u64> {
        self.ledger.with(|log| {
            let all = 0..log.leaves.len() as u64;
            all.filter(|index| log.entry(*index).entry().body == *body).collect()
        })
    }
}

pub async fn append_intent(writer: &Writer, number: u64) -> Result<Recorded<Intent>, AppendError> {
    writer.append(Draft::now(intent(number)), None, None).await
}
