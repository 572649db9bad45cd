//! XNachweis 1.2.0: the twelve messages between a national Data Consumer, a national Data Provider and the platform
//! that connects NOOTS with the other member states.
//!
//! | Message | Type | Root attribute |
//! | --- | --- | --- |
//! | `DE.EvidenceRequest.0101` | [`EvidenceRequest0101`]: an online service requests evidence | `id` |
//! | `DE.EvidenceResponse.0102` | [`EvidenceResponse0102`] | `requestid` |
//! | `DE.EvidenceErrorResponse.0103` | [`EvidenceError0103`] | `requestid` |
//! | `DE.EvidenceRequest.0301` | [`EvidenceRequest0301`]: an authority requests evidence, without a user | `id` |
//! | `DE.EvidenceResponse.0302` | [`EvidenceResponse0302`] | `requestid` |
//! | `DE.EvidenceErrorResponse.0303` | [`EvidenceError0303`] | `requestid` |
//! | `DE.EvidenceOrder.0401` | [`EvidenceOrder0401`]: a consumer orders evidence from the platform | `id` |
//! | `DE.EvidenceOrderResponse.0402` | [`EvidenceOrderResponse0402`] | `orderid` |
//! | `DE.EvidenceOrderErrorResponse.0403` | [`EvidenceOrderError0403`] | `requestid` |
//! | `DE.GetEvidence.0411` | [`GetEvidence0411`]: a consumer fetches what it ordered | `id` |
//! | `DE.GetEvidenceResponse.0412` | [`GetEvidenceResponse0412`] | `getevidenceid` |
//! | `DE.GetEvidenceErrorResponse.0413` | [`GetEvidenceError0413`] | `requestid` |
//!
//! [`Message`] is any of them. The example `xnachweis` of this crate writes a corpus of all twelve, to be checked
//! against the schemas.
//!
//! Standard `urn:xoev-de:bva:standard:xnachweis` (BVA, KoSIT). The elements, their order, their namespaces and the
//! forms of their values are those of the schemas of version 1.2.0.
//!
//! The namespace of an element is that of the *type* that contains it: the root's own children are in `xn-de`, head
//! and query in `xn-bk`, multilingual texts in `xn-bdt`, the classification and the address of an agent and the name of
//! a requirement in `xn-eu-edm`, reader and author in `bn-g2g`, and their parts in `bn-beh`. The `code` of a code list
//! entry has no namespace.
//!
//! A message of another program is accepted in every form that the types of the schemas allow: base64 in lines, dates
//! and times with a zone, comments, CDATA, white space around codes and URIs, `xsi:schemaLocation`. An error names the
//! element, never its content. What the schemas refuse is refused. Beyond that is refused what could make two readers
//! see two messages, or cost a reader too much:
//!
//! | Refused | Why |
//! | --- | --- |
//! | a DTD | it can add attributes, declare entities and read files; a reader that skips it sees another document |
//! | an entity beyond the five predefined ones | its text is not in the message |
//! | a processing instruction | it is addressed to some programs and not to others |
//! | `xsi:type`, `xsi:nil` | they change what an element is |
//! | an unknown element, attribute or namespace, text between elements | it may carry what this reader would ignore |
//! | `AnyContent` of an agent | the schema allows any content there, which this reader would ignore |
//! | an empty element for a fixed value or a default | a reader without the schema sees no value |
//! | white space around dates and times | the schemas allow it, but libxml2 refuses it |
//! | a time without a zone | it is no point in time |
//! | a year before 1 or after 9999, a point in time before 1970 | a record cannot hold it |
//! | U+FFFD | it is what remains of a text that could not be decoded |
//! | a declared namespace that is no absolute URI | two readers may compare it in two ways |
//! | another encoding than UTF-8, XML 1.1 | XÖV prescribes UTF-8; XML 1.1 allows other characters |
//! | more than [`MAX_XML`](crate::limits::MAX_XML) bytes, 4096 elements, 24 levels | memory and time of the parser |
//! | more than 256 attributes or 32 namespaces of an element, 256 bytes of a namespace | the same |
//!
//! Our profile is narrower than the schemas, so that a message has one meaning and one typed form:
//!
//! | Part | Profile |
//! | --- | --- |
//! | requester, provider | one each, the authorities of the head |
//! | provider in 0401 and 0412 | an authority behind the platform, which is the head's provider |
//! | classification of an agent | `ER`, `EP` or, for the platform, `IP`, as the element requires |
//! | identifier of an agent | a scheme of four digits of the list EAS |
//! | evidence | one object, with its content in the message; the last day of its validity is not before the first |
//! | title, description, name of an agent | one, in any language |
//! | exception | one, with a code that [`ErrorCode`] has |
//! | `EvidenceTypeClassification` | one URI, see [`EvidenceType`] |
//! | `Identifier` of the evidence type | the one that belongs to the classification |
//! | `IssueDateTime` | the time of the head |
//! | `standard`, `version` | `XNachweis`, `1.2.0` |
//! | `status` | with evidence `Success`, with a time `Unavailable`, with an exception `Failure` |
//! | persons, addresses | DIN 91379: names of data type A, places B, lines C, legal names D, each bounded |
//! | IDNr | with a valid check digit |
//! | URI | absolute, after RFC 3986, without user and brackets |
//! | eIDAS identifier | two codes of countries, then visible characters of ASCII |
//! | `ConversationID` | ASCII, at most 128 bytes |
//! | precision of a date of birth | the first attribute, if the date is a partial one |
//!
//! These are not from a published source, because the lists were not available: the values of the code list
//! `nootserrorcodes` ([`ErrorCode`]), and the versions of the code lists that the schemas do not fix. `IssuedToken`,
//! which in NOOTS is the token of the Vermittlungsstelle, is here a reference to the exchange: the intent's receipt
//! proves the permission, and it does not exist yet when the request is sealed.

