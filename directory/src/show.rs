//! `directory show`.

use output::Failure;
use serde::Serialize;
use trust::{History, Key, TrustKind, Version};

use crate::arguments::Show;
use crate::changes::Readable;
use crate::log::Log;

/// A version as JSON.
#[derive(Serialize)]
struct VersionShown<'a> {
    kind: TrustKind,
    version: Version,
    /// The entry of its change set.
    entry: u64,
    /// When the authorities meant it to take effect, POSIX seconds.
    valid_from: u64,
    #[serde(with = "record::bytes")]
    root: tlog::Hash,
    values: Vec<ValueShown<'a>>,
}

#[derive(Serialize)]
struct ValueShown<'a> {
    key: &'a Key,
    /// The version that put it.
    since: Version,
    value: Readable,
}

pub(crate) async fn run(arguments: &Show) -> Result<(), Failure> {
    let log = Log::read(&arguments.log).await?;
    let history = &log.anchored.history;
    match &arguments.key {
        Some(key) => show_key(history, key),
        None => show_version(history, arguments),
    }
}

fn show_version(history: &History, arguments: &Show) -> Result<(), Failure> {
    let kind = arguments.kind;
    let newest = history.state().map(kind).version();
    let version = arguments.version.map_or(newest, Version);
    let map = history.map_of(kind, version).map_err(Failure::refused)?;
    let set = history.applied(kind).find(|set| set.version == version);
    let set = set.ok_or_else(|| Failure::refused(format!("there is no version {version}")))?;
    let values = map.iter().map(|(key, stored)| ValueShown {
        key,
        since: stored.version(),
        value: stored.value().into(),
    });
    print(&VersionShown {
        kind,
        version,
        entry: set.position.index.get(),
        valid_from: set.valid_from.0,
        root: set.root,
        values: values.collect(),
    })
}

/// One version of a value as JSON.
#[derive(Serialize)]
struct ChangeShown {
    version: Version,
    /// The entry of the version's change set.
    entry: u64,
    /// `null` if the value ended.
    value: Option<Readable>,
}

fn show_key(history: &History, key: &Key) -> Result<(), Failure> {
    let changes = history.changes_of(key).into_iter().map(|(set, value)| ChangeShown {
        version: set.version,
        entry: set.position.index.get(),
        value: value.map(|stored| stored.value().into()),
    });
    let changes: Vec<ChangeShown> = changes.collect();
    if changes.is_empty() {
        return Err(Failure::refused(format!("there has never been a value of {key}")));
    }
    print(&changes)
}

fn print(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::Usage(error.to_string()))?;
    output::stdout!("{text}")?;
    Ok(())
}
