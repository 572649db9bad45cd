//! Every step, and every refusal.
#![allow(clippy::unwrap_used)]

use fixtures::{FirstValues, Founders, values};
use record::{SigningKey, Timestamp};
use tlog::Hash;
use tlog::note::SignerKey;
use trust::{Authority, Endpoint};

use super::*;
use crate::application::ApplicationStatement;
use crate::invitation::{LIFETIME, Network, Seat};

const NOW: Timestamp = Timestamp(1_800_000_000);
/// The keys of both registrars, of the link, of the code, and of the component.
const FIRST: u8 = 1;
const SECOND: u8 = 2;
const LINK: u8 = 3;
const CODE: u8 = 4;
const OWN: u8 = 5;
/// A component that the directory lists.
const LISTED: u8 = 6;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

/// A directory with the component `amt`, and two authorities.
fn state() -> TrustState {
    let log = SignerKey::for_notes("log.example".parse().unwrap(), &[9; 32]);
    let founders = Founders {
        origin: "log.example",
        log: &log,
        operator: &key(10),
        authority: &key(FIRST),
        identity: &key(11),
    };
    let first = FirstValues {
        components: vec![values::consumer("amt", key(LISTED).public(), [LISTED; 32])],
        ..FirstValues::default()
    };
    let founding = founders.found_with(first, NOW).unwrap();
    let second = Value::Authority(Authority {
        name: "Registrar 2".parse().unwrap(),
        key: key(SECOND).public(),
        signs: TrustKind::ALL.into(),
    });
    after(founding.history.state(), vec![Operation::put(&second).unwrap()])
}

/// The state after a change set.
fn after(state: &TrustState, operations: Vec<Operation>) -> TrustState {
    let set = state.propose(TrustKind::Directory, NOW, "Versuch".parse().unwrap(), operations);
    let set = set.unwrap().sign(&[&key(FIRST)]).unwrap();
    state.apply(TrustKind::Directory, &set).unwrap()
}

fn invitation() -> Invitation {
    Invitation {
        network: Network {
            genesis: Hash([8; 32]),
            policy: "log a\n".into(),
            ledger: "https://log.example".into(),
            broker: "https://broker.example".into(),
            authorities: None,
            test: true,
        },
        seat: Seat {
            id: "neustadt".parse().unwrap(),
            directory: "DVDV".parse().unwrap(),
            identifier: "dbs:neustadt".parse().unwrap(),
            name: "Onlinedienst".parse().unwrap(),
            role: Role::Consumer,
            body: values::BODY.parse().unwrap(),
            operator: None,
            serves: record::Sorted::default(),
            ceilings: None,
        },
        body: None,
        link: key(LINK).public(),
        by: key(FIRST).id(),
        issued: NOW,
    }
}

fn invited(change: impl FnOnce(&mut Invitation)) -> Result<Dossier, Refused> {
    let mut statement = invitation();
    change(&mut statement);
    Dossier::begin(Signed::sign(statement, &key(FIRST)), &state(), NOW)
}

fn opening(dossier: &Dossier, by: u8) -> Signed<Countersignature> {
    let statement = Countersignature {
        invitation: dossier.invited().id(),
        code: key(CODE).public(),
        by: key(by).id(),
    };
    Signed::sign(statement, &key(by))
}

fn applying(dossier: &Dossier, change: impl FnOnce(&mut ApplicationStatement)) -> ApplicationStatement {
    let mut statement = ApplicationStatement {
        invitation: dossier.invited().id(),
        signing_key: key(OWN).public(),
        sealing_key: [OWN; 32],
        endpoint: None,
        software: None,
    };
    change(&mut statement);
    statement
}

fn application(dossier: &Dossier) -> Application {
    Application::new(applying(dossier, |_| {}), &key(OWN), &key(LINK))
}

fn confirming(dossier: &Dossier, words: crate::Words, by: u8) -> Signed<Confirmation> {
    let invitation = dossier.invited().id();
    Signed::sign(Confirmation { invitation, words }, &key(by))
}

fn open() -> Dossier {
    let mut dossier = invited(|_| {}).unwrap();
    dossier.countersign(opening(&dossier, SECOND), &state()).unwrap();
    dossier
}

fn applied() -> Dossier {
    let mut dossier = open();
    dossier.apply(application(&dossier), &state()).unwrap();
    dossier
}

fn confirmed() -> Dossier {
    let mut dossier = applied();
    let words = application(&dossier).words();
    dossier.confirm(confirming(&dossier, words, CODE)).unwrap();
    dossier
}

