//! The limits of the messages of one exchange: one constant for each, which the writer and the reader share.
//!
//! The writer of a message applies its limit before signing or recording it. A reader that alone had a limit would
//! refuse what is recorded as delivered. The limits of the carriers are sums of the limits of their parts, so every
//! message whose parts keep their limits fits into its carrier.
//!
//! | Message | Limit | Applied by the writer | Applied by the reader |
//! | --- | --- | --- | --- |
//! | evidence, in any form | [`MAX_EVIDENCE`] | register, provider's connector | provider's connector |
//! | XNachweis answer | [`MAX_XML`] | `xnachweis` (writing) | `xnachweis` (parsing) |
//! | sealed request | [`MAX_SEALED_REQUEST`] | consumer (sealing) | broker, [`crate::RequestContent::open`] |
//! | exchange request | [`MAX_EXCHANGE_REQUEST`] | consumer's connector | broker |
//! | forward | [`MAX_FORWARD`] | broker | provider's connector |
//! | outcome notice | [`MAX_NOTICE`] | broker | provider's connector |
//! | acknowledgement | [`MAX_ACKNOWLEDGEMENT`] | fixed size | broker |
//! | preview's decision | [`MAX_PREVIEW_DECISION`] | fixed size | broker |
//! | withdrawal | [`MAX_WITHDRAWAL`] | fixed size | broker |
//! | collection of a call | [`MAX_COLLECTION`] | fixed size | broker |
//! | answer to a collected call | [`MAX_CALL_ANSWER`] | provider's connector | broker |
//!
//! The times of an exchange are here for the same reason. The configurations are checked against them, so that of two
//! limits that follow each other the shorter one always ends first.

use record::sealed::MAX_RECORD;

/// The most bytes of evidence, in the form in which a register returns it ([`crate::document::EvidenceForm`]).
///
/// In an answer it is base64 (4 bytes for 3) beside at most [`MAX_ENVELOPE`] bytes of XML.
pub const MAX_EVIDENCE: usize = 512 << 10;
/// The most bytes that an XNachweis message has beside its evidence.
pub const MAX_ENVELOPE: usize = 128 << 10;
/// The most bytes of an XNachweis message. With its salt it fits into a sealed answer of the class of 1 MiB.
pub const MAX_XML: usize = (1 << 20) - 64;
/// The most bytes of a sealed answer: a class of 1 MiB with key and tag.
pub const MAX_SEALED_ANSWER: usize = (1 << 20) + 48;
/// The most bytes of a sealed request: a class of 128 KiB with key and tag.
pub const MAX_SEALED_REQUEST: usize = (128 << 10) + 48;
/// The most bytes of metadata, keys, signatures and sealed persons beside the other sealed parts of a message.
pub const MAX_METADATA: usize = 16 << 10;
/// The most bytes of a receipt.
pub const MAX_RECEIPT: usize = tlog::proof::MAX_BYTES;
/// The most bytes of a request from the consumer's connector to the broker.
pub const MAX_EXCHANGE_REQUEST: usize = MAX_SEALED_REQUEST + MAX_METADATA;
/// The most bytes of the part that identity seals to the provider.
pub const MAX_PROVIDER_PART: usize = (24 << 10) + 48;
/// The most bytes of a forward from the broker to the provider's connector.
/// An exchange by a representative has two receipts, records and parts of identity.
pub const MAX_FORWARD: usize = MAX_EXCHANGE_REQUEST + 2 * (MAX_PROVIDER_PART + MAX_RECEIPT + MAX_RECORD) + MAX_METADATA;
/// The most bytes of an outcome notice. An exchange by a representative has two intents and outcomes.
pub const MAX_NOTICE: usize = 2 * (2 * MAX_RECEIPT + MAX_RECORD) + MAX_METADATA;
/// The most bytes of an acknowledgement.
pub const MAX_ACKNOWLEDGEMENT: usize = 1 << 10;
/// The most bytes of a preview's decision.
pub const MAX_PREVIEW_DECISION: usize = 1 << 10;
/// The most bytes of a withdrawal.
pub const MAX_WITHDRAWAL: usize = 1 << 10;
/// The most bytes of a collection.
pub const MAX_COLLECTION: usize = 1 << 10;
/// The most bytes of the body of an answer to a collected call: a reply, or a problem.
pub const MAX_CALL_ANSWER_BODY: usize = MAX_SEALED_ANSWER + MAX_METADATA;
/// The most bytes of an answer to a collected call.
pub const MAX_CALL_ANSWER: usize = MAX_CALL_ANSWER_BODY + MAX_METADATA;

