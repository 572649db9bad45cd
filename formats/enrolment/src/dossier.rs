//! One enrolment with all its statements.
//!
//! ```text
//! Invited ── countersign ─▶ Open ── apply ─▶ Applied ── confirm ─▶ Confirmed ── change set ─▶ Listed
//!    └──────────── withdraw, seven days ────────┴── third wrong words ─▶ Ended ◀── withdraw ──┘
//! ```
//!
//! Only the directory makes a component take part. A dossier leads to a change set, which the authorities sign, and is
//! `Listed` because the directory says so.
//!
//! A step that has been taken succeeds again with the same statement, so a sender that lost the answer repeats it.

use record::Timestamp;
use serde::{Deserialize, Serialize};
use trust::{Body, Component, InvalidKey, Operation, Operations, TrustKind, TrustMap, TrustState, Value};

use crate::application::{Application, Confirmation};
use crate::end::End;
use crate::invitation::{Countersignature, Invitation, Query, Role, Withdrawal};
use crate::refused::Refused;
use crate::signed::{MAX_STATEMENT, Malformed, Signed, Statement};

/// The longest dossier, in bytes.
pub const MAX_DOSSIER: usize = 2 * MAX_STATEMENT;
/// How far the clock of a registrar may be ahead, in seconds.
pub const MAX_SKEW: u64 = 60;
/// How often a body may confirm with wrong words, before the enrolment ends.
pub const MAX_WRONG_WORDS: u8 = 3;

/// An enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dossier {
    /// The invitation.
    pub invitation: Signed<Invitation>,
    /// How far it is.
    pub stage: Stage,
}

/// How far an enrolment is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Stage {
    /// A registrar has invited. A second one must open the invitation.
    Invited,
    /// The operator may apply.
    Open(Signed<Countersignature>),
    /// The operator has applied. The body must confirm.
    Applied {
        /// What opened the invitation.
        opened: Signed<Countersignature>,
        /// The application.
        application: Box<Application>,
        /// How often the body has confirmed other words.
        wrong_words: u8,
    },
    /// The body has confirmed. The authorities must sign the change set.
    Confirmed(Box<Confirmed>),
    /// The directory lists the component.
    Listed,
    /// It leads to nothing any more.
    Ended(End),
}

/// All statements of an enrolment that the authorities have to decide on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmed {
    /// What opened the invitation.
    pub opened: Signed<Countersignature>,
    /// The application.
    pub application: Application,
    /// The body's confirmation.
    pub confirmation: Signed<Confirmation>,
}

/// What a change set has to add to the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    /// The component.
    pub component: Component,
    /// Its body, unless the directory has it.
    pub body: Option<Body>,
}

impl Addition {
    /// As operations of a change set.
    ///
    /// # Errors
    /// [`InvalidKey`] if a name is no key of the directory.
    pub fn operations(&self) -> Result<Vec<Operation>, InvalidKey> {
        let body = self.body.clone().map(Box::new).map(Value::Body);
        let component = Value::Component(Box::new(self.component.clone()));
        body.iter().chain([&component]).map(Operation::put).collect()
    }
}

impl Stage {
    /// Its name, for people.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Open(_) => "open",
            Self::Applied { .. } => "applied",
            Self::Confirmed(_) => "confirmed",
            Self::Listed => "listed",
            Self::Ended(_) => "ended",
        }
    }

    /// Why it has ended.
    #[must_use]
    pub const fn end(&self) -> Option<End> {
        match self {
            Self::Ended(end) => Some(*end),
            _ => None,
        }
    }

    /// What has opened the invitation, while the enrolment is under way.
    #[must_use]
    pub fn opened(&self) -> Option<&Signed<Countersignature>> {
        match self {
            Self::Open(opened) | Self::Applied { opened, .. } => Some(opened),
            Self::Confirmed(confirmed) => Some(&confirmed.opened),
            Self::Invited | Self::Listed | Self::Ended(_) => None,
        }
    }
}

/// Checks that an authority in force that may sign the directory has signed a statement.
fn by_registrar<T: Statement>(signed: &Signed<T>, by: &record::WriterId, state: &TrustState) -> Result<(), Refused> {
    let key = state.authorities().key(by, TrustKind::Directory);
    let key = key.ok_or(Refused::Registrar)?;
    if signed.is_by(key) {
        Ok(())
    } else {
        Err(Refused::Registrar)
    }
}

/// Checks a registrar's question. The caller checks its genesis hash.
///
/// # Errors
/// [`Refused`].
pub fn check_query(query: &Signed<Query>, state: &TrustState, now: Timestamp) -> Result<(), Refused> {
    let statement = &query.statement;
    check_question(query, (&statement.by, statement.sent), state, now)
}

/// Checks that a registrar asks, and that it asks now.
pub(crate) fn check_question<T: Statement>(
    signed: &Signed<T>,
    (by, sent): (&record::WriterId, Timestamp),
    state: &TrustState,
    now: Timestamp,
) -> Result<(), Refused> {
    by_registrar(signed, by, state)?;
    if sent.distance(now) > MAX_SKEW {
        return Err(Refused::Clock);
    }
    Ok(())
}

