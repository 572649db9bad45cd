//! An in-memory ledger with the rules that matter to a client, and with faults that tests inject.
//!
//! Its log is always correct: the tree has every accepted leaf. Its *answers* may be wrong if a test asks for it
//! ([`InjectedFault`]).
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod bench;
pub mod entries;
pub mod log;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ledger_client::api::{ApiError, ApiFuture, AppendAnswer, LedgerApi, Submission, WriterHead};
use ledger_client::{LiveTrust, Trust, Writer, WriterConfig};
use record::WriterId;
use service::Problem;
use service::clock::Clock;
use service::secret::Credential;
use service::shutdown::Shutdown;
use tlog::Hash;
use tlog::merkle::Index;
use tlog::tile::{Bundle, Tile};
use tokio::time::Instant;

pub use entries::{begin, broker, denial, hash, intent, labelled};
pub use log::FakeLog;

/// A fault in one call of `append`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InjectedFault {
    None,
    /// The connection fails.
    NotConnected,
    /// The request is lost.
    LoseRequest,
    /// The ledger appends; the answer is lost.
    LoseAnswer,
    /// The queue is full.
    Busy,
    /// The ledger appends the first half and fails.
    Half,
    /// The request takes this many milliseconds.
    Slow(u16),
    /// The request as a whole is too large.
    TooLarge,
    // Lies:
    /// The receipt is damaged.
    DamagedReceipt,
    /// The receipt is that of the log's first entry.
    OtherReceipt,
    /// The index is wrong.
    OtherIndex,
    /// The answers are in reverse order.
    Swapped,
    /// One answer is missing.
    ShortAnswer,
    /// The ledger appends and answers with a refusal.
    FalseRefusal,
    /// The ledger does not append, and answers that the chain is wrong.
    FalseChain,
}

pub struct FakeLedger {
    pub log: Mutex<FakeLog>,
    pub faults: Mutex<VecDeque<InjectedFault>>,
    /// The answer of `writer_head` instead of the true one.
    pub false_head: Mutex<Option<Option<WriterHead>>>,
    /// The number of calls of `append`.
    pub appends: Mutex<usize>,
    /// The number of calls of `document`.
    pub documents: Mutex<usize>,
    /// The number of calls of `sets`.
    pub pages: Mutex<usize>,
    pub down: Mutex<bool>,
}

impl FakeLedger {
    pub fn new(log: FakeLog) -> Arc<Self> {
        Arc::new(Self {
            log: Mutex::new(log),
            faults: Mutex::default(),
            false_head: Mutex::default(),
            appends: Mutex::default(),
            documents: Mutex::default(),
            pages: Mutex::default(),
            down: Mutex::default(),
        })
    }

    pub fn script(&self, faults: impl IntoIterator<Item = InjectedFault>) {
        *self.faults.lock().unwrap() = faults.into_iter().collect();
    }

    pub fn set_down(&self, down: bool) {
        *self.down.lock().unwrap() = down;
    }

    pub fn with<T>(&self, act: impl FnOnce(&mut FakeLog) -> T) -> T {
        act(&mut self.log.lock().unwrap())
    }

    fn check_up(&self) -> Result<(), ApiError> {
        if *self.down.lock().unwrap() {
            Err(ApiError::NotConnected("down".into()))
        } else {
            Ok(())
        }
    }

    async fn faulty_append(&self, submissions: Vec<Submission>) -> Result<Vec<AppendAnswer>, ApiError> {
        *self.appends.lock().unwrap() += 1;
        self.check_up()?;
        let fault = self.faults.lock().unwrap().pop_front().unwrap_or(InjectedFault::None);
        let lost = || ApiError::NoAnswer("lost".into());
        // Requests and answers take time.
        tokio::time::sleep(Duration::from_millis(3)).await;
        match fault {
            InjectedFault::NotConnected => return Err(ApiError::NotConnected("refused".into())),
            InjectedFault::LoseRequest => return Err(lost()),
            InjectedFault::Busy => return Err(ApiError::Refused(Box::new(Problem::too_many(1, "full")))),
            InjectedFault::TooLarge if submissions.len() > 1 => {
                return Err(ApiError::Refused(Box::new(Problem::too_large("too many at once"))));
            }
            InjectedFault::Slow(millis) => tokio::time::sleep(Duration::from_millis(millis.into())).await,
            InjectedFault::Half => {
                let half = submissions[..submissions.len().div_ceil(2)].to_vec();
                self.with(|log| log.append(&half));
                return Err(ApiError::Refused(Box::new(Problem::unavailable("stopping", 1, ""))));
            }
            InjectedFault::FalseChain => {
                let problem = Problem::conflict("chain", "");
                let refusal = AppendAnswer::Refused {
                    problem: Box::new(problem),
                    receipt: None,
                };
                return Ok(vec![refusal; submissions.len()]);
            }
            _ => {}
        }
        let mut answers = self.with(|log| log.append(&submissions));
        tokio::time::sleep(Duration::from_millis(3)).await;
        match fault {
            InjectedFault::LoseAnswer => return Err(lost()),
            InjectedFault::ShortAnswer => drop(answers.pop()),
            InjectedFault::Swapped => answers.reverse(),
            InjectedFault::FalseRefusal => {
                let problem = Box::new(Problem::forbidden("right", "a lie"));
                answers[0] = AppendAnswer::Refused { problem, receipt: None };
            }
            InjectedFault::DamagedReceipt | InjectedFault::OtherReceipt | InjectedFault::OtherIndex => {
                let first = self.with(|log| log.receipt(0, false));
                for answer in &mut answers {
                    falsify(answer, fault, &first);
                }
            }
            _ => {}
        }
        Ok(answers)
    }
}

