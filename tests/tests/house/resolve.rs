//! Which module a path leads to: the module that *defines* the item, not one that only exports it again.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Crate, Import};

/// How many imports are followed for one name. The compiler has no such limit; two globs that import each other would
/// have no end here.
const MAX_DEPTH: usize = 16;

/// What a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    /// A module of the crate.
    Module(usize),
    /// An item that this module defines.
    Item(usize),
}

impl Named {
    fn scope(self) -> usize {
        match self {
            Named::Module(scope) | Named::Item(scope) => scope,
        }
    }
}

/// From the number of a module to those of the modules that it imports, each with one path that does.
pub(crate) type Edges = BTreeMap<usize, BTreeMap<usize, String>>;

/// All imports between the modules of a crate that have a file.
pub(crate) fn edges(krate: &Crate) -> Edges {
    let mut edges = Edges::new();
    for (number, scope) in krate.scopes().iter().enumerate() {
        let mut add = |named: Option<Named>, path: &[String]| {
            let Some(named) = named else { return };
            let target = krate.scopes()[named.scope()].file;
            if target != scope.file {
                let why = path.join("::");
                edges.entry(scope.file).or_default().entry(target).or_insert(why);
            }
        };
        for import in &scope.imports {
            let target = path_target(krate, number, &import.path, 0);
            if import.glob {
                match target {
                    Some(Named::Module(module)) => {
                        for name in &scope.names {
                            add(exported_name(krate, module, number, name), &import.path);
                        }
                    }
                    target if !import.exported => add(target, &import.path),
                    _ => {}
                }
            } else if !import.exported || !is_descendant(krate, target, number) || is_used(import, &scope.names) {
                add(target, &import.path);
            }
        }
        for path in &scope.paths {
            add(path_target(krate, number, path, 0), path);
        }
    }
    edges
}

/// A name that a glob of `module` brings into `scope`, unless the scope has an item of that name itself.
fn exported_name(krate: &Crate, module: usize, scope: usize, name: &str) -> Option<Named> {
    if krate.scopes()[scope].defined.contains(name) {
        return None;
    }
    name_target(krate, module, name, 0)
}

fn is_descendant(krate: &Crate, target: Option<Named>, ancestor: usize) -> bool {
    let mut at = target.map(Named::scope);
    while let Some(scope) = at {
        if scope == ancestor {
            return true;
        }
        at = krate.scopes()[scope].parent;
    }
    false
}

fn is_used(import: &Import, names: &BTreeSet<String>) -> bool {
    import.name.as_ref().is_some_and(|name| names.contains(name))
}

/// What a path leads to, seen from a module. `None` if it leads out of the crate.
fn path_target(krate: &Crate, from: usize, path: &[String], depth: usize) -> Option<Named> {
    let scopes = krate.scopes();
    let (first, rest) = path.split_first()?;
    let mut at = match first.as_str() {
        "crate" => Named::Module(0),
        "self" => Named::Module(from),
        "super" => Named::Module(scopes[from].parent?),
        name => name_target(krate, from, name, depth)?,
    };
    for name in rest {
        let Named::Module(module) = at else { break };
        at = match name.as_str() {
            "super" => Named::Module(scopes[module].parent?),
            "self" => at,
            // A name that cannot be found is made by a macro: it is defined here.
            name => match name_target(krate, module, name, depth) {
                Some(named) => named,
                None if imports_from_elsewhere(krate, module, name) => return None,
                None => Named::Item(module),
            },
        };
    }
    Some(at)
}

/// What a name is in a module: a child module, an item, or what an import makes of it.
fn name_target(krate: &Crate, module: usize, name: &str, depth: usize) -> Option<Named> {
    if depth > MAX_DEPTH {
        return None;
    }
    let scope = &krate.scopes()[module];
    if let Some(child) = scope.children.get(name) {
        return Some(Named::Module(*child));
    }
    if scope.defined.contains(name) {
        return Some(Named::Item(module));
    }
    if let Some(definer) = krate.exported_macros.get(name).filter(|_| module == 0) {
        return Some(Named::Item(*definer));
    }
    // `use x::{self, y}` names x by x itself, which is then another crate.
    let named = scope
        .imports
        .iter()
        .filter(|import| import.name.as_deref() == Some(name) && import.path.first().map(String::as_str) != Some(name));
    let mut named = named.filter_map(|import| path_target(krate, module, &import.path, depth + 1));
    if let Some(target) = named.next() {
        return Some(target);
    }
    scope.imports.iter().filter(|import| import.glob).find_map(|import| {
        match path_target(krate, module, &import.path, depth + 1) {
            Some(Named::Module(target)) if target != module => name_target(krate, target, name, depth + 1),
            _ => None,
        }
    })
}

/// Whether an import of the module gives this name to something of another crate.
fn imports_from_elsewhere(krate: &Crate, module: usize, name: &str) -> bool {
    let imports = &krate.scopes()[module].imports;
    imports.iter().any(|import| import.name.as_deref() == Some(name))
}