/// Checks that the directory could take these values as its next version.
pub(crate) fn check_puts(puts: Vec<Operation>, directory: &TrustMap) -> Result<(), Refused> {
    let unfit = |reason: &dyn core::fmt::Display| Refused::Unfit(reason.to_string());
    let version = directory.version().next().ok_or(Refused::Unfit(String::new()))?;
    let operations = Operations::new(puts).map_err(|error| unfit(&error))?;
    let changed = directory.change(version, directory.valid_from(), &operations);
    changed.map(drop).map_err(|error| unfit(&error))
}

impl Dossier {
    /// Begins an enrolment. The caller checks that the invitation's genesis hash is that of the log of `state`.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn begin(invitation: Signed<Invitation>, state: &TrustState, now: Timestamp) -> Result<Self, Refused> {
        let statement = &invitation.statement;
        by_registrar(&invitation, &statement.by, state)?;
        if statement.issued > now.after(MAX_SKEW) {
            return Err(Refused::Clock);
        }
        if statement.expires() < now {
            return Err(Refused::Ended(End::Expired));
        }
        if state.directory().component(&statement.seat.id).is_some() {
            return Err(Refused::Listed(statement.seat.id.clone()));
        }
        check_body(statement, state)?;
        match statement.seat.role {
            Role::Consumer if !statement.seat.serves.is_empty() => {
                return Err(Refused::Role("a consumer serves no register"));
            }
            Role::Provider if statement.seat.serves.is_empty() => {
                return Err(Refused::Role("a provider serves at least one register"));
            }
            _ => {}
        }
        Ok(Self {
            invitation,
            stage: Stage::Invited,
        })
    }

    /// The statement of the invitation.
    #[must_use]
    pub fn invited(&self) -> &Invitation {
        &self.invitation.statement
    }

    /// The application, once there is one.
    #[must_use]
    pub fn application(&self) -> Option<&Application> {
        match &self.stage {
            Stage::Applied { application, .. } => Some(application),
            Stage::Confirmed(confirmed) => Some(&confirmed.application),
            _ => None,
        }
    }

    /// The bytes that are stored and sent.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        record::cbor::to_vec(self)
    }

    /// Reads a dossier. It verifies no signature.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > MAX_DOSSIER {
            return Err(Malformed(format!("more than {MAX_DOSSIER} bytes")));
        }
        record::cbor::from_slice(bytes).map_err(|error| Malformed(error.to_string()))
    }

    /// Ends an enrolment whose time is over, and finds the component in the directory.
    pub fn refresh(&mut self, state: &TrustState, now: Timestamp) {
        if matches!(self.stage, Stage::Listed | Stage::Ended(_)) {
            return;
        }
        if let Some(listed) = state.directory().component(&self.invited().seat.id) {
            let own = self.application().is_some_and(|application| {
                let content = application.content();
                content.signing_key == listed.signing_key && content.sealing_key == listed.sealing_key
            });
            self.stage = if own { Stage::Listed } else { Stage::Ended(End::Taken) };
        } else if !matches!(self.stage, Stage::Confirmed(_)) && self.invited().expires() < now {
            self.stage = Stage::Ended(End::Expired);
        }
    }

    /// Opens the invitation.
    ///
    /// # Errors
    /// [`Refused`]; then nothing has changed.
    pub fn countersign(&mut self, opened: Signed<Countersignature>, state: &TrustState) -> Result<(), Refused> {
        check_opened(self.invited(), &opened, state)?;
        match &self.stage {
            Stage::Invited => self.stage = Stage::Open(opened),
            Stage::Open(before) if *before == opened => {}
            _ => return Err(self.not_now()),
        }
        Ok(())
    }

    /// Takes the operator's application.
    ///
    /// # Errors
    /// [`Refused`]; then nothing has changed.
    pub fn apply(&mut self, application: Application, state: &TrustState) -> Result<(), Refused> {
        check_application(self.invited(), &application)?;
        match &self.stage {
            Stage::Open(opened) => {
                self.fits(&application, state)?;
                self.stage = Stage::Applied {
                    opened: opened.clone(),
                    application: Box::new(application),
                    wrong_words: 0,
                };
                Ok(())
            }
            Stage::Applied { .. } | Stage::Confirmed(_) if self.application() == Some(&application) => Ok(()),
            Stage::Applied { .. } | Stage::Confirmed(_) => Err(Refused::Used),
            _ => Err(self.not_now()),
        }
    }

    /// Takes the body's confirmation. Wrong words are refused and counted, so the dossier may have changed after an
    /// error.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn confirm(&mut self, confirmation: Signed<Confirmation>) -> Result<(), Refused> {
        let (opened, application, before) = match &self.stage {
            Stage::Applied {
                opened,
                application,
                wrong_words,
            } => (opened, application, *wrong_words),
            Stage::Confirmed(confirmed) if confirmed.confirmation == confirmation => return Ok(()),
            _ => return Err(self.not_now()),
        };
        check_code(self.invited(), opened, &confirmation)?;
        if confirmation.statement.words != application.words() {
            let left = MAX_WRONG_WORDS.saturating_sub(before.saturating_add(1));
            if left == 0 {
                self.stage = Stage::Ended(End::WrongWords);
            } else if let Stage::Applied { wrong_words, .. } = &mut self.stage {
                *wrong_words += 1;
            }
            return Err(Refused::WrongWords { left });
        }
        self.stage = Stage::Confirmed(Box::new(Confirmed {
            opened: opened.clone(),
            application: application.as_ref().clone(),
            confirmation,
        }));
        Ok(())
    }

    /// Ends the enrolment. What the directory lists is not changed by that.
    ///
    /// # Errors
    /// [`Refused`]; then nothing has changed.
    pub fn withdraw(&mut self, withdrawal: &Signed<Withdrawal>, state: &TrustState) -> Result<(), Refused> {
        by_registrar(withdrawal, &withdrawal.statement.by, state)?;
        if withdrawal.statement.invitation != self.invited().id() {
            return Err(Refused::OtherInvitation);
        }
        match self.stage {
            Stage::Ended(End::Withdrawn) => {}
            Stage::Listed | Stage::Ended(_) => return Err(self.not_now()),
            _ => self.stage = Stage::Ended(End::Withdrawn),
        }
        Ok(())
    }

    /// Checks every signature of a confirmed enrolment again, and returns what a change set has to add.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn addition(&self, state: &TrustState) -> Result<Addition, Refused> {
        let Stage::Confirmed(confirmed) = &self.stage else {
            return Err(self.not_now());
        };
        let invited = self.invited();
        by_registrar(&self.invitation, &invited.by, state)?;
        check_opened(invited, &confirmed.opened, state)?;
        check_application(invited, &confirmed.application)?;
        check_code(invited, &confirmed.opened, &confirmed.confirmation)?;
        if confirmed.confirmation.statement.words != confirmed.application.words() {
            return Err(Refused::WrongWords { left: 0 });
        }
        self.fits(&confirmed.application, state)
    }

    /// What the application adds to the directory in force, if the directory could list it.
    fn fits(&self, application: &Application, state: &TrustState) -> Result<Addition, Refused> {
        let (invited, directory) = (self.invited(), state.directory());
        if directory.component(&invited.seat.id).is_some() {
            return Err(Refused::Listed(invited.seat.id.clone()));
        }
        let body = invited.body.clone();
        // Another enrolment of the same body may have been faster.
        let body = body.filter(|body| directory.body(&body.id) != Some(body));
        if body.is_some() {
            check_body(invited, state)?;
        }
        let component = invited.seat.component(&application.content().equipment());
        let addition = Addition { component, body };
        let puts = addition
            .operations()
            .map_err(|error| Refused::Unfit(error.to_string()))?;
        check_puts(puts, directory)?;
        Ok(addition)
    }

    /// Why a step cannot be taken now.
    fn not_now(&self) -> Refused {
        match &self.stage {
            Stage::Ended(end) => Refused::Ended(*end),
            stage => Refused::NotNow(stage.name()),
        }
    }
}

