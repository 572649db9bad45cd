//! The audit of a whole log, from its checkpoint to the listing of its files.

use std::collections::{HashSet, VecDeque};

use record::{Commitment, Entry, SealedRecord, SignedEntry};
use tlog::Hash;
use tokio::task::JoinHandle;

use super::decisions::Decisions;
use super::files::{self, Files};
use super::finding::Findings;
use super::head::{self, Head};
use super::layout::{self, TILE};
use super::options::Options;
use super::report::Report;
use super::resume::ResumeError;
use super::source::Source;
use super::source_error::SourceError;
use super::state::{EntryReporter, LogState};
use super::tree::{self, Skeleton};
use super::{bundle, history, resume};

/// Receives the progress of an audit.
pub trait Progress {
    /// Reports that `entries` of `of` entries have been read.
    fn at(&self, entries: u64, of: u64);
}

/// Reads and checks the whole log.
///
/// # Errors
/// [`SourceError`] if the log cannot be read. Everything that is wrong with its content is in the report.
pub async fn audit(source: &Source, options: &Options, progress: &dyn Progress) -> Result<Report, SourceError> {
    let mut findings = Findings::default();
    let head = match source.checkpoint("checkpoint").await? {
        Some(bytes) => head::check(&bytes, options, &mut findings),
        None => {
            findings.file("checkpoint", "the file is missing");
            None
        }
    };
    let Some(head) = head else {
        return Ok(Report::without_head(findings));
    };
    let skeleton = Skeleton::load(source, head.size, &head.root.0, &mut findings).await?;
    let mut auditor = Auditor {
        source,
        options,
        head,
        skeleton,
        state: LogState::new(options.tolerance, options.resume.is_some()),
        findings,
        blind: false,
        records: 0,
        decisions: Decisions::new(&options.opened),
        history: None,
        resumed: None,
    };
    let start = auditor.resume()?;
    auditor.read_entries(start, progress).await?;
    auditor.check_end();
    auditor.check_history().await?;
    auditor.check_listing()?;
    Ok(auditor.report())
}

struct Auditor<'a> {
    source: &'a Source,
    options: &'a Options,
    head: Head,
    skeleton: Skeleton,
    state: LogState,
    findings: Findings,
    /// Set if an entry could not be read, or if the audit was stopped. Later entries are then only compared with the
    /// tree.
    blind: bool,
    /// Number of records that match their commitments.
    records: u64,
    /// The decisions to judge.
    decisions: Decisions<'a>,
    /// Sizes of the published checkpoints in an export.
    history: Option<Vec<u64>>,
    /// Number of entries that an earlier audit has checked.
    resumed: Option<u64>,
}

/// How many bundles are fetched ahead of the one being checked.
const PREFETCH_DEPTH: usize = 4;
/// How many records are fetched concurrently.
const MAX_CONCURRENT_RECORDS: usize = 32;

type Chunk = (Option<Vec<u8>>, Option<Vec<u8>>);

