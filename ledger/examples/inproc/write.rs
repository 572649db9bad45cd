//! Measures sustained writing: in each phase, requests are created first, and then all writers submit them
//! concurrently.

use std::collections::VecDeque;
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use fixtures::TestWriter;
use ledger::engine::Outcome;
use ledger::rules::RawSubmission;
use record::{Body, Commitment, Label, LabelledKind, Period, Phase, Receipt, label};
use tlog::Hash;
use tlog::merkle::Index;
use tokio::runtime::Runtime;

use super::figures::{Failure, Figures, size_of};
use super::options::Arguments;
use super::pace;
use super::world::{Running, World, broker, now, raw};

/// The number of entries in a phase.
const ENTRIES_PER_PHASE: u64 = 131_072;

/// A writer with its open intents.
struct Writer {
    pen: TestWriter,
    number: u8,
    open: VecDeque<(Index, Label)>,
    record: usize,
}

impl Writer {
    /// Creates `count` entries in requests of `size` entries. An outcome can only close an intent of an earlier phase.
    fn requests(&mut self, count: u64, size: usize) -> Result<Vec<Vec<RawSubmission>>, Failure> {
        let mut raws = Vec::with_capacity(count as usize);
        for turn in 0..count {
            let refers = if turn % 2 == 0 { None } else { self.open.pop_front() };
            raws.push(self.entry(refers)?);
        }
        Ok(raws.chunks(size).map(<[RawSubmission]>::to_vec).collect())
    }

    fn entry(&mut self, intent: Option<(Index, Label)>) -> Result<RawSubmission, Failure> {
        let (kind, label, refers) = match intent {
            Some((index, label)) => {
                let label = label::of_phase(&label, Phase::Outcome);
                (LabelledKind::Outcome, label, Some(index))
            }
            None => {
                let place = [&[self.number][..], &self.pen.sequence.0.to_be_bytes()].concat();
                (LabelledKind::Intent, Label(Hash::of(&place).0), None)
            }
        };
        let record: Vec<u8> = label.0.iter().copied().cycle().take(self.record).collect();
        let body = Body::Labelled {
            kind,
            period: Period(1),
            label,
            commitment: Commitment(Hash::of(&record)),
            refers,
        };
        Ok(raw(self.pen.write(now(), body)?, Some(Bytes::from(record)), None))
    }

    /// Submits the requests one after another, each when the previous one has its receipts.
    async fn submit(mut self, running: Arc<Running>, requests: Vec<Vec<RawSubmission>>) -> Result<Self, Failure> {
        for request in requests {
            for (index, body) in submit(&running, request).await? {
                if let Body::Labelled {
                    kind: LabelledKind::Intent,
                    label,
                    ..
                } = body
                {
                    self.open.push_back((index, label));
                }
            }
        }
        Ok(self)
    }
}

/// Does the work of a request handler: checks, submits and creates the receipts. Returns index and body of each entry.
pub(crate) async fn submit(running: &Running, request: Vec<RawSubmission>) -> Result<Vec<(Index, Body)>, Failure> {
    let founder = running.checker.founder(&request);
    let checked = running.checker.check(request, founder.as_ref());
    let mut submissions = Vec::with_capacity(checked.len());
    for one in checked {
        submissions.push(Arc::new(one.map_err(|refusal| refusal.detail)?));
    }
    let weight = submissions.len();
    let answers = running.log.submit(submissions.clone(), weight).await?;
    let snapshot = &answers.snapshot;
    let mut indexes = Vec::with_capacity(weight);
    for (outcome, submission) in answers.outcomes.iter().zip(&submissions) {
        let index = match outcome {
            Outcome::Recorded(index) => *index,
            Outcome::Refused(refusal) => return Err(refusal.detail.clone().into()),
        };
        let hashes = snapshot.inclusion(index, snapshot.head.size)?;
        let (entry, index) = (submission.entry().clone(), Index::new(index)?);
        let body = entry.entry().body.clone();
        std::hint::black_box(Receipt::new(entry, index, hashes, snapshot.note.clone()).to_bytes());
        indexes.push((index, body));
    }
    Ok(indexes)
}

/// CPU time of this process so far, in ticks of 10 ms.
fn ticks() -> Result<u64, Failure> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // Skips the program name, which may contain any character; fields 14 and 15 of proc(5) are user and system time.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).map(|field| Ok(field.parse::<u64>()?)).sum()
}

pub(crate) fn run(arguments: &Arguments) -> Result<Figures, Failure> {
    let runtime = Runtime::new()?;
    let world = World::new(arguments.writers)?;
    let founding = world.founding()?;
    let running = Arc::new(World::start(&arguments.data, None, &founding)?);
    // The period's writer is known only when the directory is recorded.
    let (documents, period) = founding.split_at(founding.len() - 1);
    runtime.block_on(submit(&running, documents.to_vec()))?;
    runtime.block_on(submit(&running, period.to_vec()))?;
    let mut writers: Vec<Writer> = (0..arguments.writers)
        .map(|number| Writer {
            pen: broker(number),
            number,
            open: VecDeque::new(),
            record: arguments.record,
        })
        .collect();
    let before = pace::micros()?;
    let (mut written, mut elapsed, mut cpu) = (0, Duration::ZERO, 0);
    while written < arguments.entries {
        let share = (arguments.entries - written)
            .min(ENTRIES_PER_PHASE)
            .div_ceil(u64::from(arguments.writers));
        let requests: Vec<_> = writers
            .iter_mut()
            .map(|writer| writer.requests(share, arguments.request))
            .collect::<Result<_, _>>()?;
        let (started, ticks_before) = (Instant::now(), ticks()?);
        let tasks: Vec<_> = writers
            .drain(..)
            .zip(requests)
            .map(|(writer, requests)| runtime.spawn(writer.submit(running.clone(), requests)))
            .collect();
        for task in tasks {
            writers.push(runtime.block_on(task)??);
        }
        elapsed += started.elapsed();
        cpu += ticks()? - ticks_before;
        written += share * u64::from(arguments.writers);
    }
    let pace = f64::midpoint(before, pace::micros()?);
    let running = Arc::into_inner(running).ok_or("the log is still in use")?;
    running.log.end();
    drop(running);
    Ok(Figures::from([
        ("inproc_verified_per_s".into(), written as f64 / elapsed.as_secs_f64()),
        ("inproc_cpu_us_per_entry".into(), cpu as f64 * 1e4 / written as f64),
        ("pace_us".into(), pace),
        (
            "bytes_per_entry".into(),
            size_of(&arguments.data)? as f64 / written as f64,
        ),
    ]))
}
