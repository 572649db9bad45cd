//! The component's keys, and which of them are used now.
//!
//! ```text
//! signing.key           signs                       sealing.key            opens
//! signing.key.next      made by `connector rotate`  sealing.key.next       opens as well
//! signing.key.previous  no longer used              sealing.key.previous   opens what was sealed before the rotation
//! ```
//!
//! The directory decides which key is the component's. When it lists the next keys, the connector uses them, and moves
//! the files; nobody restarts it. What was made with the keys before may still be under way then:
//!
//! * The connector **opens** with every key that it has a file of. An exchange may wait for 30 days with a request that
//!   is sealed to the key of its first day, so the previous sealing key stays until the operator deletes it.
//! * Two processes learn of a new version at different moments, so the connector **signs** with the key before for
//!   another [`OVERLAP`], as long as the directory lists it as the previous one.
//!
//! A file is moved by a rename, and each key is found by its public key and not by the name of its file. So after a
//! crash between two renames the connector has the same keys, and moves the rest.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use ledger_client::LiveTrust;
use messages::SealingKey;
use record::{ParticipantId, SigningKey, VerifyingKey};
use service::secret::{self, SecretError};
use service::{Clock, Shutdown};
use tokio::time::Instant;
use trust::Component;

use crate::config::Config;

/// How long the connector signs with the previous key after it has learnt that it has another one. Nobody may rely on a
/// version for more than a minute after the next one.
pub const OVERLAP: Duration = Duration::from_secs(60);
/// How often the connector compares its keys with the directory.
const INTERVAL: Duration = Duration::from_secs(1);

const NEXT: &str = ".next";
const PREVIOUS: &str = ".previous";

/// The keys that open what is sealed to the component; at least one.
#[derive(Clone, Debug)]
pub struct SealingKeys(Arc<[SealingKey]>);

impl SealingKeys {
    /// What `open` returns with the first key that fits.
    ///
    /// # Errors
    /// What `open` says of the last key, if none fits.
    pub fn open<T, E>(&self, open: impl Fn(&SealingKey) -> Result<T, E>) -> Result<T, E> {
        let [others @ .., last] = &*self.0 else {
            unreachable!("there is a key")
        };
        for key in others {
            if let Ok(opened) = open(key) {
                return Ok(opened);
            }
        }
        open(last)
    }
}

impl From<SealingKey> for SealingKeys {
    fn from(key: SealingKey) -> Self {
        Self([key].into())
    }
}

/// The files of a key, of which one at least is there.
#[derive(Debug)]
struct KeyFiles(PathBuf);

impl KeyFiles {
    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = OsString::from(self.0.as_os_str());
        name.push(suffix);
        PathBuf::from(name)
    }

    /// The seeds: of the present key first, then of the next, then of the previous one.
    fn read(&self) -> Result<Vec<[u8; 32]>, SecretError> {
        let others = [NEXT, PREVIOUS].map(|suffix| self.beside(suffix));
        let mut seeds = Vec::new();
        for path in [&self.0].into_iter().chain(&others) {
            if path.exists() {
                seeds.push(secret::read_seed(path)?);
            }
        }
        if seeds.is_empty() {
            // Says which file is missing.
            seeds.push(secret::read_seed(&self.0)?);
        }
        Ok(seeds)
    }

    /// Makes the next key the present one, if the directory lists it.
    fn promote(&self, is_listed: impl Fn([u8; 32]) -> bool) -> std::io::Result<()> {
        let next = self.beside(NEXT);
        if !next.exists() || !secret::read_seed(&next).is_ok_and(&is_listed) {
            return Ok(());
        }
        if self.0.exists() {
            std::fs::rename(&self.0, self.beside(PREVIOUS))?;
        }
        std::fs::rename(&next, &self.0)
    }
}

/// The keys of this connector. Clones share them.
#[derive(Clone, Debug)]
pub struct Keys(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    signing: KeyFiles,
    sealing: KeyFiles,
    held: RwLock<Held>,
    followed: OnceLock<Followed>,
}

/// The component in the directory that is followed.
#[derive(Debug)]
struct Followed {
    live: LiveTrust,
    me: ParticipantId,
}

impl Followed {
    fn component<T>(&self, then: impl FnOnce(&Component) -> T) -> Option<T> {
        self.live.history().state().directory().component(&self.me).map(then)
    }
}

#[derive(Debug)]
struct Held {
    signing: Vec<SigningKey>,
    sealing: SealingKeys,
    /// The key that signs now.
    signs: SigningKey,
    /// Since when the directory has listed another one.
    superseded: Option<Instant>,
}

impl Held {
    fn read(signing: &KeyFiles, sealing: &KeyFiles) -> Result<Self, SecretError> {
        let signing: Vec<_> = signing.read()?.into_iter().map(SigningKey::from_seed).collect();
        let sealing = sealing.read()?.into_iter().map(SealingKey::from_seed).collect();
        Ok(Self {
            signs: signing[0].clone(),
            signing,
            sealing: SealingKeys(sealing),
            superseded: None,
        })
    }

