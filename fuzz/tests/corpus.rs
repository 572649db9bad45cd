//! Replays every input of every target's corpus.

use std::path::Path;

#[test]
fn no_input_of_the_corpus_makes_a_target_panic() {
    for (name, target) in fuzz::TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
        let files: Vec<_> = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|file| file.unwrap().path())
            .collect();
        assert!(!files.is_empty(), "{name} has no corpus");
        let mut accepted = 0;
        for file in files {
            eprintln!("{}", file.display());
            accepted += usize::from(target(&std::fs::read(&file).unwrap()));
        }
        assert!(
            accepted > 0,
            "{name} accepts no input of its corpus, so the corpus reaches little of the parser"
        );
    }
}

#[test]
fn every_target_has_a_program() {
    let manifest = include_str!("../Cargo.toml");
    for (name, _) in fuzz::TARGETS {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
    assert_eq!(manifest.matches("[[bin]]").count(), fuzz::TARGETS.len());
}
