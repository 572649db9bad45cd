//! One application: how each piece of evidence that it needs stands.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The evidence as the connector hands it over. `Debug` shows no evidence.
#[derive(Clone, Deserialize)]
pub(crate) struct Evidence {
    pub(crate) title: String,
    pub(crate) issued_at: String,
    pub(crate) fields: BTreeMap<String, String>,
}

impl std::fmt::Debug for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Evidence(redacted)")
    }
}

/// What the person decides at a preview.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Decision {
    Accept,
    Reject,
}

/// Why evidence was not fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It may work later.
    Later,
    /// It will not work: the request was refused, or is not valid.
    Never,
}

/// How a piece of evidence stands.
#[derive(Clone, Debug)]
pub(crate) enum Stage {
    /// The person has not decided how to bring it.
    Open,
    /// The connector is asking.
    Asking,
    /// The person has to look at it and decide.
    Preview(Uuid),
    /// The decision is being recorded.
    Deciding,
    /// The authority may use it.
    Received(Evidence),
    /// The person did not want it to be used.
    Refused,
    /// The register has none.
    NothingFound,
    /// It could not be fetched.
    Failed(Failure),
    /// The person uploaded a file of so many bytes.
    Uploaded(usize),
}

impl Stage {
    /// Whether the page has to wait.
    pub(crate) const fn is_waiting(&self) -> bool {
        matches!(self, Self::Asking | Self::Deciding)
    }

    /// Whether the application has what it needs.
    pub(crate) const fn is_done(&self) -> bool {
        matches!(self, Self::Received(_) | Self::Uploaded(_))
    }

    /// Whether the person may have it fetched now, for the first time or again.
    pub(crate) const fn may_fetch(&self) -> bool {
        matches!(self, Self::Open | Self::Refused | Self::Failed(Failure::Later))
    }

    /// Whether the person may bring it now.
    pub(crate) const fn may_upload(&self) -> bool {
        self.may_fetch() || matches!(self, Self::NothingFound | Self::Failed(Failure::Never))
    }
}

/// An application of one person for one service.
#[derive(Clone, Debug)]
pub(crate) struct Application {
    /// The authority's reference, without personal data.
    pub(crate) reference: String,
    /// One stage for each need of the service.
    pub(crate) stages: Vec<Stage>,
    /// Whether the person has sent it.
    pub(crate) sent: bool,
}

impl Application {
    pub(crate) fn new(needs: usize) -> Self {
        Self {
            reference: reference(),
            stages: vec![Stage::Open; needs],
            sent: false,
        }
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.stages.iter().any(Stage::is_waiting)
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.stages.iter().all(Stage::is_done)
    }

    /// Sends the application. Returns whether it was complete.
    pub(crate) fn send(&mut self) -> bool {
        self.sent |= self.is_complete();
        self.sent
    }
}

/// A random reference such as `ANT-3F2A9C01`.
fn reference() -> String {
    let random = Uuid::new_v4().simple().to_string().to_uppercase();
    format!("ANT-{}", random.get(..8).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_complete_application_is_sent() {
        let mut application = Application::new(2);
        assert!(!application.send());
        application.stages[0] = Stage::Uploaded(3);
        application.stages[1] = Stage::NothingFound;
        assert!(!application.send() && !application.sent);
        application.stages[1] = Stage::Uploaded(4);
        assert!(application.send() && application.sent);
    }

    #[test]
    fn what_is_under_way_or_done_is_not_fetched_again() {
        for stage in [Stage::Asking, Stage::Deciding, Stage::Uploaded(1), Stage::NothingFound] {
            assert!(!stage.may_fetch(), "{stage:?}");
        }
        assert!(Stage::Failed(Failure::Later).may_fetch() && !Stage::Failed(Failure::Never).may_fetch());
        assert!(Stage::NothingFound.may_upload());
    }
}
