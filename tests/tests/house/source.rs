//! The modules of a crate, read from its sources: what each defines, imports, and names.
//!
//! The reader follows `mod x;` from the root file (also below inline modules, and with `#[path]`). It leaves out
//! everything under `#[cfg(test)]` or `#[cfg(all(test, …))]`: modules, items, and members of an `impl`. It expands no
//! macro, but reads the tokens inside of a macro's call like any other code, and reads a string that is nothing but a
//! path (`#[serde(with = "crate::hex")]`) as that path.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Attribute, Item, ItemMod, UseTree, Visibility};

/// Segments, `["crate", "audit", "Options"]`.
pub(crate) type PathSegments = Vec<String>;

/// Where the text of a file comes from. `None` if there is no such file.
pub(crate) type ReadFile<'a> = &'a dyn Fn(&Path) -> Option<String>;

/// One path of a `use` declaration.
#[derive(Clone, Debug)]
pub(crate) struct Import {
    pub(crate) path: PathSegments,
    /// The name that it gives to what it imports. `None` for a glob and for `_`.
    pub(crate) name: Option<String>,
    pub(crate) glob: bool,
    /// Has a visibility: other modules can use it.
    pub(crate) exported: bool,
}

/// A module. An inline module is one too, but its code counts as code of the file that it is in.
#[derive(Debug)]
pub(crate) struct Scope {
    /// Path from the root, empty for the root.
    path: Vec<String>,
    pub(crate) parent: Option<usize>,
    /// The module that this code counts for: itself, or for an inline module the one that has a file.
    pub(crate) file: usize,
    pub(crate) children: BTreeMap<String, usize>,
    /// Names of the items defined here.
    pub(crate) defined: BTreeSet<String>,
    pub(crate) imports: Vec<Import>,
    /// Paths of several segments that the code names.
    pub(crate) paths: BTreeSet<PathSegments>,
    /// Names that the code uses alone, or as the first of several segments.
    pub(crate) names: BTreeSet<String>,
}

impl Scope {
    /// Path from the root, `crate` for the root itself.
    pub(crate) fn name(&self) -> String {
        if self.path.is_empty() {
            return "crate".to_owned();
        }
        self.path.join("::")
    }

    /// All paths, those of imports included.
    pub(crate) fn all_paths(&self) -> impl Iterator<Item = &PathSegments> {
        self.imports.iter().map(|import| &import.path).chain(&self.paths)
    }
}

/// The modules of one crate. The first is the root.
#[derive(Debug)]
pub(crate) struct Crate {
    /// What reports call it.
    pub(crate) label: String,
    scopes: Vec<Scope>,
    /// Macros that `#[macro_export]` puts into the root, with the module that defines them.
    pub(crate) exported_macros: BTreeMap<String, usize>,
}

impl Crate {
    pub(crate) fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    fn add(&mut self, path: Vec<String>, parent: Option<usize>, file: Option<usize>) -> usize {
        let number = self.scopes.len();
        self.scopes.push(Scope {
            path,
            parent,
            file: file.unwrap_or(number),
            children: BTreeMap::new(),
            defined: BTreeSet::new(),
            imports: Vec::new(),
            paths: BTreeSet::new(),
            names: BTreeSet::new(),
        });
        number
    }
}

/// Reads a crate from its root file.
///
/// # Errors
/// In words: a file is missing or is not Rust.
pub(crate) fn read(label: &str, root: &Path, read_file: ReadFile<'_>) -> Result<Crate, String> {
    let mut krate = Crate {
        label: label.to_owned(),
        scopes: Vec::new(),
        exported_macros: BTreeMap::new(),
    };
    let scope = krate.add(Vec::new(), None, None);
    let folder = root.parent().unwrap_or(Path::new("")).to_owned();
    let mut reader = Reader { krate, read_file };
    reader.file(scope, root, &folder)?;
    Ok(reader.krate)
}

struct Reader<'a> {
    krate: Crate,
    read_file: ReadFile<'a>,
}