fn withdrawal(dossier: &Dossier, by: u8) -> Signed<Withdrawal> {
    let statement = Withdrawal {
        invitation: dossier.invited().id(),
        by: key(by).id(),
    };
    Signed::sign(statement, &key(by))
}

#[test]
fn a_component_comes_into_the_directory_by_all_steps() {
    let state = state();
    let mut dossier = confirmed();
    let operations = dossier.addition(&state).unwrap().operations().unwrap();
    assert_eq!(operations.len(), 1, "the body is there already");
    dossier.refresh(&state, NOW.after(30 * 86_400));
    assert_eq!(
        dossier.stage.name(),
        "confirmed",
        "registrars may take longer than the invitation"
    );
    let listed = after(&state, operations);
    let component = listed.directory().component(&"neustadt".parse().unwrap()).unwrap();
    assert!(component.is_active() && component.signing_key == key(OWN).public());
    dossier.refresh(&listed, NOW);
    assert_eq!(dossier.stage, Stage::Listed);
    let bytes = dossier.to_bytes();
    assert_eq!(Dossier::from_bytes(&bytes).unwrap(), dossier);
}

#[test]
fn a_new_body_comes_with_its_component() {
    let mut body = values::body();
    body.id = "neustadt".parse().unwrap();
    let with_body = |invitation: &mut Invitation| {
        invitation.seat.body = body.id.clone();
        invitation.body = Some(body.clone());
    };
    let mut dossier = invited(with_body).unwrap();
    dossier.countersign(opening(&dossier, SECOND), &state()).unwrap();
    dossier.apply(application(&dossier), &state()).unwrap();
    let words = application(&dossier).words();
    dossier.confirm(confirming(&dossier, words, CODE)).unwrap();
    assert!(dossier.addition(&state()).unwrap().body.is_some());
    // Another enrolment of the same body was faster.
    let put = Operation::put(&Value::Body(Box::new(body.clone()))).unwrap();
    let listed = after(&state(), vec![put]);
    assert!(dossier.addition(&listed).unwrap().body.is_none());
    let text = "describe it in the invitation";
    let missing = invited(|invitation| invitation.seat.body = body.id.clone()).unwrap_err();
    assert!(missing.to_string().contains(text));
    let known = invited(|invitation| invitation.body = Some(values::body())).unwrap_err();
    assert!(known.to_string().contains("leave it out"));
    let other = invited(|invitation| invitation.body = Some(body.clone())).unwrap_err();
    assert!(other.to_string().contains("another body"));
}

#[test]
fn only_registrars_invite_and_only_for_components_that_are_new() {
    for seed in [OWN, LISTED, 10] {
        let mut statement = invitation();
        statement.by = key(seed).id();
        let signed = Signed::sign(statement, &key(seed));
        assert_eq!(Dossier::begin(signed, &state(), NOW), Err(Refused::Registrar));
    }
    let forged = Signed::sign(invitation(), &key(SECOND));
    assert_eq!(Dossier::begin(forged, &state(), NOW), Err(Refused::Registrar));
    let id = "amt".parse().unwrap();
    assert_eq!(
        invited(|invitation| invitation.seat.id = "amt".parse().unwrap()),
        Err(Refused::Listed(id))
    );
    assert_eq!(
        invited(|invitation| invitation.issued = NOW.after(61)),
        Err(Refused::Clock)
    );
    let old = invited(|invitation| invitation.issued = NOW.before(LIFETIME + 1));
    assert_eq!(old, Err(Refused::Ended(End::Expired)));
    assert!(matches!(
        invited(|invitation| invitation.seat.role = Role::Provider),
        Err(Refused::Role(_))
    ));
}

#[test]
fn the_second_registrar_is_another_one() {
    let state = state();
    let mut dossier = invited(|_| {}).unwrap();
    assert_eq!(
        dossier.countersign(opening(&dossier, FIRST), &state),
        Err(Refused::SameRegistrar)
    );
    assert_eq!(
        dossier.countersign(opening(&dossier, OWN), &state),
        Err(Refused::Registrar)
    );
    let other = invited(|invitation| invitation.link = key(20).public()).unwrap();
    assert_eq!(
        dossier.countersign(opening(&other, SECOND), &state),
        Err(Refused::OtherInvitation)
    );
    let early = dossier.apply(application(&dossier), &state);
    assert_eq!(early, Err(Refused::NotNow("invited")));
    let opened = opening(&dossier, SECOND);
    for _ in 0..2 {
        dossier.countersign(opened.clone(), &state).unwrap();
    }
    let mut again = opening(&dossier, SECOND).statement;
    again.code = key(21).public();
    let again = Signed::sign(again, &key(SECOND));
    assert_eq!(dossier.countersign(again, &state), Err(Refused::NotNow("open")));
}

