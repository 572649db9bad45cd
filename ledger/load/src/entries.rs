//! The entries of the load: valid `void` entries, which refer to nothing, with their records. They are signed before
//! the clock starts.

use anyhow::{Context, Result};
use fixtures::begin;
use ledger_client::api::{Submission, wire};
use record::{Body, Commitment, Label, LabelledKind, Period, SigningKey};
use tlog::Hash;

use crate::world::now;

/// The body of a request, and the number of its entries.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) body: Vec<u8>,
    pub(crate) entries: usize,
}

/// The sizes of records and requests.
#[derive(Clone, Copy)]
pub(crate) struct EntryShape {
    /// Bytes of its sealed record.
    pub(crate) record: usize,
    /// Entries of a request.
    pub(crate) batch: usize,
}

/// A writer with its chain.
pub(crate) struct LoadWriter(fixtures::TestWriter);

impl LoadWriter {
    pub(crate) fn new(key: SigningKey) -> Self {
        Self(fixtures::TestWriter::new(key))
    }

    fn write(&mut self, body: Body, record: Option<Vec<u8>>) -> Result<Submission> {
        Ok(Submission {
            leaf: self.0.write(now(), body)?.into_bytes(),
            record,
            document: None,
        })
    }

    /// A request with the entry that begins period 1 now.
    pub(crate) fn begin_period(&mut self) -> Result<Request> {
        let entry = self.write(begin(Period(1), now()), None)?;
        Ok(Request {
            body: wire::encode(&[entry]),
            entries: 1,
        })
    }

    /// The next requests of this writer, with `entries` entries in total.
    pub(crate) fn requests(&mut self, entries: usize, shape: EntryShape) -> Result<Vec<Request>> {
        let mut requests = Vec::new();
        let mut left = entries;
        while left > 0 {
            let entries = left.min(shape.batch);
            let submissions: Result<Vec<_>> = (0..entries).map(|_| self.entry(shape)).collect();
            requests.push(Request {
                body: wire::encode(&submissions?),
                entries,
            });
            left -= entries;
        }
        Ok(requests)
    }

    /// Creates an entry whose label and record are as random as real ones: they are derived with SHA-256 from its place
    /// in the chain.
    fn entry(&mut self, shape: EntryShape) -> Result<Submission> {
        let mut place = self.0.key.id().0.0.to_vec();
        place.extend(self.0.sequence.0.to_be_bytes());
        let label = Hash::of(&place);
        let mut record = Vec::with_capacity(shape.record + Hash::LEN);
        let mut block = label;
        while record.len() < shape.record {
            block = Hash::of(block.as_bytes());
            record.extend(block.as_bytes());
        }
        record.truncate(shape.record);
        let body = Body::Labelled {
            kind: LabelledKind::Void,
            period: Period(1),
            label: Label(label.0),
            commitment: Commitment(Hash::of(&record)),
            refers: None,
        };
        self.write(body, Some(record))
    }
}

/// Signs the next `entries` entries of all writers on all cores; returns the requests of each writer in order.
pub(crate) fn sign(writers: &mut [LoadWriter], entries: usize, shape: EntryShape) -> Result<Vec<Vec<Request>>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (share, more) = (entries / writers.len(), entries % writers.len());
    let piece = writers.len().div_ceil(cores);
    let signed = std::thread::scope(|scope| {
        let threads: Vec<_> = writers
            .chunks_mut(piece)
            .enumerate()
            .map(|(number, writers)| {
                scope.spawn(move || {
                    let writers = writers.iter_mut().enumerate();
                    writers
                        .map(|(at, writer)| writer.requests(share + usize::from(number * piece + at < more), shape))
                        .collect::<Result<Vec<_>>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(std::thread::ScopedJoinHandle::join)
            .collect::<Vec<_>>()
    });
    let mut all = Vec::new();
    for requests in signed {
        all.extend(requests.ok().context("a signing thread panicked")??);
    }
    Ok(all)
}
