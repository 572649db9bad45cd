#![allow(clippy::unwrap_used)]
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::*;
use crate::admission::Admission;
use crate::testing::{CONSUMER, HOST, NOW, PROVIDER, directory, keys, names, prepared};

fn created(dir: &Path) -> Authority {
    Authority::create(&dir.join("ca.key"), &dir.join("ca.pem"), "Einsicht", NOW).unwrap()
}

fn issued(authority: &Authority, subject: &str, hosts: &[&str], key: usize) -> String {
    let request = prepared(&names(subject, hosts), &keys()[key]).request;
    let order = Admission::default().check(&request, &directory(), &[], NOW).unwrap();
    authority.sign(&order).unwrap().0
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

#[test]
fn an_authority_is_created_once_and_opened_with_its_own_key() {
    let dir = tempfile::tempdir().unwrap();
    let (key, certificate) = (dir.path().join("ca.key"), dir.path().join("ca.pem"));
    let authority = created(dir.path());
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(
        Authority::open(&key, &certificate).unwrap().certificate(),
        authority.certificate()
    );
    assert!(Authority::create(&key, &certificate, "Einsicht", NOW).is_err());
    assert!(Authority::create(&dir.path().join("new.key"), &certificate, "Einsicht", NOW).is_err());
    let other = tempfile::tempdir().unwrap();
    created(other.path());
    let mixed = Authority::open(&key, &other.path().join("ca.pem"));
    assert!(matches!(mixed, Err(AuthorityError::Unusable(_))));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(
        Authority::open(&key, &certificate),
        Err(AuthorityError::Key(SecretError::Exposed(_)))
    ));
}

#[test]
fn a_certificate_has_its_names_its_day_and_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let authority = created(dir.path());
    let (pem, again) = (
        issued(&authority, PROVIDER, &[HOST], 1),
        issued(&authority, PROVIDER, &[HOST], 1),
    );
    let (der, again) = (der(&pem), der(&again));
    let certificate = webpki::EndEntityCert::try_from(&der).unwrap();
    let other = webpki::EndEntityCert::try_from(&again).unwrap();
    assert_ne!(certificate.serial(), other.serial());
    assert_eq!(certificate.valid_uri_names().collect::<Vec<_>>(), [PROVIDER]);
    assert_eq!(certificate.valid_dns_names().collect::<Vec<_>>(), [HOST]);
    let root = self::der(authority.certificate());
    let anchor = webpki::anchor_from_trusted_cert(&root).unwrap();
    let valid = |at: Timestamp, usage: webpki::KeyUsage| {
        let time = rustls::pki_types::UnixTime::since_unix_epoch(std::time::Duration::from_secs(at.seconds()));
        let algorithms = webpki::ALL_VERIFICATION_ALGS;
        let anchors = std::slice::from_ref(&anchor);
        certificate
            .verify_for_usage(algorithms, anchors, &[], time, usage, None, None)
            .is_ok()
    };
    for usage in [webpki::KeyUsage::server_auth, webpki::KeyUsage::client_auth] {
        assert!(valid(NOW.before(60), usage()) && valid(NOW.after(86_400), usage()));
        assert!(!valid(NOW.before(61), usage()) && !valid(NOW.after(86_401), usage()));
    }
}

#[test]
fn openssl_verifies_a_certificate_for_both_purposes_and_no_authority() {
    let dir = tempfile::tempdir().unwrap();
    let authority = created(dir.path());
    let at = |name: &str| dir.path().join(name);
    std::fs::write(at("amt.pem"), issued(&authority, CONSUMER, &[], 0)).unwrap();
    let verified = |purpose: &str, at_time: Timestamp| {
        let output = Command::new("openssl")
            .args([
                "verify",
                "-x509_strict",
                "-purpose",
                purpose,
                "-attime",
                &at_time.seconds().to_string(),
            ])
            .args(["-CAfile".as_ref(), at("ca.pem").as_os_str(), at("amt.pem").as_os_str()])
            .output()
            .unwrap();
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    for purpose in ["sslclient", "sslserver"] {
        let (sound, error) = verified(purpose, NOW);
        assert!(sound, "{purpose}: {error}");
        assert!(!verified(purpose, NOW.after(86_402)).0, "expired");
    }
    assert!(!verified("crlsign", NOW).0);
}