mod address;
mod agent;
mod answer;
mod answer_head;
mod assurance;
mod attribute;
mod availability;
mod code_list;
mod conversation;
mod distribution;
mod eidas;
mod error;
mod error_response;
mod euid;
mod evidence;
mod evidence_type;
mod exception;
mod get_evidence;
mod get_response;
mod head;
mod legal_person;
mod message;
mod message_type;
mod namespace;
mod order;
mod order_response;
pub(crate) mod parse;
mod person;
mod query;
mod reachability;
mod representative;
mod request;
mod requirement;
mod response;
mod space;
mod subject;
mod uri;
mod values;
pub(crate) mod write;

pub use address::Address;
pub use agent::{Agent, Authority};
pub use answer::EvidenceAnswer;
pub use attribute::SectorAttribute;
pub use availability::Availability;
pub use conversation::ConversationId;
pub use distribution::Distribution;
pub use eidas::EidasIdentifier;
pub use error::XmlError;
pub use error_response::{EvidenceError0103, EvidenceError0303, EvidenceOrderError0403, GetEvidenceError0413};
pub use euid::{Euid, EuidError};
pub use evidence::Evidence;
pub use evidence_type::EvidenceType;
pub use exception::{ErrorCode, Exception};
pub use get_evidence::GetEvidence0411;
pub use get_response::GetEvidenceResponse0412;
pub use head::Head;
pub use legal_person::{LegalPerson, RegisterNumber};
pub use message::Message;
pub use order::EvidenceOrder0401;
pub use order_response::EvidenceOrderResponse0402;
pub use person::NaturalPerson;
pub use query::Query;
pub use representative::Representative;
pub use request::{EvidenceRequest0101, EvidenceRequest0301};
pub use requirement::Requirement;
pub use response::{EvidenceResponse0102, EvidenceResponse0302};
pub use subject::Subject;
pub use uri::{Uri, UriError};

#[cfg(test)]
mod tests;
