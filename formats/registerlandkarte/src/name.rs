//! The names by which things refer to each other. Each has the characters of a [`ParticipantId`].

use core::borrow::Borrow;
use core::fmt;
use core::str::FromStr;

use record::ParticipantId;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The text is not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a name: 1 to 64 characters of a-z, 0-9, '.', ':' and '-'")]
pub struct InvalidName;

macro_rules! names {
    ($($(#[$doc:meta])+ $name:ident;)+) => {$(
        $(#[$doc])+
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(ParticipantId);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                ParticipantId::new(text).map(Self).map_err(|_| InvalidName)
            }
        }

        impl Borrow<str> for $name {
            /// Order, equality and hash of a name are those of its text.
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

names! {
    /// A class of bodies, such as `wohngeldbehoerde`.
    BodyClassId;
    /// A type of evidence.
    EvidenceTypeId;
    /// A norm.
    NormId;
    /// A type of register.
    RegisterTypeId;
    /// A permission.
    RuleId;
}