#[test]
fn a_foreign_link_and_foreign_keys_are_refused() {
    let state = state();
    let mut dossier = open();
    let own = |change: fn(&mut ApplicationStatement)| applying(&dossier, change);
    let endpoint: Endpoint = "https://neustadt.example".parse().unwrap();
    let mut elsewhere = own(|_| {});
    elsewhere.endpoint = Some(endpoint);
    let of_another = invited(|invitation| invitation.link = key(20).public()).unwrap();
    for (application, refused) in [
        (Application::new(own(|_| {}), &key(OWN), &key(20)), Refused::Link),
        // The keys of another component, whose private half the operator does not have.
        (
            Application::new(
                own(|statement| statement.signing_key = key(LISTED).public()),
                &key(OWN),
                &key(LINK),
            ),
            Refused::Key,
        ),
        (
            Application::new(applying(&of_another, |_| {}), &key(OWN), &key(LINK)),
            Refused::OtherInvitation,
        ),
        (Application::new(elsewhere, &key(OWN), &key(LINK)), Refused::Endpoint),
    ] {
        assert_eq!(dossier.clone().apply(application, &state), Err(refused));
    }
    for statement in [
        own(|statement| statement.sealing_key = [LISTED; 32]),
        own(|statement| statement.signing_key = key(LISTED).public()),
    ] {
        let with = if statement.sealing_key == [LISTED; 32] {
            OWN
        } else {
            LISTED
        };
        let application = Application::new(statement, &key(with), &key(LINK));
        let refused = dossier.clone().apply(application, &state).unwrap_err();
        assert!(refused.to_string().contains("same public key"), "{refused}");
    }
    assert_eq!(dossier.stage.name(), "open");
    dossier.apply(application(&dossier), &state).unwrap();
}

#[test]
fn a_provider_names_its_endpoint_and_serves_what_no_other_one_serves() {
    let other = values::provider("register", key(7).public(), [7; 32]);
    let serves = other.serves.clone();
    let provides = |invitation: &mut Invitation| {
        invitation.seat.role = Role::Provider;
        invitation.seat.serves = serves.clone();
    };
    let mut dossier = invited(provides).unwrap();
    dossier.countersign(opening(&dossier, SECOND), &state()).unwrap();
    let endpoint: Endpoint = "https://neustadt.example".parse().unwrap();
    let without = application(&dossier);
    let with = applying(&dossier, |statement| statement.endpoint = Some(endpoint.clone()));
    let with = Application::new(with, &key(OWN), &key(LINK));
    assert_eq!(dossier.apply(without, &state()), Err(Refused::Endpoint));
    let taken = after(
        &state(),
        vec![Operation::put(&Value::Component(Box::new(other))).unwrap()],
    );
    let refused = dossier.apply(with.clone(), &taken).unwrap_err();
    assert!(refused.to_string().contains("serves the register"), "{refused}");
    dossier.apply(with.clone(), &state()).unwrap();
    dossier.confirm(confirming(&dossier, with.words(), CODE)).unwrap();
    let component = dossier.addition(&state()).unwrap().component;
    assert!(component.provider && !component.consumer && component.endpoint == Some(endpoint));
    assert_eq!(component.serves, serves);
}

#[test]
fn a_link_is_used_once_and_an_application_may_be_repeated() {
    let state = state();
    let mut dossier = applied();
    let before = dossier.clone();
    dossier.apply(application(&dossier), &state).unwrap();
    assert_eq!(dossier, before);
    let other = Application::new(
        applying(&dossier, |statement| statement.signing_key = key(7).public()),
        &key(7),
        &key(LINK),
    );
    assert_eq!(dossier.apply(other.clone(), &state), Err(Refused::Used));
    let mut dossier = confirmed();
    dossier.apply(application(&dossier), &state).unwrap();
    assert_eq!(dossier.apply(other, &state), Err(Refused::Used));
}

#[test]
fn another_body_cannot_confirm() {
    let mut dossier = applied();
    let words = application(&dossier).words();
    for seed in [LINK, FIRST, SECOND, OWN, 22] {
        let refused = dossier.confirm(confirming(&dossier, words, seed));
        assert_eq!(refused, Err(Refused::Code));
    }
    let other = invited(|invitation| invitation.link = key(20).public()).unwrap();
    let refused = dossier.confirm(confirming(&other, words, CODE));
    assert_eq!(refused, Err(Refused::OtherInvitation));
    assert!(matches!(dossier.stage, Stage::Applied { wrong_words: 0, .. }));
    assert_eq!(
        open().confirm(confirming(&dossier, words, CODE)),
        Err(Refused::NotNow("open"))
    );
    for _ in 0..2 {
        dossier.confirm(confirming(&dossier, words, CODE)).unwrap();
    }
}

