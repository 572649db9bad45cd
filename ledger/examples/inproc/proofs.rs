//! Measures inclusion proofs from tiles that are not in memory yet (cold), and from tiles that are (hot).

use std::fs;

use ledger::engine::Snapshot;
use ledger::engine::edge::TILE_WIDTH;
use tlog::merkle::{Index, Size, verify_inclusion};

use super::figures::{Failure, Figures, resident_mib};
use super::options::Arguments;
use super::world::World;

/// The most tiles that are read for each figure.
const TILES: u64 = 800;
/// Proofs per tile for the hot figure.
const ROUNDS: u64 = 20;

/// CPU time of this thread so far, in nanoseconds.
fn nanos() -> Result<u64, Failure> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split_whitespace().next().unwrap_or_default().parse()?)
}

pub(crate) fn run(arguments: &Arguments) -> Result<Figures, Failure> {
    let (rows, _, snapshot) = World::written(arguments)?;
    let tiles = snapshot.head.size / TILE_WIDTH;
    let count = TILES.min(tiles / 2);
    // Reading even tiles brings the levels above into memory, so that only the odd tiles themselves are cold.
    let step = tiles / count / 2 * 2;
    for number in 0..count {
        prove(&snapshot, number * step * TILE_WIDTH)?;
    }
    let place = |number: u64, round: u64| (number * step + 1) * TILE_WIDTH + (number * 31 + round * 7) % TILE_WIDTH;
    let mut figures = Figures::new();
    let before = nanos()?;
    for number in 0..count {
        prove(&snapshot, place(number, 0))?;
    }
    let cold = (nanos()? - before) as f64 / count as f64;
    let before = nanos()?;
    for round in 0..ROUNDS {
        for number in 0..count {
            prove(&snapshot, place(number, round))?;
        }
    }
    let hot = (nanos()? - before) as f64 / (count * ROUNDS) as f64;
    for number in 0..count {
        let index = place(number, 0);
        let path = snapshot.inclusion(index, snapshot.head.size)?;
        let (leaf, root) = (rows.leaf_hash(index)?, snapshot.head.root);
        verify_inclusion(&leaf, Index::new(index)?, Size::new(snapshot.head.size)?, &path, &root)?;
    }
    figures.insert("proof_cold_us".into(), cold / 1e3);
    figures.insert("proof_hot_us".into(), hot / 1e3);
    figures.insert("rss_mb".into(), resident_mib()?);
    Ok(figures)
}

fn prove(snapshot: &Snapshot, index: u64) -> Result<(), Failure> {
    std::hint::black_box(snapshot.inclusion(index, snapshot.head.size)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::Parser as _;

    use super::super::restart;
    use super::*;

    #[test]
    fn a_log_with_fewer_entries_than_asked_for_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let data_text = data.to_str().unwrap();
        let arguments = Arguments::parse_from(["inproc", "--entries", "1000", "--json", "unused", "--data", data_text]);
        let refused = |why: &str| {
            for error in [run(&arguments).unwrap_err(), restart::run(&arguments).unwrap_err()] {
                assert!(error.to_string().contains(why), "{error}");
            }
        };
        refused("is not there");
        service::durable::create_private_directory(&data).unwrap();
        refused("has 0 entries, fewer than --entries 1000");
    }
}
