//! `directory publish`.

use std::sync::Arc;
use std::time::Duration;

use ledger_client::publish::publish;
use ledger_client::{LiveTrust, TrustNotReady};
use output::Failure;
use service::{Shutdown, SystemClock};
use trust::SignedChangeSet;

use crate::arguments::Publish;
use crate::log::{Log, key, now};
use crate::proposal::Proposal;

/// How long the witnesses may take to cosign the new version.
const MAX_WAIT: Duration = Duration::from_secs(60);

pub(crate) async fn run(arguments: &Publish) -> Result<(), Failure> {
    let operator = key(&arguments.operator_key)?;
    let proposal = Proposal::read(&arguments.proposal)?;
    let log = Log::read(&arguments.log).await?;
    let set = proposal.signed(log.anchored.history.state())?;
    let index = publish(&log.api, &log.trust, &operator, &set, now()).await?;
    let (kind, version) = (set.header().kind, set.header().version);
    output::stdout!("version {version} of the {kind} is entry {index}")?;
    in_force(&log, &set).await?;
    output::stdout!("in force: a quorum of witnesses has cosigned a map entry that names it")?;
    Ok(())
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
