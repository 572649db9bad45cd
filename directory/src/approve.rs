//! `directory approve`.

use trust::TrustState;

use crate::arguments::Approve;
use crate::failure::Failure;
use crate::log::{Log, key};
use crate::proposal::Proposal;

pub(crate) async fn run(arguments: &Approve) -> Result<(), Failure> {
    let authority = key(&arguments.key)?;
    let mut proposal = Proposal::read(&arguments.proposal)?;
    let log = Log::read(&arguments.log).await?;
    let state = log.anchored.history.state();
    proposal.approve(state, &authority)?;
    describe(state, &proposal)?;
    proposal.write(&arguments.proposal)?;
    let (found, needed) = (proposal.approvals.len(), state.authorities().threshold().get());
    output::stdout!("approved by {found} of {needed}")?;
    Ok(())
}

/// Prints what a proposal changes: `+` a new value, `~` a changed one, `-` an ended one, `=` the same as before.
pub(crate) fn describe(state: &TrustState, proposal: &Proposal) -> Result<(), Failure> {
    let header = &proposal.set.header;
    output::stdout!("version {} of the {}: {}", header.version, header.kind, header.reason)?;
    let map = state.map(header.kind);
    for operation in proposal.set.operations.list() {
        let before = map.get(operation.key()).map(|stored| stored.value().to_bytes());
        let mark = match (&before, operation.value()) {
            (None, Some(_)) => '+',
            (Some(before), Some(after)) if before == after => '=',
            (Some(_), Some(_)) => '~',
            (_, None) => '-',
        };
        output::stdout!("{mark} {}", operation.key())?;
    }
    Ok(())
}
