//! Which package may depend on which.
//!
//! | Rule | What would be lost |
//! | --- | --- |
//! | the verifier reaches no compartment | the check would share the error that it is to find |
//! | only `einsicht` and `tests` use the verifier | a compartment would be judged by code that it ships |
//! | `formats/` reaches no I/O, its own code included | the formats could not run in a citizen's browser |
//! | no compartment reaches another | one would run the code of the other, whom it does not trust |
//! | only `tests` uses `einsicht` | the composition of all compartments would become a library |
//!
//! The compartments are folders, and a package belongs to the folder that it is in. `ledger-client` is how the other
//! compartments talk to the ledger, so all but the verifier may use it.
//!
//! Each rule takes the graph as a value and gives its findings, a sentence each.

use std::path::Path;

use super::graph::{self, Graph};
use super::source::{self, Crate};

const COMPARTMENTS: &[&str] = &[
    "broker",
    "citizen-ui",
    "connector",
    "identity",
    "join",
    "ledger",
    "register",
    "verifier",
];

/// How the other compartments talk to the ledger.
const LEDGER_CLIENT: &str = "ledger-client";

const VERIFIER_MUST_NOT_REACH: &[&str] = &[
    "broker",
    "citizen-ui",
    "connector",
    "identity",
    "join",
    "ledger",
    LEDGER_CLIENT,
];

/// Crates that do I/O, run tasks, or are made for those that do.
const IO: &[&str] = &[
    "async-std",
    "axum",
    "fjall",
    "h2",
    "hyper",
    "hyper-util",
    "metrics-exporter-prometheus",
    "mio",
    "openidconnect",
    "polling",
    "redb",
    "reqwest",
    "rocksdb",
    "rustix",
    "rustls",
    "service",
    "smol",
    "socket2",
    "store",
    "tempfile",
    "tokio",
    "tokio-postgres",
    "tokio-rustls",
    "tower-http",
    "tracing-subscriber",
    "ureq",
];

/// Modules of the standard library that reach outside of the program.
const STD_IO: &[&str] = &["env", "fs", "net", "process", "thread"];

/// Types that read a clock, whatever the module is called that they come from.
const CLOCKS: &[&str] = &["Instant", "SystemTime"];

fn verifier_reaches_a_compartment(graph: &Graph) -> Vec<String> {
    let reached = graph.reach("verifier");
    let forbidden = VERIFIER_MUST_NOT_REACH.iter().filter_map(|name| reached.get(name));
    forbidden
        .map(|chain| format!("the verifier reaches a compartment: {chain}"))
        .collect()
}

/// Packages of the workspace that reach `name` and are not in `allowed`.
fn used_by_others(graph: &Graph, name: &str, allowed: &[&str]) -> Vec<String> {
    let users = graph.members().filter(|(user, _)| !allowed.contains(user));
    let chains = users.filter_map(|(user, _)| graph.reach(user).remove(name));
    chains
        .map(|chain| format!("{name} has a user that it must not have: {chain}"))
        .collect()
}

fn format_reaches_io(graph: &Graph) -> Vec<String> {
    let formats = graph.members().filter(|(_, folder)| is_below(folder, "formats"));
    formats
        .flat_map(|(name, _)| {
            let mut reached = graph.reach(name);
            IO.iter().filter_map(move |io| reached.remove(io)).collect::<Vec<_>>()
        })
        .map(|chain| format!("a format reaches I/O: {chain}"))
        .collect()
}

fn compartment_reaches_another(graph: &Graph) -> Vec<String> {
    let mut findings = Vec::new();
    for (name, folder) in graph.members() {
        let Some(own) = compartment(folder) else { continue };
        for (other, chain) in graph.reach(name) {
            let folder = graph.packages[other].folder.as_deref();
            let reached = folder.and_then(compartment);
            if reached.is_some_and(|reached| reached != own) && (other != LEDGER_CLIENT || own == "verifier") {
                findings.push(format!("a compartment reaches another: {chain}"));
            }
        }
    }
    findings
}

fn compartment(folder: &str) -> Option<&'static str> {
    COMPARTMENTS.iter().copied().find(|name| is_below(folder, name))
}

fn is_below(folder: &str, parent: &str) -> bool {
    Path::new(folder).starts_with(parent)
}