fn check_body(invited: &Invitation, state: &TrustState) -> Result<(), Refused> {
    let listed = state.directory().body(&invited.seat.body);
    match &invited.body {
        Some(body) if body.id != invited.seat.body => Err(Refused::Body(
            "the invitation describes another body than the component's",
        )),
        Some(_) if listed.is_some() => Err(Refused::Body(
            "the directory has this body already: leave it out of the invitation",
        )),
        None if listed.is_none() => Err(Refused::Body(
            "the directory does not have this body: describe it in the invitation",
        )),
        _ => Ok(()),
    }
}

fn check_opened(invited: &Invitation, opened: &Signed<Countersignature>, state: &TrustState) -> Result<(), Refused> {
    by_registrar(opened, &opened.statement.by, state)?;
    if opened.statement.invitation != invited.id() {
        return Err(Refused::OtherInvitation);
    }
    if opened.statement.by == invited.by {
        return Err(Refused::SameRegistrar);
    }
    Ok(())
}

fn check_application(invited: &Invitation, application: &Application) -> Result<(), Refused> {
    let content = application.content();
    if content.invitation != invited.id() {
        return Err(Refused::OtherInvitation);
    }
    if !application.is_by(&invited.link) {
        return Err(Refused::Link);
    }
    if !application.statement.is_by(&content.signing_key) {
        return Err(Refused::Key);
    }
    if content.endpoint.is_some() != (invited.seat.role == Role::Provider) {
        return Err(Refused::Endpoint);
    }
    Ok(())
}

fn check_code(
    invited: &Invitation,
    opened: &Signed<Countersignature>,
    confirmation: &Signed<Confirmation>,
) -> Result<(), Refused> {
    if confirmation.statement.invitation != invited.id() {
        return Err(Refused::OtherInvitation);
    }
    if !confirmation.is_by(&opened.statement.code) {
        return Err(Refused::Code);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
