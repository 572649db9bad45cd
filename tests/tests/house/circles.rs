//! No two modules of a crate import each other in a circle.
//!
//! A *module* is a file; the code of an inline module counts as code of its file. All targets of the workspace's
//! packages are read: libraries, programs, tests, examples, build scripts.
//!
//! A module *imports* another if its code, tests left out ([`super::source`]), has
//!
//! * a `use` whose path leads to the other module or to an item that the other defines;
//! * a path of two or more segments that leads there (`crate::x::y`, `super::y`, `child::y`, also inside of a macro's
//!   call);
//! * a glob import together with a name that the glob brings from there.
//!
//! A path leads to the module that *defines* the item: re-exports and globs are followed, as far as they stay in the
//! crate. So a child that uses an item of its parent's file imports its parent, and one that uses a sibling by way of
//! its parent imports the sibling.
//!
//! Two things are no import by themselves: `mod child;`, and a `pub use` (of any visibility) of what is below the
//! module. If the module uses the re-exported name in its own code too, it is one.
//!
//! Methods are not followed: `value.method()` is no path, in whichever file the `impl` is.

use std::collections::{BTreeMap, BTreeSet};

use super::graph;
use super::resolve::{self, Edges};
use super::source::{self, Crate};

/// The circles of a crate: each as the set of its modules.
fn circles(edges: &Edges) -> Vec<BTreeSet<usize>> {
    let nodes: BTreeSet<usize> = edges.keys().copied().collect();
    let reach: BTreeMap<usize, BTreeSet<usize>> = nodes.iter().map(|node| (*node, reachable(edges, *node))).collect();
    let mut found: Vec<BTreeSet<usize>> = Vec::new();
    for node in nodes {
        if found.iter().any(|circle| circle.contains(&node)) || !reach[&node].contains(&node) {
            continue;
        }
        let mutual = |other: &&usize| reach.get(other).is_some_and(|reached| reached.contains(&node));
        found.push(reach[&node].iter().filter(mutual).copied().collect());
    }
    found
}

/// What is reachable over one edge or more.
fn reachable(edges: &Edges, from: usize) -> BTreeSet<usize> {
    let (mut reached, mut todo) = (BTreeSet::new(), vec![from]);
    while let Some(node) = todo.pop() {
        for next in edges.get(&node).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(*next) {
                todo.push(*next);
            }
        }
    }
    reached
}

/// `crate label: a ↔ b ↔ c`, and under it the imports.
fn describe(krate: &Crate, edges: &Edges, circle: &BTreeSet<usize>) -> (String, String) {
    let name = |number: usize| krate.scopes()[number].name();
    let mut names: Vec<String> = circle.iter().map(|number| name(*number)).collect();
    names.sort_unstable();
    let title = format!("{}: {}", krate.label, names.join(" ↔ "));
    let mut lines = title.clone();
    for from in circle {
        for (to, path) in edges[from].iter().filter(|(to, _)| circle.contains(to)) {
            lines.push_str(&format!("\n    {} imports {} ({path})", name(*from), name(*to)));
        }
    }
    (title, lines)
}