impl Auditor<'_> {
    /// Restores the saved state. Returns the number of the first bundle to read.
    fn resume(&mut self) -> Result<u64, SourceError> {
        let Some(path) = &self.options.resume else {
            return Ok(0);
        };
        match resume::load(path, &self.skeleton, self.options) {
            Ok(Some(saved)) => {
                self.resumed = Some(saved.state.size);
                self.records = saved.records;
                self.state = saved.state;
                Ok(self.state.size / TILE)
            }
            Ok(None) => Ok(0),
            Err(what @ ResumeError::Log(_)) => {
                self.findings.file(path.display().to_string(), what.to_string());
                Ok(0)
            }
            Err(what @ ResumeError::File(_)) => Err(SourceError::Unusable(format!("{}: {what}", path.display()))),
        }
    }

    async fn read_entries(&mut self, start: u64, progress: &dyn Progress) -> Result<(), SourceError> {
        let chunks = self.head.size.div_ceil(TILE);
        let mut wanted = start..chunks;
        if self.findings.overflow() {
            self.blind = true;
            return Ok(());
        }
        let mut under_way: VecDeque<JoinHandle<Result<Chunk, SourceError>>> = VecDeque::new();
        for number in start..chunks {
            for ahead in wanted.by_ref().take(PREFETCH_DEPTH.saturating_sub(under_way.len())) {
                under_way.push_back(tokio::spawn(fetch(self.source.clone(), self.head.size, ahead)));
            }
            let Some(next) = under_way.pop_front() else { break };
            let (tile, bundle) = next.await.map_err(SourceError::task)??;
            self.check_chunk(number, tile, bundle).await?;
            let entries = (number * TILE).saturating_add(TILE).min(self.head.size);
            progress.at(entries, self.head.size);
            self.save(entries);
            if self.findings.overflow() {
                self.blind = true;
                break;
            }
        }
        Ok(())
    }

    /// Checks one tile of leaf hashes and the bundle of its entries.
    async fn check_chunk(
        &mut self,
        number: u64,
        tile: Option<Vec<u8>>,
        bundle: Option<Vec<u8>>,
    ) -> Result<(), SourceError> {
        let width = layout::tile_width(self.head.size, 0, number);
        let tile_path = layout::tile_path(self.head.size, 0, number);
        let bundle_path = layout::bundle_path(self.head.size, number);
        let hashes = tree::check_tile(tile, &tile_path, width, &mut self.findings);
        if let Some(Err(what)) = hashes.as_ref().map(|hashes| self.skeleton.check_leaves(number, hashes)) {
            self.findings.file(&tile_path, what);
        }
        let Some(bundle) = bundle else {
            self.findings.file(&bundle_path, "the file is missing");
            self.blind = true;
            return Ok(());
        };
        let entries = match bundle::split(&bundle, width) {
            Ok(entries) => entries,
            Err(what) => {
                self.findings.file(&bundle_path, what);
                self.blind = true;
                return Ok(());
            }
        };
        let mut commitments = Vec::new();
        for (at, bytes) in entries.into_iter().enumerate() {
            let index = number * TILE + at as u64;
            if hashes
                .as_ref()
                .is_some_and(|hashes| hashes.get(at) != Some(&tree::leaf(bytes)))
            {
                self.findings
                    .entry(&bundle_path, index, format!("it is not the leaf that {tile_path} has"));
            }
            if !self.blind {
                commitments.extend(self.check_entry(&bundle_path, index, bytes).await?);
            }
        }
        if self.options.records {
            self.check_records(commitments).await?;
        }
        Ok(())
    }

    /// Parses an entry and applies it to the state. Returns index and commitment if the entry has a record.
    async fn check_entry(
        &mut self,
        place: &str,
        index: u64,
        bytes: &[u8],
    ) -> Result<Option<(u64, Commitment)>, SourceError> {
        let signed = match SignedEntry::parse(bytes) {
            Ok(signed) => signed,
            Err(error) => {
                self.findings.entry(place, index, format!("not an entry: {error}"));
                self.state.skip();
                self.blind = true;
                return Ok(None);
            }
        };
        let files = self.read_files(signed.entry()).await?;
        let mut reporter = EntryReporter {
            place,
            index,
            findings: &mut self.findings,
        };
        self.decisions
            .at(signed.entry(), signed.leaf_hash(), &self.state, &mut reporter);
        self.state.take(&signed, &files, &mut reporter);
        Ok(signed.entry().body.commitment().map(|commitment| (index, commitment)))
    }

    /// Reads the documents that an entry names.
    async fn read_files(&self, entry: &Entry) -> Result<Files, SourceError> {
        let mut files = Files::default();
        if let Some(digest) = entry.body.document() {
            files.document = self.source.read(&layout::document_path(&digest)).await?;
        }
        let document = files.document.as_deref();
        if let Some(digest) = document.and_then(|document| files::operations_of(entry, document)) {
            files.operations = self.source.read(&layout::document_path(&digest)).await?;
        }
        Ok(files)
    }

    async fn check_records(&mut self, commitments: Vec<(u64, Commitment)>) -> Result<(), SourceError> {
        for group in commitments.chunks(if self.source.is_remote() {
            MAX_CONCURRENT_RECORDS
        } else {
            1
        }) {
            let tasks: Vec<_> = group
                .iter()
                .map(|(index, commitment)| {
                    let (source, path) = (self.source.clone(), layout::record_path(*index));
                    (
                        *index,
                        *commitment,
                        tokio::spawn(async move { source.read(&path).await }),
                    )
                })
                .collect();
            for (index, commitment, task) in tasks {
                let record = task.await.map_err(SourceError::task)??;
                match check_record(record.as_deref(), &commitment) {
                    Ok(()) => self.records += 1,
                    Err(what) => self.findings.entry(&layout::record_path(index), index, what),
                }
            }
        }
        Ok(())
    }

    /// The checks that need the whole log.
    fn check_end(&mut self) {
        let remaining = self.decisions.remaining();
        if remaining > 0 {
            let what = format!(
                "{remaining} decisions in opened records were not judged, because this audit has not read their intents \
                 or does not know what was in force there"
            );
            self.findings.note("checkpoint", what);
        }
        self.state.check_judged(&mut self.findings);
        if let Some(genesis) = &self.state.genesis {
            head::check_genesis(&self.head, genesis, self.options, &mut self.findings);
        } else if !self.blind && self.state.unjudged == 0 && self.options.genesis.is_some() {
            self.findings.file(
                "checkpoint",
                "the log has no genesis entry, so it cannot have the expected genesis hash",
            );
        }
        // The ledger promises a map entry at most 1 s after any other entry. The auditor compares two clocks, so it
        // allows for their difference.
        let witnessed = self.head.cosignatures.iter().map(|cosignature| cosignature.time).max();
        if let (Some((index, time)), Some(witnessed), false) = (self.state.uncovered, witnessed, self.blind)
            && time.saturating_add(self.state.tolerance) < witnessed
        {
            let place = layout::bundle_path(self.head.size, index / TILE);
            let what = format!("no map entry covers it {} s later", witnessed - time);
            self.findings.entry(&place, index, what);
        }
    }

    async fn check_history(&mut self) -> Result<(), SourceError> {
        let (head, findings) = (&self.head, &mut self.findings);
        self.history = history::check(self.source, &self.skeleton, head, self.options, findings).await?;
        Ok(())
    }

    /// Reports every file of a directory that is not part of this log.
    fn check_listing(&mut self) -> Result<(), SourceError> {
        let Some(root) = self.source.root() else { return Ok(()) };
        if self.blind || self.state.unnamed {
            // It is unknown which documents and records belong to the entries and headers that could not be read.
            return Ok(());
        }
        let documents = self.state.documents.iter().map(layout::document_path);
        let history = self.history.iter().flatten().map(|size| layout::checkpoint_path(*size));
        let with_record = |index: &u64| self.state.has_record(*index);
        let records = self
            .options
            .records
            .then(|| (0..self.state.size).filter(with_record).collect::<HashSet<_>>());
        layout::Inventory::new(self.head.size, documents.chain(history), records)
            .check_directory(root, &mut self.findings)
    }

    /// Saves the state at the end of a full bundle, unless there are findings.
    fn save(&mut self, entries: u64) {
        const SAVE_INTERVAL: u64 = 1024;
        let Some(path) = &self.options.resume else { return };
        let last = entries + TILE > self.head.size;
        let due = entries.is_multiple_of(TILE) && (last || (entries / TILE).is_multiple_of(SAVE_INTERVAL));
        if !due || !self.findings.is_empty() {
            return;
        }
        if let Err(what) = resume::save(path, &self.state, self.records, &self.skeleton, self.options) {
            tracing::warn!("cannot save the state of the audit: {what}");
        }
    }

    fn report(mut self) -> Report {
        let records = self.options.records.then_some(self.records);
        let mut report = Report::new(&self.head, &mut self.state, self.findings);
        report.records_checked = records;
        report.decisions_judged = (!self.options.opened.is_empty()).then_some(self.decisions.judged);
        report.checkpoints_checked = self.history.map(|sizes| sizes.len() as u64);
        report.resumed_from = self.resumed;
        report.genesis_pinned = self.options.genesis.is_some();
        report
    }
}

async fn fetch(source: Source, size: u64, number: u64) -> Result<Chunk, SourceError> {
    let tile = source.tile(size, 0, number).await?;
    let bundle = source.bundle(size, number).await?;
    Ok((tile, bundle))
}

fn check_record(record: Option<&[u8]>, commitment: &Commitment) -> Result<(), String> {
    let bytes = record.ok_or("the file is missing")?;
    if Hash::of(bytes) != commitment.0 {
        return Err("its SHA-256 is not the commitment of its entry".to_owned());
    }
    SealedRecord::parse(bytes)
        .map(|_| ())
        .map_err(|error| format!("not a sealed record: {error}"))
}
