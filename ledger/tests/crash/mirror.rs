//! The log as the harness has read it from the ledger: every leaf, and the root after each leaf.
//!
//! The mirror only grows. If the ledger changes the past, the next root that the mirror compares differs.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::{Context, Result, ensure};
use record::{Body, LabelledKind, Period, PeriodEvent, SignedEntry, WriterId};
use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::map::{Map, Value};
use tlog::merkle::{Frontier, Index, leaf_hash};
use tlog::tile::{Bundle, decode_bundle};

use crate::wire;
use crate::world::World;

/// The log as the ledger has served it.
pub(crate) struct Mirror {
    pub(crate) leaves: Vec<Hash>,
    /// The root of the first `n` leaves, by `n`.
    roots: Vec<Hash>,
    frontier: Frontier,
    /// Sequence number and leaf hash of each writer's newest entry.
    pub(crate) chains: HashMap<WriterId, (u64, Hash)>,
    maps: BTreeMap<Period, Map>,
    open_intents: HashSet<u64>,
}

impl Mirror {
    pub(crate) fn new() -> Self {
        Self {
            leaves: Vec::new(),
            roots: vec![Frontier::new().root()],
            frontier: Frontier::new(),
            chains: HashMap::new(),
            maps: BTreeMap::from([(Period::MAP0, Map::new())]),
            open_intents: HashSet::new(),
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.leaves.len() as u64
    }

    /// Checks that a checkpoint which was seen is a head of this log.
    pub(crate) fn check_seen(&self, seen: &Checkpoint) -> Result<()> {
        let root = self.roots.get(usize::try_from(seen.size.get())?);
        let root = root.with_context(|| format!("a checkpoint of size {} was lost", seen.size.get()))?;
        ensure!(*root == seen.root, "FORK: two roots at size {}", seen.size.get());
        Ok(())
    }

    /// Reads all entries up to the ledger's head and checks every rule of the log on them.
    pub(crate) async fn follow(&mut self, client: &reqwest::Client, url: &str, world: &World) -> Result<()> {
        let head = wire::checkpoint(client, url, world, "head")
            .await?
            .context("the ledger serves no head")?;
        ensure!(
            head.size.get() >= self.size(),
            "LOST: the head is at {}, but {} entries were seen",
            head.size.get(),
            self.size()
        );
        for number in self.size() / 256..head.size.get().div_ceil(256) {
            let Some(bundle) = Bundle::of_tree(number, head.size) else {
                continue;
            };
            let bytes = wire::get(client, &format!("{url}/{bundle}"), world).await?;
            let tile = wire::get(client, &format!("{url}/{}", bundle.tile()), world).await?;
            for ((index, leaf), hash) in (number * 256..)
                .zip(decode_bundle(&bytes, bundle.width())?)
                .zip(tile.chunks(32))
            {
                let leaf = leaf.to_vec();
                ensure!(leaf_hash(&leaf).0 == hash, "tile and bundle differ at {index}");
                match self.leaves.get(usize::try_from(index)?) {
                    Some(before) => ensure!(before.0 == hash, "FORK: entry {index} has changed"),
                    None => self.append(index, leaf).with_context(|| format!("entry {index}"))?,
                }
            }
        }
        self.check_seen(&head)
    }

    fn append(&mut self, index: u64, leaf: Vec<u8>) -> Result<()> {
        let signed = SignedEntry::parse(leaf)?;
        let (entry, hash) = (signed.entry(), signed.leaf_hash());
        let (sequence, previous) = self
            .chains
            .get(&entry.writer)
            .map_or((0, Hash([0; 32])), |(n, leaf)| (n + 1, *leaf));
        ensure!(
            (entry.sequence.0, entry.previous) == (sequence, previous),
            "GAP in a writer's chain"
        );
        self.chains.insert(entry.writer, (sequence, hash));
        if let Body::Map { roots, .. } = &entry.body {
            let expected: Vec<_> = self
                .maps
                .iter_mut()
                .map(|(period, map)| (*period, map.root()))
                .collect();
            ensure!(*roots == expected, "a map entry with wrong roots");
        }
        if let Some((period, label)) = entry.body.map_key() {
            let value = Value {
                index: Index::new(index)?,
                leaf: hash,
            };
            let inserted = self.maps.entry(period).or_default().insert(label.0, value);
            inserted.ok().context("a label was recorded twice")?;
        }
        self.update_state(index, &entry.body)?;
        self.frontier.append(hash, |_, _, _| ())?;
        self.leaves.push(hash);
        self.roots.push(self.frontier.root());
        Ok(())
    }

    fn update_state(&mut self, index: u64, body: &Body) -> Result<()> {
        match body {
            Body::Period {
                period,
                event: PeriodEvent::Begin { .. },
            } => drop(self.maps.entry(*period).or_default()),
            Body::Labelled {
                kind: LabelledKind::Intent,
                ..
            } => drop(self.open_intents.insert(index)),
            Body::Labelled {
                kind: LabelledKind::Outcome,
                refers: Some(intent),
                ..
            } => ensure!(
                self.open_intents.remove(&intent.get()),
                "an outcome without an open intent"
            ),
            _ => {}
        }
        Ok(())
    }
}
