//! Reading and verifying a receipt.

use record::{Receipt, VerifiedReceipt};
use tlog::policy::Policy;

use super::error::VerifyError;

pub(super) fn read_receipt(bytes: &[u8], policy: &Policy) -> Result<VerifiedReceipt, VerifyError> {
    Receipt::parse(bytes)
        .and_then(|receipt| receipt.verify(policy))
        .map_err(VerifyError::Receipt)
}
