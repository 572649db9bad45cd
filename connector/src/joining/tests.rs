//! The folder of a connector that joins, as a crash may leave it. The whole way is an end-to-end test.
#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use enrolment::{Network, Seat};
use record::{Sorted, Timestamp};
use tlog::Hash;

use super::files::{self, Folder, FolderError};
use super::*;

fn invitation() -> Invitation {
    let key = record::SigningKey::from_seed([3; 32]);
    Invitation {
        network: Network {
            genesis: Hash([8; 32]),
            policy: "log a\n".into(),
            ledger: "https://log.example".into(),
            broker: "https://broker.example".into(),
            authorities: Some("certificates\n".into()),
            test: true,
        },
        seat: Seat {
            id: "neustadt".parse().unwrap(),
            directory: "DVDV".parse().unwrap(),
            identifier: "neustadt".parse().unwrap(),
            name: "Onlinedienst".parse().unwrap(),
            role: Role::Consumer,
            body: "stelle".parse().unwrap(),
            operator: None,
            serves: Sorted::default(),
            ceilings: None,
        },
        body: None,
        link: key.public(),
        by: key.id(),
        issued: Timestamp(1),
    }
}

/// Makes what is missing. Returns both public keys.
fn settle(path: &Path, invited: &Invitation) -> Result<[[u8; 32]; 2], FolderError> {
    let folder = Folder::open(path)?;
    let keys = folder.keys(&invited.seat.id)?;
    let role = crate::Role::Consumer(ConsumerConfig::at(&invited.network.broker));
    folder.settle(invited, &files::config(invited, "https://join.example", role))?;
    Ok([*keys.signing.public().as_bytes(), keys.sealing.public().0])
}

#[test]
fn keys_are_made_once_whatever_else_is_missing() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("connector");
    let invited = invitation();
    let keys = settle(&path, &invited).unwrap();
    for name in ["signing.key", "sealing.key", "join.lock"] {
        let mode = std::fs::metadata(path.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    // What a crash before the rename leaves.
    std::fs::write(path.join("signing.key.tmp"), "half").unwrap();
    for missing in ["config.json", "trust.policy", "authorities.pem", "join.lock"] {
        std::fs::remove_file(path.join(missing)).unwrap();
        assert_eq!(settle(&path, &invited).unwrap(), keys, "{missing}");
        assert!(path.join(missing).exists());
    }
    std::fs::remove_file(path.join("sealing.key")).unwrap();
    let other = settle(&path, &invited).unwrap();
    assert!(other[0] == keys[0] && other[1] != keys[1]);
}

#[test]
fn the_operators_own_configuration_stays() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("connector");
    settle(&path, &invitation()).unwrap();
    let file = path.join("config.json");
    let config: Config = service::config::load(&file).unwrap();
    assert!(config.check().is_ok() && config.tls.is_some() && config.test);
    let text = std::fs::read_to_string(&file).unwrap();
    let changed = text.replace("\"deadline_seconds\": 30", "\"deadline_seconds\": 20");
    assert_ne!(text, changed);
    std::fs::write(&file, &changed).unwrap();
    settle(&path, &invitation()).unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), changed);
}

#[test]
fn a_folder_of_another_enrolment_or_in_use_is_refused() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("connector");
    settle(&path, &invitation()).unwrap();
    let mut other = invitation();
    other.seat.id = "altstadt".parse().unwrap();
    assert!(matches!(settle(&path, &other), Err(FolderError::Other(_, id)) if id.as_str() == "neustadt"));
    let mut other = invitation();
    other.network.genesis = Hash([9; 32]);
    assert!(matches!(settle(&path, &other), Err(FolderError::Other(..))));
    let held = Folder::open(&path).unwrap();
    assert!(matches!(settle(&path, &invitation()), Err(FolderError::Busy(_))));
    drop(held);
    settle(&path, &invitation()).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(settle(&path, &invitation()), Err(FolderError::File(..))));
}
