//! The documents name only tests, files and pages that exist.
//!
//! `docs/threat-model.md` and `docs/testing.md` name a test for every control and every attack, in the column "Test". A
//! test that is renamed or deleted would leave a claim without support, so each name must be a function of the
//! workspace's sources; `p6_…` stands for a prefix. Links of all documents must lead to files of the checkout.

use std::path::{Path, PathBuf};
use std::process::Command;

const TABLES: [&str; 2] = ["docs/threat-model.md", "docs/testing.md"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The tracked files with this ending.
fn files(pattern: &str) -> Vec<PathBuf> {
    let output = Command::new("git")
        .current_dir(root())
        .args(["ls-files", pattern])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).unwrap();
    // Without a file there would be nothing to check, and every test of this module would pass.
    assert!(!names.is_empty(), "git tracks no {pattern}");
    names.lines().map(|file| root().join(file)).collect()
}

/// The names in backticks in the last column of the tables whose last heading is "Test".
fn tests_named(text: &str) -> Vec<&str> {
    let mut in_table = false;
    let mut names = Vec::new();
    for line in text.lines() {
        let Some(row) = line.trim_end().strip_suffix('|').and_then(|row| row.strip_prefix('|')) else {
            in_table = false;
            continue;
        };
        let last = row.rsplit(" | ").next().unwrap_or_default();
        if last.trim() == "Test" {
            in_table = true;
        } else if in_table {
            let quoted = last.split('`').skip(1).step_by(2);
            // `crate::module` says where a control is enforced, not how it is tested.
            names.extend(quoted.filter(|name| name.contains('_') && !name.contains(':')));
        }
    }
    names
}

/// Where the relative links of a document lead.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|link| !link.starts_with('#') && !link.contains("://"))
        .filter_map(|link| link.split('#').next())
}

#[test]
fn every_test_that_a_document_names_exists() {
    let mut code = String::new();
    for file in files("*.rs") {
        code.push_str(&std::fs::read_to_string(file).unwrap());
    }
    for document in TABLES {
        let text = std::fs::read_to_string(root().join(document)).unwrap();
        let names = tests_named(&text);
        assert!(
            names.len() >= 9,
            "{document}: only {} tests found in its tables",
            names.len()
        );
        for name in names {
            let found = match name.strip_suffix('…') {
                Some(prefix) => code.contains(&format!("fn {prefix}")),
                None => code.contains(&format!("fn {name}(")),
            };
            assert!(found, "{document} names the test {name}, which does not exist");
        }
    }
}

#[test]
fn every_link_of_a_document_leads_to_a_file() {
    for document in files("*.md")
        .into_iter()
        .filter(|file| !file.to_string_lossy().contains("/vendor/"))
    {
        let text = std::fs::read_to_string(&document).unwrap();
        for link in links(&text) {
            let target = document.parent().unwrap().join(link);
            assert!(target.exists(), "{}: {link} does not exist", document.display());
        }
    }
}

#[test]
fn names_and_links_are_found() {
    let text = "| Threat | Test |\n| --- | --- |\n| a `b_c` | `d`: `e_f`, `g_…` |\n\nsee [x](y.md#z) and [w](https://v)\n| Other |\n| `h_i` |\n";
    assert_eq!(tests_named(text), ["e_f", "g_…"]);
    assert_eq!(links(text).collect::<Vec<_>>(), ["y.md"]);
}