impl Reader<'_> {
    /// Reads a file into a scope. `folder` is where the files of its child modules are.
    fn file(&mut self, scope: usize, path: &Path, folder: &Path) -> Result<(), String> {
        let text = (self.read_file)(path).ok_or_else(|| format!("{}: no such file", path.display()))?;
        let file = syn::parse_file(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        if file.attrs.iter().any(is_test_only) {
            return Ok(());
        }
        self.items(scope, &file.items, folder)
    }

    fn items(&mut self, scope: usize, items: &[Item], folder: &Path) -> Result<(), String> {
        for item in items {
            if attributes(item).iter().any(is_test_only) {
                continue;
            }
            match item {
                Item::Mod(module) => self.module(scope, module, folder)?,
                Item::Use(item) => {
                    let exported = !matches!(item.vis, Visibility::Inherited);
                    flatten(
                        &item.tree,
                        &mut Vec::new(),
                        exported,
                        &mut self.krate.scopes[scope].imports,
                    );
                }
                item => {
                    if let Some(name) = defined_name(item) {
                        if attributes(item)
                            .iter()
                            .any(|attribute| attribute.path().is_ident("macro_export"))
                        {
                            self.krate.exported_macros.insert(name.clone(), scope);
                        }
                        self.krate.scopes[scope].defined.insert(name);
                    }
                    scan(item.to_token_stream(), &mut self.krate.scopes[scope]);
                }
            }
        }
        Ok(())
    }

    fn module(&mut self, parent: usize, module: &ItemMod, folder: &Path) -> Result<(), String> {
        let name = module.ident.to_string();
        let name = name.trim_start_matches("r#").to_owned();
        let mut path = self.krate.scopes[parent].path.clone();
        path.push(name.clone());
        let file = module.content.as_ref().map(|_| self.krate.scopes[parent].file);
        let scope = self.krate.add(path, Some(parent), file);
        self.krate.scopes[parent].children.insert(name.clone(), scope);
        if let Some((_, items)) = &module.content {
            return self.items(scope, items, &folder.join(&name));
        }
        if let Some(path) = path_attribute(module) {
            let path = folder.join(path);
            let inside = path.parent().unwrap_or(folder).to_owned();
            return self.file(scope, &path, &inside);
        }
        let (flat, nested) = (folder.join(format!("{name}.rs")), folder.join(&name));
        if (self.read_file)(&flat).is_some() {
            self.file(scope, &flat, &nested)
        } else {
            self.file(scope, &nested.join("mod.rs"), &nested)
        }
    }
}

fn path_attribute(module: &ItemMod) -> Option<PathBuf> {
    let attribute = module
        .attrs
        .iter()
        .find(|attribute| attribute.path().is_ident("path"))?;
    let value = &attribute.meta.require_name_value().ok()?.value;
    Some(PathBuf::from(value.to_token_stream().to_string().trim_matches('"')))
}

/// `#[cfg(test)]` or `#[cfg(all(test, …))]`.
fn is_test_only(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute
            .meta
            .require_list()
            .is_ok_and(|list| demands_test(&list.tokens))
}

fn demands_test(condition: &TokenStream) -> bool {
    let tokens: Vec<TokenTree> = condition.clone().into_iter().collect();
    match tokens.as_slice() {
        [TokenTree::Ident(word)] => word == "test",
        [TokenTree::Ident(word), TokenTree::Group(list)] if word == "all" => list
            .stream()
            .into_iter()
            .any(|token| matches!(token, TokenTree::Ident(word) if word == "test")),
        _ => false,
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn defined_name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

/// All paths of a `use` tree.
fn flatten(tree: &UseTree, prefix: &mut PathSegments, exported: bool, imports: &mut Vec<Import>) {
    let mut add = |path: PathSegments, name: Option<String>, glob| {
        imports.push(Import {
            path,
            name,
            glob,
            exported,
        });
    };
    match tree {
        UseTree::Path(tree) => {
            prefix.push(tree.ident.to_string());
            flatten(&tree.tree, prefix, exported, imports);
            prefix.pop();
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, prefix, exported, imports);
            }
        }
        UseTree::Glob(_) => add(prefix.clone(), None, true),
        UseTree::Name(tree) if tree.ident == "self" => add(prefix.clone(), prefix.last().cloned(), false),
        UseTree::Name(tree) => {
            let name = tree.ident.to_string();
            add(
                [prefix.as_slice(), std::slice::from_ref(&name)].concat(),
                Some(name),
                false,
            );
        }
        UseTree::Rename(tree) => {
            let name = Some(tree.rename.to_string()).filter(|name| name != "_");
            let last = Some(tree.ident.to_string()).filter(|last| last != "self");
            add(prefix.iter().cloned().chain(last).collect(), name, false);
        }
    }
}