fn falsify(answer: &mut AppendAnswer, fault: InjectedFault, first: &[u8]) {
    let AppendAnswer::Recorded { index, receipt } = answer else {
        return;
    };
    match fault {
        InjectedFault::DamagedReceipt => {
            let at = receipt.len() - 10;
            receipt[at] = if receipt[at] == b'A' { b'B' } else { b'A' };
        }
        InjectedFault::OtherReceipt => *receipt = first.to_vec(),
        _ => *index += 1,
    }
}

macro_rules! answer {
    ($self:ident, $read:expr) => {
        Box::pin(async move {
            $self.check_up()?;
            tokio::time::sleep(Duration::from_millis(1)).await;
            $read
        })
    };
}

fn or_404<T>(found: Option<T>) -> Result<T, ApiError> {
    found.ok_or_else(|| ApiError::Refused(Box::new(Problem::not_found(""))))
}

impl LedgerApi for FakeLedger {
    fn checkpoint(&self) -> ApiFuture<'_, Vec<u8>> {
        answer!(self, or_404(self.with(|log| log.witnessed.clone())))
    }

    fn head(&self) -> ApiFuture<'_, Vec<u8>> {
        answer!(self, Ok(self.with(|log| log.head(false))))
    }

    fn tile(&self, tile: Tile) -> ApiFuture<'_, Vec<u8>> {
        answer!(self, or_404(self.with(|log| log.tile(tile))))
    }

    fn entries_bundle(&self, bundle: Bundle) -> ApiFuture<'_, Vec<u8>> {
        answer!(self, or_404(self.with(|log| log.bundle(bundle))))
    }

    fn receipt(&self, index: Index, witnessed: bool) -> ApiFuture<'_, Vec<u8>> {
        answer!(self, {
            or_404(self.with(|log| {
                let at = usize::try_from(index.get()).unwrap();
                (at < log.leaves.len()).then(|| log.receipt(at, witnessed))
            }))
        })
    }

    fn newest_map(&self) -> ApiFuture<'_, Vec<u8>> {
        answer!(self, or_404(self.with(FakeLog::newest_map)))
    }

    fn sets(&self, from: Index) -> ApiFuture<'_, Vec<u8>> {
        answer!(self, {
            *self.pages.lock().unwrap() += 1;
            Ok(self.with(|log| log.page(from)).into_bytes())
        })
    }

    fn record<'a>(&'a self, index: Index, _: &'a Credential) -> ApiFuture<'a, Option<Vec<u8>>> {
        answer!(self, Ok(self.with(|log| log.records.get(&index.get()).cloned())))
    }

    fn document<'a>(&'a self, digest: &'a Hash) -> ApiFuture<'a, Vec<u8>> {
        answer!(self, {
            *self.documents.lock().unwrap() += 1;
            or_404(self.with(|log| log.documents.get(digest).cloned()))
        })
    }

    fn writer_head<'a>(&'a self, writer: &'a WriterId) -> ApiFuture<'a, Option<WriterHead>> {
        answer!(self, {
            let lie = *self.false_head.lock().unwrap();
            Ok(lie.unwrap_or_else(|| self.with(|log| log.heads.get(writer).copied())))
        })
    }

    fn append(&self, submissions: Vec<Submission>) -> ApiFuture<'_, Vec<AppendAnswer>> {
        Box::pin(self.faulty_append(submissions))
    }
}

/// A clock that follows tokio's clock, so that paused time advances both.
#[derive(Debug)]
pub struct TokioClock {
    begin: Instant,
    at_begin: u64,
}

impl TokioClock {
    pub fn starting_at(at_begin: u64) -> Arc<Self> {
        Arc::new(Self {
            begin: Instant::now(),
            at_begin,
        })
    }
}

impl Clock for TokioClock {
    fn now(&self) -> u64 {
        self.at_begin + self.begin.elapsed().as_secs()
    }

    fn steady(&self) -> Duration {
        self.begin.elapsed()
    }
}

pub fn start_writer(ledger: &Arc<FakeLedger>, state_dir: &std::path::Path, clock: Arc<dyn Clock>) -> Writer {
    ledger.with(|log| log.clock = clock.clone());
    let (trust, history) = ledger.with(|log| (log.trust.clone(), log.history.clone()));
    let config = WriterConfig {
        api: ledger.clone(),
        trust,
        live: LiveTrust::fixed(history, clock.clone()),
        key: broker(),
        state_dir: state_dir.into(),
        clock,
    };
    Writer::start(config, Shutdown::new()).unwrap()
}

pub fn trust_of(ledger: &Arc<FakeLedger>) -> Arc<Trust> {
    ledger.with(|log| log.trust.clone())
}
