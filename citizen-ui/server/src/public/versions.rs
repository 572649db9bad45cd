//! Versions of the Registerlandkarte, as the log has them.
//!
//! The portal follows the log's change sets anyway ([`LiveTrust`]), and their history answers what was in force when. A
//! version that is asked for is prepared once and kept for the next requests; the last few are kept.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use citizen_ui::pages::landkarte::{Event, Landkarte, Source};
use ledger_client::LiveTrust;
use record::Timestamp;
use tlog::Hash;
use trust::{AppliedSet, History, Key, Section, TrustKind, Version};

/// How many versions are kept.
const KEPT: usize = 8;
/// The most versions of one permission whose history is shown.
const MAX_PERMISSION_VERSIONS: u32 = 64;

/// The versions.
pub(crate) struct Versions {
    live: LiveTrust,
    kept: Mutex<VecDeque<([Hash; 2], Arc<Landkarte>)>>,
}

impl Versions {
    pub(crate) fn new(live: LiveTrust) -> Self {
        Self {
            live,
            kept: Mutex::default(),
        }
    }

    pub(crate) fn history(&self) -> Arc<History> {
        self.live.history()
    }

    /// The version that was in force at an instant, with the directory of that instant. Otherwise the time of the first
    /// version, if there is one.
    pub(crate) fn at(&self, instant: Timestamp) -> Result<Arc<Landkarte>, Option<Timestamp>> {
        let history = self.history();
        let map = in_force(&history, TrustKind::Registerlandkarte, instant);
        let directory = in_force(&history, TrustKind::Directory, instant);
        let Some((map, directory)) = map.zip(directory) else {
            let first = history.applied(TrustKind::Registerlandkarte).next();
            return Err(first.map(|set| set.position.time));
        };
        let headers = [directory.header, map.header];
        if let Some(known) = self.known(&headers) {
            return Ok(known);
        }
        let whole = |kind, version: Version| history.map_of(kind, version).map_err(|_| None);
        let source = Source {
            version: map.version.0,
            header: map.header,
            root: map.root,
            entry: map.position.index.get(),
            published: map.position.time,
        };
        let prepared = Arc::new(Landkarte::of(
            source,
            &whole(TrustKind::Directory, directory.version)?,
            &whole(TrustKind::Registerlandkarte, map.version)?,
        ));
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_front((headers, Arc::clone(&prepared)));
        kept.truncate(KEPT);
        Ok(prepared)
    }

    fn known(&self, headers: &[Hash; 2]) -> Option<Arc<Landkarte>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().find(|(of, _)| of == headers);
        found.map(|(_, prepared)| Arc::clone(prepared))
    }

    /// Every change of a permission in all its versions, oldest first.
    pub(crate) fn events(&self, permission: &str) -> Vec<Event> {
        let history = self.history();
        let mut events = Vec::new();
        for version in 1..=MAX_PERMISSION_VERSIONS {
            let Ok(key) = Key::named(Section::Permission, &format!("{permission}@{version}")) else {
                break;
            };
            let changes = history.changes_of(&key);
            if changes.is_empty() {
                break;
            }
            events.extend(changes.into_iter().map(|(set, value)| Event {
                entry: set.position.index.get(),
                time: set.position.time,
                version: set.version.0,
                of_permission: version,
                put: value.is_some(),
            }));
        }
        events.sort_by_key(|event| event.entry);
        events
    }
}

/// The last set of a kind whose entry is not after an instant.
fn in_force(history: &History, kind: TrustKind, instant: Timestamp) -> Option<AppliedSet> {
    let applied = history.applied(kind).take_while(|set| set.position.time <= instant);
    applied.last().copied()
}
