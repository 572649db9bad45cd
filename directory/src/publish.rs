//! `directory publish`.

use std::sync::Arc;
use std::time::Duration;

use ledger_client::api::{AppendAnswer, LedgerApi as _, Submission};
use ledger_client::{LiveTrust, TrustNotReady};
use record::{Body, Receipt, Sequence, SigningKey, Unsigned};
use service::{Shutdown, SystemClock};
use tlog::Hash;
use trust::SignedChangeSet;

use crate::arguments::Publish;
use crate::failure::Failure;
use crate::log::{Log, key, now};
use crate::proposal::Proposal;

/// How long the witnesses may take to cosign the new version.
const MAX_WAIT: Duration = Duration::from_secs(60);

pub(crate) async fn run(arguments: &Publish) -> Result<(), Failure> {
    let operator = key(&arguments.operator_key)?;
    let proposal = Proposal::read(&arguments.proposal)?;
    let log = Log::read(&arguments.log).await?;
    let set = proposal.signed(log.anchored.history.state())?;
    let index = append(&log, &operator, &set).await?;
    let (kind, version) = (set.header().kind, set.header().version);
    output::stdout!("version {version} of the {kind} is entry {index}")?;
    in_force(&log, &set).await?;
    output::stdout!("in force: a quorum of witnesses has cosigned a map entry that names it")?;
    Ok(())
}

/// Writes the entry with the set and checks its receipt. Returns the entry's index.
async fn append(log: &Log, operator: &SigningKey, set: &SignedChangeSet) -> Result<u64, Failure> {
    let unreachable = |error: &dyn std::fmt::Display| Failure::Unreachable(error.to_string());
    let head = log
        .api
        .writer_head(&operator.id())
        .await
        .map_err(|error| unreachable(&error))?;
    let (sequence, previous) = head.map_or((Sequence::FIRST, Hash([0; 32])), |head| {
        (head.sequence.next(), head.leaf_hash)
    });
    let body = Body::Document {
        kind: set.header().kind.document_kind(),
        digest: set.signed().digest(),
    };
    let unsigned = Unsigned {
        sequence,
        previous,
        time: now(),
        body,
    };
    let entry = operator.sign(unsigned).map_err(Failure::refused)?;
    let submission = Submission {
        leaf: entry.bytes().to_vec(),
        record: None,
        document: Some(set.to_bytes()),
    };
    let mut answers = log
        .api
        .append(vec![submission])
        .await
        .map_err(|error| unreachable(&error))?;
    let receipt = match answers.pop() {
        Some(AppendAnswer::Recorded { receipt, .. }) => receipt,
        Some(AppendAnswer::Refused { problem, .. }) => return Err(Failure::refused(problem)),
        None => return Err(Failure::Unreachable("the ledger has not answered".into())),
    };
    let verified = Receipt::parse(&receipt).and_then(|receipt| receipt.verify(&log.trust.policy));
    let verified = verified.map_err(|error: record::ReceiptError| Failure::refused(error))?;
    if verified.entry() != &entry {
        return Err(Failure::refused("the ledger's receipt is of another entry"));
    }
    Ok(verified.index().get())
}

/// Waits until the set is in force for everybody who reads the published log.
async fn in_force(log: &Log, set: &SignedChangeSet) -> Result<(), Failure> {
    let (api, trust, shutdown) = (Arc::new(log.api.clone()), Arc::new(log.trust.clone()), Shutdown::new());
    let live = LiveTrust::start(api, trust, &log.anchored, SystemClock::shared(), shutdown.clone());
    let (kind, header) = (set.header().kind, set.signed().digest());
    let named = async {
        while live.history().named(kind, &header).is_none() {
            if let Err(TrustNotReady::Broken(reason)) = live.confirmed() {
                return Err(Failure::refused(reason));
            }
            live.refresh().await;
        }
        Ok(())
    };
    let found = tokio::time::timeout(MAX_WAIT, named).await;
    shutdown.trigger();
    found.unwrap_or_else(|_| {
        Err(Failure::Unreachable(
            "the entry is in the log, and the witnesses have not cosigned it within a minute".into(),
        ))
    })
}
