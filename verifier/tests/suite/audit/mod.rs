//! The audit of an export: an unchanged export is sound, and every change makes it unsound.

mod decisions;
mod files;
mod history;
mod rules;
mod sets;

use std::path::Path;

use fixtures::sample_log::SampleLog;
use tlog::policy::Policy;
use verifier::audit::{Options, Progress, Report, Source, TOLERANCE, audit};

struct Silent;
impl Progress for Silent {
    fn at(&self, _: u64, _: u64) {}
}

fn options(log: &SampleLog) -> Options {
    Options {
        policy: Policy::parse(log.policy().as_bytes()).unwrap(),
        genesis: Some(log.genesis()),
        records: true,
        allow_unwitnessed: false,
        tolerance: TOLERANCE,
        opened: Vec::new(),
        resume: None,
    }
}

fn run(dir: &Path, options: &Options) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime
        .block_on(audit(&Source::directory(dir).unwrap(), options, &Silent))
        .unwrap()
}

/// Exports and audits a log. Returns the findings as text.
fn findings(log: &SampleLog) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    log.export(dir.path(), 2);
    run(dir.path(), &options(log))
        .findings
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn small() -> SampleLog {
    let mut log = SampleLog::new();
    log.publish();
    let (intent, number) = log.intent();
    log.outcome(intent, number);
    log.inspection(0);
    log.denial();
    let (intent, _) = log.intent();
    log.lost(intent);
    log.map();
    log.publish();
    log
}
