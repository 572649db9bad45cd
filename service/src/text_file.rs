//! Text files that people edit and transfer. One that was damaged on its way is refused with what has happened to it
//! ([`Damage`]), because the error of the parser that comes after would name a consequence.

use std::io::{Error, ErrorKind, Result};
use std::path::Path;

use text::Damage;

/// Reads a file whose lines end with LF: a policy, a key, a credential.
///
/// # Errors
/// If the file cannot be read; `InvalidData` if it is damaged.
pub fn read_lines(path: &Path) -> Result<Vec<u8>> {
    load(path, Damage::of_lines)
}

/// Reads a file that may have any line ends, such as JSON.
///
/// # Errors
/// If the file cannot be read; `InvalidData` if it is damaged.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    load(path, Damage::of_encoding)
}

/// Checks the content of a file whose lines end with LF.
pub(crate) fn check_lines(bytes: &[u8]) -> Result<()> {
    check(bytes, Damage::of_lines)
}

fn load(path: &Path, damage: fn(&[u8]) -> Option<Damage>) -> Result<Vec<u8>> {
    let bytes = std::fs::read(path)?;
    check(&bytes, damage).map(|()| bytes)
}

fn check(bytes: &[u8], damage: fn(&[u8]) -> Option<Damage>) -> Result<()> {
    match damage(bytes) {
        Some(damage) => Err(Error::new(ErrorKind::InvalidData, Damaged(damage))),
        None => Ok(()),
    }
}

/// The damage as a sentence: every caller names the file itself.
#[derive(Debug, thiserror::Error)]
#[error("the file {0}")]
struct Damaged(Damage);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config;
    use crate::secret::Credential;

    #[test]
    fn a_damaged_file_is_refused_with_what_has_happened_to_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let credential = "07".repeat(32);
        for (bytes, lines, json) in [
            (format!("{credential}\r\n"), "CR LF", ""),
            (format!("\u{feff}{credential}\n"), "byte-order mark", "byte-order mark"),
        ] {
            crate::durable::write_atomic(&path, bytes.as_bytes()).unwrap();
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
            assert!(read_lines(&path).unwrap_err().to_string().contains(lines));
            assert!(Credential::read(&path).unwrap_err().to_string().contains(lines));
            assert_eq!(read(&path).is_ok(), json.is_empty());
        }
        std::fs::write(&path, "\r\n\"a\"\r\n").unwrap();
        assert_eq!(config::load::<String>(&path).unwrap(), "a");
        std::fs::write(&path, "\u{feff}\"a\"").unwrap();
        let error = config::load::<String>(&path).unwrap_err();
        assert!(error.to_string().contains("byte-order mark"), "{error}");
    }
}