/// What a crate of `formats/` uses of the standard library and may not.
fn uses_the_system(krate: &Crate) -> Vec<String> {
    let mut findings = Vec::new();
    for scope in krate.scopes() {
        for path in scope.all_paths() {
            let system = path.first().is_some_and(|first| first == "std")
                && path.get(1).is_some_and(|module| STD_IO.contains(&module.as_str()));
            let clock = path.iter().any(|segment| CLOCKS.contains(&segment.as_str()));
            if system || clock {
                findings.push(format!("{}: {} uses {}", krate.label, scope.name(), path.join("::")));
            }
        }
    }
    findings
}

/// Where a crate reads JSON by `serde_json` itself, which keeps the last of two values of one key. `text::json` refuses
/// both.
fn reads_json_itself(krate: &Crate) -> Vec<String> {
    let mut findings = Vec::new();
    for scope in krate.scopes() {
        for path in scope.all_paths() {
            let reads = path.first().is_some_and(|first| first == "serde_json")
                && path
                    .get(1)
                    .is_some_and(|name| matches!(name.as_str(), "from_slice" | "from_str" | "from_reader"));
            if reads {
                findings.push(format!("{}: {} uses {}", krate.label, scope.name(), path.join("::")));
            }
        }
    }
    findings
}

#[test]
fn json_is_read_by_one_helper() {
    let (graph, targets) = graph::read();
    let mut findings = Vec::new();
    for target in targets {
        let folder = graph.packages[&target.package].folder.as_deref().unwrap_or_default();
        let tool = ["formats/text", "tests", "fuzz", "xtask"]
            .iter()
            .any(|tool| is_below(folder, tool));
        if tool || !matches!(target.kind.as_str(), "lib" | "bin") {
            continue;
        }
        let krate = source::read(&target.package, &target.root, &|path| {
            std::fs::read_to_string(path).ok()
        });
        findings.extend(reads_json_itself(&krate.unwrap()));
    }
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

#[test]
fn packages_depend_only_downwards() {
    let (graph, targets) = graph::read();
    let mut findings = verifier_reaches_a_compartment(&graph);
    findings.extend(used_by_others(&graph, "verifier", &["einsicht", "tests"]));
    findings.extend(used_by_others(&graph, "einsicht", &["tests"]));
    findings.extend(format_reaches_io(&graph));
    findings.extend(compartment_reaches_another(&graph));
    for name in VERIFIER_MUST_NOT_REACH.iter().chain(["verifier", "einsicht"].iter()) {
        assert!(
            graph.packages.contains_key(*name),
            "the rules name {name}, which is no package"
        );
    }
    for name in COMPARTMENTS {
        assert!(
            graph.members().any(|(_, folder)| is_below(folder, name)),
            "no package is in {name}/"
        );
    }
    let formats: Vec<_> = targets
        .iter()
        .filter(|target| {
            let folder = graph.packages[&target.package].folder.as_deref();
            target.kind == "lib" && folder.is_some_and(|folder| is_below(folder, "formats"))
        })
        .collect();
    assert!(formats.len() > 3, "{formats:?}");
    for target in formats {
        let krate = source::read(&target.package, &target.root, &|path| {
            std::fs::read_to_string(path).ok()
        });
        findings.extend(uses_the_system(&krate.unwrap()));
    }
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::super::graph::Package;
    use super::*;

    /// A workspace that keeps the rules.
    fn sound() -> Graph {
        let mut graph = Graph::default();
        for (name, folder, dependencies) in [
            ("tlog", "formats/tlog", &["sha2"][..]),
            ("text", "formats/text", &[]),
            ("record", "formats/record", &["text", "tlog"]),
            ("service", "service", &["text", "tokio"]),
            ("ledger", "ledger", &["record", "service"]),
            ("ledger-client", "ledger/client", &["record", "service"]),
            ("broker", "broker", &["ledger-client"]),
            ("identity", "identity", &["ledger-client"]),
            ("connector", "connector", &["ledger-client"]),
            ("join", "join", &["ledger-client"]),
            ("register", "register", &["service"]),
            ("citizen-ui", "citizen-ui", &["record"]),
            ("citizen-ui-server", "citizen-ui/server", &["citizen-ui", "service"]),
            ("verifier", "verifier", &["record", "service"]),
            ("einsicht", "einsicht", &["broker", "identity", "ledger", "verifier"]),
            ("tests", "tests", &["identity", "verifier"]),
        ] {
            graph.packages.insert(
                name.to_owned(),
                Package {
                    folder: Some(folder.to_owned()),
                    dependencies: dependencies.iter().map(|name| (*name).to_owned()).collect(),
                },
            );
        }
        for name in ["sha2", "tokio"] {
            graph.packages.insert(name.to_owned(), Package::default());
        }
        graph
    }

    fn with(from: &str, to: &str) -> Graph {
        let mut graph = sound();
        graph.packages.get_mut(from).unwrap().dependencies.insert(to.to_owned());
        graph
    }

    fn assert_found(findings: &[String], chain: &str) {
        assert!(
            findings.iter().any(|finding| finding.ends_with(chain)),
            "{chain}: {findings:#?}"
        );
    }

    #[test]
    fn a_sound_workspace_has_no_findings() {
        let graph = sound();
        let none: [&str; 0] = [];
        assert_eq!(verifier_reaches_a_compartment(&graph), none);
        assert_eq!(used_by_others(&graph, "verifier", &["einsicht", "tests"]), none);
        assert_eq!(used_by_others(&graph, "einsicht", &["tests"]), none);
        assert_eq!(format_reaches_io(&graph), none);
        assert_eq!(compartment_reaches_another(&graph), none);
    }

    #[test]
    fn the_verifier_reaching_a_compartment_is_found() {
        for name in VERIFIER_MUST_NOT_REACH {
            let chain = format!("verifier → {name}");
            assert_found(&verifier_reaches_a_compartment(&with("verifier", name)), &chain);
            assert_found(&compartment_reaches_another(&with("verifier", name)), &chain);
        }
        let graph = with("service", "ledger");
        assert_found(&verifier_reaches_a_compartment(&graph), "verifier → service → ledger");
    }

    #[test]
    fn another_user_of_the_verifier_is_found() {
        for name in ["broker", "citizen-ui-server", "service"] {
            let graph = with(name, "verifier");
            let found = used_by_others(&graph, "verifier", &["einsicht", "tests"]);
            assert_found(&found, &format!("{name} → verifier"));
        }
    }

    #[test]
    fn another_user_of_einsicht_is_found() {
        let found = used_by_others(&with("identity", "einsicht"), "einsicht", &["tests"]);
        assert_found(&found, "identity → einsicht");
        let allowed = with("tests", "einsicht");
        assert_eq!(used_by_others(&allowed, "einsicht", &["tests"]), [""; 0]);
    }

    #[test]
    fn a_format_with_io_is_found() {
        assert_found(&format_reaches_io(&with("tlog", "service")), "record → tlog → service");
        let graph = with("sha2", "tokio");
        assert_found(&format_reaches_io(&graph), "tlog → sha2 → tokio");
    }

    #[test]
    fn compartments_that_depend_on_each_other_are_found() {
        for (from, to) in [
            ("broker", "identity"),
            ("identity", "broker"),
            ("connector", "register"),
            ("register", "connector"),
            ("ledger", "broker"),
            ("citizen-ui-server", "identity"),
            ("identity", "citizen-ui"),
        ] {
            assert_found(&compartment_reaches_another(&with(from, to)), &format!("{from} → {to}"));
        }
        let graph = with("ledger-client", "ledger");
        assert_found(&compartment_reaches_another(&graph), "broker → ledger-client → ledger");
    }

    #[test]
    fn a_crate_that_reads_json_itself_is_found() {
        let text = "
            use serde_json::from_str;
            pub fn a(json: &[u8]) -> u8 { serde_json::from_slice(json).unwrap_or(serde_json::json!(1)) }
            #[cfg(test)]
            mod tests { fn b() { serde_json::from_reader(x); } }
        ";
        let krate = source::read("a", Path::new("src/lib.rs"), &|_| Some(text.to_owned())).unwrap();
        assert_eq!(reads_json_itself(&krate).len(), 2);
    }

    #[test]
    fn a_format_that_uses_the_system_is_found() {
        let text = "
            use std::{collections::HashMap, fs::File};
            pub fn now() -> u64 { std::env::args().count() as u64 + std::time::Instant::now().elapsed().as_secs() }
            #[cfg(test)]
            mod tests { use std::net::TcpStream; }
        ";
        let krate = source::read("tlog", Path::new("src/lib.rs"), &|_| Some(text.to_owned())).unwrap();
        let found = uses_the_system(&krate);
        assert_eq!(found.len(), 3, "{found:#?}");
        for (found, path) in found
            .iter()
            .zip(["std::fs::File", "std::env::args", "std::time::Instant::now"])
        {
            assert!(found.ends_with(path), "{found}");
        }
    }
}
