//! Configuration files in JSON. A configuration type has `#[serde(deny_unknown_fields)]`, so that a misspelt setting
//! is an error and never a silent default.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use text::JsonError;

use crate::text_file;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file is not a valid configuration of the process.
    #[error("the configuration {path} is not valid: {}", .source.detail())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Line, column and reason.
        source: JsonError,
    },
}

/// Reads a configuration from a JSON file.
pub fn load<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text = text_file::read(path).map_err(|source| ConfigError::Read {
        path: path.into(),
        source,
    })?;
    text::json::from_slice(&text).map_err(|source| ConfigError::Parse {
        path: path.into(),
        source,
    })
}

/// Resolves a path of a configuration, which is relative to `base`, the directory of the configuration file.
pub fn resolve(base: &Path, path: &Path) -> PathBuf {
    if path.is_absolute() {
        path.to_path_buf()
    } else {
        base.join(path)
    }
}

/// The directory of the configuration file `config`, where its relative paths start.
pub fn base(config: &Path) -> PathBuf {
    match config.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(serde::Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        name: String,
    }

    #[test]
    fn an_unknown_setting_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.json");
        std::fs::write(&path, r#"{"name":"a"}"#).unwrap();
        assert_eq!(load::<Sample>(&path).unwrap().name, "a");
        std::fs::write(&path, r#"{"name":"a","nmae":"b"}"#).unwrap();
        let error = load::<Sample>(&path).unwrap_err();
        assert!(error.to_string().contains("c.json"), "{error}");
        assert!(error.to_string().contains("nmae"), "{error}");
    }

    #[test]
    fn a_setting_that_is_given_twice_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.json");
        std::fs::write(&path, r#"{"a":{"x":1,"x":2}}"#).unwrap();
        assert!(load::<serde_json::Value>(&path).is_err());
    }

    #[test]
    fn relative_paths_start_at_the_directory_of_the_file() {
        assert_eq!(resolve(Path::new("/a"), Path::new("b")), Path::new("/a/b"));
        assert_eq!(resolve(Path::new("/a"), Path::new("/b")), Path::new("/b"));
        assert_eq!(base(Path::new("c.json")), Path::new("."));
    }
}
