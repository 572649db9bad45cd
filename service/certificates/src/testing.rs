//! A directory for the tests: two active components, one of them with an endpoint, a suspended one, and a writer.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use fixtures::{FirstValues, Founders, grant, values};
use record::{Kind, SigningKey, Timestamp};
use tlog::note::SignerKey;
use trust::{ComponentState, History, TrustMap};

use crate::directory::FollowedDirectory;
use crate::names::{Host, Names};
use crate::request::{CertificateRequest, Prepared};
use crate::subject::Subject;

pub(crate) const NOW: Timestamp = Timestamp(1_800_000_000);
pub(crate) const CONSUMER: &str = "urn:einsicht:component:amt";
pub(crate) const PROVIDER: &str = "urn:einsicht:component:kba";
pub(crate) const SUSPENDED: &str = "urn:einsicht:component:aus";
pub(crate) const HOST: &str = "kba.example";

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

/// The keys of [`CONSUMER`], [`PROVIDER`], [`SUSPENDED`] and the writer.
pub(crate) fn keys() -> [SigningKey; 4] {
    [11, 12, 13, 14].map(key)
}

pub(crate) fn directory() -> TrustMap {
    history().state().directory().clone()
}

/// A directory that does not change; `None` is that of a log without one.
pub(crate) struct Fixed(pub(crate) Option<Arc<History>>);

impl Fixed {
    pub(crate) fn new() -> Self {
        Self(Some(history()))
    }
}

impl FollowedDirectory for Fixed {
    fn newest(&self) -> Option<Arc<History>> {
        self.0.clone()
    }

    fn confirmed(&self) -> Result<Arc<History>, String> {
        self.0.clone().ok_or_else(|| "there is none".to_owned())
    }
}

fn history() -> Arc<History> {
    let log = SignerKey::for_notes("log.example".parse().unwrap(), &[5; 32]);
    let founders = Founders {
        origin: "log.example",
        log: &log,
        operator: &key(6),
        authority: &key(7),
        identity: &key(3),
    };
    let [consumer, provider, suspended, writer] = keys();
    let mut kba = values::provider("kba", provider.public(), [1; 32]);
    kba.endpoint = Some(format!("https://{HOST}:8443/knoten").parse().unwrap());
    let mut aus = values::consumer("aus", suspended.public(), [2; 32]);
    aus.state = ComponentState::Suspended;
    let first = FirstValues {
        writers: vec![grant("broker", &writer, &[Kind::Intent])],
        components: vec![values::consumer("amt", consumer.public(), [3; 32]), kba, aus],
        ..FirstValues::default()
    };
    founders.found_with(first, NOW).unwrap().history
}

pub(crate) fn names(subject: &str, hosts: &[&str]) -> Names {
    let hosts = hosts.iter().map(|host| host.parse().unwrap()).collect();
    Names::new(subject.parse().unwrap(), hosts).unwrap()
}

pub(crate) fn broker() -> Subject {
    Subject::Writer(keys()[3].id())
}

pub(crate) fn broker_hosts() -> Vec<Host> {
    vec!["broker.example".parse().unwrap(), "127.0.0.1".parse().unwrap()]
}

/// A request for these names, signed with this key.
pub(crate) fn prepared(names: &Names, key: &SigningKey) -> Prepared {
    CertificateRequest::prepare(names, key, directory().version(), NOW).unwrap()
}
