//! Why an enrolment has ended.

use serde::{Deserialize, Serialize};

/// Why an enrolment has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Its seven days were over before the body had confirmed.
    Expired,
    /// A registrar has withdrawn it.
    Withdrawn,
    /// The body has confirmed other words too often.
    WrongWords,
    /// The directory lists the component with other keys.
    Taken,
}

impl core::fmt::Display for End {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Expired => "its seven days are over",
            Self::Withdrawn => "a registrar has withdrawn it",
            Self::WrongWords => "the body has confirmed other words too often",
            Self::Taken => "the directory lists the component with other keys",
        })
    }
}
