//! What a device remembers about the log and about whose lists it has proved, and what it concludes from it.
//!
//! A server that shows a citizen an old state, another log, other rules or another person's list can prove each of
//! them. Only a reader who has been here before can notice. So the browser keeps a few numbers and no entry:
//!
//! | Remembered | A later page is refused if |
//! | --- | --- |
//! | digest of the policy, genesis hash | either differs (or differs from the ones that the build has) |
//! | size, root and time of the newest proved checkpoint | it is older, or not proved to have grown from it |
//! | size and time of the checkpoint before it | nothing: from it follows what is new since the last visit |
//! | which persons | the person is another one: the citizen is asked |
//!
//! Of a person the device keeps 16 bits of a salted SHA-256. Any of a million numbers has the same 16 bits, so a
//! finder of the device cannot tell the number from them.

use record::Idnr;
use serde::{Deserialize, Serialize};
use tlog::Hash;
use tlog::merkle::{Size, verify_consistency};

use crate::proof::statement::ProvedList;
use crate::proof::verify::Trust;

/// The most persons that one device remembers. The oldest is forgotten first.
const MAX_PERSONS: usize = 8;

/// The rules that a build of the browser's program has been given.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pins {
    /// Genesis hash in 64 hexadecimal digits.
    pub genesis: Option<&'static str>,
    /// [`policy_digest`] in 64 hexadecimal digits.
    pub policy: Option<&'static str>,
}

/// What this build has been given: `EINSICHT_PIN_GENESIS` and `EINSICHT_PIN_POLICY` at compile time.
pub const BUILD: Pins = Pins {
    genesis: option_env!("EINSICHT_PIN_GENESIS"),
    policy: option_env!("EINSICHT_PIN_POLICY"),
};

/// What a device remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Digest of the policy.
    #[serde(with = "record::bytes")]
    pub policy: Hash,
    /// Leaf hash of entry 0.
    #[serde(with = "record::bytes")]
    pub genesis: Hash,
    /// Size of the newest checkpoint that this device has proved.
    pub size: u64,
    /// Its root.
    #[serde(with = "record::bytes")]
    pub root: Hash,
    /// POSIX seconds as of which it was complete.
    pub as_of: u64,
    /// The checkpoint before it: that of the last visit.
    pub last: Option<Visit>,
    /// Random bytes of this device.
    pub salt: [u8; 16],
    /// The persons whose lists it has proved, newest last.
    pub persons: Vec<[u8; 2]>,
}

/// What a device remembers of a visit: how far the log was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Visit {
    /// Size of the log.
    pub size: u64,
    /// POSIX seconds as of which it was complete.
    pub as_of: u64,
}

/// What a device says about a proof that holds by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Past {
    /// The device has seen no log before.
    First,
    /// It saw this checkpoint or an earlier one, as of this time, and the log has only grown.
    Grown(u64),
    /// The server did not send a proof that the log has only grown since this time.
    Unlinked(u64),
}

/// Why a device refuses a proof that holds by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contradiction {
    /// It is another log: another genesis hash.
    OtherLog,
    /// Other rules: log key, witnesses or quorum.
    OtherPolicy,
    /// The device has proved a newer state, as of this time.
    Older(u64),
    /// The log is not a continuation of the one that the device saw as of this time.
    Rewritten(u64),
}

/// Compares the root of trust with the one of the build and the one of the device. This comes before any proof is read.
///
/// # Errors
/// [`Contradiction::OtherLog`] or [`Contradiction::OtherPolicy`].
pub fn check_trust(trust: &Trust, memory: Option<&Memory>, pins: Pins) -> Result<(), Contradiction> {
    let same = |pinned: Option<&str>, found: &Hash| pinned.is_none_or(|pinned| pinned == found.to_string());
    let policy = policy_digest(trust);
    if !same(pins.genesis, &trust.genesis) || memory.is_some_and(|memory| memory.genesis != trust.genesis) {
        return Err(Contradiction::OtherLog);
    }
    if !same(pins.policy, &policy) || memory.is_some_and(|memory| memory.policy != policy) {
        return Err(Contradiction::OtherPolicy);
    }
    Ok(())
}

/// Compares a proved list with the newest checkpoint that the device has proved.
///
/// # Errors
/// [`Contradiction::Older`] or [`Contradiction::Rewritten`].
pub fn check_past(
    list: &ProvedList,
    consistency: Option<&[Hash]>,
    memory: Option<&Memory>,
) -> Result<Past, Contradiction> {
    let Some(memory) = memory else {
        return Ok(Past::First);
    };
    let checkpoint = &list.checkpoint;
    let (now, before) = (checkpoint.size, memory.size);
    if now.get() < before {
        return Err(Contradiction::Older(memory.as_of));
    }
    let linked = match (now.get() == before, consistency) {
        (true, _) => checkpoint.root == memory.root,
        (false, None) => return Ok(Past::Unlinked(memory.as_of)),
        (false, Some(proof)) => Size::new(before)
            .is_ok_and(|before| verify_consistency(before, &memory.root, now, &checkpoint.root, proof).is_ok()),
    };
    if linked {
        Ok(Past::Grown(memory.as_of))
    } else {
        Err(Contradiction::Rewritten(memory.as_of))
    }
}

/// The digest of a policy without its comments.
pub fn policy_digest(trust: &Trust) -> Hash {
    Hash::of(&trust.policy.to_bytes())
}

impl Memory {
    /// The memory of a device that has proved its first list.
    pub fn begin(trust: &Trust, list: &ProvedList, salt: [u8; 16]) -> Self {
        let mut memory = Self {
            policy: policy_digest(trust),
            genesis: trust.genesis,
            size: list.checkpoint.size.get(),
            root: list.checkpoint.root,
            as_of: list.claim.as_of,
            last: None,
            salt,
            persons: Vec::new(),
        };
        memory.add_person(&list.person);
        memory
    }

    /// Remembers the checkpoint of a proved list.
    pub fn advance(&mut self, list: &ProvedList) {
        self.last = self.last_before(list);
        self.size = list.checkpoint.size.get();
        self.root = list.checkpoint.root;
        self.as_of = self.as_of.max(list.claim.as_of);
    }

    /// The visit before the one in which this list is shown. All pages of a visit have the same list.
    pub fn last_before(&self, list: &ProvedList) -> Option<Visit> {
        if list.checkpoint.size.get() == self.size && list.claim.as_of == self.as_of {
            return self.last;
        }
        Some(Visit {
            size: self.size,
            as_of: self.as_of,
        })
    }

    /// Whether the device has proved a list of this person before.
    pub fn knows(&self, person: &Idnr) -> bool {
        self.persons.contains(&self.mark(person))
    }

    /// Remembers a person.
    pub fn add_person(&mut self, person: &Idnr) {
        let mark = self.mark(person);
        self.persons.retain(|known| *known != mark);
        self.persons.push(mark);
        let surplus = self.persons.len().saturating_sub(MAX_PERSONS);
        self.persons.drain(..surplus);
    }

    fn mark(&self, person: &Idnr) -> [u8; 2] {
        let hash = Hash::of(&[&self.salt[..], person.expose().as_bytes()].concat());
        [hash.0[0], hash.0[1]]
    }

    /// The form in which a browser stores it.
    pub fn to_text(&self) -> String {
        use std::fmt::Write as _;
        let bytes = record::cbor::to_vec(self);
        bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// Reads that form. `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let pairs = text.as_bytes().chunks(2);
        let bytes = pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        record::cbor::from_slice(&bytes.collect::<Option<Vec<u8>>>()?).ok()
    }
}
