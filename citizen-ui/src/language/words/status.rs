//! The results of the proof code as text. The proof code returns data and knows no language.

use super::table::Words;
use crate::language::local_time::LocalTime;
use crate::proof::complete::{Claim, Completeness};
use crate::proof::state::ProofState;
use crate::proof::verify::Failure;

impl Words {
    /// The text of the badge that shows the state of a proof.
    pub fn proof_label(&self, state: ProofState) -> &'static str {
        match state {
            ProofState::Unchecked => self.proof_unchecked,
            ProofState::Pending => self.proof_pending,
            ProofState::Browser => self.proof_browser,
            ProofState::Server { .. } => self.proof_server,
            ProofState::Failed(_) => self.proof_failed,
        }
    }

    /// The text below the badge: the reason of a failure, or that the witnesses have not cosigned yet. Otherwise empty.
    pub fn proof_remark(&self, state: ProofState) -> &'static str {
        match state {
            ProofState::Unchecked | ProofState::Pending | ProofState::Browser | ProofState::Server { quorum: true } => {
                ""
            }
            ProofState::Server { quorum: false } => self.unwitnessed,
            ProofState::Failed(failure) => self.reason(failure),
        }
    }

    /// Why an access, or a whole list, is not proved.
    pub fn reason(&self, failure: Failure) -> &'static str {
        match failure {
            Failure::Load => self.reason_load,
            Failure::Form => self.reason_form,
            Failure::Proof => self.reason_proof,
            Failure::Entry => self.reason_entry,
            Failure::Witnesses => self.reason_witnesses,
            Failure::Shown => self.reason_shown,
            Failure::Hidden => self.reason_hidden,
            Failure::TooLong => self.reason_too_long,
        }
    }

    /// Whether the list is complete.
    pub fn completeness(&self, completeness: Completeness) -> String {
        match completeness {
            Completeness::Absent => self.complete_absent.to_owned(),
            Completeness::Pending => self.complete_pending.to_owned(),
            Completeness::Browser(claim) | Completeness::Server(claim) => {
                (self.complete)(&claim, &LocalTime::of(claim.as_of))
            }
            Completeness::Failed(_) => self.complete_failed.to_owned(),
        }
    }

    /// Who checked that the list is complete and how many entries are newer than the proof, or why it is not proved.
    pub fn completeness_remark(&self, completeness: Completeness) -> String {
        let by = |who: &str, claim: Claim| match claim.later {
            0 => format!("{who}."),
            later => format!("{who}. {}", (self.complete_later)(later)),
        };
        match completeness {
            Completeness::Absent | Completeness::Pending => String::new(),
            Completeness::Browser(claim) => by(self.complete_browser, claim),
            Completeness::Server(claim) => by(self.complete_server, claim),
            Completeness::Failed(failure) => self.reason(failure).to_owned(),
        }
    }
}
