//! The demonstration's world: who takes part, who may fetch what, and what is asked. All of it is invented.
//!
//! The data lie in `einsicht/data/`; here they become types, so that a mistake in them ends the start with a clear error.

use record::ParticipantId;
use record::content::Party;
use registerlandkarte::Rule;
use serde::Deserialize;

/// The log's name: a schema-less URL that depends on no port (C2SP tlog-checkpoint CP-1).
pub(crate) const ORIGIN: &str = "einsicht.example/demonstration";

/// The witnesses of the demonstration; two of three are a quorum.
pub(crate) const WITNESSES: [&str; 3] = ["witness-1", "witness-2", "witness-3"];

/// Everything that the demonstration is made of.
pub(crate) struct World {
    /// Who stands in the directory.
    pub(crate) participants: Vec<Participant>,
    /// The rules of the Registerlandkarte.
    pub(crate) rules: Vec<Rule>,
    /// The exchanges it makes, in this order.
    pub(crate) examples: Vec<Example>,
    /// The citizens, as identity knows them.
    pub(crate) persons: Vec<DemoPerson>,
}

/// One participant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Participant {
    /// Its name in directories and in `demo.json`.
    pub(crate) short: String,
    /// Whether it asks; else it answers.
    pub(crate) consumer: bool,
    /// Whether a connector runs for it; one that does not is "out of service".
    pub(crate) runs: bool,
    /// Who it is.
    pub(crate) party: Party,
}

/// One exchange that the demonstration makes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Example {
    /// Who asks: a participant's short name.
    pub(crate) consumer: String,
    /// Who is asked.
    pub(crate) provider: ParticipantId,
    /// For which evidence type.
    pub(crate) evidence_type: String,
    /// What for.
    pub(crate) purpose: String,
    /// About whom: a subject of `persons.json`, or somebody whom nobody knows.
    pub(crate) person: Option<String>,
    /// What the asking authority must be told.
    pub(crate) expected: ExampleOutcome,
    /// Why this example is here.
    #[serde(default, rename = "note")]
    pub(crate) _note: Option<String>,
}

/// What the asking authority is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ExampleOutcome {
    /// The evidence.
    Delivered,
    /// That nothing was found.
    NothingFound,
    /// No, and not why.
    Refused,
    /// That it failed and may be tried again.
    Failed,
}

/// One person of `persons.json`, as far as the demonstration asks about it.
#[derive(Clone, Deserialize)]
pub(crate) struct DemoPerson {
    /// Identification number (a test number).
    pub(crate) idnr: String,
    /// Family name.
    pub(crate) family_name: String,
    /// Given name.
    pub(crate) given_name: String,
    /// Date of birth, `YYYY-MM-DD`.
    pub(crate) date_of_birth: String,
    /// Postal code.
    pub(crate) postal_code: String,
    /// Place.
    pub(crate) place: String,
    /// Whether the data are blocked (Auskunftssperre).
    pub(crate) blocked: bool,
    /// The subject of this person's ID tokens.
    pub(crate) subject: String,
}

/// `persons.json`, as it is handed to identity.
pub(crate) const PERSONS: &str = include_str!("../data/persons.json");

impl World {
    /// Reads the data that the program carries.
    pub(crate) fn load() -> Result<Self, serde_json::Error> {
        Ok(Self {
            participants: serde_json::from_str(include_str!("../data/participants.json"))?,
            rules: serde_json::from_str(include_str!("../data/rules.json"))?,
            examples: serde_json::from_str(include_str!("../data/examples.json"))?,
            persons: serde_json::from_str(PERSONS)?,
        })
    }
}
