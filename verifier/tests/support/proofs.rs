//! What the log gives out: checkpoints, receipts, openings, an export.

use std::path::Path;

use record::{PartName, Period, Phase, Receipt, Series, SignedEntry};
use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::merkle::{Index, MemoryTree, inclusion_proof, leaf_hash};
use tlog::tile::{bundles_for_size, encode_bundle, tiles_for_size};
use verifier::opening::{Anchor, LabelProof, Opening};

use super::{Log, ORIGIN, idnr};

impl Log {
    /// Text of a policy with a quorum of two of three witnesses.
    pub fn policy(&self) -> String {
        let mut text = format!("log {}\n", self.log_key.verifier_key().unwrap());
        for (number, witness) in self.witnesses.iter().enumerate() {
            text += &format!("witness w{number} {}\n", witness.verifier_key().unwrap());
        }
        text + "group g 2 w0 w1 w2\nquorum g\n"
    }

    pub fn checkpoint(&self, cosigners: usize) -> String {
        let checkpoint = Checkpoint::new(ORIGIN.parse().unwrap(), self.size(), self.tree.root());
        let mut note = checkpoint.sign(&[&self.log_key]).unwrap();
        for witness in &self.witnesses[..cosigners] {
            note.signatures
                .push(tlog::cosignature::cosign(&note.text, witness, self.now + 1).unwrap());
        }
        note.to_string()
    }

    /// Keeps the checkpoint as it is in the history.
    pub fn publish(&mut self) {
        self.history.insert(self.size().get(), self.checkpoint(2));
    }

    pub fn receipt(&self, index: u64, cosigners: usize) -> Vec<u8> {
        let place = Index::new(index).unwrap();
        let hashes = inclusion_proof(&mut self.tree.clone(), place, self.size()).unwrap();
        let entry = SignedEntry::parse(self.leaves[index as usize].clone()).unwrap();
        Receipt::new(entry, place, hashes, self.checkpoint(cosigners)).to_bytes()
    }

    pub fn anchor(&self, cosigners: usize) -> Anchor {
        let digest = |index: usize| {
            let entry = SignedEntry::parse(self.leaves[index].clone()).unwrap();
            self.documents[&entry.entry().body.document().unwrap().to_string()].clone()
        };
        Anchor {
            genesis_receipt: self.receipt(0, cosigners),
            genesis_document: digest(0),
            directory_receipt: self.receipt(1, cosigners),
            directory_document: digest(1),
        }
    }

    /// Opening of an exchange's entry of the demonstration citizen.
    pub fn opening(&self, index: u64, number: u32, phase: Phase) -> Opening {
        let (label, vrf_proof) = self.label_of(number, Series::Exchanges, phase);
        let key = self.day_key.record_key(&label);
        Opening {
            receipt: self.receipt(index, 2),
            sealed_record: self.records[&index].clone(),
            shared_key: Some(key.part(PartName::Shared)),
            citizen_key: Some(key.part(PartName::Citizen)),
            label_proof: Some(LabelProof {
                idnr: idnr(),
                period_begin_receipt: self.receipt(3, 2),
                period: Period(1),
                series: Series::Exchanges,
                number,
                phase,
                vrf_proof,
            }),
            anchor: Some(self.anchor(2)),
        }
    }

    /// Writes the export as `ledger export` does.
    pub fn export(&self, dir: &Path, cosigners: usize) {
        let write = |path: String, bytes: &[u8]| {
            let path = dir.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        };
        write("checkpoint".to_owned(), self.checkpoint(cosigners).as_bytes());
        let mut levels: Vec<Vec<Hash>> = vec![self.leaves.iter().map(|leaf| leaf_hash(leaf)).collect()];
        while levels.last().unwrap().len() >= 256 {
            let full = levels.last().unwrap().chunks_exact(256).map(root).collect();
            levels.push(full);
        }
        for tile in tiles_for_size(self.size()) {
            let from = tile.index() as usize * 256;
            let hashes = &levels[usize::from(tile.level())][from..from + usize::from(tile.width())];
            write(
                tile.to_string(),
                &hashes.iter().flat_map(|hash| hash.0).collect::<Vec<u8>>(),
            );
        }
        for bundle in bundles_for_size(self.size()) {
            let from = bundle.index() as usize * 256;
            let entries = &self.leaves[from..from + usize::from(bundle.width())];
            write(bundle.to_string(), &encode_bundle(entries).unwrap());
        }
        for (name, bytes) in &self.documents {
            write(format!("documents/{name}"), bytes);
        }
        for (index, bytes) in &self.records {
            write(format!("records/{index}"), bytes);
        }
        for (size, note) in &self.history {
            write(format!("checkpoints/{size}"), note.as_bytes());
        }
    }
}

fn root(hashes: &[Hash]) -> Hash {
    let mut tree = MemoryTree::new();
    for hash in hashes {
        tree.append(*hash).unwrap();
    }
    tree.root()
}
