//! The log as this process serves it: it writes to the log, or follows the process that does.

use std::sync::Arc;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use service::Problem;
use tokio::sync::watch;

use crate::address::LedgerAddress;
use crate::engine::rows::Rows;
use crate::engine::{SequencedLog, Snapshot, SubmitError, SubmitReply};
use crate::rules::{Refusal, Rules, Submission};

/// The log of this process.
pub(crate) enum ServedLog {
    /// This process writes to the log.
    Sequenced(SequencedLog<Rules>),
    /// Another process does.
    Followed(FollowedLog),
}

/// A log that another process writes.
pub(crate) struct FollowedLog {
    /// The stored log.
    pub(crate) rows: Rows,
    /// The newest state that the other process has signed.
    pub(crate) snapshots: watch::Receiver<Arc<Snapshot>>,
    /// What is known about the other process.
    pub(crate) state: watch::Receiver<FollowState>,
}

/// What a follower knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FollowState {
    /// Where writers reach the process that writes to the log, as far as that is known.
    pub(crate) sequencer: SequencerAddresses,
    /// Why this process does not know the newest state.
    pub(crate) behind: Option<Arc<str>>,
}

/// The addresses of the process that writes to the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SequencerAddresses {
    /// Of its public entrance.
    pub(crate) public: Option<LedgerAddress>,
    /// Of its writing entrance.
    pub(crate) writing: Option<LedgerAddress>,
}

impl ServedLog {
    /// The log's rows.
    pub(crate) fn rows(&self) -> &Rows {
        match self {
            Self::Sequenced(log) => log.rows(),
            Self::Followed(log) => &log.rows,
        }
    }

    /// The newest durable state.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        match self {
            Self::Sequenced(log) => log.snapshot(),
            Self::Followed(log) => log.snapshots.borrow().clone(),
        }
    }

    /// Subscribes to the newest durable state.
    pub(crate) fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        match self {
            Self::Sequenced(log) => log.snapshots(),
            Self::Followed(log) => log.snapshots.clone(),
        }
    }

    /// The log, if this process writes to it.
    pub(crate) fn sequenced(&self) -> Option<&SequencedLog<Rules>> {
        match self {
            Self::Sequenced(log) => Some(log),
            Self::Followed(_) => None,
        }
    }

    /// What is known about the process that writes to the log, if it is another one.
    pub(crate) fn followed(&self) -> Option<FollowState> {
        match self {
            Self::Sequenced(_) => None,
            Self::Followed(log) => Some(log.state.borrow().clone()),
        }
    }

    /// As [`SequencedLog::submit`].
    pub(crate) async fn submit(
        &self,
        submissions: Vec<Arc<Submission>>,
        weight: usize,
    ) -> Result<SubmitReply<Refusal>, SubmitError> {
        match self {
            Self::Sequenced(log) => log.submit(submissions, weight).await,
            Self::Followed(_) => Err(SubmitError::Stopped("another ledger writes to this log".into())),
        }
    }

    /// As [`SequencedLog::end`]; a follower has nothing to end.
    pub(crate) fn end(&self) {
        if let Self::Sequenced(log) = self {
            log.end();
        }
    }
}

/// Sends a writer to the ledger that writes to the log, to the same path at the same entrance. The body is not read:
/// the writer sends it again.
pub(super) fn redirect(address: Option<&LedgerAddress>, path: &str) -> Result<Response, Problem> {
    let Some(address) = address else {
        return Err(Problem::unavailable(
            "follower",
            1,
            "this ledger follows the log, and the one that writes to it is not known at the moment",
        ));
    };
    metrics::counter!("ledger_redirects_total").increment(1);
    let headers = [
        (header::LOCATION, format!("{address}{path}")),
        (header::CACHE_CONTROL, "no-store".into()),
    ];
    Ok((StatusCode::TEMPORARY_REDIRECT, headers).into_response())
}
