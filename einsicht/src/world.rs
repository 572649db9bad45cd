//! The demonstration's world: participants, permissions, exchanges and citizens. All of it is invented.
//!
//! The data are in `einsicht/data/`. Parsing them into types lets the start fail with a clear error if they contain a
//! mistake.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use record::{Ars, BodyId, ParticipantId, Power, Sorted};
use registerlandkarte::Tables;
use serde::Deserialize;
use text::Reference;
use trust::{Body, Ceilings, ServedRegister};

/// The log's origin: a schema-less URL that does not depend on a port (C2SP tlog-checkpoint CP-1).
pub(crate) const ORIGIN: &str = "einsicht.example/demonstration";

/// The witnesses of the demonstration. Two of three are a quorum.
pub(crate) const WITNESSES: [&str; 3] = ["witness-1", "witness-2", "witness-3"];

/// The short name of the participant whose connector the portal uses.
pub(crate) const COCKPIT: &str = "cockpit";

/// The component that the portal is, apart from its connector's.
pub(crate) const PORTAL: &str = "bund:bva:datenschutzcockpit:portal";

/// The data of the demonstration.
pub(crate) struct World {
    /// The participants in the directory.
    pub(crate) participants: Vec<Participant>,
    /// The bodies that the participants belong to.
    pub(crate) bodies: Vec<Body>,
    /// What the Registerlandkarte contains: the content that is shipped with `landkarte`.
    pub(crate) registerlandkarte: Tables,
    /// The exchanges to make, in this order.
    pub(crate) examples: Vec<Example>,
    /// The citizens in identity's person registry.
    pub(crate) persons: Vec<DemoPerson>,
    /// The online services.
    pub(crate) services: Vec<DemoService>,
    /// What has happened before the demonstration was started; `None` without a past.
    pub(crate) past: Option<Past>,
}

/// What has happened before the demonstration was started.
pub(crate) struct Past {
    /// Exchanges that are made again and again.
    pub(crate) exchanges: Vec<Recurring>,
    /// Components that are suspended.
    pub(crate) suspensions: Vec<Suspension>,
    /// How many seconds a register takes for evidence that may come later, by its participant's short name and the
    /// evidence type.
    pub(crate) preparation_seconds: BTreeMap<String, BTreeMap<String, u64>>,
}

/// The content of `past.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PastData {
    participants: Vec<Participant>,
    bodies: Vec<Body>,
    exchanges: Vec<Recurring>,
    services: Vec<DemoService>,
    suspensions: Vec<Suspension>,
    preparation_seconds: BTreeMap<String, BTreeMap<String, u64>>,
}

/// A participant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Participant {
    /// Its short name, used in directory names and in `demo.json`.
    pub(crate) short: String,
    /// Whether its connector runs. If not, the participant is out of service.
    pub(crate) runs: bool,
    /// Whether its connector collects its calls, as in a sealed network, instead of being called.
    #[serde(default)]
    pub(crate) collects: bool,
    /// As in [`trust::Component`].
    pub(crate) id: ParticipantId,
    /// As in [`trust::Component`].
    pub(crate) directory: Reference,
    /// As in [`trust::Component`].
    pub(crate) identifier: Reference,
    /// As in [`trust::Component`].
    pub(crate) name: Reference,
    /// Whether it is a consumer. Otherwise it is a provider.
    pub(crate) consumer: bool,
    /// As in [`trust::Component`].
    pub(crate) body: BodyId,
    /// As in [`trust::Component`].
    #[serde(default)]
    pub(crate) operator: Option<BodyId>,
    /// As in [`trust::Component`].
    pub(crate) serves: Sorted<ServedRegister>,
    /// As in [`trust::Component`].
    #[serde(default)]
    pub(crate) ceilings: Option<Ceilings>,
}

/// An exchange that the demonstration makes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Example {
    /// The consumer's short name.
    pub(crate) consumer: String,
    /// The provider; without one, the component that is competent for `place`.
    #[serde(default)]
    pub(crate) provider: Option<ParticipantId>,
    /// The area in which the person lives.
    #[serde(default)]
    pub(crate) place: Option<Ars>,
    /// The evidence type.
    pub(crate) evidence_type: String,
    /// The purpose code.
    pub(crate) purpose: String,
    /// Whether the request names the IDNr of a known person.
    #[serde(default = "yes")]
    pub(crate) idnr: bool,
    /// The person: a subject of `persons.json`, or `None` for a person whom no register knows.
    #[serde(default)]
    pub(crate) person: Option<String>,
    /// Who acts for the person.
    #[serde(default)]
    pub(crate) representative: Option<ExampleRepresentative>,
    /// The legal person that the exchange is about instead of a natural one, as the connector's interface has it.
    #[serde(default)]
    pub(crate) company: Option<serde_json::Value>,
    /// Whether the request may wait for days. Only in the past, where the clock is moved.
    #[serde(default)]
    pub(crate) asynchronous: bool,
    /// The outcome that the consumer must receive.
    pub(crate) expected: ExampleOutcome,
    /// Why this example exists.
    #[serde(default, rename = "note")]
    pub(crate) _note: Option<String>,
}

