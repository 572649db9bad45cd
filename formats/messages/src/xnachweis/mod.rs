//! XNachweis 1.2.0: the three messages between a national Data Consumer and a national Data Provider.
//!
//! | Message | Type | Root attribute |
//! | --- | --- | --- |
//! | `DE.EvidenceRequest.0101` | [`EvidenceRequest0101`] | `id` |
//! | `DE.EvidenceResponse.0102` | [`EvidenceResponse0102`] | `requestid` |
//! | `DE.EvidenceErrorResponse.0103` | [`EvidenceError0103`] | `requestid` |
//!
//! Standard `urn:xoev-de:bva:standard:xnachweis` (BVA, KoSIT). The elements, their order and their namespaces are
//! those of the schemas of version 1.2.0. Our profile fixes what the schemas leave open: one requester, one provider,
//! a natural person, one registry object with the evidence inside the message, UTF-8.
//!
//! The namespace of an element is that of the *type* that contains it: the root's own children are in `xn-de`, head
//! and query in `xn-bk`, multilingual texts in `xn-bdt`, the classification of an agent in `xn-eu-edm`, reader and
//! author in `bn-g2g`. The `code` of a code list entry has no namespace.
//!
//! A message of another program is accepted in every form that the types of the schemas allow: base64 in lines, dates
//! and times with a zone, comments, CDATA, white space around values, `xsi:schemaLocation`. An error names the element,
//! never its content. Refused is what could make two readers see two messages, or cost a reader too much:
//!
//! | Refused | Why |
//! | --- | --- |
//! | a DTD | it can add attributes, declare entities and read files; a reader that skips it sees another document |
//! | an entity beyond the five predefined ones | its text is not in the message |
//! | a processing instruction | it is addressed to some programs and not to others |
//! | `xsi:type`, `xsi:nil` | they change what an element is |
//! | an unknown element, attribute or namespace, text between elements | it may carry what this reader would ignore |
//! | a time without a zone | it is no point in time |
//! | another encoding than UTF-8, XML 1.1 | XÖV prescribes UTF-8; XML 1.1 allows other characters |
//! | more than [`MAX_XML`](crate::limits::MAX_XML) bytes, 4096 elements, 24 levels, 256 attributes of an element | memory and time of the parser |
//!
//! Two things are not from a published source, because the lists were not available: the values of the code list
//! `nootserrorcodes` ([`ErrorCode`]), and the inner form of `leser` and `autor`, which follows XBasisdaten (directory
//! service, identifier, name). `IssuedToken`, which in NOOTS is the token of the Vermittlungsstelle, is here a
//! reference to the exchange: the intent's receipt proves the permission, and it does not exist yet when the request
//! is sealed.

mod agent;
mod answer;
mod answer_head;
mod code_list;
mod error;
mod error_response;
mod evidence_type;
mod head;
mod namespace;
mod parse;
mod person;
mod request;
mod response;
mod values;
mod write;

pub use agent::Authority;
pub use answer::EvidenceAnswer;
pub use error::XmlError;
pub use error_response::{ErrorCode, EvidenceError0103};
pub use evidence_type::EvidenceType;
pub use head::Head;
pub use person::NaturalPerson;
pub use request::EvidenceRequest0101;
pub use response::{Evidence, EvidenceResponse0102};

#[cfg(test)]
mod tests;
