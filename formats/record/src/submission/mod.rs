//! How entries travel to the ledger, and what the ledger answers: the bodies of `POST /entries` and
//! `GET /writers/{kid}/head`.
//!
//! ```text
//! request = *[ leaf: bstr, sealed-record: bstr / null, document: bstr / null ]
//! answer  = *( [ index: uint, receipt: bstr ] / problem )       ; one per submission, in the order of the request
//! problem = { "type": tstr, "title": tstr, "detail": tstr, "status": uint, ? "receipt": bstr }
//! head    = { "leaf": bstr .size 32, "index": uint, "sequence": uint }
//! ```
//!
//! Requests and answers are CBOR sequences (RFC 8742). `type` is `urn:einsicht:problem:` followed by the slug of a
//! [`RefusalCode`].
//!
//! Every item is deterministic (RFC 8949 §4.2.1): definite lengths, shortest heads, map keys in the order of their
//! encoding. The readers refuse everything else, so one value has one encoding. Requests and answers are written and
//! read by hand because every entry passes through here.

mod answer;
mod reader;
mod refusal_code;
mod request;
mod writer_head;

pub use answer::{SubmissionAnswer, SubmissionAnswerError};
pub use refusal_code::RefusalCode;
pub use request::{SubmissionError, Submitted};
pub use writer_head::WriterHead;
