//! The steps of an enrolment, signed by the right keys and by others.

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use anyhow::{Context as _, Result};
use enrolment::{
    Application, ApplicationStatement, Confirmation, Countersignature, Invitation, LIFETIME, Network, Query, Role,
    Rotation, RotationQuery, RotationStatement, Seat, Signed, Withdrawal,
};
use record::{SigningKey, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tests::change::tool;
use tests::http;
use tests::keys::Keys;
use tests::processes::Processes;
use tlog::Hash;

use crate::matrix::Way;

/// What each route answers, by its path and the way of the caller.
pub(crate) fn statuses(processes: &Processes, consumer: &str) -> Result<BTreeMap<(&'static str, Way), u16>> {
    let (enrolments, mut got) = (Enrolments::of(processes, consumer)?, BTreeMap::new());
    for path in [
        "/enrolments",
        "/enrolments/list",
        "/enrolments/{id}/countersignature",
        "/enrolments/{id}/application",
        "/enrolments/{id}/confirmation",
        "/enrolments/{id}/withdrawal",
        "/rotations",
        "/rotations/list",
    ] {
        let url = format!("{}{}", enrolments.url, path.replace("{id}", &"00".repeat(32)));
        got.insert((path, Way::None), http()?.post(url).send()?.status().as_u16());
    }
    enrolments.take_all_steps(&mut got)?;
    enrolments.rotate(consumer, &mut got)?;
    Ok(got)
}

struct Enrolments {
    url: String,
    first: SigningKey,
    second: SigningKey,
    foreign: SigningKey,
    /// The key of the consumer whose body is invited.
    consumer: SigningKey,
    invitation: Invitation,
}

impl Enrolments {
    fn of(processes: &Processes, consumer: &str) -> Result<Self> {
        let keys = Keys::of(&processes.data);
        let first = keys.signing("operator/authority-1.key")?;
        let shown = tool(processes, "show").arg(format!("component/{consumer}")).output()?;
        let shown: Value = serde_json::from_slice(&shown.stdout)?;
        let body = shown[0]["value"]["component"]["body"].as_str().context("its body")?;
        let genesis: Hash = processes.info.genesis.parse().ok().context("a hash")?;
        Ok(Self {
            url: processes.info.join.clone(),
            second: keys.signing("operator/authority-2.key")?,
            foreign: keys.signing("connector-kba/signing.key")?,
            consumer: keys.signing("connector-rheinfurt/signing.key")?,
            invitation: Invitation {
                network: Network {
                    genesis,
                    policy: std::fs::read_to_string(&processes.info.policy)?,
                    ledger: processes.info.ledger.clone(),
                    broker: processes.info.broker.clone(),
                    authorities: None,
                    test: true,
                },
                seat: Seat {
                    id: "ags:neustadt".parse()?,
                    directory: "DVDV".parse()?,
                    identifier: "ags:neustadt".parse()?,
                    name: "Neustadt".parse()?,
                    role: Role::Consumer,
                    body: body.parse()?,
                    operator: None,
                    serves: record::Sorted::default(),
                    ceilings: None,
                },
                body: None,
                link: SigningKey::from_seed([1; 32]).public(),
                by: first.id(),
                issued: now()?,
            },
            first,
        })
    }

    fn post<T: Serialize + DeserializeOwned>(&self, path: &str, signed: &Signed<T>) -> Result<u16> {
        let url = format!(
            "{}{}",
            self.url,
            path.replace("{id}", &self.invitation.id().to_string())
        );
        let request = http()?.post(url).header("content-type", "application/cbor");
        Ok(request.body(signed.to_bytes()).send()?.status().as_u16())
    }

    fn take_all_steps(&self, got: &mut BTreeMap<(&'static str, Way), u16>) -> Result<()> {
        let path = "/enrolments";
        let mut old = self.invitation.clone();
        old.issued = Timestamp(old.issued.seconds() - LIFETIME - 1);
        got.insert((path, Way::Expired), self.post(path, &Signed::sign(old, &self.first))?);
        for (way, key) in [(Way::Foreign, &self.foreign), (Way::Right, &self.first)] {
            got.insert(
                (path, way),
                self.post(path, &Signed::sign(self.invitation.clone(), key))?,
            );
        }
        let path = "/enrolments/list";
        let query = |sent: Timestamp| Query {
            genesis: self.invitation.network.genesis,
            by: self.second.id(),
            sent,
            after: None,
        };
        for (way, key, age) in [
            (Way::Foreign, &self.foreign, 0),
            (Way::Expired, &self.second, 3600),
            (Way::Right, &self.second, 0),
        ] {
            let sent = Timestamp(now()?.seconds() - age);
            got.insert((path, way), self.post(path, &Signed::sign(query(sent), key))?);
        }
        let (invitation, code) = (self.invitation.id(), SigningKey::from_seed([2; 32]));
        let path = "/enrolments/{id}/countersignature";
        let opened = Countersignature {
            invitation,
            code: code.public(),
            by: self.second.id(),
        };
        for (way, key) in [(Way::Foreign, &self.foreign), (Way::Right, &self.second)] {
            got.insert((path, way), self.post(path, &Signed::sign(opened.clone(), key))?);
        }
        let path = "/enrolments/{id}/application";
        let (own, link) = (SigningKey::from_seed([3; 32]), SigningKey::from_seed([1; 32]));
        let applied = ApplicationStatement {
            invitation,
            signing_key: own.public(),
            sealing_key: [3; 32],
            endpoint: None,
            software: None,
        };
        let right = Application::new(applied.clone(), &own, &link);
        let foreign = Application::new(applied, &own, &self.foreign);
        for (way, application) in [(Way::Foreign, &foreign), (Way::Right, &right)] {
            got.insert((path, way), self.post(path, application)?);
        }
        let path = "/enrolments/{id}/confirmation";
        let words = right.words();
        for (way, key) in [(Way::Foreign, &self.foreign), (Way::Right, &code)] {
            let signed = Signed::sign(Confirmation { invitation, words }, key);
            got.insert((path, way), self.post(path, &signed)?);
        }
        self.withdraw(got)
    }

    fn rotate(&self, consumer: &str, got: &mut BTreeMap<(&'static str, Way), u16>) -> Result<()> {
        let path = "/rotations";
        let own = SigningKey::from_seed([4; 32]);
        let asked = RotationStatement {
            genesis: self.invitation.network.genesis,
            component: consumer.parse()?,
            present: self.consumer.public(),
            signing_key: own.public(),
            sealing_key: [4; 32],
        };
        for (way, key) in [(Way::Foreign, &self.foreign), (Way::Right, &self.consumer)] {
            got.insert((path, way), self.post(path, &Rotation::new(asked.clone(), &own, key))?);
        }
        let path = "/rotations/list";
        for (way, key, age) in [
            (Way::Foreign, &self.foreign, 0),
            (Way::Expired, &self.second, 3600),
            (Way::Right, &self.second, 0),
        ] {
            let query = RotationQuery {
                genesis: self.invitation.network.genesis,
                by: self.second.id(),
                sent: Timestamp(now()?.seconds() - age),
                after: None,
            };
            got.insert((path, way), self.post(path, &Signed::sign(query, key))?);
        }
        Ok(())
    }

    fn withdraw(&self, got: &mut BTreeMap<(&'static str, Way), u16>) -> Result<()> {
        let path = "/enrolments/{id}/withdrawal";
        let (invitation, by) = (self.invitation.id(), self.first.id());
        for (way, key) in [(Way::Foreign, &self.foreign), (Way::Right, &self.first)] {
            let signed = Signed::sign(Withdrawal { invitation, by }, key);
            got.insert((path, way), self.post(path, &signed)?);
        }
        Ok(())
    }
}

fn now() -> Result<Timestamp> {
    Ok(Timestamp(UNIX_EPOCH.elapsed()?.as_secs()))
}
