//! The packages of the workspace and everything that they depend on, as `cargo metadata` reports it.
//!
//! An edge is a normal or a build dependency, on any platform and with the features of the whole workspace. Development
//! dependencies are left out, because they reach nothing that is released. Versions of one package are one node: a rule
//! that forbids `tokio` forbids every version of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// One target of a package of the workspace: a library, a program, a test, an example.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Name of the package.
    pub(crate) package: String,
    /// Name of the target.
    pub(crate) name: String,
    /// `lib`, `bin`, `test`, … as Cargo names it.
    pub(crate) kind: String,
    /// The file that the compiler is given.
    pub(crate) root: PathBuf,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Package {
    /// Folder below the root of the workspace, `formats/tlog`. `None` for a package from elsewhere.
    pub(crate) folder: Option<String>,
    /// Names of the packages that it depends on directly.
    pub(crate) dependencies: BTreeSet<String>,
}

/// Packages by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    pub(crate) packages: BTreeMap<String, Package>,
}

impl Graph {
    /// Packages of the workspace, with their folders.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        self.packages
            .iter()
            .filter_map(|(name, package)| Some((name.as_str(), package.folder.as_deref()?)))
    }

    /// Everything that a package reaches, each with one shortest chain that leads to it (both ends included).
    pub(crate) fn reach(&self, from: &str) -> BTreeMap<&str, String> {
        let mut chains = BTreeMap::new();
        let mut queue = VecDeque::from([(from, from.to_owned())]);
        while let Some((name, chain)) = queue.pop_front() {
            let dependencies = self.packages.get(name).map(|package| &package.dependencies);
            for next in dependencies.into_iter().flatten() {
                if next != from && !chains.contains_key(next.as_str()) {
                    let longer = format!("{chain} → {next}");
                    chains.insert(next.as_str(), longer.clone());
                    queue.push_back((next, longer));
                }
            }
        }
        chains
    }
}

/// Runs `cargo metadata` and reads the graph and the targets of the workspace.
pub(crate) fn read() -> (Graph, Vec<Target>) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    parse(&serde_json::from_slice(&output.stdout).unwrap())
}

fn parse(metadata: &Value) -> (Graph, Vec<Target>) {
    let root = Path::new(text(&metadata["workspace_root"]));
    let members: BTreeSet<&str> = list(&metadata["workspace_members"]).iter().map(text).collect();
    let (mut graph, mut targets, mut names) = (Graph::default(), Vec::new(), BTreeMap::new());
    for package in list(&metadata["packages"]) {
        let (id, name) = (text(&package["id"]), text(&package["name"]));
        names.insert(id, name);
        let node = graph.packages.entry(name.to_owned()).or_default();
        if members.contains(id) {
            let manifest = Path::new(text(&package["manifest_path"]));
            let folder = manifest.parent().unwrap().strip_prefix(root).unwrap();
            node.folder = Some(folder.to_str().unwrap().to_owned());
            targets.extend(list(&package["targets"]).iter().map(|target| Target {
                package: name.to_owned(),
                name: text(&target["name"]).to_owned(),
                kind: text(&target["kind"][0]).to_owned(),
                root: PathBuf::from(text(&target["src_path"])),
            }));
        }
    }
    for node in list(&metadata["resolve"]["nodes"]) {
        let used = list(&node["deps"]).iter().filter(|dependency| {
            let kinds = list(&dependency["dep_kinds"]);
            kinds.iter().any(|kind| kind["kind"] != "dev")
        });
        let used = used.map(|dependency| names[text(&dependency["pkg"])].to_owned());
        let package = graph.packages.get_mut(names[text(&node["id"])]).unwrap();
        package.dependencies.extend(used);
    }
    (graph, targets)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}
