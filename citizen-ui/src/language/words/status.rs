//! The results of the proof code as text. The proof code returns data and knows no language.

use super::table::Words;
use crate::proof::verify::Failure;

impl Words {
    /// Why an access, or a whole list, is not proved.
    pub fn reason(&self, failure: Failure) -> &'static str {
        match failure {
            Failure::Load => self.reason_load,
            Failure::Form => self.reason_form,
            Failure::Proof => self.reason_proof,
            Failure::Entry => self.reason_entry,
            Failure::Witnesses => self.reason_witnesses,
            Failure::Hidden => self.reason_hidden,
            Failure::TooLong => self.reason_too_long,
        }
    }
}