const _: () = assert!(MAX_EVIDENCE.div_ceil(3) * 4 + MAX_ENVELOPE <= MAX_XML);

/// S1 is valid for this many seconds before and after it was made. It carries the end of its validity.
pub const S1_VALIDITY: u64 = 300;
/// The largest age of an intent at which the provider's connector still asks its register, in seconds (P1).
pub const MAX_INTENT_AGE: u64 = 60;
/// The most seconds between a request and its deadline. The intent is younger than the request, so P1 never ends an
/// exchange before its deadline.
pub const MAX_DEADLINE_SECONDS: u64 = 60;
/// The most seconds that a provider's connector waits for its register.
pub const MAX_REGISTER_SECONDS: u64 = 20;
/// The least seconds that a broker waits for the answer to one forward. It exceeds [`MAX_REGISTER_SECONDS`], so a slow
/// register normally needs no second forward.
pub const MIN_FORWARD_SECONDS: u64 = MAX_REGISTER_SECONDS + 2;
/// The most seconds for which a broker lets a connector wait for a call to collect.
pub const MAX_COLLECTION_SECONDS: u64 = 25;
/// The most seconds between two attempts of the broker to learn the answer of an exchange, or to deliver its outcome.
pub const MAX_RETRY_SECONDS: u64 = 60;
/// The most seconds for which a broker asks for the answer of an exchange.
pub const MAX_GIVE_UP_SECONDS: u64 = 86_400;
/// A provider's connector keeps its answer for this many seconds, if there is no outcome before.
pub const ANSWER_RETENTION_SECONDS: u64 = 2 * MAX_GIVE_UP_SECONDS;
/// The most seconds that a person has for the decision at a preview.
pub const MAX_PREVIEW_SECONDS: u64 = 86_400;
/// A broker that receives no decision for this many seconds after the outcome records that none was made.
pub const PREVIEW_RETENTION_SECONDS: u64 = 2 * MAX_PREVIEW_SECONDS;
/// A person's login counts for this many seconds. An online service's session is shorter.
pub const MAX_LOGIN_SECONDS: u64 = 3 * 3600;
/// How many seconds the clock of the login may be ahead of that of the provider's connector.
pub const MAX_LOGIN_AHEAD: u64 = 60;
/// The most seconds after an intent in which evidence may become available.
pub const MAX_LATER_SECONDS: u64 = 30 * 86_400;
/// The most exchanges of one participant that wait for evidence.
pub const MAX_LATER: usize = 16 * 1024;
/// After this many seconds without an outcome the provider's connector raises an alarm.
pub const OUTCOME_WITHIN_SECONDS: u64 = 300;

const _: () = assert!(MAX_DEADLINE_SECONDS <= MAX_INTENT_AGE);
const _: () = assert!(MAX_DEADLINE_SECONDS < S1_VALIDITY);
const _: () = assert!(MAX_REGISTER_SECONDS < MIN_FORWARD_SECONDS);
// 34 days after its period identity gives an open intent up. The outcome and the preview come before that.
const _: () = assert!(MAX_LATER_SECONDS + MAX_GIVE_UP_SECONDS + PREVIEW_RETENTION_SECONDS < 34 * 86_400);
const _: () = assert!(2 * MAX_RETRY_SECONDS < OUTCOME_WITHIN_SECONDS);