#[test]
fn modules_import_each_other_in_no_circle() {
    let (_, targets) = graph::read();
    let mut found = Vec::new();
    for target in targets {
        let label = match target.kind.as_str() {
            "lib" | "cdylib" | "proc-macro" => target.package.clone(),
            kind => format!("{} ({kind} {})", target.package, target.name),
        };
        let krate = source::read(&label, &target.root, &|path| std::fs::read_to_string(path).ok()).unwrap();
        let edges = resolve::edges(&krate);
        for circle in circles(&edges) {
            found.push(describe(&krate, &edges, &circle).1);
        }
    }
    assert!(found.is_empty(), "circles of modules:\n{}", found.join("\n"));
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The circles of an invented crate with these files below `src/`.
    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let read_file = |path: &Path| {
            let file = files.iter().find(|(name, _)| Path::new("src").join(name) == path);
            file.map(|(_, text)| (*text).to_owned())
        };
        let krate = source::read("invented", Path::new("src/lib.rs"), &read_file).unwrap();
        let edges = resolve::edges(&krate);
        let circles = circles(&edges);
        circles
            .iter()
            .map(|circle| describe(&krate, &edges, circle).0)
            .collect()
    }

    const NONE: [&str; 0] = [];

    #[test]
    fn imports_in_one_direction_are_no_circle() {
        let files = [
            ("lib.rs", "mod a; mod b; pub use a::A; pub use b::B;"),
            ("a.rs", "use crate::b::B; pub struct A(B);"),
            ("b.rs", "pub struct B;"),
        ];
        assert_eq!(found(&files), NONE);
    }

    #[test]
    fn siblings_that_import_each_other_are_a_circle() {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use super::b::B; pub struct A;"),
            ("b.rs", "pub struct B; fn f() { let _ = vec![crate::a::A]; }"),
        ];
        assert_eq!(found(&files), ["invented: a ↔ b"]);
    }

    #[test]
    fn a_circle_of_three_is_one_circle() {
        let files = [
            ("lib.rs", "mod a; mod b; mod c; mod d;"),
            ("a.rs", "use crate::{b::B, d::D}; pub struct A;"),
            ("b.rs", "use crate::c; pub struct B; fn f() -> c::C { c::C }"),
            ("c.rs", "use super::a::{self, A as Other}; pub struct C;"),
            ("d.rs", "pub struct D;"),
        ];
        assert_eq!(found(&files), ["invented: a ↔ b ↔ c"]);
    }

    #[test]
    fn a_child_that_uses_its_parents_item_is_in_a_circle_if_the_parent_uses_the_child() {
        let child = ("a/child.rs", "use super::Options; pub fn f(_: Options) {}");
        for uses in ["fn g() { child::f(Options) }", "use child::f;", "use self::child::f;"] {
            let parent = format!("mod child; pub struct Options; {uses}");
            let files = [("lib.rs", "mod a;"), ("a/mod.rs", parent.as_str()), child];
            assert_eq!(found(&files), ["invented: a ↔ a::child"], "{uses}");
        }
        let parent = ("a/mod.rs", "mod child; pub(crate) use child::f; pub struct Options;");
        assert_eq!(found(&[("lib.rs", "mod a;"), parent, child]), NONE);
    }

    #[test]
    fn a_re_exported_name_that_the_parent_uses_itself_is_an_import() {
        let files = [
            (
                "lib.rs",
                "mod child; pub use child::Report; pub struct Options; pub fn run() -> Report { todo!() }",
            ),
            ("child.rs", "pub struct Report; fn f(_: crate::Options) {}"),
        ];
        assert_eq!(found(&files), ["invented: child ↔ crate"]);
    }

    #[test]
    fn re_exports_and_globs_lead_to_the_module_that_defines_the_item() {
        let files = [
            ("lib.rs", "mod a; mod b; mod c; pub use a::*; pub use b::B as Renamed;"),
            ("a.rs", "use crate::Renamed; pub struct A;"),
            ("b.rs", "use crate::A; pub struct B;"),
            (
                "c.rs",
                "use crate::a::*; use crate::{Renamed, std}; struct C(A, Renamed);",
            ),
        ];
        assert_eq!(found(&files), ["invented: a ↔ b"]);
    }

    #[test]
    fn a_glob_counts_only_with_a_name_that_it_brings() {
        let lib = ("lib.rs", "mod a; mod b;");
        let a = ("a.rs", "use super::b::*; pub struct A; fn f() -> B { B }");
        let b = ("b.rs", "use crate::a::*; pub struct B;");
        assert_eq!(found(&[lib, a, b]), NONE);
        let b = ("b.rs", "use crate::a::*; pub struct B; fn f(_: A) {}");
        assert_eq!(found(&[lib, a, b]), ["invented: a ↔ b"]);
    }

    #[test]
    fn tests_and_words_that_are_no_paths_do_not_count() {
        let files = [
            ("lib.rs", "mod a; mod b; #[cfg(test)] mod helpers;"),
            (
                "a.rs",
                "pub struct A; impl A { #[cfg(test)] fn f() -> crate::b::B { todo!() } fn b(&self) {} }
                 #[cfg(test)] mod tests { use crate::b::B; }
                 #[cfg(all(test, unix))] use crate::b::B;
                 fn g(a: A) { a.b(); let b = 0..1; }",
            ),
            ("b.rs", "/// See [`crate::a::A`].\n pub struct B(super::a::A);"),
        ];
        assert_eq!(found(&files), NONE);
    }

    #[test]
    fn paths_after_a_range_inside_functions_and_in_strings_count() {
        let a = ("a.rs", "pub const N: u8 = 3; pub fn f() { use crate::b::M; }");
        for text in [
            "use super::a; pub const M: u8 = 1; fn f() { for _ in 0..a::N {} }",
            "pub const M: u8 = 1; fn f() { for _ in 0..super::a::N {} }",
            "pub const M: u8 = 1; #[serde(with = \"crate::a::f\")] struct S;",
        ] {
            assert_eq!(
                found(&[("lib.rs", "mod a; mod b;"), a, ("b.rs", text)]),
                ["invented: a ↔ b"],
                "{text}"
            );
        }
    }

    #[test]
    fn an_inline_module_counts_as_its_file() {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "pub mod inner { use super::A; use crate::b::B; } pub struct A;"),
            ("b.rs", "use crate::a::A; pub struct B;"),
        ];
        assert_eq!(found(&files), ["invented: a ↔ b"]);
    }

    #[test]
    fn an_import_of_another_crate_by_way_of_the_parent_is_no_import_of_the_parent() {
        let files = [
            ("lib.rs", "use std::path::Path; mod a; fn f(_: &Path) { a::g() }"),
            ("a.rs", "use super::Path; pub fn g() {}"),
        ];
        assert_eq!(found(&files), NONE);
    }
}
