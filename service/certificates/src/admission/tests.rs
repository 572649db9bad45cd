#![allow(clippy::unwrap_used)]
use proptest::prelude::*;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, SanType};

use super::*;
use crate::csr::POINT;
use crate::names::InvalidNames;
use crate::request::RequestStatement;
use crate::subject::Subject;
use crate::testing::{
    CONSUMER, HOST, NOW, PROVIDER, SUSPENDED, broker, broker_hosts, directory, key, keys, names, prepared,
};

/// Checks a request with a new list of nonces.
fn check(request: &CertificateRequest) -> Result<Order, RequestRefused> {
    Admission::default().check(request, &directory(), &[], NOW)
}

fn refused(request: &CertificateRequest) -> RequestRefused {
    check(request).unwrap_err()
}

/// A request of the consumer with a changed statement, signed again.
fn changed(change: impl FnOnce(&mut RequestStatement)) -> CertificateRequest {
    let mut statement = consumers().statement;
    change(&mut statement);
    CertificateRequest::sign(statement, &keys()[0])
}

fn consumers() -> CertificateRequest {
    prepared(&names(CONSUMER, &[]), &keys()[0]).request
}

/// A request of the consumer with this CSR.
fn with_csr(params: &CertificateParams, pair: &KeyPair) -> CertificateRequest {
    let csr = params.serialize_request(pair).unwrap().der().to_vec();
    changed(|statement| statement.csr = csr)
}

fn consumers_params() -> CertificateParams {
    names(CONSUMER, &[]).to_params().unwrap()
}

#[test]
fn a_component_and_a_writer_get_the_names_that_the_directory_gives_them() {
    let order = check(&consumers()).unwrap();
    assert_eq!(*order.csr().names(), names(CONSUMER, &[]));
    assert_eq!(order.validity(), (NOW.before(60), NOW.after(86_400)));
    let provider = prepared(&names(PROVIDER, &[HOST]), &keys()[1]).request;
    assert_eq!(*check(&provider).unwrap().csr().names(), names(PROVIDER, &[HOST]));
    let hosts = broker_hosts();
    let writer = Names::new(broker(), hosts.clone()).unwrap();
    let request = prepared(&writer, &keys()[3]).request;
    let admission = Admission::default();
    assert_eq!(refused(&request), RequestRefused::OtherNames);
    let order = admission.check(&request, &directory(), &hosts, NOW).unwrap();
    assert_eq!(*order.csr().names(), writer);
}

#[test]
fn only_the_key_of_an_active_subject_counts() {
    let own = names(CONSUMER, &[]);
    assert_eq!(
        refused(&prepared(&own, &keys()[1]).request),
        RequestRefused::Signer,
        "another component's key"
    );
    assert_eq!(
        refused(&prepared(&own, &key(99)).request),
        RequestRefused::Signer,
        "an unknown key"
    );
    let suspended = prepared(&names(SUSPENDED, &[]), &keys()[2]).request;
    assert_eq!(refused(&suspended), RequestRefused::Signer, "a suspended component");
    let unknown = prepared(&names("urn:einsicht:component:neu", &[]), &keys()[0]).request;
    assert_eq!(
        refused(&unknown),
        RequestRefused::Signer,
        "a component that is not listed"
    );
    let no_writer = Names::new(Subject::Writer(keys()[0].id()), Vec::new()).unwrap();
    assert_eq!(
        refused(&prepared(&no_writer, &keys()[0]).request),
        RequestRefused::Signer
    );
}

#[test]
fn a_change_after_signing_is_found() {
    let changes: [fn(&mut RequestStatement); 4] = [
        |statement| statement.nonce[0] ^= 1,
        |statement| statement.sent = statement.sent.after(1),
        |statement| statement.csr.push(0),
        |statement| statement.directory = Version(0),
    ];
    for change in changes {
        let mut request = consumers();
        change(&mut request.statement);
        assert_eq!(refused(&request), RequestRefused::Signer);
    }
    let mut request = consumers();
    request.signature = keys()[0].sign_context("einsicht/call/v1", &record::cbor::to_vec(&request.statement));
    assert_eq!(
        refused(&request),
        RequestRefused::Signer,
        "a signature of another purpose"
    );
}

#[test]
fn a_request_is_accepted_within_a_minute_and_under_a_known_directory() {
    let request = consumers();
    for (now, accepted) in [
        (NOW.after(60), true),
        (NOW.before(60), true),
        (NOW.after(61), false),
        (NOW.before(61), false),
    ] {
        let checked = Admission::default().check(&request, &directory(), &[], now);
        match checked {
            Ok(_) => assert!(accepted, "{now}"),
            Err(error) => assert!(!accepted && error == RequestRefused::Time { sent: NOW, now }, "{error}"),
        }
    }
    let newest = directory().version();
    let ahead = Version(newest.0 + 1);
    assert_eq!(
        refused(&changed(|statement| statement.directory = ahead)),
        RequestRefused::NotYet(ahead)
    );
    assert!(check(&changed(|statement| statement.directory = Version(newest.0 - 1))).is_ok());
}

