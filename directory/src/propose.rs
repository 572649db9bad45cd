//! `directory propose`.

use std::path::Path;

use output::Failure;
use record::Timestamp;

use crate::approve::describe;
use crate::arguments::Propose;
use crate::changes::Changes;
use crate::log::{Log, key, now};
use crate::proposal::Proposal;

pub(crate) async fn run(arguments: &Propose) -> Result<(), Failure> {
    let proposer = key(&arguments.by)?;
    let failure = |error: &dyn std::fmt::Display| Failure::file(&arguments.changes, error);
    let text = service::text_file::read(&arguments.changes).map_err(|error| failure(&error))?;
    let changes = Changes::parse(std::str::from_utf8(&text).map_err(|error| failure(&error))?)?;
    let reason = arguments.reason.parse();
    let reason = reason.map_err(|error| Failure::Usage(format!("the reason: {error}")))?;
    let log = Log::read(&arguments.log).await?;
    let state = log.anchored.history.state();
    let kind = arguments.kind;
    let folder = arguments.changes.parent().unwrap_or(Path::new("."));
    let valid_from = arguments.valid_from.map_or_else(now, Timestamp);
    let set = state.propose(kind, valid_from, reason, changes.operations(state.map(kind), folder)?);
    let proposal = Proposal {
        set: set.map_err(Failure::refused)?,
        proposer: proposer.id(),
        approvals: Vec::new(),
    };
    describe(state, &proposal)?;
    proposal.write(&arguments.proposal)
}
