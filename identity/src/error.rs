//! Why identity ends.

use crate::committer::StoreError;
use crate::{day_keys, periods, persons};

/// Why identity ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting or key file is not usable: correct it and start again.
    #[error("configuration: {0}")]
    Configuration(String),
    /// The person registry is not usable.
    #[error(transparent)]
    Persons(#[from] persons::PersonsError),
    /// The state cannot be opened, read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The day keys cannot be opened.
    #[error(transparent)]
    DayKeys(#[from] day_keys::DayKeyError),
    /// Our keys are not those that the directory lists for identity.
    #[error("the {0} key is not the one in the directory: take the right key file, or have the directory changed")]
    OtherKey(&'static str),
    /// IdentityState and log do not belong together, or the log does not allow what identity must write.
    #[error(transparent)]
    Periods(#[from] periods::PeriodError),
    /// The log is broken or does not begin as the genesis hash says. An operator must look before anything goes on.
    #[error("the log: {0}")]
    Log(String),
    /// The listener failed.
    #[error("serving: {0}")]
    Serve(#[from] std::io::Error),
}
