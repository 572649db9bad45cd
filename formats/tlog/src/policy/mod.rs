//! Trust policy files (c2sp.org/tlog-policy): which logs are trusted, and which witnesses must have cosigned a
//! checkpoint.
//!
//! ```text
//! # comment
//! log <vkey> [<url>]                      the key's name is the log's origin
//! witness <name> <vkey> [<url>]           url: the prefix for its add-checkpoint requests
//! group <name> all|any|<k> <member>…      members are witnesses and groups of earlier lines
//! quorum <name>|none                      exactly one
//! ```
//!
//! Lines end in LF. Spaces and tabs separate fields. The allowed octets are 09, 0A, 20–7E and 80–FF. Names and URLs are
//! opaque octets ([`Octets`]); only the names in keys must be UTF-8.
//!
//! * PO-1 witnesses and groups share one name space; `none` is not a name.
//! * PO-2 a name is a member of at most one group, and only once; there are no forward references, hence no cycles.
//! * PO-3 a public key belongs to at most one log and at most one witness, whatever its name.
//! * PO-4 a checkpoint is valid when a listed log has signed it and the quorum is satisfied.
//! * PO-5 a parser accepts at least 32 logs, witnesses and groups; this one accepts 1024 of each.
//!
//! The policy must not come from the system that it judges: a policy file fetched from the log's own server proves
//! nothing.

mod octets;
mod parse;
mod verdict;

use core::fmt;

pub use octets::Octets;
pub use parse::{PolicyError, PolicyParseError};
pub use verdict::{PolicyVerdict, VerdictError, WitnessCosignature};

use crate::checkpoint::Origin;
use crate::note::VerifierKey;

/// A trust policy. [`Policy::to_bytes`] writes the policy file without comments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<PolicyLog>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Quorum,
}

/// A trusted log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyLog {
    /// The log's key; its name is the origin.
    pub key: VerifierKey,
    /// The URL at which the log is served.
    pub url: Option<Octets>,
}

impl PolicyLog {
    /// The log's origin.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin::from(self.key.name())
    }
}

/// A trusted witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// The policy's name for the witness, which may differ from the key's name.
    pub name: Octets,
    /// The witness's cosignature key.
    pub key: VerifierKey,
    /// The witness's submission prefix.
    pub url: Option<Octets>,
}

/// A group of witnesses and groups.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    name: Octets,
    threshold: Threshold,
    members: Vec<Member>,
}

/// How many members of a group must have cosigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Threshold {
    All,
    Any,
    AtLeast(usize),
}

/// A witness or a group, by its position in the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Witness(usize),
    Group(usize),
}

/// The member that must be satisfied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quorum {
    None,
    Of(Member),
}

impl Policy {
    /// The trusted logs. The list may be empty when the caller knows the log from elsewhere.
    #[must_use]
    pub fn logs(&self) -> &[PolicyLog] {
        &self.logs
    }

    /// The trusted witnesses, including those that the quorum does not need.
    #[must_use]
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// The keys of the log with this origin; there are several while the log changes its key.
    #[must_use]
    pub fn log_keys(&self, origin: &Origin) -> Vec<VerifierKey> {
        let logs = self
            .logs
            .iter()
            .filter(|log| log.key.name().as_str() == origin.as_str());
        logs.map(|log| log.key.clone()).collect()
    }

    /// Reports whether the witnesses for which `signed` holds satisfy the quorum. `quorum none` is always satisfied.
    pub fn quorum_satisfied(&self, signed: impl Fn(&Witness) -> bool) -> bool {
        let witnesses: Vec<bool> = self.witnesses.iter().map(signed).collect();
        let mut groups: Vec<bool> = Vec::with_capacity(self.groups.len());
        let holds = |groups: &[bool], member: Member| match member {
            Member::Witness(at) => witnesses[at],
            Member::Group(at) => groups[at],
        };
        // The members of a group are on earlier lines, so they are evaluated before the group.
        for group in &self.groups {
            let count = group.members.iter().filter(|member| holds(&groups, **member)).count();
            groups.push(count >= group.required());
        }
        match self.quorum {
            Quorum::None => true,
            Quorum::Of(member) => holds(&groups, member),
        }
    }

    /// Whether a checkpoint needs cosignatures. `quorum none` needs none.
    #[must_use]
    pub fn needs_witnesses(&self) -> bool {
        !self.quorum_satisfied(|_| false)
    }

    /// Writes the policy file without comments.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut file = Vec::new();
        let mut line = |fields: &[&[u8]]| {
            file.extend(fields.join(&b' '));
            file.push(b'\n');
        };
        for log in &self.logs {
            let key = log.key.to_string();
            let url = log.url.iter().map(Octets::as_bytes);
            line(&[&b"log"[..], key.as_bytes()].into_iter().chain(url).collect::<Vec<_>>());
        }
        for witness in &self.witnesses {
            let key = witness.key.to_string();
            let url = witness.url.iter().map(Octets::as_bytes);
            let fields = [&b"witness"[..], witness.name.as_bytes(), key.as_bytes()];
            line(&fields.into_iter().chain(url).collect::<Vec<_>>());
        }
        for group in &self.groups {
            let threshold = group.threshold.to_string();
            let members = group.members.iter().map(|member| self.name_of(*member));
            let fields = [&b"group"[..], group.name.as_bytes(), threshold.as_bytes()];
            line(&fields.into_iter().chain(members).collect::<Vec<_>>());
        }
        line(&[
            b"quorum",
            match self.quorum {
                Quorum::None => b"none",
                Quorum::Of(member) => self.name_of(member),
            },
        ]);
        file
    }

    fn name_of(&self, member: Member) -> &[u8] {
        match member {
            Member::Witness(at) => self.witnesses[at].name.as_bytes(),
            Member::Group(at) => self.groups[at].name.as_bytes(),
        }
    }
}

impl Group {
    fn required(&self) -> usize {
        match self.threshold {
            Threshold::All => self.members.len(),
            Threshold::Any => 1,
            Threshold::AtLeast(count) => count,
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Any => f.write_str("any"),
            Self::AtLeast(count) => count.fmt(f),
        }
    }
}
