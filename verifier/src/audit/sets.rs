//! The versions of the directory and the Registerlandkarte in force, replayed set by set.
//!
//! The audit reads the entries in order, so what it has replayed is in force for the next entry, and no history has to
//! be kept: memory holds the values of one version of each kind.
//!
//! A set must be for the kind of its entry, for this log and for the next version; a first set must be the one that the
//! genesis document names; it takes effect no earlier than the version before and no later than its entry's time; the
//! authorities before it must have signed it ([`super::authorities`]); its operations must be possible; and its root
//! must be the one that follows from them ([`super::value_root`]). What values and operations may be is a format, which
//! the crate `trust` reads for the ledger too. All other rules are implemented here a second time.
//!
//! A set that breaks a rule changes nothing, as for every other reader of the log. A set whose documents cannot be read
//! is different: what it has changed is unknown, so from there on nothing is judged that depends on its kind.

use std::collections::BTreeMap;

use record::{GenesisDocument, NewestSets, Timestamp, WriterGrant, WriterId};
use tlog::Hash;
use trust::{Operations, Section, SignedHeader, Snapshot, TrustKind, TrustMap, Value, Version};

use super::authorities::Authorities;
use super::value_root::ValueRoot;

/// A version of one kind.
#[derive(Debug)]
pub(crate) struct InForce {
    /// The version; without values, the number of sets that the log has.
    pub(crate) version: Version,
    /// The entry that carries its set.
    pub(crate) entry: Option<u64>,
    /// The bytes of its set's signed header.
    pub(crate) header: Vec<u8>,
    /// Its values. `None` if they are not known.
    values: Option<Values>,
}

#[derive(Debug)]
struct Values {
    map: TrustMap,
    root: ValueRoot,
}

impl Default for InForce {
    fn default() -> Self {
        Self {
            version: Version::EMPTY,
            entry: None,
            header: Vec::new(),
            values: None,
        }
    }
}

impl InForce {
    fn empty(kind: TrustKind) -> Self {
        let (map, root) = (TrustMap::empty(kind), ValueRoot::default());
        Self {
            values: Some(Values { map, root }),
            ..Self::default()
        }
    }

    /// The values; `None` if they are not known.
    pub(crate) fn map(&self) -> Option<&TrustMap> {
        self.values.as_ref().map(|values| &values.map)
    }

    /// The recomputed root; `None` if the values are not known.
    pub(crate) fn root(&self) -> Option<Hash> {
        self.values.as_ref().map(|values| values.root.root())
    }

    /// Restores a version from its set's signed header and a snapshot of its values.
    pub(crate) fn restore(entry: u64, header: Vec<u8>, snapshot: &[u8]) -> Option<Self> {
        let signed = SignedHeader::parse(&header).ok()?;
        let map = Snapshot::parse(snapshot).ok()?.accept(&signed).ok()?;
        let mut root = ValueRoot::default();
        let values = map.iter();
        root.set(values.map(|(key, stored)| (key.as_str(), Some((stored.version(), stored.digest().0)))));
        Some(Self {
            version: map.version(),
            entry: Some(entry),
            header,
            values: Some(Values { map, root }),
        })
    }
}

/// What is in force.
#[derive(Debug, Default)]
pub(crate) struct Sets {
    directory: InForce,
    registerlandkarte: InForce,
    /// Who signs the next set. `None` if that is not known.
    authorities: Option<Authorities>,
    /// The writers of the directory.
    writers: BTreeMap<WriterId, WriterGrant>,
    /// Number of sets that could not be judged.
    pub(crate) unjudged: u64,
}

impl Sets {
    /// The state before the first sets.
    ///
    /// # Errors
    /// A sentence, if the authorities of the genesis document cannot sign a set.
    pub(crate) fn founded(genesis: &GenesisDocument) -> Result<Self, String> {
        Ok(Self {
            directory: InForce::empty(TrustKind::Directory),
            registerlandkarte: InForce::empty(TrustKind::Registerlandkarte),
            authorities: Some(Authorities::of_genesis(genesis)?),
            ..Self::default()
        })
    }

    /// Continues with restored versions. `None` if no set could follow them.
    pub(crate) fn restored(directory: InForce, registerlandkarte: InForce) -> Option<Self> {
        let map = directory.map()?;
        Some(Self {
            authorities: Some(Authorities::of_directory(map)?),
            writers: writers(map),
            directory,
            registerlandkarte,
            unjudged: 0,
        })
    }

    /// The version of a kind.
    pub(crate) fn of(&self, kind: TrustKind) -> &InForce {
        match kind {
            TrustKind::Directory => &self.directory,
            TrustKind::Registerlandkarte => &self.registerlandkarte,
        }
    }

    fn of_mut(&mut self, kind: TrustKind) -> &mut InForce {
        match kind {
            TrustKind::Directory => &mut self.directory,
            TrustKind::Registerlandkarte => &mut self.registerlandkarte,
        }
    }

