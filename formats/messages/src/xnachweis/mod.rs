//! XNachweis 1.2.0: the three messages between a national Data Consumer and a national Data Provider.
//!
//! | Message | Type | Root attribute |
//! | --- | --- | --- |
//! | `DE.EvidenceRequest.0101` | [`EvidenceRequest0101`] | `id` |
//! | `DE.EvidenceResponse.0102` | [`EvidenceResponse0102`] | `requestid` |
//! | `DE.EvidenceErrorResponse.0103` | [`EvidenceError0103`] | `requestid` |
//!
//! Standard `urn:xoev-de:bva:standard:xnachweis` (BVA, KoSIT). The elements, their order and their namespaces are those of
//! the schemas of version 1.2.0; what the schemas leave open is fixed here as our profile: one requester, one provider, a
//! natural person, one registry object with the evidence inside the message, UTF-8.
//!
//! A namespace belongs to the *type* an element stands in: the root's own children are `xn-de`, head and query `xn-bk`,
//! multilingual texts `xn-bdt`, the classification of an agent `xn-eu-edm`, reader and author `bn-g2g`; the `code` of a
//! code list entry has none.
//!
//! Parsing is strict ([`tree`]): at most 1 MiB, no DTD, no entities but the five predefined, no comments, no processing
//! instructions, no unknown element, attribute or namespace, every element at its place. An error names the element,
//! never its content.
//!
//! Not taken from a published source (the lists were not to be had): the values of the code list `nootserrorcodes`
//! ([`ErrorCode`]) and the inner form of `leser` and `autor`, which follows XBasisdaten (directory service, identifier,
//! name). `IssuedToken`, in NOOTS the token of the Vermittlungsstelle, is here a reference to the exchange: the permission
//! is proved by the intent's receipt, which comes into being after the request is sealed.

mod answer;
mod error;
mod parts;
mod request;
pub mod tree;
mod write;

pub use answer::{ErrorCode, Evidence, EvidenceAnswer, EvidenceError0103, EvidenceResponse0102};
pub use error::XmlError;
pub use parts::{Authority, EvidenceType, Head, NaturalPerson};
pub use request::EvidenceRequest0101;

#[cfg(test)]
mod tests;
