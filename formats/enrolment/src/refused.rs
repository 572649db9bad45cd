//! Why a step of an enrolment is refused.

use record::ParticipantId;

use crate::end::End;

/// Why a step is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The statement is for another log.
    #[error("this service belongs to another log: check the genesis hash")]
    OtherLog,
    /// No authority in force that may sign the directory has signed the statement.
    #[error("the signature is not that of an authority that may sign change sets of the directory")]
    Registrar,
    /// It was signed in the future, or too long ago for a question.
    #[error("the clocks differ by more than a minute: set the clock, and sign again")]
    Clock,
    /// The body of the invitation is wrong.
    #[error("{0}")]
    Body(&'static str),
    /// The invitation's role does not fit the rest of it.
    #[error("{0}")]
    Role(&'static str),
    /// The directory lists the component already, or the keys that a rotation asks for.
    #[error("the directory lists {0} already: change it with the tool `directory`")]
    Listed(ParticipantId),
    /// The directory lists no active component of this name.
    #[error("the directory lists no active component {0}")]
    NotListed(ParticipantId),
    /// The rotation is not signed with the key that the directory lists.
    #[error("the rotation is not signed with the component's present signing key")]
    Present,
    /// The registrar of the invitation signs a second time.
    #[error("the registrar of the invitation cannot open it: another one must")]
    SameRegistrar,
    /// The statement names another invitation.
    #[error("this belongs to another invitation")]
    OtherInvitation,
    /// The enrolment is not at this step.
    #[error("the enrolment is {0}, so this is not possible now")]
    NotNow(&'static str),
    /// The enrolment has ended.
    #[error("the enrolment has ended: {0}")]
    Ended(End),
    /// The application is not signed with the key of the invitation's link.
    #[error("the link does not belong to this invitation")]
    Link,
    /// The application or rotation is not signed with the new key that it names.
    #[error("the statement is not signed with the new signing key that it names")]
    Key,
    /// A provider has no endpoint, or a consumer has one.
    #[error("a provider names the address of its connector, and a consumer does not")]
    Endpoint,
    /// Someone has applied with the link before, with other keys.
    #[error("the link was used before, with other keys: tell the registrar, who can withdraw the invitation")]
    Used,
    /// The directory could not list the component.
    #[error("the directory could not list the component: {0}")]
    Unfit(String),
    /// The confirmation is not signed with the key of the body's code.
    #[error("the code does not belong to this invitation")]
    Code,
    /// The words are those of other keys.
    #[error("these are not the words of the application: someone else may have applied (attempts left: {left})")]
    WrongWords {
        /// How often the body may try again.
        left: u8,
    },
}