#[test]
fn a_request_is_accepted_once() {
    let (admission, request, directory) = (Admission::default(), consumers(), directory());
    let check = |request: &CertificateRequest| admission.check(request, &directory, &[], NOW);
    assert!(check(&request).is_ok());
    assert_eq!(check(&request).unwrap_err(), RequestRefused::Used);
    assert!(check(&consumers()).is_ok(), "another request of the same component");
    let refused = changed(|statement| statement.sent = NOW.before(100));
    assert!(check(&refused).is_err());
    assert_eq!(admission.used.count(), 2, "what is refused is not kept");
}

#[test]
fn the_list_of_nonces_is_bounded_and_forgets_what_is_too_old() {
    let admission = Admission::default();
    for number in 0..MAX_NONCES {
        admission.use_once((number as u128).to_be_bytes(), NOW, NOW).unwrap();
    }
    let next = [0xff; 16];
    assert_eq!(admission.use_once(next, NOW, NOW.after(60)), Err(RequestRefused::Busy));
    assert_eq!(admission.use_once(next, NOW.after(61), NOW.after(61)), Ok(()));
    assert_eq!(admission.used.count(), 1);
}

#[test]
fn a_csr_is_signed_with_its_own_key() {
    let mut csr = consumers().statement.csr;
    let last = csr.len() - 1;
    csr[last] ^= 1;
    assert_eq!(
        refused(&changed(|statement| statement.csr = csr)),
        CsrError::Malformed.into()
    );
    // The key of another CSR in place of its own: the requester does not have that key.
    let (own, other) = (consumers().statement.csr, consumers().statement.csr);
    let point = |csr: &[u8]| csr.windows(3).position(|bytes| bytes == [0x42, 0x00, 0x04]).unwrap() + 2;
    let (at, from) = (point(&own), point(&other));
    let mut stolen = own;
    stolen[at..at + POINT].copy_from_slice(&other[from..from + POINT]);
    assert_eq!(
        refused(&changed(|statement| statement.csr = stolen)),
        CsrError::Malformed.into()
    );
    for bytes in [vec![], vec![0x30], b"-----BEGIN CERTIFICATE REQUEST-----".to_vec()] {
        assert_eq!(
            refused(&changed(|statement| statement.csr = bytes)),
            CsrError::Malformed.into()
        );
    }
}

#[test]
fn a_csr_has_a_key_on_p256_and_asks_for_no_authority() {
    for algorithm in [&PKCS_ECDSA_P384_SHA384, &PKCS_ED25519] {
        let pair = KeyPair::generate_for(algorithm).unwrap();
        assert_eq!(refused(&with_csr(&consumers_params(), &pair)), CsrError::Key.into());
    }
    let pair = KeyPair::generate().unwrap();
    assert!(check(&with_csr(&consumers_params(), &pair)).is_ok());
    let mut params = consumers_params();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    assert_eq!(refused(&with_csr(&params, &pair)), CsrError::Key.into());
}

#[test]
fn a_csr_asks_for_exactly_its_own_names() {
    let listed = [
        (names(PROVIDER, &[]), "a foreign subject"),
        (
            names(CONSUMER, &["amt.example"]),
            "a host that the directory does not list",
        ),
        (
            names(CONSUMER, &["127.0.0.1"]),
            "an address that the directory does not list",
        ),
        (names(CONSUMER, &[HOST]), "the host of another component"),
    ];
    let pair = KeyPair::generate().unwrap();
    for (names, what) in listed {
        let request = with_csr(&names.to_params().unwrap(), &pair);
        assert_eq!(refused(&request), RequestRefused::OtherNames, "{what}");
    }
    let without_host = prepared(&names(PROVIDER, &[]), &keys()[1]).request;
    assert_eq!(refused(&without_host), RequestRefused::OtherNames);
    let uri = |text: &str| SanType::URI(text.try_into().unwrap());
    let cases = [
        (vec![], InvalidNames::Uri),
        (vec![uri(CONSUMER), uri(CONSUMER)], InvalidNames::Uri),
        (vec![uri(CONSUMER), uri(PROVIDER)], InvalidNames::Uri),
        (vec![uri("https://amt.example")], InvalidNames::Uri),
        (
            vec![uri(CONSUMER), SanType::DnsName("*.example".try_into().unwrap())],
            InvalidNames::Host,
        ),
        (
            vec![uri(CONSUMER), SanType::Rfc822Name("a@b.example".try_into().unwrap())],
            InvalidNames::Kind,
        ),
    ];
    for (sans, problem) in cases {
        let mut params = CertificateParams::default();
        params.subject_alt_names = sans;
        assert_eq!(refused(&with_csr(&params, &pair)), CsrError::Names(problem).into());
    }
}

proptest! {
    #[test]
    fn no_changed_csr_gets_another_key_or_name(at in 0_usize..400, with in 1_u8..) {
        let request = consumers();
        let mut csr = request.statement.csr.clone();
        let at = at % csr.len();
        csr[at] ^= with;
        if let Ok(order) = check(&changed(|statement| statement.csr = csr)) {
            prop_assert_eq!(order.csr().names(), &names(CONSUMER, &[]));
        }
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(CertificateRequest::from_bytes(&bytes).is_err());
        prop_assert!(Csr::read(&bytes).is_err());
    }
}
