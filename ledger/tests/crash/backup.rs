//! Backup, restore and check, run like an operator runs them while writers write to the ledger.

use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use ledger::store::rocks::RocksStore;
use ledger::store::{Batch, Column, Durability, Store};

use crate::harness::{client, found};
use crate::mirror::Mirror;
use crate::process::{LedgerProcess, free_port};
use crate::random::{Random, seed};
use crate::world::World;
use crate::writer::Writer;

fn run(command: &str, arguments: &[(&str, &Path)]) -> Result<(Option<i32>, String)> {
    let mut ledger = Command::new(env!("CARGO_BIN_EXE_ledger"));
    ledger.arg(command);
    for (name, path) in arguments {
        ledger.arg(name).arg(path);
    }
    let Output { status, stdout, stderr } = ledger.output()?;
    let text = [String::from_utf8(stdout)?, String::from_utf8(stderr)?].concat();
    Ok((status.code(), text))
}

fn run_successfully(command: &str, arguments: &[(&str, &Path)]) -> Result<String> {
    let (code, text) = run(command, arguments)?;
    ensure!(code == Some(0), "{command}: {code:?} {text}");
    Ok(text)
}

fn size(text: &str) -> Result<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("size "));
    Ok(line.context("a size")?.trim().parse()?)
}

pub(crate) async fn backup_restore_check() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let world = World::unwitnessed(directory.path())?;
    let (data, backup) = (directory.path().join("data"), directory.path().join("backup"));
    let mut random = Random::new(seed());
    let port = free_port(random.next())?;
    let client = client()?;
    let mut ledger = LedgerProcess::start(&world, port, "")?;
    ensure!(ledger.ready(&client, &world).await?);
    found(&client, &ledger.url, &world).await?;
    let mut writer = Writer::new(0, random);
    for _ in 0..10 {
        ensure!(writer.write_once(&client, &ledger.url, &world).await?);
    }
    let before = writer.acknowledged.last().context("acknowledged")?.index + 1;
    // The backup runs while the writer continues.
    let copying = {
        let (data, backup) = (data.clone(), backup.clone());
        tokio::task::spawn_blocking(move || run_successfully("backup", &[("--data", &data), ("--to", &backup)]))
    };
    while !copying.is_finished() {
        ensure!(writer.write_once(&client, &ledger.url, &world).await?);
    }
    let saved = size(&copying.await??)?;
    let after = writer.acknowledged.last().context("acknowledged")?.index + 1;
    ensure!(before <= saved && saved <= after + 2, "{before} {saved} {after}");
    run_successfully("check", &[("--data", &data)]).context("while the ledger runs")?;
    ledger.stop().await?;
    run_successfully("check", &[("--data", &data)])?;
    run_successfully("check", &[("--data", &backup)])?;

    let (code, text) = run("restore", &[("--from", &backup), ("--data", &data)])?;
    ensure!(code == Some(1) && text.contains("never overwritten"), "{code:?} {text}");
    let (code, text) = run("check", &[("--data", directory.path())])?;
    ensure!(code == Some(3) && text.contains("no ledger's store"), "{code:?} {text}");
    std::fs::rename(&data, directory.path().join("lost"))?;
    let text = run_successfully("restore", &[("--from", &backup), ("--data", &data)])?;
    ensure!(size(&text)? == saved && text.contains("witness"), "{text}");
    served_again(&world, port, &writer, saved).await?;
    damaged_is_found(&data, saved)
}

/// Checks that the restored log has every acknowledged entry with an index below `saved`.
async fn served_again(world: &World, port: u16, writer: &Writer, saved: u64) -> Result<()> {
    let client = client()?;
    let mut ledger = LedgerProcess::start(world, port, "")?;
    ensure!(ledger.ready(&client, world).await?);
    let mut mirror = Mirror::new();
    mirror.follow(&client, &ledger.url, world).await?;
    for acknowledged in writer
        .acknowledged
        .iter()
        .filter(|acknowledged| acknowledged.index < saved)
    {
        let leaf = mirror.leaves.get(acknowledged.index as usize);
        ensure!(
            leaf == Some(&acknowledged.submission.entry.leaf_hash()),
            "entry {}",
            acknowledged.index
        );
    }
    ledger.stop().await
}

fn damaged_is_found(data: &Path, saved: u64) -> Result<()> {
    let store = RocksStore::open(&data.join("store"))?;
    // The entries of a commit are one run. The first run has the genesis entry; the test uses a later one.
    let mut later = None;
    store.scan(Column::Entries, &1u64.to_be_bytes(), &[0xff; 9], &mut |key, run| {
        later = Some((key.to_vec(), run.to_vec()));
        ControlFlow::Break(())
    })?;
    let (key, mut run_of_entries) = later.context("there is more than one commit")?;
    let middle = run_of_entries.len() / 2;
    run_of_entries[middle] ^= 1;
    let mut batch = Batch::default();
    batch.put(Column::Entries, &key, &run_of_entries);
    store.write(&batch, Durability::Synced)?;
    drop(store);
    let (code, text) = run("check", &[("--data", data)])?;
    let told = text.contains("NOT SOUND: the head has another root") && text.contains("tile 0 of level 0");
    ensure!(code == Some(1) && told, "{code:?} {text}");
    let into = data.with_extension("second");
    let (code, text) = run("backup", &[("--data", data), ("--to", &into)])?;
    ensure!(
        code == Some(1) && text.contains("is inconsistent"),
        "{code:?} {text} of {saved}"
    );
    ensure!(
        !into.join("store").exists() && std::fs::read_dir(&into)?.next().is_none(),
        "no files remain"
    );
    Ok(())
}
