//! `docs/wire.md` lists every requirement and names only tests that exist.

use std::fs;
use std::path::Path;

/// Each prefix of requirement ids, with the number of its last requirement.
const REQUIREMENTS: [(&str, u32); 8] = [
    ("MT", 5),
    ("SN", 10),
    ("CP", 6),
    ("TT", 11),
    ("CS", 8),
    ("WI", 5),
    ("TP", 4),
    ("PO", 5),
];

fn sources(folder: &Path, text: &mut String) {
    for item in fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_requirement_is_in_the_table_and_every_test_in_it_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let table = fs::read_to_string(root.join("docs/wire.md")).unwrap();
    let first_cells = table
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(' ').next());
    // The table of requirements is the first one; other tables begin with a heading of their own.
    let ids: Vec<&str> = first_cells.take_while(|cell| *cell != "Endpoint").collect();
    let expected = REQUIREMENTS
        .iter()
        .flat_map(|(prefix, last)| (1..=*last).map(move |number| format!("{prefix}-{number}")));
    let expected: Vec<String> = ["Id", "---"].map(str::to_owned).into_iter().chain(expected).collect();
    assert_eq!(ids, expected);
    let mut code = String::new();
    for folder in ["formats", "ledger", "verifier"] {
        sources(&root.join(folder), &mut code);
    }
    let quoted = table.split('`').skip(1).step_by(2);
    let is_test = |name: &&str| {
        name.contains('_')
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let tests: Vec<&str> = quoted.filter(is_test).collect();
    assert!(tests.len() > 60, "{}", tests.len());
    for test in tests {
        assert!(code.contains(&format!("fn {test}(")), "there is no test {test}");
    }
}
