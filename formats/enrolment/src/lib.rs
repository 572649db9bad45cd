//! Enrolment: what is signed before the directory lists a component.
//!
//! ```text
//! registrar 1   Invitation         which component of which body may join, as consumer or provider
//! registrar 2   Countersignature   opens the invitation
//! operator      Application        the component's keys, with the link that registrar 1 has handed out
//! body          Confirmation       the words of these keys, with the code that registrar 2 has handed out
//! authorities   change set         as for every other change of the directory
//! ```
//!
//! * [`invitation`] – the invitation, and how a second registrar opens it or one withdraws it.
//! * [`link`] – the secrets that the registrars hand out: the operator's link, and the body's code.
//! * [`application`] – the application of the operator, and its confirmation by the body.
//! * [`words`] – the fingerprint of an application as words, which people compare.
//! * [`dossier`] – one enrolment with all its statements: the state machine.
//! * [`rotation`] – the new keys that a listed component asks for.
//! * [`signed`] – statements with their signatures.
//!
//! # What holds
//!
//! * Registrars are authorities that the directory in force lets sign change sets of the directory. There are no other
//!   keys for them. The same authority cannot take both parts.
//! * Link and code are Ed25519 seeds, made on the registrars' own machines. The invitation and its countersignature
//!   name the public keys, so the service that keeps a [`Dossier`] learns neither secret, and neither is ever sent.
//! * A registrar alone has only one of both, so it can apply in the name of a body or confirm, but not both.
//! * An invitation is bound to its body, component, role and log. Every later statement names the invitation by its
//!   hash, so it counts for no other one.
//! * A dossier proves itself: [`Dossier::addition`] checks every signature again. The registrars' tool does so before
//!   it makes a change set, and need not trust the service.

pub mod application;
pub mod dossier;
mod end;
pub mod invitation;
pub mod link;
mod refused;
pub mod rotation;
pub mod signed;
pub mod words;

pub use application::{Application, ApplicationStatement, Confirmation};
pub use dossier::{Addition, Dossier, MAX_DOSSIER, MAX_SKEW, Stage};
pub use end::End;
pub use invitation::{
    Countersignature, Invitation, InvitationId, LIFETIME, Network, PAGE, Query, Role, Seat, Withdrawal,
};
pub use link::{InvalidLink, Link, Purpose};
pub use refused::Refused;
pub use rotation::{Rotation, RotationQuery, RotationStatement};
pub use signed::{MAX_STATEMENT, Malformed, Signed, Statement};
pub use words::{InvalidWords, Words};