#[test]
fn wrong_words_are_counted_and_end_the_enrolment() {
    let mut dossier = applied();
    let other = applying(&dossier, |statement| statement.sealing_key = [7; 32]);
    let wrong = confirming(&dossier, other.words(), CODE);
    for left in [2, 1, 0] {
        assert_eq!(dossier.confirm(wrong.clone()), Err(Refused::WrongWords { left }));
    }
    let words = application(&dossier).words();
    let ended = Refused::Ended(End::WrongWords);
    assert_eq!(dossier.confirm(confirming(&dossier, words, CODE)), Err(ended.clone()));
    assert_eq!(dossier.addition(&state()), Err(ended));
}

#[test]
fn an_enrolment_expires_and_is_withdrawn() {
    let state = state();
    let late = NOW.after(LIFETIME + 1);
    for mut dossier in [invited(|_| {}).unwrap(), open(), applied()] {
        let mut withdrawn = dossier.clone();
        dossier.refresh(&state, NOW.after(LIFETIME));
        assert!(!matches!(dossier.stage, Stage::Ended(_)));
        dossier.refresh(&state, late);
        assert_eq!(dossier.stage, Stage::Ended(End::Expired));
        assert_eq!(
            withdrawn.withdraw(&withdrawal(&withdrawn, OWN), &state),
            Err(Refused::Registrar)
        );
        for _ in 0..2 {
            withdrawn.withdraw(&withdrawal(&withdrawn, SECOND), &state).unwrap();
        }
        assert_eq!(withdrawn.stage, Stage::Ended(End::Withdrawn));
    }
    let mut dossier = confirmed();
    let other = invited(|invitation| invitation.link = key(20).public()).unwrap();
    assert_eq!(
        dossier.withdraw(&withdrawal(&other, FIRST), &state),
        Err(Refused::OtherInvitation)
    );
    dossier.withdraw(&withdrawal(&dossier, FIRST), &state).unwrap();
    assert_eq!(dossier.addition(&state), Err(Refused::Ended(End::Withdrawn)));
}

#[test]
fn a_component_that_is_listed_with_other_keys_ends_the_enrolment() {
    let other = values::consumer("neustadt", key(7).public(), [7; 32]);
    let listed = after(
        &state(),
        vec![Operation::put(&Value::Component(Box::new(other))).unwrap()],
    );
    for mut dossier in [open(), applied(), confirmed()] {
        let refused = Refused::Listed("neustadt".parse().unwrap());
        if dossier.stage.name() == "confirmed" {
            assert_eq!(dossier.addition(&listed), Err(refused));
        }
        dossier.refresh(&listed, NOW);
        assert_eq!(dossier.stage, Stage::Ended(End::Taken));
    }
}

/// The registrars' tool gets dossiers from a service that it does not trust.
#[test]
fn a_dossier_with_one_changed_statement_leads_to_no_change_set() {
    let state = state();
    let changed = |change: fn(&mut Dossier)| {
        let mut dossier = confirmed();
        change(&mut dossier);
        dossier.addition(&state)
    };
    fn parts(dossier: &mut Dossier) -> &mut Confirmed {
        match &mut dossier.stage {
            Stage::Confirmed(confirmed) => confirmed,
            _ => unreachable!(),
        }
    }
    for (change, refused) in [
        (
            (|dossier| dossier.invitation.statement.seat.name = "Anderer".parse().unwrap()) as fn(&mut Dossier),
            Refused::Registrar,
        ),
        (
            |dossier| parts(dossier).opened.statement.code = key(30).public(),
            Refused::Registrar,
        ),
        (
            |dossier| {
                let statement = applying(dossier, |statement| statement.sealing_key = [31; 32]);
                parts(dossier).application.statement.statement = statement;
            },
            Refused::Link,
        ),
        (
            |dossier| {
                let statement = applying(dossier, |statement| statement.sealing_key = [31; 32]);
                parts(dossier).application = Application::new(statement, &key(OWN), &key(LINK));
            },
            Refused::WrongWords { left: 0 },
        ),
        (|dossier| parts(dossier).confirmation.signature[0] ^= 1, Refused::Code),
    ] {
        assert_eq!(changed(change), Err(refused));
    }
    assert!(changed(|_| {}).is_ok());
}