/// Who acts for the person of an example.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExampleRepresentative {
    /// The representative: a subject of `persons.json`.
    pub(crate) person: String,
    /// The power.
    pub(crate) power: Power,
}

const fn yes() -> bool {
    true
}

/// An exchange that is made again and again.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recurring {
    /// The exchange.
    pub(crate) exchange: Example,
    /// The first of the months, counted from 0, in which it is made.
    first: u32,
    /// The last one.
    #[serde(default)]
    last: Option<u32>,
    /// After how many months it is made again.
    every: u32,
    /// On which of the month's days.
    day: DayOfMonth,
}

/// A day with exchanges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DayOfMonth {
    /// In its middle.
    Middle,
    /// Its last day.
    Last,
}

/// A component that is suspended in the past.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Suspension {
    /// The participant's short name.
    pub(crate) participant: String,
    /// In the middle of which month, counted from 0.
    pub(crate) month: u32,
    /// Why, as the change set says it.
    pub(crate) reason: String,
}

impl Recurring {
    /// Whether it is made on this day of a month.
    pub(crate) fn is_due(&self, month: u32, day: DayOfMonth) -> bool {
        let ended = self.last.is_some_and(|last| month > last);
        day == self.day
            && !ended
            && month
                .checked_sub(self.first)
                .is_some_and(|since| since % self.every == 0)
    }
}

/// The outcome that a consumer receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ExampleOutcome {
    /// The evidence was delivered.
    Delivered,
    /// The evidence was delivered, and its person did not let the consumer use it.
    Rejected,
    /// The evidence was delivered, and its person broke the procedure off.
    Cancelled,
    /// Nothing was found.
    NothingFound,
    /// The request was refused without a reason.
    Refused,
    /// The exchange failed and may be retried.
    Failed,
    /// The provider did not answer in time.
    TimedOut,
    /// The consumer has withdrawn a request that waited.
    Withdrawn,
}

/// An online service of an authority.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DemoService {
    /// As in [`antrag::config::Service`].
    pub(crate) id: String,
    /// As in [`antrag::config::Service`].
    pub(crate) title: String,
    /// As in [`antrag::config::Service`].
    pub(crate) authority: String,
    /// As in [`antrag::config::Service`].
    pub(crate) about: String,
    /// The short name of the consumer whose connector it uses.
    pub(crate) connector: String,
    /// As in [`antrag::config::Service`].
    pub(crate) official: String,
    /// The evidence that it needs.
    pub(crate) needs: Vec<DemoNeed>,
}

/// Evidence that an online service needs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DemoNeed {
    /// The id of the permission.
    pub(crate) permission: String,
    /// The area in whose register it is; without one, in that of `provider`.
    #[serde(default)]
    pub(crate) place: Option<Ars>,
    /// The provider.
    #[serde(default)]
    pub(crate) provider: Option<ParticipantId>,
    /// As in [`antrag::config::Need`].
    #[serde(default)]
    pub(crate) asynchronous: bool,
}

/// A person of `persons.json`, with the data that the demonstration needs.
#[derive(Clone, Deserialize)]
pub(crate) struct DemoPerson {
    /// Identification number. It is a test number.
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
    /// The `sub` claim of this person's ID tokens.
    pub(crate) subject: String,
}

/// The person registry that identity loads.
pub(crate) const PERSONS: &str = include_str!("../data/persons.json");

impl World {
    /// Parses the data that are compiled into the program. The participants that took part in the past belong only to
    /// a world that has one.
    pub(crate) fn load(with_past: bool) -> Result<Self> {
        let mut world = Self::load_present()?;
        if with_past {
            let past: PastData = text::json::from_str(include_str!("../data/past.json"))?;
            world.participants.extend(past.participants);
            world.bodies.extend(past.bodies);
            world.services.extend(past.services);
            world.past = Some(Past {
                exchanges: past.exchanges,
                suspensions: past.suspensions,
                preparation_seconds: past.preparation_seconds,
            });
        }
        Ok(world)
    }

    fn load_present() -> Result<Self> {
        Ok(Self {
            participants: text::json::from_str(include_str!("../data/participants.json"))?,
            bodies: text::json::from_str(include_str!("../data/bodies.json"))?,
            registerlandkarte: registerlandkarte()?,
            examples: text::json::from_str(include_str!("../data/examples.json"))?,
            persons: text::json::from_str(PERSONS)?,
            services: text::json::from_str(include_str!("../data/services.json"))?,
            past: None,
        })
    }
}

impl World {
    /// Whether a part is the connector of a participant that the past suspends.
    pub(crate) fn suspends(&self, part: &str) -> bool {
        let short = part.strip_prefix("connector-");
        let mut suspensions = self.past.iter().flat_map(|past| &past.suspensions);
        suspensions.any(|suspension| Some(suspension.participant.as_str()) == short)
    }
}

fn registerlandkarte() -> Result<Tables> {
    match landkarte::content::read(&landkarte::shipped::shipped()) {
        Ok(tables) => Ok(tables),
        Err(findings) => bail!("the shipped Registerlandkarte has {} errors", findings.len()),
    }
}