    /// The version that the next set of a kind must make.
    pub(crate) fn next(&self, kind: TrustKind) -> Version {
        let version = self.of(kind).version;
        version.next().unwrap_or(version)
    }

    /// The writers that the directory in force names. `None` if it is not known, or there is none yet.
    pub(crate) fn writers(&self) -> Option<&BTreeMap<WriterId, WriterGrant>> {
        let known = self.directory.values.is_some() && self.directory.version != Version::EMPTY;
        known.then_some(&self.writers)
    }

    /// Whether the next set of a kind can be judged.
    pub(crate) fn is_known(&self, kind: TrustKind) -> bool {
        self.authorities.is_some() && self.of(kind).values.is_some()
    }

    /// Takes note of a set that is not judged, because its documents or an earlier set's cannot be read.
    pub(crate) fn lose(&mut self, kind: TrustKind, version: Version, index: u64) {
        *self.of_mut(kind) = InForce {
            version,
            entry: Some(index),
            ..InForce::default()
        };
        if kind == TrustKind::Directory {
            self.authorities = None;
            self.writers.clear();
        }
        self.unjudged += 1;
    }

    /// Checks the header of a set in an entry of this kind and time.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn check_header(
        &self,
        kind: TrustKind,
        signed: &SignedHeader,
        time: Timestamp,
        genesis: &GenesisDocument,
    ) -> Result<(), String> {
        let (before, header) = (self.of(kind), signed.header());
        if header.kind != kind {
            return Err(format!("its entry is one for the {kind}"));
        }
        if header.origin.as_str() != genesis.origin {
            return Err(format!("it is for the log {}", header.origin));
        }
        if header.version != self.next(kind) {
            return Err(format!("the next version is {}", self.next(kind)));
        }
        let first = match kind {
            TrustKind::Directory => genesis.directory,
            TrustKind::Registerlandkarte => genesis.registerlandkarte,
        };
        if before.version == Version::EMPTY && signed.digest() != first {
            return Err(format!("the genesis document names {first} as the first set"));
        }
        let earlier = before.map().map(TrustMap::valid_from);
        if let Some(earlier) = earlier.filter(|earlier| header.valid_from < *earlier) {
            return Err(format!(
                "it takes effect at {}, before the version before it, which does at {earlier}",
                header.valid_from
            ));
        }
        if header.valid_from > time {
            return Err(format!(
                "it takes effect at {}, and its entry is of {time}",
                header.valid_from
            ));
        }
        match &self.authorities {
            Some(authorities) => authorities.check(signed),
            None => Err("the authorities before it are not known".to_owned()),
        }
    }

    /// Carries out a set whose header was checked. It is in force for the entries after `index`.
    ///
    /// # Errors
    /// A sentence. Nothing has changed then.
    pub(crate) fn apply(
        &mut self,
        kind: TrustKind,
        signed: &SignedHeader,
        operations: &[u8],
        index: u64,
    ) -> Result<(), String> {
        let header = signed.header();
        let before = self.of(kind).values.as_ref();
        let before = before.ok_or("the version before it is not known")?;
        let operations = Operations::parse(operations).map_err(|error| error.to_string())?;
        let map = before.map.change(header.version, header.valid_from, &operations);
        let map = map.map_err(|problem| problem.to_string())?;
        let mut root = before.root.clone();
        root.change(header.version, operations.list());
        if root.root() != header.root {
            let recomputed = root.root();
            return Err(format!("root {}, recomputed {recomputed}", header.root));
        }
        if kind == TrustKind::Directory {
            self.authorities = Authorities::of_directory(&map);
            self.writers = writers(&map);
        }
        *self.of_mut(kind) = InForce {
            version: header.version,
            entry: Some(index),
            header: signed.bytes().to_vec(),
            values: Some(Values { map, root }),
        };
        Ok(())
    }

    /// Checks what a `map` entry says about the newest sets before it. Returns a sentence for each kind that is wrong.
    pub(crate) fn check_newest(&self, newest: &NewestSets) -> Vec<String> {
        let named = [
            (TrustKind::Directory, newest.directory),
            (TrustKind::Registerlandkarte, newest.registerlandkarte),
        ];
        let wrong = named.into_iter().filter_map(|(kind, index)| {
            let InForce { version, entry, .. } = self.of(kind);
            let right = match entry {
                Some(entry) if *entry == index.get() => return None,
                Some(entry) => format!("version {version} is the newest, in entry {entry}"),
                None => "there is none".to_owned(),
            };
            Some(format!(
                "names entry {index} as the newest set of the {kind}, but {right}"
            ))
        });
        wrong.collect()
    }
}

fn writers(directory: &TrustMap) -> BTreeMap<WriterId, WriterGrant> {
    let grants = directory.section(Section::Writer).filter_map(|value| match value {
        Value::Writer(grant) => Some((grant.key.id(), grant.clone())),
        _ => None,
    });
    grants.collect()
}
