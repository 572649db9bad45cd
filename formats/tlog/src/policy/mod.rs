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
//! Lines end in LF. Spaces and tabs separate fields. The allowed octets are 09, 0A, 20–7E and 80–FF. Comments may
//! contain any of them; names must be UTF-8, as the names in keys are.
//!
//! * PO-1 witnesses and groups share one name space; `none` is not a name.
//! * PO-2 a name is a member of at most one group, and only once; there are no forward references, hence no cycles.
//! * PO-3 a public key belongs to at most one log and at most one witness, whatever its name.
//! * PO-4 a checkpoint is valid when a listed log has signed it and the quorum is satisfied.
//! * PO-5 a parser accepts at least 32 logs, witnesses and groups; this one accepts 1024 of each.
//!
//! The policy must not come from the system that it judges: a policy file fetched from the log's own server proves
//! nothing.

mod parse;
mod verdict;

use core::fmt;

pub use parse::{PolicyError, PolicyParseError};
pub use verdict::{PolicyVerdict, VerdictError, WitnessCosignature};

use crate::checkpoint::Origin;
use crate::note::VerifierKey;

/// A trust policy. Its text form is the policy file without comments.
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
    pub url: Option<String>,
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
    pub name: String,
    /// The witness's cosignature key.
    pub key: VerifierKey,
    /// The witness's submission prefix.
    pub url: Option<String>,
}

/// A group of witnesses and groups.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    name: String,
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

    fn name_of(&self, member: Member) -> &str {
        match member {
            Member::Witness(at) => &self.witnesses[at].name,
            Member::Group(at) => &self.groups[at].name,
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

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with_url = |url: &Option<String>| url.as_ref().map(|url| format!(" {url}")).unwrap_or_default();
        for log in &self.logs {
            writeln!(f, "log {}{}", log.key, with_url(&log.url))?;
        }
        for witness in &self.witnesses {
            writeln!(f, "witness {} {}{}", witness.name, witness.key, with_url(&witness.url))?;
        }
        for group in &self.groups {
            write!(f, "group {} {}", group.name, group.threshold)?;
            for member in &group.members {
                write!(f, " {}", self.name_of(*member))?;
            }
            writeln!(f)?;
        }
        match self.quorum {
            Quorum::None => writeln!(f, "quorum none"),
            Quorum::Of(member) => writeln!(f, "quorum {}", self.name_of(member)),
        }
    }
}
