//! Step 2 of the module's documentation: the inclusion and the writers of all entries.

use std::collections::BTreeMap;

use record::SignedEntry;
use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::merkle::{Index, verify_inclusion_batch};

use super::error::{BundleError, BundleFault, Place};
use super::{CompletenessProof, Disclosed, Placed};
use crate::opening::ProvedAnchor;

/// An entry that is in the tree and whose writer has the right to its kind.
pub(super) struct InTree {
    pub(super) index: Index,
    pub(super) signed: SignedEntry,
    pub(super) writer: String,
}

/// All entries of a bundle, proved to be in one tree.
pub(super) struct Tree(BTreeMap<u64, InTree>);

impl Tree {
    pub(super) fn prove(
        proof: &CompletenessProof,
        checkpoint: &Checkpoint,
        anchor: &ProvedAnchor,
    ) -> Result<Self, BundleError> {
        let parsed = placed(proof).into_iter().map(|(place, index, leaf)| {
            let signed = SignedEntry::parse(leaf).map_err(|_| place.because(BundleFault::Entry))?;
            let index = Index::new(index).map_err(|_| place.because(BundleFault::Entry))?;
            Ok((place, index, signed))
        });
        let parsed = parsed.collect::<Result<Vec<_>, BundleError>>()?;
        let writers = anchor.writers_of(parsed.iter().map(|(_, index, signed)| (signed, *index)));
        let mut entries = BTreeMap::new();
        for ((place, index, signed), writer) in parsed.into_iter().zip(writers) {
            let writer = writer.map_err(|error| place.because(BundleFault::Writer(error)))?;
            let entry = InTree {
                index,
                writer: writer.to_owned(),
                signed,
            };
            if entries.insert(index.get(), entry).is_some() {
                return Err(place.because(BundleFault::Twice(index.get())));
            }
        }
        let leaves: Vec<(Index, Hash)> = entries
            .values()
            .map(|entry| (entry.index, entry.signed.leaf_hash()))
            .collect();
        verify_inclusion_batch(&leaves, checkpoint.size, &proof.tree, &checkpoint.root)
            .map_err(|error| Place::Tree.because(error))?;
        Ok(Self(entries))
    }

    /// The entry at an index. The tree has every index that the bundle has.
    pub(super) fn get(&self, index: u64, place: Place) -> Result<&InTree, BundleError> {
        self.0.get(&index).ok_or_else(|| place.because(BundleFault::Entry))
    }

    pub(super) fn entry(&self, placed: &Placed, place: Place) -> Result<&InTree, BundleError> {
        self.get(placed.index, place)
    }
}

/// Every entry of the bundle: its place in the bundle, its index and its bytes.
pub(super) fn placed(proof: &CompletenessProof) -> Vec<(Place, u64, &[u8])> {
    let mut all = vec![(Place::MapEntry, proof.map.index, proof.map.leaf.as_slice())];
    for (period, part) in proof.numbers() {
        all.push((Place::Begin(period), part.begin.index, &part.begin.leaf));
        all.extend(
            part.end
                .iter()
                .map(|end| (Place::Final(period), end.index, end.leaf.as_slice())),
        );
        for (series, row) in part.series() {
            for (number, shown) in (0..).zip(&row.numbers) {
                all.extend(shown.phases().into_iter().filter_map(|(phase, item)| {
                    let item = item?;
                    let Disclosed { leaf, .. } = &item.content;
                    Some((
                        Place::Number(period, series, number, phase),
                        item.index,
                        leaf.as_slice(),
                    ))
                }));
            }
        }
    }
    all
}
