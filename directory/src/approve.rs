//! `directory approve`.

use landkarte::sentences::sentences;
use output::Failure;
use registerlandkarte::{View, difference};
use trust::{TrustKind, TrustState};

use crate::arguments::Approve;
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
    describe_effect(state, proposal)
}

/// Prints what the version permits and its predecessor does not, and the reverse.
fn describe_effect(state: &TrustState, proposal: &Proposal) -> Result<(), Failure> {
    let (header, operations) = (&proposal.set.header, &proposal.set.operations);
    let after = state
        .map(header.kind)
        .change(header.version, header.valid_from, operations);
    let after = after.map_err(Failure::refused)?;
    let (directory, registerlandkarte) = match header.kind {
        TrustKind::Directory => (&after, state.registerlandkarte()),
        TrustKind::Registerlandkarte => (state.directory(), &after),
    };
    let relations = [
        trust::relation(state.directory(), state.registerlandkarte()),
        trust::relation(directory, registerlandkarte),
    ];
    let [before, after] = relations.each_ref().map(|relation| View {
        relation,
        valid_at: header.valid_from,
        known_at: header.valid_from,
    });
    for line in sentences(&difference(before, after)) {
        output::stdout!("{line}")?;
    }
    Ok(())
}
