//! A proposal: the next version of a kind, and who has proposed and approved it.
//!
//! The file is JSON. Header and operations are the bytes that authorities sign and the log stores; `directory approve`
//! shows what they say.

use std::path::Path;

use output::Failure;
use record::{SigningKey, WriterId};
use serde::{Deserialize, Serialize};
use service::durable;
use trust::{ChangeSet, Operation, Operations, SetHeader, SetSignature, SignedChangeSet, TrustState};

/// The longest proposal, in bytes: a set in hexadecimal.
const MAX_PROPOSAL: usize = 2 * trust::limits::MAX_SET + 4096;

/// A proposed version with its approvals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proposal {
    pub(crate) set: ChangeSet,
    /// The key of the proposer, who may not approve.
    pub(crate) proposer: WriterId,
    pub(crate) approvals: Vec<SetSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProposalFile {
    #[serde(with = "record::bytes")]
    header: Vec<u8>,
    #[serde(with = "record::bytes")]
    operations: Vec<u8>,
    proposer: WriterId,
    approvals: Vec<ApprovalFile>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApprovalFile {
    authority: WriterId,
    #[serde(with = "record::bytes")]
    signature: [u8; 64],
}

impl Proposal {
    /// Reads a proposal.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let failure = |reason: &dyn std::fmt::Display| Failure::file(path, reason);
        let bytes = std::fs::read(path).map_err(|error| failure(&error))?;
        if bytes.len() > MAX_PROPOSAL {
            return Err(failure(&"the proposal is too long"));
        }
        let file: ProposalFile = text::json::from_slice(&bytes).map_err(|error| failure(&error))?;
        let header = SetHeader::parse(&file.header).map_err(|error| failure(&error))?;
        let operations = Operations::parse(&file.operations).map_err(|error| failure(&error))?;
        let approvals = file.approvals.into_iter().map(|approval| SetSignature {
            authority: approval.authority,
            signature: approval.signature,
        });
        Ok(Self {
            set: ChangeSet { header, operations },
            proposer: file.proposer,
            approvals: approvals.collect(),
        })
    }

    /// Writes the proposal, in the place of an older one.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        let approvals = self.approvals.iter().map(|approval| ApprovalFile {
            authority: approval.authority,
            signature: approval.signature,
        });
        let file = ProposalFile {
            header: self.set.header.to_bytes(),
            operations: self.set.operations.bytes().to_vec(),
            proposer: self.proposer,
            approvals: approvals.collect(),
        };
        let text = serde_json::to_vec_pretty(&file).map_err(|error| Failure::file(path, error))?;
        durable::write_atomic(path, &text).map_err(|error| Failure::file(path, error))
    }

    /// Checks that the proposal is what follows from the state and its operations, and signs it.
    pub(crate) fn approve(&mut self, state: &TrustState, key: &SigningKey) -> Result<(), Failure> {
        let header = &self.set.header;
        let id = key.id();
        if id == self.proposer {
            return Err(Failure::refused("the proposer cannot approve its own proposal"));
        }
        if state.authorities().key(&id, header.kind).is_none() {
            return Err(Failure::refused(format!(
                "the key {id} is not that of an authority that may sign sets of the {}",
                header.kind
            )));
        }
        if self.approvals.iter().any(|approval| approval.authority == id) {
            return Err(Failure::refused("this authority has approved already"));
        }
        let operations: Vec<Operation> = self.set.operations.list().to_vec();
        let own = state.propose(header.kind, header.valid_from, header.reason.clone(), operations);
        let own = own.map_err(Failure::refused)?;
        if own.header != *header {
            return Err(Failure::refused(format!(
                "the proposal does not follow from version {} of the {}, which is in force: propose it again",
                state.map(header.kind).version(),
                header.kind
            )));
        }
        self.approvals.push(SetSignature::sign(header, key));
        Ok(())
    }

    /// The change set with its signatures, checked as the log checks it.
    pub(crate) fn signed(self, state: &TrustState) -> Result<SignedChangeSet, Failure> {
        let kind = self.set.header.kind;
        let set = self.set.with(self.approvals).map_err(Failure::refused)?;
        state.apply(kind, &set).map_err(Failure::refused)?;
        Ok(set)
    }
}
