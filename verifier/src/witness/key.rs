//! The witness's key file: one line, `PRIVATE+KEY+<name>+<id>+<base64(0x01 ‖ seed)>`.
//!
//! The file has the form of a note key (type 0x01), because the usual tools write that form. The witness signs with the
//! same seed and name as a cosigner (type 0x04). A file with type 0x04 is accepted too. A key is created only if a name
//! is given, and its file can be read by its owner only. A key file from elsewhere that others can read is accepted
//! with a warning, because the usual tools write such files.

use std::path::Path;

use service::secret::{SecretError, read_private};
use service::text_file;
use tlog::encoding::from_base64;
use tlog::note::{Algorithm, KeyError, KeyName, NameError, SignerKey};
use zeroize::Zeroizing;

/// Why the key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be read or created.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The file is missing, and no name was given to create a key with.
    #[error("there is no key file {0}: give --name to create one")]
    Missing(String),
    /// The content is not a private key.
    #[error("the key file does not hold a private key: {0}")]
    Key(#[from] KeyError),
    /// The name is not a valid key name.
    #[error("not a valid key name: {0}")]
    Name(#[from] NameError),
    /// The file holds the key of another witness.
    #[error("the key file holds the key of {found}, not {asked}")]
    OtherName {
        /// Name in the file.
        found: String,
        /// Name asked for.
        asked: String,
    },
}

/// Reads the key file, or creates it if it is missing and a name is given.
///
/// # Errors
/// [`KeyFileError`].
pub fn load_or_create(path: &Path, name: Option<&str>) -> Result<SignerKey, KeyFileError> {
    if !path.exists() {
        let name: KeyName = name
            .ok_or_else(|| KeyFileError::Missing(path.display().to_string()))?
            .parse()?;
        let text = SignerKey::for_notes(name, &service::secret::random()?).to_private_text();
        let line = [text.as_bytes(), b"\n"].concat();
        service::durable::create_private(path, &line).map_err(|source| SecretError::Io {
            path: path.to_owned(),
            source,
        })?;
    }
    let key = load_signer(path)?;
    match name {
        Some(asked) if asked != key.name().as_str() => Err(KeyFileError::OtherName {
            found: key.name().to_string(),
            asked: asked.to_owned(),
        }),
        _ => Ok(key),
    }
}

/// Reads a key file as the key of a cosigner.
///
/// # Errors
/// [`KeyFileError`].
pub fn load_signer(path: &Path) -> Result<SignerKey, KeyFileError> {
    let text = match read_private(path) {
        Err(SecretError::Exposed(exposed)) => {
            tracing::warn!("{exposed}");
            let path = exposed.path;
            let read = text_file::read_lines(&path);
            let bytes = read.map_err(|source| SecretError::Io {
                path: path.clone(),
                source,
            })?;
            Zeroizing::new(String::from_utf8(bytes).map_err(|_| SecretError::Malformed(path))?)
        }
        other => other?,
    };
    let text = text.trim_end_matches('\n');
    let key: SignerKey = text.parse()?;
    if key.algorithm() == Algorithm::CosignatureV1 {
        return Ok(key);
    }
    // The text was parsed above, so its last part is base64(type ‖ seed); base64 itself may contain '+'.
    let coded = text.splitn(5, '+').last().unwrap_or_default();
    let bytes = Zeroizing::new(from_base64(coded).map_err(|_| KeyError::Structure)?);
    let seed = bytes
        .get(1..)
        .and_then(|seed| seed.try_into().ok())
        .ok_or(KeyError::Structure)?;
    Ok(SignerKey::for_cosignatures(key.name().clone(), seed))
}
