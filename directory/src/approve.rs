//! `directory approve`.

use landkarte::sentences::sentences;
use output::Failure;
use registerlandkarte::{View, difference};
use trust::{TrustKind, TrustMap, TrustState};

use crate::arguments::Approve;
use crate::fields::differences;
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

/// Prints what a proposal changes: `+` a new value, `~` a changed one, `-` an ended one, `=` the same as before, each
/// with the fields that differ.
pub(crate) fn describe(state: &TrustState, proposal: &Proposal) -> Result<(), Failure> {
    let header = &proposal.set.header;
    output::stdout!("version {} of the {}: {}", header.version, header.kind, header.reason)?;
    let (map, operations) = (state.map(header.kind), &proposal.set.operations);
    let after = map.change(header.version, header.valid_from, operations);
    let after = after.map_err(Failure::refused)?;
    for operation in operations.list() {
        let value = |map: &TrustMap| map.get(operation.key()).map(|stored| stored.value().clone());
        let (before, after) = (value(map), value(&after));
        let mark = match (&before, &after) {
            (None, Some(_)) => '+',
            (Some(before), Some(after)) if before == after => '=',
            (Some(_), Some(_)) => '~',
            (_, None) => '-',
        };
        output::stdout!("{mark} {}", operation.key())?;
        for line in differences(before.as_ref(), after.as_ref()) {
            output::stdout!("    {line}")?;
        }
    }
    describe_effect(state, proposal, &after)
}

/// Prints what the version permits and its predecessor does not, and the reverse.
fn describe_effect(state: &TrustState, proposal: &Proposal, after: &TrustMap) -> Result<(), Failure> {
    let header = &proposal.set.header;
    let (directory, registerlandkarte) = match header.kind {
        TrustKind::Directory => (after, state.registerlandkarte()),
        TrustKind::Registerlandkarte => (state.directory(), after),
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
