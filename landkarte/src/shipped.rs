//! The content of `landkarte/content`, as part of the program.

use crate::content::SourceFile;

macro_rules! file {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../content/", $name)))
    };
}

/// All files but those with invented bodies and components.
const FILES: &[(&str, &[u8])] = &[
    file!("evidence.toml"),
    file!("norms.toml"),
    file!("permissions/auslaender.toml"),
    file!("permissions/ausweise.toml"),
    file!("permissions/datenschutzcockpit.toml"),
    file!("permissions/identifikationsnummer.toml"),
    file!("permissions/luftverkehr.toml"),
    file!("permissions/meldewesen.toml"),
    file!("permissions/nachlass.toml"),
    file!("permissions/personenstand.toml"),
    file!("permissions/soziales.toml"),
    file!("permissions/strassenverkehr.toml"),
    file!("permissions/wirtschaft.toml"),
    file!("permissions/zuverlaessigkeit.toml"),
    file!("registers.toml"),
];

/// The classes, registers, types of evidence, norms and permissions that are shipped, as [`crate::content::read`] takes
/// them.
#[must_use]
pub fn shipped() -> Vec<SourceFile> {
    let source = |(name, bytes): &(&str, &[u8])| SourceFile {
        name: (*name).to_owned(),
        bytes: bytes.to_vec(),
    };
    FILES.iter().map(source).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::*;

    #[test]
    fn all_files_are_shipped_but_those_of_the_demonstration() {
        let content = Path::new(env!("CARGO_MANIFEST_DIR")).join("content");
        let files = crate::content::load(std::slice::from_ref(&content)).unwrap();
        let names = files.iter().map(|file| {
            let name = Path::new(&file.name).strip_prefix(&content).unwrap();
            name.to_str().unwrap().to_owned()
        });
        let names: Vec<String> = names.filter(|name| !name.starts_with("demo.")).collect();
        assert_eq!(FILES.iter().map(|(name, _)| *name).collect::<Vec<_>>(), names);
        assert!(crate::content::read(&shipped()).is_ok());
    }
}