    fn signer(&self, public: &VerifyingKey) -> Option<&SigningKey> {
        self.signing.iter().find(|key| key.public() == *public)
    }

    fn are_of(&self, component: &Component) -> bool {
        let opens = |key: &SealingKey| key.public().0 == component.sealing_key;
        self.signer(&component.signing_key).is_some() && self.sealing.0.iter().any(opens)
    }

    /// Chooses the key that signs.
    fn choose(&mut self, component: &Component, now: Instant) {
        let Some(listed) = self.signer(&component.signing_key).cloned() else {
            return;
        };
        let present = self.signs.public();
        let is_previous = component
            .previous
            .as_ref()
            .is_some_and(|keys| keys.signing_key == present);
        let since = *self.superseded.get_or_insert(now);
        if listed.public() == present || !is_previous || now.duration_since(since) >= OVERLAP {
            self.signs = listed;
            self.superseded = None;
        }
    }
}

impl Keys {
    /// Reads the keys.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn open(config: &Config) -> Result<Self, SecretError> {
        let (signing, sealing) = files(config);
        let held = Held::read(&signing, &sealing)?;
        Ok(Self::new(signing, sealing, held))
    }

    fn new(signing: KeyFiles, sealing: KeyFiles, held: Held) -> Self {
        Self(Arc::new(Shared {
            signing,
            sealing,
            held: RwLock::new(held),
            followed: OnceLock::new(),
        }))
    }

    /// The key that signs now, by the newest known directory.
    #[must_use]
    pub fn signing(&self) -> SigningKey {
        let mut held = self.0.held.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(followed) = self.0.followed.get() {
            followed.component(|component| held.choose(component, Instant::now()));
        }
        held.signs.clone()
    }

    /// The keys that open.
    #[must_use]
    pub fn sealing(&self) -> SealingKeys {
        self.held().sealing.clone()
    }

    /// Whether the directory lists keys of this connector as the component's.
    #[must_use]
    pub fn are_of(&self, component: &Component) -> bool {
        self.held().are_of(component)
    }

    /// Reads the next keys if there are any, uses the keys that the directory lists, and moves their files.
    pub(crate) fn settle(&self, component: &Component, now: Instant) {
        let shared = &self.0;
        let next = [&shared.signing, &shared.sealing].map(|files| files.beside(NEXT));
        let is_rotating = next.iter().any(|path| path.exists());
        let mut held = shared.held.write().unwrap_or_else(PoisonError::into_inner);
        // They are there before the directory lists them, so the connector has them when it does.
        if is_rotating {
            match Held::read(&shared.signing, &shared.sealing) {
                Ok(read) => (held.signing, held.sealing) = (read.signing, read.sealing),
                Err(error) => tracing::warn!(%error, "the keys cannot be read again"),
            }
        }
        held.choose(component, now);
        drop(held);
        if !is_rotating {
            return;
        }
        let moved = shared
            .signing
            .promote(|seed| SigningKey::from_seed(seed).public() == component.signing_key);
        let moved = moved.and_then(|()| {
            let is_listed = |seed| SealingKey::from_seed(seed).public().0 == component.sealing_key;
            shared.sealing.promote(is_listed)
        });
        if let Err(error) = moved {
            tracing::warn!(%error, "the files of the new keys cannot be renamed");
        }
    }

    /// Follows the directory until `shutdown`. The keys are those of the newest known version on return.
    pub(crate) fn follow(&self, live: LiveTrust, me: ParticipantId, clock: Arc<dyn Clock>, shutdown: Shutdown) {
        let keys = self.clone();
        let _ = self.0.followed.set(Followed { live, me });
        let settle = move || {
            if let Some(followed) = keys.0.followed.get() {
                followed.component(|component| keys.settle(component, Instant::now()));
            }
        };
        settle();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = shutdown.wait() => return,
                    () = clock.sleep(INTERVAL) => settle(),
                }
            }
        });
    }

    /// Keys without files.
    #[cfg(test)]
    pub(crate) fn of(signing: SigningKey, sealing: SealingKey) -> Self {
        let held = Held {
            signing: vec![signing.clone()],
            sealing: sealing.into(),
            signs: signing,
            superseded: None,
        };
        Self::new(KeyFiles(PathBuf::new()), KeyFiles(PathBuf::new()), held)
    }

    fn held(&self) -> RwLockReadGuard<'_, Held> {
        self.0.held.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn files(config: &Config) -> (KeyFiles, KeyFiles) {
    (
        KeyFiles(config.signing_key.clone()),
        KeyFiles(config.sealing_key.clone()),
    )
}

/// Makes the next keys of a component, if they are not there yet. Returns both, and the present signing key.
///
/// # Errors
/// [`NextKeysError`].
pub fn make_next(config: &Config) -> Result<NextKeys, NextKeysError> {
    let (signing, sealing) = files(config);
    let previous = sealing.beside(PREVIOUS);
    if previous.exists() {
        return Err(NextKeysError::Previous(previous));
    }
    let present = SigningKey::from_seed(secret::read_seed(&config.signing_key)?);
    Ok(NextKeys {
        present,
        signing: SigningKey::from_seed(secret::make_seed(&signing.beside(NEXT))?),
        sealing: SealingKey::from_seed(secret::make_seed(&sealing.beside(NEXT))?),
    })
}

