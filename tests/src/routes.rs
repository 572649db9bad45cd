//! The routes of all processes, read from the sources: every call of `.route(PATH, METHODS)` outside of tests.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Item, Lit, Token};

use crate::files_below;

/// The functions of axum, and ours above them, that make a route for a method.
const METHODS: [(&str, &str); 7] = [
    ("get", "GET"),
    ("get_compressible", "GET"),
    ("compressed", "GET"),
    ("post", "POST"),
    ("put", "PUT"),
    ("delete", "DELETE"),
    ("options", "OPTIONS"),
];

/// One route of one process.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// The source file, from the root of the repository.
    pub file: String,
    /// `GET`, `POST`, …
    pub method: String,
    /// The path as written, or the expression that makes it.
    pub path: String,
}

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All routes of the sources below the folders of the workspace.
///
/// # Errors
/// A file cannot be read or is not Rust, or a route has no method that is known here.
pub fn routes() -> Result<BTreeSet<Route>> {
    let mut routes = BTreeSet::new();
    for entry in std::fs::read_dir(root())? {
        let folder = entry?.path();
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !folder.is_dir() || name.starts_with('.') || ["target", "tests", "fuzz", "xtask"].contains(&name) {
            continue;
        }
        for file in files_below(&folder)? {
            let short = file.strip_prefix(root())?.to_string_lossy().into_owned();
            if short.ends_with(".rs") && !is_of_tests(&short) {
                of_file(&short, &std::fs::read_to_string(&file)?, &mut routes).context(short)?;
            }
        }
    }
    Ok(routes)
}

/// Whether a file belongs to tests or examples.
fn is_of_tests(file: &str) -> bool {
    let folders = [
        "/tests/",
        "/examples/",
        "/benches/",
        "/node_modules/",
        "/fixture/",
        "/fixtures/",
    ];
    folders.iter().any(|folder| file.contains(folder))
        || ["/tests.rs", "_tests.rs", "/testing.rs"]
            .iter()
            .any(|end| file.ends_with(end))
}

fn of_file(file: &str, text: &str, routes: &mut BTreeSet<Route>) -> Result<()> {
    let parsed = syn::parse_file(text)?;
    for item in parsed.items {
        if !attributes(&item).iter().any(is_test_only) {
            scan(file, item.to_token_stream(), routes)?;
        }
    }
    Ok(())
}

/// Finds `. route ( … )` at every depth.
fn scan(file: &str, tokens: TokenStream, routes: &mut BTreeSet<Route>) -> Result<()> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    for (number, tree) in trees.iter().enumerate() {
        let TokenTree::Group(group) = tree else { continue };
        scan(file, group.stream(), routes)?;
        let before = |steps: usize| number.checked_sub(steps).map(|index| trees[index].to_string());
        let is_call = before(1).as_deref() == Some("route") && before(2).as_deref() == Some(".");
        if is_call && group.delimiter() == Delimiter::Parenthesis {
            of_call(file, group.stream(), routes)?;
        }
    }
    Ok(())
}

/// Reads the arguments of a call. A call with one argument makes no route of an axum router.
fn of_call(file: &str, arguments: TokenStream, routes: &mut BTreeSet<Route>) -> Result<()> {
    let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
    let arguments = syn::parse::Parser::parse2(parser, arguments)?;
    let (Some(path), Some(methods)) = (arguments.first(), arguments.get(1)) else {
        return Ok(());
    };
    let path = match path {
        Expr::Lit(ExprLit {
            lit: Lit::Str(path), ..
        }) => path.value(),
        path => path.to_token_stream().to_string().replace(' ', ""),
    };
    let mut found = BTreeSet::new();
    methods_of(methods.to_token_stream(), &mut found);
    ensure!(!found.is_empty(), "no method of {path} is known: extend METHODS");
    for method in found {
        routes.insert(Route {
            file: file.to_owned(),
            method: method.to_owned(),
            path: path.clone(),
        });
    }
    Ok(())
}

fn methods_of(tokens: TokenStream, found: &mut BTreeSet<&'static str>) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    for (number, tree) in trees.iter().enumerate() {
        if let TokenTree::Ident(name) = tree
            && let Some(TokenTree::Group(group)) = trees.get(number + 1)
            && group.delimiter() == Delimiter::Parenthesis
        {
            let known = METHODS.iter().find(|(function, _)| name == function);
            found.extend(known.map(|(_, method)| *method));
        }
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        _ => &[],
    }
}

fn is_test_only(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") && attribute.to_token_stream().to_string().contains("test")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn routes_are_found_at_every_depth_and_not_in_tests() {
        let text = r#"
            fn routes() -> Router {
                Router::new()
                    .route("/a", post(a::<S>).layer(Limit::max(get(7))))
                    .merge(if x { Router::new().route(B, get(b).options(c)) } else { Router::new() })
            }
            #[cfg(test)]
            mod tests { fn f() { Router::new().route("/t", get(t)); } }
        "#;
        let mut routes = BTreeSet::new();
        of_file("f.rs", text, &mut routes).unwrap();
        let routes: Vec<_> = routes
            .iter()
            .map(|route| format!("{} {}", route.method, route.path))
            .collect();
        assert_eq!(routes, ["GET B", "OPTIONS B", "POST /a"]);
        let unknown = "fn f() { r.route(\"/\", trace(x)); }";
        assert!(of_file("f.rs", unknown, &mut BTreeSet::new()).is_err());
    }
}