/// Collects the paths and names in tokens; also the `use` declarations inside of functions.
fn scan(tokens: TokenStream, scope: &mut Scope) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                if let Some(end) = end_of_test_code(&tokens, at) {
                    at = end;
                    continue;
                }
            }
            TokenTree::Group(group) => scan(group.stream(), scope),
            TokenTree::Literal(literal) => scope.paths.extend(path_in_string(&literal.to_string())),
            TokenTree::Ident(word) if word == "use" => {
                let end = (at..tokens.len()).find(|at| is_punct(tokens.get(*at), ';'));
                let tree = tokens[at + 1..end.unwrap_or(at + 1)].iter().cloned().collect();
                if let (Some(end), Ok(tree)) = (end, syn::parse2::<UseTree>(tree)) {
                    flatten(&tree, &mut Vec::new(), false, &mut scope.imports);
                    at = end;
                }
            }
            TokenTree::Ident(first) if !continues(&tokens, at) => {
                let mut path = vec![first.to_string()];
                while let Some(TokenTree::Ident(next)) = tokens.get(at + 3)
                    && is_punct(tokens.get(at + 1), ':')
                    && is_punct(tokens.get(at + 2), ':')
                {
                    path.push(next.to_string());
                    at += 3;
                }
                scope.names.insert(path[0].clone());
                if path.len() > 1 {
                    scope.paths.insert(path);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// Whether the word at this place is no beginning of a path: a member after a dot, a segment after `::`, a lifetime.
fn continues(tokens: &[TokenTree], at: usize) -> bool {
    let before = |distance: usize| at.checked_sub(distance).and_then(|at| tokens.get(at));
    match before(1) {
        // `a.b`, but not `a..b`.
        Some(TokenTree::Punct(punct)) if punct.as_char() == '.' => !is_joint(before(2), '.'),
        Some(TokenTree::Punct(punct)) if punct.as_char() == ':' => is_joint(before(2), ':') && before(3).is_some(),
        Some(TokenTree::Punct(punct)) => punct.as_char() == '\'',
        _ => false,
    }
}

fn is_punct(token: Option<&TokenTree>, char: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == char)
}

fn is_joint(token: Option<&TokenTree>, char: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == char && punct.spacing() == Spacing::Joint)
}

/// If an attribute that demands `test` begins here: where what it belongs to ends.
fn end_of_test_code(tokens: &[TokenTree], at: usize) -> Option<usize> {
    let TokenTree::Group(attribute) = tokens.get(at + 1)? else {
        return None;
    };
    let inner: Vec<TokenTree> = attribute.stream().into_iter().collect();
    match inner.as_slice() {
        [TokenTree::Ident(word), TokenTree::Group(condition)] if word == "cfg" && demands_test(&condition.stream()) => {
        }
        _ => return None,
    }
    let is_end = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => matches!(punct.as_char(), ';' | ','),
        _ => false,
    };
    let rest = tokens.get(at + 2..)?;
    let length = rest.iter().position(is_end).map_or(rest.len(), |end| end + 1);
    Some(at + 2 + length)
}

/// A string literal that is a path below `crate`, `self` or `super`, and nothing else.
fn path_in_string(literal: &str) -> Option<PathSegments> {
    let text = literal.strip_prefix('"')?.strip_suffix('"')?;
    let path: PathSegments = text.split("::").map(str::to_owned).collect();
    let is_word = |word: &String| !word.is_empty() && word.chars().all(|char| char.is_alphanumeric() || char == '_');
    let local = matches!(path[0].as_str(), "crate" | "self" | "super");
    (path.len() > 1 && local && path.iter().all(is_word)).then_some(path)
}