/// The keys of a component that is given others.
pub struct NextKeys {
    /// The key that signs before.
    pub present: SigningKey,
    /// The key that signs afterwards.
    pub signing: SigningKey,
    /// The key that opens afterwards.
    pub sealing: SealingKey,
}

/// Why there are no next keys.
#[derive(Debug, thiserror::Error)]
pub enum NextKeysError {
    /// A key cannot be made or read.
    #[error(transparent)]
    Key(#[from] SecretError),
    /// The keys before the present ones are still there.
    #[error(
        "{0} is still there, and exchanges may wait with what is sealed to it: delete it 31 days after the last \
         rotation, then rotate again"
    )]
    Previous(PathBuf),
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::*;

    fn component(signing: &SigningKey, sealing: &SealingKey) -> Component {
        fixtures::values::consumer("parken", signing.public(), sealing.public().0)
    }

    fn opens(keys: &Keys, sealing: &SealingKey) -> bool {
        let wanted = sealing.public();
        keys.sealing()
            .open(|key| if key.public() == wanted { Ok(()) } else { Err(()) })
            .is_ok()
    }

    /// A connector's configuration with keys in `folder`.
    fn config(folder: &Path) -> Config {
        let config = Config {
            signing_key: folder.join("signing.key"),
            sealing_key: folder.join("sealing.key"),
            ..Config::example(crate::Role::Consumer(crate::config::ConsumerConfig::at(
                "http://broker.example",
            )))
        };
        for path in [&config.signing_key, &config.sealing_key] {
            secret::make_seed(path).unwrap();
        }
        config
    }

    #[test]
    fn the_next_keys_are_used_when_the_directory_lists_them() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let keys = Keys::open(&config).unwrap();
        let (first, first_sealing) = (
            keys.signing(),
            SealingKey::from_seed(secret::read_seed(&config.sealing_key).unwrap()),
        );
        let mut listed = component(&first, &first_sealing);
        let start = Instant::now();
        keys.settle(&listed, start);
        let next = make_next(&config).unwrap();
        let again = make_next(&config).unwrap();
        assert_eq!(next.signing.public(), again.signing.public());
        keys.settle(&listed, start);
        assert_eq!(keys.signing().public(), first.public());

        listed.rotate(next.signing.public(), next.sealing.public().0);
        keys.settle(&listed, start);
        assert!(keys.are_of(&listed) && opens(&keys, &next.sealing) && opens(&keys, &first_sealing));
        assert_eq!(
            keys.signing().public(),
            first.public(),
            "others may not know the new key yet"
        );
        keys.settle(&listed, start + OVERLAP);
        assert_eq!(keys.signing().public(), next.signing.public());

        // After a restart, the files alone say the same.
        let restarted = Keys::open(&config).unwrap();
        restarted.settle(&listed, start);
        assert_eq!(restarted.signing().public(), next.signing.public());
        assert!(opens(&restarted, &first_sealing));
        assert!(matches!(make_next(&config), Err(NextKeysError::Previous(_))));
    }

    #[test]
    fn a_revoked_key_signs_nothing_more() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let keys = Keys::open(&config).unwrap();
        let next = make_next(&config).unwrap();
        keys.settle(&component(&next.signing, &next.sealing), Instant::now());
        assert_eq!(keys.signing().public(), next.signing.public());
    }

    #[test]
    fn a_crash_between_two_renames_loses_no_key() {
        for renames in 0..4 {
            let folder = tempfile::tempdir().unwrap();
            let config = config(folder.path());
            let keys = Keys::open(&config).unwrap();
            let first = keys.signing();
            let first_sealing = SealingKey::from_seed(secret::read_seed(&config.sealing_key).unwrap());
            let next = make_next(&config).unwrap();
            let steps = [
                ("signing.key", "signing.key.previous"),
                ("signing.key.next", "signing.key"),
                ("sealing.key", "sealing.key.previous"),
                ("sealing.key.next", "sealing.key"),
            ];
            for (from, to) in &steps[..renames] {
                std::fs::rename(folder.path().join(from), folder.path().join(to)).unwrap();
            }
            let mut listed = component(&first, &first_sealing);
            listed.rotate(next.signing.public(), next.sealing.public().0);
            let restarted = Keys::open(&config).unwrap();
            restarted.settle(&listed, Instant::now());
            assert!(
                restarted.are_of(&listed) && opens(&restarted, &first_sealing),
                "{renames} renames"
            );
            for (from, to) in &steps {
                assert_eq!(
                    folder.path().join(from).exists(),
                    !from.ends_with(NEXT),
                    "{renames} renames"
                );
                assert!(folder.path().join(to).exists(), "{renames} renames");
            }
        }
    }
}
