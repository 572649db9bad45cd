//! Measures a fresh process on the written log: time to the first answer, time to the complete map, memory.

use std::time::Instant;

use ledger::rules::WriterHead;
use record::{Body, Commitment, Label, LabelledKind, Period, Sequence};
use tlog::Hash;
use tokio::runtime::Runtime;

use super::figures::{Failure, Figures, resident_mib};
use super::options::Arguments;
use super::world::{World, broker, now, raw};
use super::write::submit;

pub(crate) fn run(arguments: &Arguments) -> Result<Figures, Failure> {
    let runtime = Runtime::new()?;
    let genesis = {
        let (rows, _, _) = World::written(arguments)?;
        rows.leaf_hash(0)?
    };
    let started = Instant::now();
    let running = World::start(&arguments.data, Some(genesis), &[])?;
    let mut pen = broker(0);
    let head = WriterHead::read(running.log.rows(), &pen.key.id())?.ok_or("the writer has no entry")?;
    (pen.sequence, pen.previous) = (Sequence(head.sequence + 1), head.leaf);
    let record = vec![1; arguments.record];
    let body = Body::Labelled {
        kind: LabelledKind::Intent,
        period: Period(1),
        label: Label(Hash::of(b"after the restart").0),
        commitment: Commitment(Hash::of(&record)),
        refers: None,
    };
    let entry = pen.write(now(), body)?;
    let recorded = runtime.block_on(submit(&running, vec![raw(entry, Some(record.into()), None)]))?;
    let restart = started.elapsed();
    let index = recorded.first().ok_or("no receipt")?.0.get();
    let mut snapshots = running.log.snapshots();
    // There is no other writer, so the next entry is the map entry.
    runtime.block_on(snapshots.wait_for(|snapshot| snapshot.head.size > index + 1))?;
    let map = started.elapsed();
    let resident = resident_mib()?;
    running.log.end();
    Ok(Figures::from([
        ("restart_s".into(), restart.as_secs_f64()),
        ("restart_map_s".into(), map.as_secs_f64()),
        ("rss_mb_with_map".into(), resident),
    ]))
}
